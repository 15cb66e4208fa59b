// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>
#include <utility>

namespace larmor::flow {

/// The description of an operation as JSON:
///   {id, title, does, from, help, version, effect, impure, user, tags, category,
///    inputs and outputs: [{name, what, type, required, repeated, dtypes, min_rank, max_rank, axes, lower, upper}],
///    settings: [{name, what, kind, default, lower, upper, step, unit, choices, optional, multiline}],
///    examples: [{title, graph}]}
/// An open bound is null.
std::string to_json(const std::string& id, const NodeType& type);

/// The same read back, without functions: an id (empty when there is none) and a type. All but names may be left out;
/// the kind of a setting follows from its default then (true, 1, 1.0, "text", [1, 2]; with choices: a choice).
/// Errors   Errc::format with the place ("settings.2.lower") and what is needed
std::pair<std::string, NodeType> parse_node_type(std::string_view json);

}  // namespace larmor::flow
