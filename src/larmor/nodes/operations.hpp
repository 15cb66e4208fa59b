// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>

namespace larmor::nodes {

/// Every built-in operation and the wire types they use, made on the first call.
const flow::NodeTypes& operations();
/// A copy to which user operations can be added.
flow::NodeTypes make_operations();

/// Wire types of MR values: image, curve, maps, table, picture, scene, report.
void add_types(flow::Types& types);

}  // namespace larmor::nodes
