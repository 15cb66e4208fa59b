// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nodes/dce_ports.hpp>
#include <optional>

namespace larmor::nodes {

/// Ids of models in a text, separated by spaces or commas. Errors   Errc::unknown_name, Errc::usage (one named twice)
std::vector<std::string> model_list(const std::string& text);
/// The fit as an operation does it, of one model or several.
void run_fit(flow::Ports& io, const std::vector<std::string>& models);
/// How long the fit itself took [s], from what the operation logs; empty when that is of something else.
std::optional<double> fit_seconds(const std::string& log);
/// Ports and settings that fits have in common, with `first` before them.
flow::NodeType fit_type(flow::NodeType type, std::vector<flow::Setting> first);

}  // namespace larmor::nodes
