// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/fit/status.hpp>
#include <optional>
#include <span>
#include <vector>

namespace larmor::ivim {

/// What is known before the data: every parameter is equally likely over its range.
struct Prior {
  double f_low = 0.0, f_high = 0.7;
  double D_low = 0.1e-3, D_high = 4e-3;          // [mm2/s]
  double D_star_low = 4e-3, D_star_high = 0.25;  // [mm2/s]
  bool log_D_star = true;                        // equally likely in its logarithm instead
};

struct PosteriorOptions {
  Prior prior = {};
  std::optional<double> noise_sd = {};  // of one channel, in the units of the data; estimated when absent (noise.hpp)
  std::optional<double> S0 = {};        // known signal without diffusion weighting; absent: free, equally likely
  bool magnitude = true;                // noise is Rician: its mean and variance at the fitted signal are accounted for
  std::vector<double> counts = {};      // volumes averaged into each sample; empty: 1
  int n_D = 13, n_D_star = 16;          // of the box where the posterior lies
  double box = 4.5;                     // its reach to each side [sd]
  bool scalar = false;                  // one number a lane: slow, for comparison
};

/// Why a posterior is to be read with care.
enum PosteriorFlag : std::uint8_t {
  prior_decides_D_star = 1,  // its sd is more than 0.7 of that of the prior: the data say next to nothing of D_star
  prior_decides_D = 2,
  low_signal = 4,  // S0 under 5 noise sd
};

/// Posterior mean and sd of V voxels; NaN where the status is not usable.
struct Posterior {
  std::vector<float> mean[4], sd[4];  // S0, f, D, D_star
  std::vector<fit::FitStatus> status;
  std::vector<std::uint8_t> flags;
  double noise_sd = 0;  // that was used
};

/// Mean and sd of the posterior of the bi-exponential model by nodes in D and D_star, S0 and f integrated in closed
/// form at each. The mean has the least expected squared error of all estimates under the prior.
///
/// The nodes fill the part of the prior in which a least-squares fit and its standard errors say the posterior lies; a
/// voxel whose posterior turns out to reach beyond, or to fall between the nodes, is done again where it is. Nodes 0.7
/// sd apart are as good as any number over the whole prior: midpoints 1.2 sd apart are exact to 1e-5 for a Gaussian.
///
/// data   real (voxels..., b) with b last; b [s/mm2] any order, repeats welcome
/// mask   one a voxel, or empty for all
/// Errors   Errc::shape; Errc::range (b < 0 or not finite, empty prior ranges, noise or nodes out of range, empty mask)
/// Source   bi-exponential posterior means for IVIM: Neil and Bretthorst, MRM 29:642 (1993); amplitudes in closed form:
/// Bretthorst, Bayesian Spectrum Analysis and Parameter Estimation (1988), ch. 3
Posterior grid_posterior(const Array& data, std::span<const double> b, std::span<const std::uint8_t> mask = {},
                         const PosteriorOptions& options = {}, const Progress& progress = {},
                         const Cancel* cancel = nullptr);

}  // namespace larmor::ivim
