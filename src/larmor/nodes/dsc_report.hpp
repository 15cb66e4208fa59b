// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/aif.hpp>
#include <larmor/nodes/maps_report.hpp>
#include <larmor/perfusion/dsc/maps.hpp>

namespace larmor::nodes {

/// What the report of a DSC analysis shows: `maps` of dsc.deconvolve, joined with those of the steps before.
struct DscReport : MapsReport {
  DscReport() { title = "DSC perfusion"; }
  Image dynamic;                            // (x, y, z, t) signal; may be empty
  Image concentration;                      // (x, y, z, t) [mM] that was deconvolved
  Aif input;                                // whole blood [mM]
  double arrival = 0, deepest = 0, TE = 0;  // [s], [1/s], [s]
  Image detected = {};                      // voxels taken as artery
  int baseline_first = 0, baseline_last = 0;
  std::string mask_from = {}, aif_from = {};  // in words
};
/// Tiles, what to know first, maps with histograms, uncertainty, input, curves of single voxels, quality, references.
io::HtmlReport dsc_report(const DscReport& data);

}  // namespace larmor::nodes
