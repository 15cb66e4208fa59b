// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/ivim/estimate.hpp>
#include <larmor/perfusion/ivim/voxel_network.hpp>

namespace larmor::ivim {

/// Signals as networks take them: one a b-value, divided by that at b = 0.
struct NetworkData {
  Protocol protocol;               // b-values above 0, counts, and how many volumes at b = 0
  std::size_t n = 0;               // voxels of the data, used or not
  std::vector<float> ratios;       // (b, voxel); 0 where a voxel is not good
  std::vector<float> S0;           // (voxel)
  std::vector<std::uint8_t> good;  // (voxel) in the mask, S0 above 0, all finite
};
/// Errors   Errc::shape; Errc::range (b < 0), Errc::usage (no volume with b <= tolerance / 2)
NetworkData network_data(const Signals& signals, double tolerance = 1.0);

/// The columns of good voxels whose S0 is above `part` of its 99th percentile: what is left of an image without its
/// background. (b, sample), n written.
std::vector<float> training_voxels(const NetworkData& data, std::size_t& n, double part = 0.1);

/// At most `most` of the same voxels, evenly out of all, whose noise over S0 is within [low, high], with the grid
/// posterior of their signals. noise_sd is that of one volume. Errors   those of grid_posterior()
PatientVoxels patient_voxels(const Signals& signals, const NetworkData& data, const Prior& prior, double noise_sd,
                             double low, double high, std::size_t most = 20000, double part = 0.1,
                             const Cancel* cancel = nullptr);

/// Noise sd of one volume over S0 in good voxels: its 5th and 95th percentile.
/// Errors   Errc::range, Errc::numeric: those of noise_from_residuals()
std::pair<double, double> noise_range(const Signals& signals, const NetworkData& data);
/// Half of the good voxels have a larger S0. Errors   Errc::range (no good voxel)
double median_S0(const NetworkData& data);
/// Noise sd of one volume, from the residuals of a fit.
double noise_of(const Signals& signals, const Cancel* cancel = nullptr);

}  // namespace larmor::ivim
