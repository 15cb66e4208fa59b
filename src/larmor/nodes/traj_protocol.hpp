// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/value.hpp>
#include <larmor/recon/trajectory/spiral.hpp>
#include <optional>
#include <string>
#include <vector>

/// A scan's protocol as JSON describes it.
namespace larmor::nodes {

struct ScanProtocol {
  recon::SpiralProtocol spiral;
  std::optional<std::int64_t> samples = {};  // recorded an arm
  std::optional<double> echo_time = {};      // [s]
  recon::Vec3 delay = {};                    // [s]
  std::optional<std::int64_t> matrix = {};   // of the image
  /// Recorded ends of readout, ramp and rewinder [rasters].
  std::optional<std::int64_t> readout_end = {}, ramp_end = {}, rewind_end = {};
  std::vector<std::string> warnings = {};  // of what it says and this design does not do
};

/// Reads fov_m, resolution_m, arms, read_samples, dwell_ms, gradient_raster_ms, max_gradient_mT_per_m,
/// max_slew_mT_per_m_per_ms, max_gradient_frequency_kHz, gamma_kHz_per_mT, undersampling [begin, end, factor],
/// undersampling_shape, t2_match [ms], in_out, gradient_end, TE_ms, true_resolution, spiral_type,
/// recorded_raster_points (na, nb, nc), and x_delay_us ..., effective_matrix and kmax_convention of
/// reconstruction_settings*; what is not there stays as in `start`.
///
/// Errors   Errc::type for another kind of value under a name, Errc::format when fov_m or arms are not there
ScanProtocol scan_protocol(const flow::Value& record, const recon::SpiralProtocol& start);

}  // namespace larmor::nodes
