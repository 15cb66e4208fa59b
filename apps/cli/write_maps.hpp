// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/data/parameter_maps.hpp>
#include <map>
#include <string>
#include <vector>

namespace larmor::cli {

/// How maps become files, for every command that writes some.
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
/// {"software": "larmor", "version": ..., "command": ..., "settings": {...}, "sources": [...]} as JSON.
/// `settings` values are JSON texts.
std::string provenance_json(const std::string& command, const std::map<std::string, std::string>& settings,
                            const std::vector<std::pair<std::string, std::string>>& sources);

/// Numbers about a map inside usable voxels.
struct MapSummary {
  std::string name, unit;
  std::size_t n = 0;  // finite values
  double median = 0, p5 = 0, p95 = 0;
};
MapSummary summarise(const ParameterMap& map, bool engine_units);

}  // namespace larmor::cli
