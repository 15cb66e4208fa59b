// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/image.hpp>
#include <larmor/nodes/curve_file.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/perfusion/dce/pipeline.hpp>
#include <string>
#include <vector>

#include "command.hpp"

/// Reading that several commands share.
namespace larmor::cli {

using nodes::in_rad;
using nodes::in_s;
using nodes::meta_numbers;
using nodes::meta_TR;
using nodes::read_curve;
using nodes::write_curve;

/// Values of option `name` in engine units, else those of the sidecar. Errors   Errc::usage when neither has them and
/// `needed`
std::vector<double> option_or(const Call& call, const char* name, double factor, const std::vector<double>& sidecar,
                              bool needed);
/// Volumes of one 4-D file or of several files, as one series (x, y, z, n); metadata of the first.
/// Errors   Errc::shape when their grids differ
struct Series {
  Image image;
  std::vector<double> FA, TR, TI;  // from the sidecars, [rad] and [s]
};
Series read_series(const std::vector<std::filesystem::path>& paths);
/// Map on the grid of `reference` as f32 times `scale`.
std::vector<float> read_map(const std::filesystem::path& path, const Image& reference, const char* what,
                            double scale = 1.0);
/// A map in the wrong unit shows in its middle, the median of what is above 0: T1 of 1200 s is one in ms.
/// Errors   Errc::range with `advice` when it lies outside of low to high
void require_middle(const std::vector<float>& map, double low, double high, const std::string& what,
                    const std::string& advice);
inline constexpr std::pair T1_middle{0.02, 20.0}, B1_middle{0.2, 5.0};  // [s] in any field, actual / nominal angle
/// The map of option --B1. Errors   those of read_map and require_middle
std::vector<float> read_B1(const Call& call, const Image& reference);
/// The mask option, or empty for every voxel.
std::vector<std::uint8_t> read_mask(const Call& call, const char* name, const Image& reference);
/// Frame times of a series: an option in seconds between frames, else the file's. Errors   Errc::file when unknown
std::vector<double> frame_times(const Call& call, const char* name, const Image& series);

}  // namespace larmor::cli
