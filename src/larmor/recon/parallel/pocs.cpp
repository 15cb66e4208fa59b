// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/parallel/pocs.hpp>

namespace larmor::recon {

Pocs pocs(const Array& kspace, int axis, std::span<const int> axes, const Sampled& sampled, const PocsOptions& o) {
  if (kspace.dtype() != DType::c64 && kspace.dtype() != DType::c128)
    throw Error(Errc::type, "k-space is complex and this is " + kspace.describe());
  if (std::find(axes.begin(), axes.end(), axis) == axes.end())
    throw Error(Errc::range, fmt::format("axis {} is not among those transformed", axis));
  if (axis < 0 || axis >= kspace.rank() || kspace.extent(axis) != sampled.n)
    throw Error(Errc::shape,
                fmt::format("k-space is {} and axis {} is to have {}", kspace.describe(), axis, sampled.n));
  if (o.iterations < 1) throw Error(Errc::range, fmt::format("{} iterations", o.iterations), "give 1 or more");
  require_finite(kspace, "k-space");
  const auto& name = kspace.axes()[static_cast<std::size_t>(axis)];
  const DType real = kspace.dtype() == DType::c64 ? DType::f32 : DType::f64;
  const FftOptions unitary{.norm = FftNorm::unitary, .centred = true, .cancel = o.cancel};
  const auto times = [&](const Array& k, const std::vector<double>& w) {
    return nd::apply(nd::Binary::multiply, k, Array::from<double>(w, {sampled.n}, {name}).cast(real), o.cancel);
  };
  std::vector<double> there(static_cast<std::size_t>(sampled.n), 0), missing(there.size(), 1);
  for (std::int64_t k = sampled.begin; k < sampled.end; ++k)
    there[static_cast<std::size_t>(k)] = 1, missing[static_cast<std::size_t>(k)] = 0;
  const Array measured = times(kspace, there);
  const Array phase =
      nd::apply(nd::Unary::sign, ifft(times(measured, homodyne_weights(sampled).symmetric), axes, unitary));
  Array k = measured;
  Pocs out;
  const double size = norm(k);
  o.progress.begin("projections", static_cast<std::size_t>(o.iterations));
  for (int i = 0; i < o.iterations; ++i) {
    const Array magnitude = nd::apply(nd::Unary::abs, ifft(k, axes, unitary), o.cancel);
    const Array projected = fft(nd::apply(nd::Binary::multiply, phase, magnitude, o.cancel), axes, unitary);
    const Array next = nd::apply(nd::Binary::add, measured, times(projected, missing), o.cancel);
    out.change.push_back(size > 0 ? norm(combination(1, next, -1, k)) / size : 0);
    k = next;
    o.progress.add(1);
    if (o.tolerance > 0 && out.change.back() < o.tolerance) break;
  }
  o.progress.end();
  out.image = ifft(k, axes, unitary);
  return out;
}

}  // namespace larmor::recon
