// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

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

}  // namespace larmor::ivim
