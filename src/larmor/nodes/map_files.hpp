// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/parameter_maps.hpp>
#include <map>
#include <string>
#include <vector>

namespace larmor::nodes {

/// How maps become files, for every command and operation that writes some.
struct MapFiles {
  std::filesystem::path folder;
  bool engine_units = false;    // false: lexicon units (1/min, mL/min/100mL)
  bool standard_errors = true;  // <name>_se.nii.gz
  std::string provenance;       // JSON, embedded in each NIfTI file and its sidecar
  std::string model;            // named in the sidecars
  std::vector<std::string> sources;
};

/// Unit in which `map` is written.
std::string written_unit(const ParameterMap& map, bool engine_units);
/// <name>.nii.gz and <name>.json for every map and its standard error, status.nii.gz when there is one.
void write_maps(const ParameterMaps& maps, const MapFiles& files);
/// dataset_description.json of a BIDS derivative. `what` names the command.
void write_dataset_description(const std::filesystem::path& folder, const std::string& name, const std::string& what);
/// <name>.nii[.gz] of a folder as maps, <name>_se as their standard errors, status as the status; units from the
/// sidecars, brought to those of the engine. Errors   Errc::file (no folder, no image in it), Errc::shape (grids
/// differ)
ParameterMaps read_maps(const std::filesystem::path& folder);

/// Numbers about a map inside usable voxels.
struct MapSummary {
  std::string name, unit;
  std::size_t n = 0;  // finite values
  double median = 0, p5 = 0, p95 = 0;
};
MapSummary summarise(const ParameterMap& map, bool engine_units);

}  // namespace larmor::nodes
