// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/sim/kernels/synthesis_types.hpp>
#include <larmor/sim/synthesis.hpp>
#include <numbers>
#include <vector>

extern "C" {
void larmor_ellipsoids_baseline(const larmor::sim::EllipsoidRun*, std::size_t, std::size_t);
void larmor_voxels_baseline(const larmor::sim::VoxelRun*, std::size_t, std::size_t);
#if defined(__x86_64__)
void larmor_ellipsoids_v3(const larmor::sim::EllipsoidRun*, std::size_t, std::size_t);
void larmor_voxels_v3(const larmor::sim::VoxelRun*, std::size_t, std::size_t);
void larmor_ellipsoids_v4(const larmor::sim::EllipsoidRun*, std::size_t, std::size_t);
void larmor_voxels_v4(const larmor::sim::VoxelRun*, std::size_t, std::size_t);
#endif
}

namespace larmor::sim {
namespace {

constexpr std::size_t pack = 16;  // lanes of the widest instruction set

EllipsoidKernel ellipsoid_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return larmor_ellipsoids_v4;
  if (isa() == Isa::v3) return larmor_ellipsoids_v3;
#endif
  return larmor_ellipsoids_baseline;
}
VoxelKernel voxel_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return larmor_voxels_v4;
  if (isa() == Isa::v3) return larmor_voxels_v3;
#endif
  return larmor_voxels_baseline;
}

/// Coordinates of the samples, one row an axis (three), zero beyond.
template <class T>
std::vector<std::vector<T>> rows_of(const Trajectory& traj, std::size_t padded) {
  const Array k = traj.k.to(Device::cpu()).cast(DType::f64).contiguous_copy();
  const auto n = static_cast<std::size_t>(traj.size()), d = static_cast<std::size_t>(traj.dimensions());
  std::vector<std::vector<T>> out(3, std::vector<T>(padded, T(0)));
  for (std::size_t a = 0; a < d; ++a)
    for (std::size_t i = 0; i < n; ++i) out[a][i] = static_cast<T>(k.data<double>()[a * n + i]);
  return out;
}

Array joined(const std::vector<float>& re, const std::vector<float>& im, Shape shape, Axes axes, std::size_t n,
             std::size_t stride) {
  Array out = Array::uninitialised(DType::c64, std::move(shape), std::move(axes));
  const std::size_t coils = n == 0 ? 0 : static_cast<std::size_t>(out.size()) / n;
  for (std::size_t c = 0; c < coils; ++c)
    for (std::size_t i = 0; i < n; ++i)
      out.data<std::complex<float>>()[c * n + i] = {re[c * stride + i], im[c * stride + i]};
  return out;
}

}  // namespace

Array ellipsoid_signal(std::span<const Ellipsoid> object, const Trajectory& traj, const Cancel* cancel) {
  traj.check();
  const int dims = traj.dimensions();
  double scale = 1;
  for (const auto n : traj.matrix) scale *= static_cast<double>(n);
  std::vector<EllipsoidRow> rows;
  for (const auto& e : object) {
    for (std::size_t a = 0; a < static_cast<std::size_t>(dims); ++a)
      if (!(e.semi[a] > 0) || !std::isfinite(e.semi[a]))
        throw Error(Errc::range, fmt::format("an ellipse with a semi-axis of {:g}", e.semi[a]),
                    "give a positive length; the field of view is 2");
    const double c = std::cos(e.angle), s = std::sin(e.angle);
    // Lengths of the phantom count the field of view as 2.
    const double a = e.semi[0] / 2, b = e.semi[1] / 2, h = dims > 2 ? e.semi[2] / 2 : 0;
    const double volume = std::numbers::pi * a * b * (dims > 2 ? 4.0 / 3 * h : 1);
    rows.push_back({{a * c, a * s, 0},
                    {-b * s, b * c, 0},
                    {0, 0, h},
                    {e.centre[0] / 2, e.centre[1] / 2, dims > 2 ? e.centre[2] / 2 : 0},
                    scale * e.intensity * volume});
  }
  const auto n = static_cast<std::size_t>(traj.size()), padded = (n + pack - 1) / pack * pack;
  const auto k = rows_of<double>(traj, padded);
  std::vector<float> re(padded), im(padded);
  const EllipsoidRun run{
      rows.data(), static_cast<int>(rows.size()), dims, {k[0].data(), k[1].data(), k[2].data()}, re.data(), im.data()};
  const auto kernel = ellipsoid_kernel();
  parallel_for(
      padded / pack, 64,
      [&](std::size_t first, std::size_t last) { kernel(&run, first * pack, (last - first) * pack); }, cancel);
  return joined(re, im, traj.sample_shape(), traj.sample_axes(), n, padded);
}

Array voxel_signal(const VoxelObject& object, const Trajectory& traj, const Cancel* cancel, const Progress& progress) {
  traj.check();
  const auto dims = static_cast<std::size_t>(traj.dimensions());
  // An image of one slice may come with a third axis of one voxel.
  Array density = object.density.to(Device::cpu());
  Shape shape = density.shape();
  while (shape.size() > dims && shape.back() == 1) shape.pop_back();
  if (shape.size() != dims || density.size() == 0)
    throw Error(Errc::shape, fmt::format("an object of {} for a trajectory of {} dimensions", density.describe(), dims),
                "give as many axes as the trajectory has coordinates");
  const std::int64_t voxels = density.size();
  const Array rho = density.cast(DType::c128).contiguous_copy();
  const auto map = [&](const Array& a, const char* name) -> Array {
    if (a.size() == 0) return {};
    if (a.size() != voxels)
      throw Error(Errc::shape, fmt::format("'{}' is {} and the object {}", name, a.describe(), density.describe()),
                  "give maps of one shape");
    return a.to(Device::cpu()).cast(DType::f64).contiguous_copy();
  };
  const Array df = map(object.df, "df"), star = map(object.T2_star, "T2_star");
  if ((df.size() || star.size()) && traj.times.empty())
    throw Error(Errc::range, "off-resonance or T2* need times of the samples and the trajectory has none",
                "give the trajectory times along 'sample' [s]");
  Array coils;
  std::int64_t n_coils = 1;
  if (object.coils.size() > 0) {
    n_coils = object.coils.size() / voxels;
    if (object.coils.size() != n_coils * voxels || n_coils < 1)
      throw Error(Errc::shape,
                  fmt::format("coils are {} and the object {}", object.coils.describe(), density.describe()),
                  "give the axes of the object, then coil");
    coils = object.coils.to(Device::cpu()).cast(DType::c64).contiguous_copy();
  }
  double scale = 1;
  for (std::size_t a = 0; a < dims; ++a) scale *= static_cast<double>(traj.matrix[a]) / static_cast<double>(shape[a]);
  std::vector<VoxelRow> rows;
  std::vector<float> wr, wi;
  for (std::int64_t p = 0; p < voxels; ++p) {
    const std::complex<double> value = scale * rho.data<std::complex<double>>()[p];
    if (!std::isfinite(std::abs(value)))
      throw Error(Errc::range, fmt::format("the object is no number in voxel {}", p), "mask it");
    if (value == 0.0) continue;
    VoxelRow row{};
    std::int64_t rest = p;
    float* at[] = {&row.x, &row.y, &row.z};
    for (std::size_t a = 0; a < dims; ++a) {
      *at[a] = static_cast<float>(static_cast<double>(rest % shape[a] - shape[a] / 2) / static_cast<double>(shape[a]));
      rest /= shape[a];
    }
    if (df.size()) row.df = static_cast<float>(df.data<double>()[p]);
    if (star.size()) {
      const double T2_star = star.data<double>()[p];
      if (!(T2_star > 0))
        throw Error(Errc::range, fmt::format("T2* is {:g} s in voxel {}, where the object is not 0", T2_star, p),
                    "give a time above 0");
      row.rate = static_cast<float>(1 / T2_star);
    }
    rows.push_back(row);
    for (std::int64_t q = 0; q < n_coils; ++q) {
      const auto c = coils.size() ? std::complex<double>(coils.data<std::complex<float>>()[p + voxels * q]) : 1.0;
      wr.push_back(static_cast<float>((c * value).real())), wi.push_back(static_cast<float>((c * value).imag()));
    }
  }
  const auto n = static_cast<std::size_t>(traj.size()), padded = (n + pack - 1) / pack * pack;
  const auto k = rows_of<float>(traj, padded);
  std::vector<float> t(padded);
  if (!traj.times.empty())
    for (std::size_t i = 0; i < n; ++i) t[i] = static_cast<float>(object.TE + traj.times[i % traj.times.size()]);
  std::vector<float> re(padded * static_cast<std::size_t>(n_coils)), im(re.size());
  const VoxelRun run{rows.data(), wr.data(),   wi.data(),   rows.size(), static_cast<int>(n_coils),
                     k[0].data(), k[1].data(), k[2].data(), t.data(),    re.data(),
                     im.data(),   padded};
  const auto kernel = voxel_kernel();
  progress.begin("k-space by sums", padded / pack);
  parallel_for(
      padded / pack, 4,
      [&](std::size_t first, std::size_t last) {
        for (std::size_t p = first; p < last; ++p) {
          if (cancel) cancel->check();
          kernel(&run, p * pack, pack);
        }
        progress.add(last - first);
      },
      cancel);
  progress.end();
  Shape out = traj.sample_shape();
  Axes axes = traj.sample_axes();
  if (object.coils.size() > 0) out.push_back(n_coils), axes.emplace_back("coil");
  return joined(re, im, std::move(out), std::move(axes), n, padded);
}

}  // namespace larmor::sim
