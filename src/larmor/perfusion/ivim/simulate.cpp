// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/simulate.hpp>
#include <numbers>

namespace larmor::ivim {
namespace {

/// SplitMix64: small, and the same everywhere, which the distributions of the standard library are not.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  double even() {  // in (0, 1)
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return (static_cast<double>((z ^ (z >> 31)) >> 11) + 0.5) * 0x1p-53;
  }
  double between(double low, double high) { return low + (high - low) * even(); }
  /// Two independent standard normal numbers (Box and Muller).
  std::array<double, 2> normal() {
    const double r = std::sqrt(-2 * std::log(even())), angle = 2 * std::numbers::pi * even();
    return {r * std::cos(angle), r * std::sin(angle)};
  }

 private:
  std::uint64_t state_;
};

}  // namespace

Prior classical_prior() {
  return {.f_low = 0.1,
          .f_high = 0.4,
          .D_low = 0.5e-3,
          .D_high = 2e-3,
          .D_star_low = 0.01,
          .D_star_high = 0.1,
          .log_D_star = false};
}

Simulated simulate(std::size_t n_voxels, std::span<const double> b, const Prior& prior, double noise_sd, bool magnitude,
                   std::uint64_t seed) {
  if (!(noise_sd >= 0) || !std::isfinite(noise_sd))
    throw Error(Errc::range, fmt::format("a noise sd of {}", noise_sd), "give 0 or more");
  if (n_voxels == 0 || b.empty())
    throw Error(Errc::range, fmt::format("{} voxels and {} b-values", n_voxels, b.size()), "give at least one of each");
  Simulated out;
  out.signal =
      Array(DType::f32, {static_cast<std::int64_t>(n_voxels), static_cast<std::int64_t>(b.size())}, {"voxel", "b"});
  for (auto& t : out.truth) t.resize(n_voxels);
  float* s = out.signal.data<float>();
  Random random(seed);
  for (std::size_t v = 0; v < n_voxels; ++v) {
    const double f = random.between(prior.f_low, prior.f_high), D = random.between(prior.D_low, prior.D_high);
    const double D_star = prior.log_D_star
                              ? std::exp(random.between(std::log(prior.D_star_low), std::log(prior.D_star_high)))
                              : random.between(prior.D_star_low, prior.D_star_high);
    out.truth[0][v] = 1, out.truth[1][v] = static_cast<float>(f), out.truth[2][v] = static_cast<float>(D);
    out.truth[3][v] = static_cast<float>(D_star);
    for (std::size_t k = 0; k < b.size(); ++k) {
      const double clean = (1 - f) * std::exp(-b[k] * D) + f * std::exp(-b[k] * D_star);
      const auto n = random.normal();
      const double noisy = magnitude ? std::hypot(clean + noise_sd * n[0], noise_sd * n[1]) : clean + noise_sd * n[0];
      s[k * n_voxels + v] = static_cast<float>(noisy);
    }
  }
  return out;
}

Array signals_of(const std::vector<float> (&truth)[4], std::span<const double> b, double noise_sd, bool magnitude,
                 std::uint64_t seed) {
  if (!(noise_sd >= 0) || !std::isfinite(noise_sd))
    throw Error(Errc::range, fmt::format("a noise sd of {}", noise_sd), "give 0 or more");
  const std::size_t n = truth[0].size();
  for (const auto& t : truth)
    if (t.size() != n || n == 0)
      throw Error(Errc::shape, fmt::format("{} values of one parameter and {} of another", t.size(), n));
  Array out(DType::f32, {static_cast<std::int64_t>(n), static_cast<std::int64_t>(b.size())}, {"voxel", "b"});
  float* s = out.data<float>();
  Random random(seed);
  for (std::size_t v = 0; v < n; ++v)
    for (std::size_t k = 0; k < b.size(); ++k) {
      const double f = truth[1][v];
      const double clean = truth[0][v] * ((1 - f) * std::exp(-b[k] * truth[2][v]) + f * std::exp(-b[k] * truth[3][v]));
      const auto z = random.normal();
      const double noisy = magnitude ? std::hypot(clean + noise_sd * z[0], noise_sd * z[1]) : clean + noise_sd * z[0];
      s[k * n + v] = static_cast<float>(noisy);
    }
  return out;
}

Simulated three_regions(std::size_t n, std::span<const double> b, double noise_sd, std::uint64_t seed) {
  if (n < 3) throw Error(Errc::range, fmt::format("a picture of {} x {}", n, n), "give 3 or more");
  constexpr double f[] = {0.1, 0.2, 0.3}, D[] = {0.8e-3, 1.2e-3, 1.6e-3}, D_star[] = {0.02, 0.04, 0.06};
  Simulated out;
  for (auto& t : out.truth) t.resize(n * n);
  for (std::size_t y = 0; y < n; ++y)
    for (std::size_t x = 0; x < n; ++x) {
      const std::size_t rim = std::min({x, y, n - 1 - x, n - 1 - y}), region = std::min<std::size_t>(2, 6 * rim / n),
                        v = y * n + x;
      out.truth[0][v] = 1, out.truth[1][v] = static_cast<float>(f[region]);
      out.truth[2][v] = static_cast<float>(D[region]), out.truth[3][v] = static_cast<float>(D_star[region]);
    }
  out.signal = signals_of(out.truth, b, noise_sd, true, seed);
  return out;
}

}  // namespace larmor::ivim
