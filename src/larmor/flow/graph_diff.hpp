// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/graph.hpp>

namespace larmor::flow {

/// One difference, as a person reads it: "+ node fit (dce.fit)", "~ fit.Hct: 0.42 -> 0.45".
struct Change {
  char sign = '~';    // + added, - removed, ~ changed, > renamed
  std::string place;  // "nodes", "settings", "wires", "layout", ...; in front "definitions/denoise/" for inner ones
  std::string text;   // without the sign
  /// Whether results can differ: places on the canvas, titles, comments and dashboards are only seen.
  bool counts = true;
};

/// What turned one graph into the other. A node that went while an equal one came, with the same wires, was renamed;
/// wires that only follow a rename are not told.
std::vector<Change> diff(const Graph& before, const Graph& after);

}  // namespace larmor::flow
