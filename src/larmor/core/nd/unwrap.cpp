// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/mask.hpp>
#include <larmor/core/nd/unwrap.hpp>
#include <limits>
#include <numbers>
#include <numeric>

namespace larmor::nd {
namespace {

constexpr double turn = 2 * std::numbers::pi;

// The phase as f64, and the type of the result.
Array as_phase(const Array& a, DType& type) {
  if (is_complex(a.dtype()))
    throw Error(Errc::type, "a phase is real and this is " + a.describe(), "take complex.phase first");
  type = arithmetic_type(std::span(&a, 1));
  return a.to(Device::cpu()).cast(DType::f64).clone();
}

using Index = std::int64_t;
struct Grid {
  std::array<Index, 3> n{}, stride{};
};

// Inverse of the root of the summed squared second differences along all lines through an element; 0 at borders.
std::vector<double> reliability(const double* v, const bool* valid, const Grid& g, int dims) {
  std::vector<std::array<Index, 3>> lines;
  for (Index z = dims > 2 ? -1 : 0; z <= 0; ++z)
    for (Index y = -1; y <= 1; ++y)
      for (Index x = -1; x <= 1; ++x)
        if (z < 0 || y < 0 || (y == 0 && x < 0)) {
          if (z == 0 && (y > 0 || (y == 0 && x >= 0))) continue;
          lines.push_back({x, y, z});
        }
  const Index size = g.n[0] * g.n[1] * g.n[2];
  std::vector<double> out(static_cast<std::size_t>(size), 0);
  parallel_for(static_cast<std::size_t>(size), 4096, [&](std::size_t first, std::size_t last) {
    for (std::size_t p = first; p < last; ++p) {
      const auto i = static_cast<Index>(p);
      const std::array<Index, 3> at{i % g.n[0], i / g.n[0] % g.n[1], i / g.n[0] / g.n[1]};
      bool inner = valid[i];
      for (int a = 0; a < dims; ++a)
        inner = inner && at[static_cast<std::size_t>(a)] > 0 &&
                at[static_cast<std::size_t>(a)] + 1 < g.n[static_cast<std::size_t>(a)];
      double sum = 0;
      for (std::size_t l = 0; inner && l < lines.size(); ++l) {
        const Index step = lines[l][0] * g.stride[0] + lines[l][1] * g.stride[1] + lines[l][2] * g.stride[2];
        inner = valid[i + step] && valid[i - step];
        if (!inner) break;
        const double second = wrapped(v[i + step] - v[i]) - wrapped(v[i] - v[i - step]);
        sum += second * second;
      }
      if (inner) out[p] = 1 / std::sqrt(std::max(sum, 1e-20));
    }
  });
  return out;
}

struct Edge {
  double reliability;
  Index from;
  int axis;
};

void unwrap_volume(double* v, const bool* valid, const Grid& g, int dims, const Cancel* cancel) {
  const Index size = g.n[0] * g.n[1] * g.n[2];
  const auto quality = reliability(v, valid, g, dims);
  std::vector<Edge> edges;
  for (Index i = 0; i < size; ++i) {
    if (!valid[i]) continue;
    const std::array<Index, 3> at{i % g.n[0], i / g.n[0] % g.n[1], i / g.n[0] / g.n[1]};
    for (int a = 0; a < dims; ++a) {
      const auto s = static_cast<std::size_t>(a);
      if (at[s] + 1 < g.n[s] && valid[i + g.stride[s]])
        edges.push_back(
            {quality[static_cast<std::size_t>(i)] + quality[static_cast<std::size_t>(i + g.stride[s])], i, a});
    }
  }
  if (cancel) cancel->check();
  std::stable_sort(edges.begin(), edges.end(),
                   [](const Edge& a, const Edge& b) { return a.reliability > b.reliability; });
  // Groups as linked lists with their turns; the smaller joins the larger.
  std::vector<Index> head(static_cast<std::size_t>(size)), tail(head), next(static_cast<std::size_t>(size), -1),
      members(static_cast<std::size_t>(size), 1);
  std::vector<std::int32_t> turns(static_cast<std::size_t>(size), 0);
  std::iota(head.begin(), head.end(), 0), tail = head;
  std::size_t count = 0;
  for (const Edge& e : edges) {
    if (cancel && (++count & 0xffff) == 0) cancel->check();
    auto a = static_cast<std::size_t>(e.from),
         b = static_cast<std::size_t>(e.from + g.stride[static_cast<std::size_t>(e.axis)]);
    if (head[a] == head[b]) continue;
    if (members[static_cast<std::size_t>(head[a])] < members[static_cast<std::size_t>(head[b])]) std::swap(a, b);
    const double step = v[b] + turn * turns[b] - v[a] - turn * turns[a];
    const auto by = static_cast<std::int32_t>(-std::lround(step / turn));
    const auto to = static_cast<std::size_t>(head[a]), from = static_cast<std::size_t>(head[b]);
    for (Index i = static_cast<Index>(from); i >= 0; i = next[static_cast<std::size_t>(i)])
      turns[static_cast<std::size_t>(i)] += by, head[static_cast<std::size_t>(i)] = static_cast<Index>(to);
    next[static_cast<std::size_t>(tail[to])] = static_cast<Index>(from);
    tail[to] = tail[from];
    members[to] += members[from];
  }
  std::vector<double> sums(static_cast<std::size_t>(size), 0);
  for (Index i = 0; i < size; ++i)
    sums[static_cast<std::size_t>(head[static_cast<std::size_t>(i)])] += turns[static_cast<std::size_t>(i)];
  for (Index i = 0; i < size; ++i) {
    const auto p = static_cast<std::size_t>(i), h = static_cast<std::size_t>(head[p]);
    v[i] = valid[i] ? v[i] + turn * (turns[p] - std::round(sums[h] / static_cast<double>(members[h])))
                    : std::numeric_limits<double>::quiet_NaN();
  }
}

}  // namespace

double wrapped(double v) { return v - turn * std::ceil((v - std::numbers::pi) / turn); }

Array wrap(const Array& phase, const Cancel* cancel) {
  DType type;
  Array out = as_phase(phase, type);
  double* v = out.data<double>();
  parallel_for(
      static_cast<std::size_t>(out.size()), 1 << 15,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t i = first; i < last; ++i) v[i] = wrapped(v[i]);
      },
      cancel);
  return out.cast(type);
}

Array unwrap_axis(const Array& phase, int axis, const Cancel* cancel) {
  if (axis < 0 || axis >= phase.rank()) throw Error(Errc::range, fmt::format("axis {} of {}", axis, phase.describe()));
  DType type;
  Array out = as_phase(phase, type);
  Index inner = 1;
  for (int i = 0; i < axis; ++i) inner *= out.extent(i);
  const Index n = out.extent(axis);
  double* data = out.data<double>();
  parallel_for(
      n == 0 ? 0 : static_cast<std::size_t>(out.size() / n), 256,
      [&](std::size_t first, std::size_t last) {
        for (auto l = static_cast<Index>(first); l < static_cast<Index>(last); ++l) {
          double* v = data + l / inner * inner * n + l % inner;
          double before = std::numeric_limits<double>::quiet_NaN();
          for (Index k = 0; k < n; ++k) {
            double& now = v[k * inner];
            if (std::isnan(now)) continue;
            if (!std::isnan(before)) now = before + wrapped(now - before);
            before = now;
          }
        }
      },
      cancel);
  return out.cast(type);
}

Array unwrap_by_quality(const Array& phase, int dims, const Array* mask, const Cancel* cancel) {
  if (dims < 2 || dims > 3 || phase.rank() < dims)
    throw Error(Errc::shape, fmt::format("unwrapping in {} dimensions of {}", dims, phase.describe()),
                "give 2 or 3 dimensions, and an array of that many axes");
  DType type;
  Array out = as_phase(phase, type);
  Grid g{{out.extent(0), out.extent(1), dims > 2 ? out.extent(2) : 1},
         {1, out.extent(0), out.extent(0) * out.extent(1)}};
  const Index volume = g.n[0] * g.n[1] * g.n[2];
  Array valid = Array::uninitialised(DType::boolean, out.shape(), out.axes());
  Array given;
  if (mask) {
    given = as_mask(*mask, cancel);
    if (given.size() == 0 || out.size() % given.size() != 0 ||
        !std::equal(given.shape().begin(), given.shape().end(), out.shape().begin(),
                    out.shape().begin() + std::min(given.rank(), out.rank())))
      throw Error(Errc::shape, fmt::format("the mask is {} and the phase {}", given.describe(), out.describe()),
                  "give a mask of the same first axes");
  }
  for (Index i = 0; i < out.size(); ++i)
    valid.data<bool>()[i] = std::isfinite(out.data<double>()[i]) && (!mask || given.data<bool>()[i % given.size()]);
  for (Index at = 0; at < out.size(); at += volume)
    unwrap_volume(out.data<double>() + at, valid.data<bool>() + at, g, dims, cancel);
  return out.cast(type);
}

}  // namespace larmor::nd
