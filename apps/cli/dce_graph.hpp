// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>
#include <map>
#include <string>

#include "dce_job.hpp"

namespace larmor::cli {

/// The shipped graph "dce" with the settings of the job, for `larmor dce` and --graph.
flow::Graph dce_graph(const DceJob& job);
/// What its inputs get.
std::map<std::string, flow::Value> dce_inputs(const DceJob& job);

}  // namespace larmor::cli
