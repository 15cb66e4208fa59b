// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/image.hpp>
#include <larmor/perfusion/dce/pipeline.hpp>
#include <string>
#include <vector>

#include "command.hpp"

/// Reading that several commands share.
namespace larmor::cli {

/// Numbers a sidecar holds under `key`; empty when it has none.
std::vector<double> meta_numbers(const Metadata& meta, const std::string& key);
/// Excitation repetition time [s]: BIDS calls it RepetitionTimeExcitation where RepetitionTime is the time between
/// volumes.
std::vector<double> meta_TR(const Metadata& meta);
std::vector<double> in_rad(std::vector<double> deg);
std::vector<double> in_s(std::vector<double> ms);

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
/// The mask option, or empty for every voxel.
std::vector<std::uint8_t> read_mask(const Call& call, const char* name, const Image& reference);
/// Frame times of a series: an option in seconds between frames, else the file's. Errors   Errc::file when unknown
std::vector<double> frame_times(const Call& call, const char* name, const Image& series);
/// Curve from CSV or TSV: a column named time or t (else the first) and the next [mM].
Aif read_curve(const std::filesystem::path& path, double time_factor, bool plasma);
/// CSV with columns time and `column`.
void write_curve(const std::filesystem::path& path, const Aif& aif, const std::string& column);

}  // namespace larmor::cli
