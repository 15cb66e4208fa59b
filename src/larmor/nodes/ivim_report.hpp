// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nodes/maps_report.hpp>

namespace larmor::nodes {

/// What the report of an IVIM analysis shows: `maps` of ivim.estimate.
struct IvimReport : MapsReport {
  IvimReport() { title = "IVIM"; }
  Image series;                             // (x, y, z, b) that was fitted
  std::vector<double> b;                    // [s/mm2]
  std::string mask_from = {}, b_from = {};  // in words
};
/// Tiles, maps with histograms, uncertainty, signals of single voxels, flags, quality, settings, references.
io::HtmlReport ivim_report(const IvimReport& data);

}  // namespace larmor::nodes
