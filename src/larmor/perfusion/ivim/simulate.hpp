// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/core/array.hpp>
#include <larmor/perfusion/ivim/grid_posterior.hpp>
#include <span>
#include <vector>

namespace larmor::ivim {

/// b-values of the classical simulation [s/mm2].
inline constexpr std::array<double, 8> classical_b{0, 10, 20, 60, 150, 300, 500, 1000};
/// Its ranges: f U(0.1, 0.4), D U(0.0005, 0.002), D_star U(0.01, 0.1).
/// Source   Barbieri et al., MRM 83:312 (2020)
Prior classical_prior();

/// Signals of the bi-exponential model with parameters drawn evenly from a prior (D_star too, or its logarithm).
struct Simulated {
  Array signal;                 // (voxel, b) f32
  std::vector<float> truth[4];  // S0 = 1, f, D, D_star
};
/// noise_sd is that of one channel; `magnitude`: |signal + complex noise|, else Gaussian. The same seed gives the same
/// numbers on every machine. Errors   Errc::range
Simulated simulate(std::size_t n_voxels, std::span<const double> b, const Prior& prior, double noise_sd,
                   bool magnitude = true, std::uint64_t seed = 1);

/// Noisy signals of parameters that are given. Errors   Errc::range, Errc::shape (lengths of the truth)
Array signals_of(const std::vector<float> (&truth)[4], std::span<const double> b, double noise_sd,
                 bool magnitude = true, std::uint64_t seed = 1);

/// The picture of three regions, n x n: D, f and D_star rise together from the rim to the middle, as in the original,
/// so that a network which has collapsed to one line still looks right in it. Source   Barbieri et al., MRM 83:312
/// (2020)
Simulated three_regions(std::size_t n, std::span<const double> b, double noise_sd, std::uint64_t seed = 1);

}  // namespace larmor::ivim
