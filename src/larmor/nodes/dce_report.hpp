// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/fit/status.hpp>
#include <larmor/io/report.hpp>
#include <larmor/perfusion/dce/fit_maps.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace larmor::nodes {

/// What became of the voxels of a fit, from its status map.
struct VoxelCounts {
  std::array<std::int64_t, fit::n_fit_status> by_status{};
  std::int64_t voxels = 0, masked = 0, usable = 0;
};
VoxelCounts count_voxels(const Array& status);

/// What the report of a DCE analysis shows. What is empty is left out.
struct DceReport {
  std::string title = "DCE perfusion", subtitle = {};
  Image dynamic;        // the picture below the maps is its mean before contrast; empty: of the concentration
  Image concentration;  // (x, y, z, t) with times
  ParameterMaps maps;   // of dce::maps_of, with those of T1 and uptake
  std::vector<Aif> inputs;
  std::optional<Image> detected = {};  // score of the voxels taken as artery, NaN elsewhere
  std::vector<double> mean_tissue;
  double arrival = 0;
  int baseline_first = 0, baseline_last = 0;
  bool engine_units = false;

  std::string mask_from = {}, t1_from = {}, aif_from = {};  // in words
  double Hct = 0.42;
  io::KeyValues references = {};                             // beside those of models and fitter
  std::vector<std::pair<std::string, double>> seconds = {};  // by stage
  double total_seconds = 0, voxels_per_second = 0;
  std::vector<std::string> notes = {};
  io::Table files = {};        // role, file, chosen by
  io::KeyValues details = {};  // drawers: title and text
};

/// Tiles, maps with histograms, uncertainty, input, curves of single voxels, quality, T1, uptake, settings, references.
/// Errors   Errc::usage for maps that no fit has made
io::HtmlReport dce_report(const DceReport& data);

}  // namespace larmor::nodes
