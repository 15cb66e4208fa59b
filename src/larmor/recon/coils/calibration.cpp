// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/recon/coils/calibration.hpp>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/parallel/sampling.hpp>
#include <numbers>

namespace larmor::recon {

Array calibration_region(const Array& kspace, const Axes& axes, std::int64_t calibration) {
  if (kspace.dtype() != DType::c64 && kspace.dtype() != DType::c128)
    throw Error(Errc::type, "k-space is complex and this is " + kspace.describe());
  if (calibration < 1) throw Error(Errc::range, fmt::format("a calibration of {} samples", calibration));
  Array out = kspace;
  for (const auto& name : axes) {
    const int axis = kspace.axis(name);
    const std::int64_t n = kspace.extent(axis), m = std::min(n, calibration), first = n / 2 - m / 2;
    out = out.range(axis, first, first + m);
  }
  return out.contiguous_copy();
}

std::int64_t measured_middle(const Array& kspace, const Axes& axes, std::int64_t most) {
  const Array mask = sampled_mask(kspace, axes);
  // Every sample beyond the middle of which one is missing is beyond a smaller one, too: the nearest decides.
  std::int64_t widest = most;
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    if (mask.data<bool>()[i]) continue;
    std::int64_t rest = i, width = 0;  // of the largest region that leaves the sample out
    for (int a = 0; a < mask.rank(); ++a) {
      const std::int64_t n = mask.extent(a), at = rest % n - n / 2;
      rest /= n;
      width = std::max(width, at < 0 ? 2 * -at - 1 : 2 * at);
    }
    widest = std::min(widest, width);
  }
  return widest;
}

Array low_resolution_maps(const Array& kspace, const Axes& axes, const std::string& coil_axis,
                          const LowResolutionOptions& o) {
  const int coil = kspace.axis(coil_axis);
  Array low = calibration_region(kspace, axes, o.calibration);
  require_finite(low, "the middle of k-space");
  if (!(o.threshold >= 0) || o.threshold >= 1)
    throw Error(Errc::range, fmt::format("a threshold of {}", o.threshold), "give 0 to below 1");
  std::vector<int> at;
  for (const auto& name : axes) {
    const int axis = kspace.axis(name);
    at.push_back(axis);
    const std::int64_t m = low.extent(axis);
    std::vector<double> window(static_cast<std::size_t>(m));
    for (std::int64_t i = 0; i < m; ++i)
      window[static_cast<std::size_t>(i)] =
          0.5 + 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(i - m / 2) / static_cast<double>(m + 1));
    low = nd::apply(nd::Binary::multiply, low, Array::from<double>(window, {m}, {name}).cast(DType::f32), o.cancel);
    low = nd::resize(low, axis, kspace.extent(axis), 0, o.cancel);
  }
  const Array images = ifft(low, at, {.norm = FftNorm::unitary, .centred = true, .cancel = o.cancel});
  const Array rss = nd::reduce(nd::Reduction::norm, images, std::span(&coil, 1), {.cancel = o.cancel});
  const Array most = nd::reduce(nd::Reduction::maximum, rss, {});
  const Array limit = nd::apply(nd::Binary::multiply, most.cast(DType::f64),
                                Array::from<double>(std::vector<double>{o.threshold}, {}, {}));
  const Array inside = nd::apply(nd::Binary::greater, rss, limit, o.cancel);
  const Array zero(DType::f32, {});
  const Array maps = nd::where(inside, nd::apply(nd::Binary::divide, images, rss, o.cancel), zero, o.cancel);
  // The axes come in the order of the largest operand; as k-space has them.
  std::vector<int> order;
  for (const auto& name : kspace.axes()) order.push_back(maps.axis(name));
  return maps.permuted(order).contiguous_copy().cast(kspace.dtype());
}

}  // namespace larmor::recon
