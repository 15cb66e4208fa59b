// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/progress.hpp>
#include <larmor/flow/engine.hpp>

namespace larmor::cli {

/// Runs a graph of a command; `then` takes the values while they are there. The first error of a node is thrown as the
/// operation threw it, with the node. Errors   those of the operations; Errc::cancelled
flow::RunReport run_or_throw(flow::Engine& engine, const flow::Graph& graph, flow::RunOptions options,
                             const Progress& progress, const std::function<void(const flow::RunOptions&)>& then);

}  // namespace larmor::cli
