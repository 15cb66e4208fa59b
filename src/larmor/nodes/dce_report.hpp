// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nodes/maps_report.hpp>
#include <larmor/perfusion/dce/fit_maps.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace larmor::nodes {

/// What the report of a DCE analysis shows: `maps` of dce::maps_of with those of T1 and uptake, `references` beside
/// those of models and fitter. What is empty is left out.
struct DceReport : MapsReport {
  DceReport() { title = "DCE perfusion"; }
  Image dynamic;        // the picture below the maps is its mean before contrast; empty: of the concentration
  Image concentration;  // (x, y, z, t) with times
  std::vector<Aif> inputs;
  std::optional<Image> detected = {};  // score of the voxels taken as artery, NaN elsewhere
  std::vector<double> mean_tissue;
  double arrival = 0;
  int baseline_first = 0, baseline_last = 0;

  std::string mask_from = {}, t1_from = {}, aif_from = {};  // in words
  double Hct = 0.42;
};

/// Tiles, maps with histograms, uncertainty, input, curves of single voxels, quality, T1, uptake, settings, references.
/// Errors   Errc::usage for maps that no fit has made
io::HtmlReport dce_report(const DceReport& data);

}  // namespace larmor::nodes
