// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/recon/dcf/dcf.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

/// |k| of every sample.
std::vector<double> radii(const Trajectory& traj) {
  const Array k = traj.k.cast(DType::f64).contiguous_copy();
  const std::int64_t n = traj.size();
  std::vector<double> r(static_cast<std::size_t>(n));
  for (int d = 0; d < traj.dimensions(); ++d)
    for (std::int64_t j = 0; j < n; ++j) {
      const double v = k.data<double>()[d * n + j];
      r[static_cast<std::size_t>(j)] += v * v;
    }
  for (double& v : r) v = std::sqrt(v);
  return r;
}

}  // namespace

Array density_analytic(const Trajectory& traj) {
  traj.check();
  const auto r = radii(traj);
  const int dims = traj.dimensions();
  const auto power = [&](double x) { return dims == 3 ? x * x * x : x * x; };
  const auto n = static_cast<std::size_t>(traj.k.extent(0));
  std::vector<double> w(r.size());
  double sum = 0, farthest = 0;
  for (std::size_t arm = 0; arm < r.size(); arm += n)
    for (std::size_t i = 0; i < n; ++i) {
      const double *here = &r[arm + i], at = *here;
      // Shells from the midpoints on either side to the sample; outwards and back both count, as an arm through the
      // middle passes each radius twice.
      const double before = i > 0 ? (here[-1] + at) / 2 : at, after = i + 1 < n ? (at + here[1]) / 2 : at;
      w[arm + i] = std::abs(power(after) - power(at)) + std::abs(power(at) - power(before));
      sum += w[arm + i], farthest = std::max(farthest, at);
    }
  // A millionth of the shells that a spoke out to there passes.
  if (!(sum > 1e-6 * static_cast<double>(r.size() / n) * power(farthest)))
    throw Error(Errc::numeric, "density compensation: all samples of an arm have the same |k|",
                "use iterative or Voronoi weights for this trajectory");
  const double all = (dims == 3 ? 4.0 / 3 : 1.0) * std::numbers::pi * power(farthest);
  Array out = Array::uninitialised(DType::f32, traj.sample_shape(), traj.sample_axes());
  for (std::size_t j = 0; j < w.size(); ++j) out.data<float>()[j] = static_cast<float>(w[j] * all / sum);
  return out;
}

Array density_taper(const Trajectory& traj, const Array& density, double width) {
  traj.check();
  if (!(width >= 0 && width <= 1))
    throw Error(Errc::range, fmt::format("density compensation: a taper of {:.3g}", width),
                "give 0 to 1 of the largest |k|");
  if (density.shape() != traj.sample_shape())
    throw Error(Errc::shape, fmt::format("density compensation: weights are {} and the trajectory has {} samples",
                                         density.describe(), to_string(traj.sample_shape())));
  Array out = density.cast(DType::f32).clone().with_axes(traj.sample_axes());
  if (width == 0) return out;
  const auto r = radii(traj);
  const double farthest = *std::max_element(r.begin(), r.end());
  if (!(farthest > 0)) return out;
  for (std::size_t j = 0; j < r.size(); ++j) {
    const double into = (r[j] / farthest - (1 - width)) / width;
    if (into > 0) out.data<float>()[j] *= static_cast<float>(0.5 + 0.5 * std::cos(std::numbers::pi * into));
  }
  return out;
}

}  // namespace larmor::recon
