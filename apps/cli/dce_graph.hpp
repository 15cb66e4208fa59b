// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/flow/graph.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dce_job.hpp"

namespace larmor::cli {

/// The shipped graph "dce" with the settings of the job, for `larmor dce` and --graph.
flow::Graph dce_graph(const DceJob& job);
/// What its inputs get.
std::map<std::string, flow::Value> dce_inputs(const DceJob& job);

/// What a run gave.
struct DceResult {
  flow::Graph graph;
  ParameterMaps maps;  // engine units
  Image concentration;
  std::vector<Aif> inputs;        // plasma: arterial, then venous
  std::optional<Image> detected;  // score of the voxels taken as artery
  std::vector<double> mean_tissue;
  double arrival = 0;  // [s] in the mean tissue curve
  int baseline_first = 0, baseline_last = 0;
  std::int64_t fitted = 0;
  double fit_seconds = 0;
  std::vector<std::pair<std::string, double>> seconds;  // by stage

  std::vector<std::string> models() const { return dce::models_of(maps); }
};
/// Runs the graph by the engine. Errors   those of its operations, with the node
DceResult run_dce_graph(const DceJob& job, const Progress& progress, const Cancel& cancel);

}  // namespace larmor::cli
