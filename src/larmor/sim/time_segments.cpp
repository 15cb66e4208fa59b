// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/sim/time_segments.hpp>
#include <numbers>

namespace larmor::sim {
namespace {

using C = std::complex<double>;

struct Maps {
  Array density, df, star;
  Shape shape;
  C z(std::int64_t p) const {
    return {star.size() ? 1 / star.data<double>()[p] : 0, df.size() ? 2 * std::numbers::pi * df.data<double>()[p] : 0};
  }
};

Maps maps_of(const VoxelObject& object, const Trajectory& traj) {
  const auto dims = static_cast<std::size_t>(traj.dimensions());
  Maps m;
  m.shape = object.density.shape();
  while (m.shape.size() > dims && m.shape.back() == 1) m.shape.pop_back();
  if (m.shape.size() != dims || object.density.size() == 0)
    throw Error(Errc::shape,
                fmt::format("an object of {} for a trajectory of {} dimensions", object.density.describe(), dims),
                "give as many axes as the trajectory has coordinates");
  m.density = object.density.to(Device::cpu()).cast(DType::c128).contiguous_copy();
  for (const auto& [from, to, name] :
       {std::tuple{&object.df, &m.df, "df"}, std::tuple{&object.T2_star, &m.star, "T2_star"}}) {
    if (from->size() == 0) continue;
    if (from->size() != m.density.size())
      throw Error(Errc::shape,
                  fmt::format("'{}' is {} and the object {}", name, from->describe(), object.density.describe()),
                  "give maps of one shape");
    *to = from->to(Device::cpu()).cast(DType::f64).contiguous_copy();
  }
  if ((m.df.size() || m.star.size()) && traj.times.empty())
    throw Error(Errc::range, "off-resonance or T2* need times of the samples and the trajectory has none",
                "give the trajectory times along 'sample' [s]");
  for (std::int64_t p = 0; p < m.density.size(); ++p)
    if (m.star.size() && m.density.data<C>()[p] != 0.0 && !(m.star.data<double>()[p] > 0))
      throw Error(Errc::range,
                  fmt::format("T2* is {:g} s in voxel {}, where the object is not 0", m.star.data<double>()[p], p),
                  "give a time above 0");
  return m;
}

/// Values of z that stand for all: extremes and evenly picked ones of those in order of df, and of those of the rate.
std::vector<C> values_of(const Maps& m) {
  std::vector<C> all;
  for (std::int64_t p = 0; p < m.density.size(); ++p)
    if (m.density.data<C>()[p] != 0.0) all.push_back(m.z(p));
  std::vector<C> out;
  const auto pick = [&](auto less) {
    std::sort(all.begin(), all.end(), less);
    const std::size_t n = std::min<std::size_t>(all.size(), 150);
    for (std::size_t i = 0; i < n; ++i) out.push_back(all[n == 1 ? 0 : i * (all.size() - 1) / (n - 1)]);
  };
  pick([](C a, C b) { return a.imag() < b.imag(); });
  pick([](C a, C b) { return a.real() < b.real(); });
  return out;
}

/// Solves (G + eps) w = b for Hermitian positive G by Cholesky, in place of b; G is (n, n).
void solve(std::vector<C> G, std::size_t n, std::vector<std::vector<C>>& sides) {
  for (std::size_t j = 0; j < n; ++j) {
    double d = G[j * n + j].real();
    for (std::size_t k = 0; k < j; ++k) d -= std::norm(G[j * n + k]);
    const double root = std::sqrt(std::max(d, 1e-30));
    G[j * n + j] = root;
    for (std::size_t i = j + 1; i < n; ++i) {
      C v = G[i * n + j];
      for (std::size_t k = 0; k < j; ++k) v -= G[i * n + k] * std::conj(G[j * n + k]);
      G[i * n + j] = v / root;
    }
  }
  for (auto& b : sides) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < i; ++k) b[i] -= G[i * n + k] * b[k];
      b[i] /= G[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t k = i + 1; k < n; ++k) b[i] -= std::conj(G[k * n + i]) * b[k];
      b[i] /= G[i * n + i];
    }
  }
}

}  // namespace

TimeSegments time_segments(const VoxelObject& object, const Trajectory& traj, double tolerance) {
  traj.check();
  if (!(tolerance > 0 && tolerance < 1))
    throw Error(Errc::range, fmt::format("time segments within {:g}", tolerance), "give a tolerance like 1e-4");
  const Maps m = maps_of(object, traj);
  TimeSegments out;
  if (m.df.size() == 0 && m.star.size() == 0)
    return out.times = {0}, out.weights.assign(std::max<std::size_t>(1, traj.times.size()), 1), out;
  const auto z = values_of(m);
  std::vector<double> t;
  for (const double v : traj.times) t.push_back(object.TE + v);
  const auto [low, high] = std::minmax_element(t.begin(), t.end());
  for (std::size_t n = 1; n <= 256; n += n < 16 ? 1 : n / 4) {
    out.times.clear();
    for (std::size_t l = 0; l < n; ++l)
      out.times.push_back(n == 1 ? 0.5 * (*low + *high)
                                 : *low + (*high - *low) * static_cast<double>(l) / static_cast<double>(n - 1));
    // Basis of the values: E(q, l) = exp(-z_q t_l); normal equations with a ridge at the rounding of double.
    std::vector<C> E(z.size() * n), G(n * n);
    for (std::size_t q = 0; q < z.size(); ++q)
      for (std::size_t l = 0; l < n; ++l) E[q * n + l] = std::exp(-z[q] * out.times[l]);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j <= i; ++j) {
        C sum = 0;
        for (std::size_t q = 0; q < z.size(); ++q) sum += std::conj(E[q * n + i]) * E[q * n + j];
        G[i * n + j] = sum, G[j * n + i] = std::conj(sum);
      }
    for (std::size_t i = 0; i < n; ++i) G[i * n + i] += 1e-12 * static_cast<double>(z.size());
    std::vector<std::vector<C>> sides(t.size(), std::vector<C>(n));
    for (std::size_t s = 0; s < t.size(); ++s)
      for (std::size_t q = 0; q < z.size(); ++q) {
        const C value = std::exp(-z[q] * t[s]);
        for (std::size_t l = 0; l < n; ++l) sides[s][l] += std::conj(E[q * n + l]) * value;
      }
    solve(G, n, sides);
    out.error = 0;
    for (std::size_t s = 0; s < t.size(); ++s)
      for (std::size_t q = 0; q < z.size(); ++q) {
        C sum = -std::exp(-z[q] * t[s]);
        for (std::size_t l = 0; l < n; ++l) sum += sides[s][l] * E[q * n + l];
        out.error = std::max(out.error, std::abs(sum));
      }
    if (out.error <= tolerance) {
      out.weights.resize(t.size() * n);
      for (std::size_t s = 0; s < t.size(); ++s)
        for (std::size_t l = 0; l < n; ++l) out.weights[l * t.size() + s] = sides[s][l];
      return out;
    }
  }
  throw Error(Errc::range, fmt::format("256 time segments leave an error of {:.1e}", out.error),
              "use the sum over voxels, a larger tolerance or a shorter readout");
}

Array object_at(const VoxelObject& object, const Trajectory& traj, double t) {
  const Maps m = maps_of(object, traj);
  const std::int64_t voxels = m.density.size();
  Array coils;
  std::int64_t n_coils = 1;
  Shape shape = m.shape;
  static const Axes names{"x", "y", "z"};
  Axes axes(names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shape.size()));
  if (object.coils.size() > 0) {
    n_coils = object.coils.size() / voxels;
    if (object.coils.size() != n_coils * voxels || n_coils < 1)
      throw Error(Errc::shape,
                  fmt::format("coils are {} and the object {}", object.coils.describe(), object.density.describe()),
                  "give the axes of the object, then coil");
    coils = object.coils.to(Device::cpu()).cast(DType::c64).contiguous_copy();
    shape.push_back(n_coils), axes.emplace_back("coil");
  }
  double scale = 1;
  for (std::size_t a = 0; a < m.shape.size(); ++a)
    scale *= static_cast<double>(traj.matrix[a]) / static_cast<double>(m.shape[a]);
  Array out = Array::uninitialised(DType::c64, shape, axes);
  for (std::int64_t p = 0; p < voxels; ++p) {
    const C density = m.density.data<C>()[p];
    const C value = density == 0.0 ? C(0) : scale * density * std::exp(-m.z(p) * t);
    for (std::int64_t q = 0; q < n_coils; ++q)
      out.data<std::complex<float>>()[p + voxels * q] =
          std::complex<float>(coils.size() ? value * C(coils.data<std::complex<float>>()[p + voxels * q]) : value);
  }
  return out;
}

}  // namespace larmor::sim
