// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <complex>
#include <larmor/recon/nufft/nufft.hpp>
#include <numbers>

namespace larmor::recon {

Array shift_phase(const Trajectory& traj, const Shape& image, const Array& weights, std::span<const double> voxels) {
  const auto dims = static_cast<std::size_t>(traj.dimensions());
  if (voxels.size() != dims || image.size() != dims)
    throw Error(Errc::shape, fmt::format("a shift along {} axes of an image of {}, for {} coordinates", voxels.size(),
                                         to_string(image), dims));
  for (std::size_t d = 0; d < dims; ++d)
    if (!(std::abs(voxels[d]) <= static_cast<double>(image[d])))
      throw Error(Errc::range,
                  fmt::format("a shift of {:g} voxels along {} of an image of {}", voxels[d], "xyz"[d], image[d]),
                  fmt::format("give {} at most", image[d]));
  if (weights.rank() > 0 && weights.shape() != traj.sample_shape())
    throw Error(Errc::shape, fmt::format("weights are {} and the trajectory has {} samples", weights.describe(),
                                         to_string(traj.sample_shape())));
  const Array k = traj.k.cast(DType::f64).contiguous_copy();
  const std::int64_t n = traj.size();
  Array out = Array::uninitialised(DType::c64, traj.sample_shape(), traj.sample_axes());
  const Array w = weights.rank() > 0 ? weights.cast(DType::c64).contiguous_copy() : Array{};
  for (std::int64_t j = 0; j < n; ++j) {
    double phase = 0;
    for (std::size_t d = 0; d < dims; ++d)
      phase -= k.data<double>()[static_cast<std::int64_t>(d) * n + j] * voxels[d] / static_cast<double>(image[d]);
    const auto turn = std::polar(1.0, 2 * std::numbers::pi * phase);
    const std::complex<float> c(static_cast<float>(turn.real()), static_cast<float>(turn.imag()));
    out.data<std::complex<float>>()[j] = w.rank() > 0 ? c * w.data<std::complex<float>>()[j] : c;
  }
  return out;
}

}  // namespace larmor::recon
