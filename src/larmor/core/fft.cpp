// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/fft.hpp>
#include <larmor/core/fft_backend.hpp>
#include <larmor/core/fft_centre.hpp>
#include <larmor/core/parallel.hpp>

namespace larmor {
namespace {

using fft_backend::Loop;
using fft_centre::Side;

// Elements in one piece of work: 512 kB of c128, which a core's L2 cache holds while a transform goes over it.
constexpr std::int64_t piece = 32768;
// A transform of several axes at once walks memory axis by axis; beyond this, threads on single axes are better.
constexpr std::int64_t whole_up_to = std::int64_t{1} << 20;

void check(const Array& a, std::span<const int> axes) {
  if (a.dtype() != DType::c64 && a.dtype() != DType::c128)
    throw Error(Errc::type, fmt::format("fft: the array is {}, not complex", to_string(a.dtype())),
                "convert it with cast(DType::c64) or cast(DType::c128)");
  if (axes.empty() || axes.size() > 3)
    throw Error(Errc::range, fmt::format("fft: {} axes to transform", axes.size()), "give 1 to 3 axes");
  for (std::size_t i = 0; i < axes.size(); ++i) {
    if (axes[i] < 0 || axes[i] >= a.rank())
      throw Error(Errc::range, fmt::format("fft: axis {} of an array of {} axes", axes[i], a.rank()),
                  fmt::format("give axes from 0 to {}", a.rank() - 1));
    if (std::find(axes.begin(), axes.begin() + static_cast<std::ptrdiff_t>(i), axes[i]) !=
        axes.begin() + static_cast<std::ptrdiff_t>(i))
      throw Error(Errc::range, fmt::format("fft: axis {} is given twice", axes[i]), "name each axis once");
  }
}

// The axes that are not transformed, nearest in memory first; two that follow each other in both arrays become one.
std::vector<Loop> batches_of(std::span<const int> axes, const Array& in, const Array& out) {
  std::vector<Loop> loops;
  for (int i = 0; i < out.rank(); ++i) {
    const auto a = static_cast<std::size_t>(i);
    if (std::ranges::find(axes, i) == axes.end() && out.shape()[a] > 1)
      loops.push_back({out.shape()[a], in.strides()[a], out.strides()[a]});
  }
  std::ranges::sort(loops, {}, &Loop::out_stride);
  for (std::size_t i = 0; i + 1 < loops.size();) {
    Loop &low = loops[i], &high = loops[i + 1];
    if (high.in_stride == low.in_stride * low.n && high.out_stride == low.out_stride * low.n) {
      low.n *= high.n;
      loops.erase(loops.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    } else {
      ++i;
    }
  }
  return loops;
}

// How a transform is cut: a piece repeats it `at_once` times along the nearest batch axis.
struct Cut {
  std::vector<Loop> dims, batches;
  std::int64_t points = 1, at_once = 1, pieces_along_first = 1, pieces = 1;
};
Cut cut(std::span<const int> axes, const Array& in, const Array& out) {
  Cut c;
  for (const int i : axes) {
    const auto a = static_cast<std::size_t>(i);
    c.dims.push_back({out.shape()[a], in.strides()[a], out.strides()[a]});
    c.points *= out.shape()[a];
  }
  c.batches = batches_of(axes, in, out);
  if (!c.batches.empty()) {
    c.at_once = std::clamp<std::int64_t>(piece / c.points, 1, c.batches[0].n);
    c.pieces_along_first = (c.batches[0].n + c.at_once - 1) / c.at_once;
    c.pieces = c.pieces_along_first;
    for (std::size_t b = 1; b < c.batches.size(); ++b) c.pieces *= c.batches[b].n;
  }
  return c;
}

void transform(std::span<const int> axes, const Array& in, Array& out, bool forward, const Cancel* cancel) {
  const Cut c = cut(axes, in, out);
  const auto size = static_cast<std::int64_t>(size_of(out.dtype()));
  const auto* from = static_cast<const std::byte*>(in.raw());
  auto* to = static_cast<std::byte*>(out.raw());
  const auto grain = static_cast<std::size_t>(std::max<std::int64_t>(1, piece / (c.points * c.at_once)));
  parallel_for(
      static_cast<std::size_t>(c.pieces), grain,
      [&](std::size_t begin, std::size_t end) {
        for (auto p = static_cast<std::int64_t>(begin); p < static_cast<std::int64_t>(end); ++p) {
          std::int64_t rest = p / c.pieces_along_first, in_at = 0, out_at = 0;
          for (std::size_t b = 1; b < c.batches.size(); ++b) {
            const std::int64_t index = rest % c.batches[b].n;
            rest /= c.batches[b].n;
            in_at += index * c.batches[b].in_stride, out_at += index * c.batches[b].out_stride;
          }
          std::vector<Loop> repeats;
          if (!c.batches.empty()) {
            const Loop& first = c.batches[0];
            const std::int64_t start = p % c.pieces_along_first * c.at_once;
            in_at += start * first.in_stride, out_at += start * first.out_stride;
            repeats.push_back({std::min(c.at_once, first.n - start), first.in_stride, first.out_stride});
          }
          fft_backend::run_fftw(out.dtype(), forward, c.dims, repeats, from + in_at * size, to + out_at * size);
        }
      },
      cancel);
}

Array run_cpu(const Array& a, std::span<const int> axes, bool forward, double scale, const FftOptions& options) {
  Array out = Array::uninitialised(a.dtype(), a.shape(), a.axes());
  const Array* from = &a;
  if (options.centred) fft_centre::multiply(*from, out, axes, forward, Side::before, 1.0, options.cancel), from = &out;
  std::int64_t points = 1;
  for (const int i : axes) points *= a.extent(i);
  const auto pieces = cut(axes, *from, out).pieces;
  if (axes.size() == 1 || pieces >= 2 * thread_count() || points <= piece ||
      (thread_count() == 1 && points <= whole_up_to)) {
    transform(axes, *from, out, forward, options.cancel);
  } else {
    for (const int& axis : axes) transform(std::span(&axis, 1), *from, out, forward, options.cancel), from = &out;
  }
  if (options.centred)
    fft_centre::multiply(out, out, axes, forward, Side::after, scale, options.cancel);
  else if (scale != 1)
    fft_centre::multiply(out, out, {}, forward, Side::after, scale, options.cancel);
  return out;
}

Array run(const Array& a, std::span<const int> axes, bool forward, const FftOptions& options) {
  check(a, axes);
  if (options.cancel) options.cancel->check();
  if (a.size() == 0) return Array(a.dtype(), a.shape(), a.axes(), a.device());
  double points = 1;
  for (const int i : axes) points *= static_cast<double>(a.extent(i));
  const double scale = options.norm == FftNorm::by_n      ? 1 / points
                       : options.norm == FftNorm::unitary ? 1 / std::sqrt(points)
                                                          : 1.0;
  return a.device().is_cpu() ? run_cpu(a, axes, forward, scale, options)
                             : fft_backend::run_cuda(a, axes, forward, options.centred, scale);
}

}  // namespace

Array fft(const Array& a, std::span<const int> axes, const FftOptions& options) { return run(a, axes, true, options); }
Array ifft(const Array& a, std::span<const int> axes, const FftOptions& options) {
  return run(a, axes, false, options);
}

#ifndef LARMOR_HAS_CUDA
Array fft_backend::run_cuda(const Array& a, std::span<const int>, bool, bool, double) {
  throw Error(Errc::device, "fft: the array is on " + a.device().str() + ", and this program was built without CUDA",
              "move it with to(Device::cpu())");
}
#endif

}  // namespace larmor
