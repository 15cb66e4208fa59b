// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/visit.hpp>
#include <numeric>

namespace larmor::nd {
namespace {

std::size_t need(const Array& a, int axis) {
  if (axis < 0 || axis >= a.rank())
    throw Error(Errc::range, fmt::format("axis {} of an array of {} axes", axis, a.rank()),
                fmt::format("give axes from 0 to {}", a.rank() - 1));
  return static_cast<std::size_t>(axis);
}

// Neighbours that stay neighbours are copied as one.
struct Run {
  std::int64_t from, to, n;  // from < 0: fill
};
std::vector<Run> runs_of(std::span<const std::int64_t> from) {
  std::vector<Run> runs;
  for (std::size_t k = 0; k < from.size(); ++k) {
    const auto at = static_cast<std::int64_t>(k);
    const bool fills = from[k] < 0;
    if (!runs.empty()) {
      Run& last = runs.back();
      if (fills ? last.from < 0 : last.from >= 0 && last.from + last.n == from[k]) {
        ++last.n;
        continue;
      }
    }
    runs.push_back({fills ? -1 : from[k], at, 1});
  }
  return runs;
}

template <class T>
void take_rows(const T* in, T* out, std::int64_t inner, std::int64_t n_in, std::int64_t n_out,
               const std::vector<Run>& runs, T fill, std::int64_t rows, const Cancel* cancel) {
  const auto grain =
      static_cast<std::size_t>(std::max<std::int64_t>(1, piece / std::max<std::int64_t>(inner * n_out, 1)));
  const auto one = [&](std::int64_t row, const Run& r) {
    T* to = out + (row * n_out + r.to) * inner;
    if (r.from < 0) {
      std::fill(to, to + r.n * inner, fill);
    } else {
      const T* from = in + (row * n_in + r.from) * inner;
      std::copy(from, from + r.n * inner, to);
    }
  };
  if (rows > 1) {
    parallel_for(
        static_cast<std::size_t>(rows), grain,
        [&](std::size_t first, std::size_t last) {
          for (auto row = first; row < last; ++row)
            for (const Run& r : runs) one(static_cast<std::int64_t>(row), r);
        },
        cancel);
    return;
  }
  const auto runs_at_once =
      static_cast<std::size_t>(std::max<std::int64_t>(1, piece / std::max<std::int64_t>(inner, 1)));
  parallel_for(
      rows > 0 ? runs.size() : 0, runs_at_once,
      [&](std::size_t first, std::size_t last) {
        for (auto k = first; k < last; ++k) one(0, runs[k]);
      },
      cancel);
}

}  // namespace

Array take(const Array& array, int axis, std::span<const std::int64_t> from, double fill, const Cancel* cancel) {
  const auto at = need(array, axis);
  const Array a = array.to(Device::cpu()).contiguous_copy();
  const std::int64_t n = a.shape()[at];
  for (const auto k : from)
    if (k >= n) throw Error(Errc::range, fmt::format("index {} of axis '{}', which has {}", k, a.axes()[at], n));
  Shape shape = a.shape();
  shape[at] = static_cast<std::int64_t>(from.size());
  Array out = Array::uninitialised(a.dtype(), shape, a.axes());
  std::int64_t inner = 1, rows = 1;
  for (std::size_t i = 0; i < at; ++i) inner *= shape[i];
  for (std::size_t i = at + 1; i < shape.size(); ++i) rows *= shape[i];
  if (out.size() == 0) return out;
  const auto runs = runs_of(from);
  visit(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Array one(dtype_of<T>, {1});
    store(&fill, 1, one, 0);
    take_rows(a.data<T>(), out.data<T>(), inner, n, shape[at], runs, *one.data<T>(), rows, cancel);
  });
  return out;
}

Array flip(const Array& a, int axis, const Cancel* cancel) {
  std::vector<std::int64_t> from(static_cast<std::size_t>(a.shape()[need(a, axis)]));
  std::iota(from.rbegin(), from.rend(), 0);
  return take(a, axis, from, 0, cancel);
}

Array roll(const Array& a, int axis, std::int64_t by, const Cancel* cancel) {
  const std::int64_t n = a.shape()[need(a, axis)];
  std::vector<std::int64_t> from(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < n; ++k) from[static_cast<std::size_t>(k)] = ((k - by) % n + n) % n;
  return take(a, axis, from, 0, cancel);
}

Array pad(const Array& a, int axis, std::int64_t before, std::int64_t after, Pad mode, double fill,
          const Cancel* cancel) {
  const auto at = need(a, axis);
  const std::int64_t n = a.shape()[at], m = n + before + after;
  if (m < 1 || n < 1 || (before < -n) || (after < -n))
    throw Error(Errc::range,
                fmt::format("axis '{}' of {} elements with {} before and {} after leaves {}", a.axes()[at], n, before,
                            after, std::max<std::int64_t>(m, 0)),
                "leave one element at least");
  if (mode == Pad::reflect && std::max(before, after) >= n)
    throw Error(
        Errc::range,
        fmt::format("axis '{}' of {} elements cannot be reflected by {}", a.axes()[at], n, std::max(before, after)),
        fmt::format("pad by {} at most, or use another mode", n - 1));
  std::vector<std::int64_t> from(static_cast<std::size_t>(m));
  for (std::int64_t k = 0; k < m; ++k) {
    std::int64_t i = k - before;
    if (i < 0 || i >= n) switch (mode) {
        case Pad::constant:
          i = -1;
          break;
        case Pad::edge:
          i = std::clamp<std::int64_t>(i, 0, n - 1);
          break;
        case Pad::reflect:
          i = i < 0 ? -i : 2 * (n - 1) - i;
          break;
        case Pad::wrap:
          i = (i % n + n) % n;
      }
    from[static_cast<std::size_t>(k)] = i;
  }
  return take(a, axis, from, fill, cancel);
}

std::int64_t resize_before(std::int64_t from, std::int64_t to) { return to / 2 - from / 2; }

Array resize(const Array& a, int axis, std::int64_t n, double fill, const Cancel* cancel) {
  const std::int64_t have = a.shape()[need(a, axis)], before = resize_before(have, n);
  return pad(a, axis, before, n - have - before, Pad::constant, fill, cancel);
}

Array tile(const Array& a, int axis, std::int64_t times, const Cancel* cancel) {
  const auto at = need(a, axis);
  if (times < 1) throw Error(Errc::range, fmt::format("tile: {} times", times), "give 1 or more");
  const std::int64_t n = a.shape()[at];
  std::vector<std::int64_t> from(static_cast<std::size_t>(n * times));
  for (std::size_t k = 0; k < from.size(); ++k) from[k] = static_cast<std::int64_t>(k) % n;
  return take(a, axis, from, 0, cancel);
}

Array repeat(const Array& a, int axis, std::int64_t times, const Cancel* cancel) {
  const auto at = need(a, axis);
  if (times < 1) throw Error(Errc::range, fmt::format("repeat: {} times", times), "give 1 or more");
  std::vector<std::int64_t> from(static_cast<std::size_t>(a.shape()[at] * times));
  for (std::size_t k = 0; k < from.size(); ++k) from[k] = static_cast<std::int64_t>(k) / times;
  return take(a, axis, from, 0, cancel);
}

}  // namespace larmor::nd
