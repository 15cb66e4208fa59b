// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>
#include <string>

namespace larmor::nodes {

/// The operation of a T1 method that follows the recovery after an inversion: `words` (title, sentence, help, tags)
/// with the ports, settings, source and function that all of these have.
flow::NodeType t1_recovery(const std::string& method, flow::NodeType words);

}  // namespace larmor::nodes
