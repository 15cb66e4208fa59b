// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/nodes/dce_report.hpp>
#include <string>
#include <vector>

#include "dce_graph.hpp"
#include "dce_job.hpp"
#include "write_maps.hpp"

namespace larmor::cli {

/// What a run of `larmor dce` amounts to, for the terminal, summary.json and the report.
struct DceSummary {
  nodes::VoxelCounts counts;
  std::vector<MapSummary> maps;
  std::vector<std::pair<std::string, double>> seconds;
  double total_seconds = 0, voxels_per_second = 0;
  std::string provenance;  // JSON
};
DceSummary summarise_dce(const DceJob& job, const DceResult& result, const Config& config, double read_seconds);

/// Everything but the report: maps, sidecars, aif.csv, summary.json, config.yaml.
void write_dce_files(const std::filesystem::path& folder, const DceJob& job, const DceResult& result,
                     const Config& config, const DceSummary& summary);
/// report.html
void write_dce_report(const std::filesystem::path& path, const DceJob& job, const DceResult& result,
                      const Config& config, const DceSummary& summary);

std::string summary_json(const DceSummary& summary, const DceJob& job, const DceResult& result);
std::string summary_text(const DceSummary& summary);

}  // namespace larmor::cli
