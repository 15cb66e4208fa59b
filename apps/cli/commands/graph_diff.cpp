// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/graph_diff.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "graph_files.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

int run(const Call& call) {
  const auto before = open_graph(call.text("BEFORE")), after = open_graph(call.text("AFTER"));
  const bool all = !call.flag("--results");
  json out = json::array();
  std::string text;
  for (const auto& c : flow::diff(before, after)) {
    if (!c.counts && !all) continue;
    out.push_back({{"sign", std::string(1, c.sign)}, {"place", c.place}, {"text", c.text}, {"counts", c.counts}});
    const auto inner = c.place.rfind('/');  // "definitions/denoise/settings"
    text += fmt::format("{} {}{}\n", c.sign, inner == std::string::npos ? "" : c.place.substr(0, inner) + ": ", c.text);
  }
  fmt::print("{}", call.json ? out.dump(2, ' ', false, json::error_handler_t::replace) + "\n" : text);
  return 0;
}

}  // namespace

void register_graph_diff(Commands& commands) {
  commands.add({.name = "graph diff",
                .does = "Says what turned one graph into another: nodes, settings, wires, definitions",
                .in = {{.name = "BEFORE", .what = "graph (.json)"}, {.name = "AFTER", .what = "graph (.json)"}},
                .opt = {flag("--results", "only what can change results: no places, titles, comments, dashboards")},
                .examples = {"larmor graph diff old.json new.json --results"},
                .more = "+ added, - taken away, ~ changed, > renamed.",
                .run = run});
}

}  // namespace larmor::cli
