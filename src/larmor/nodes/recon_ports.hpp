// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/recon/solvers/pics.hpp>

/// What operations of iterative reconstruction share.
namespace larmor::nodes {

/// Adds the settings of the solver and its penalties, and the ports of what comes out but the image.
flow::NodeType&& with_pics_settings(flow::NodeType&& type);
recon::PicsOptions pics_options(const flow::Ports& io);
/// Writes residual, cost and iterates.
void put_solution(flow::Ports& io, const recon::Solution& solution);

/// Axes of `data` that the operator's range does not have and that hold more than one element: they are seen alike.
struct Batch {
  Shape shape;
  Axes axes;
};
Batch batch_of(const Array& data, const Axes& known);

}  // namespace larmor::nodes
