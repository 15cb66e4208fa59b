// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <larmor/flow/graph_stats.hpp>
#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "graph_files.hpp"
#include "graph_run.hpp"
#include "print_json.hpp"
#include "text_table.hpp"
#include "user_ops.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

/// What a run took beside its operations. While at least one of them computes, the engine costs nothing that would have
/// been saved: overhead is the time in which none did.
struct Overhead {
  double seconds = 0, computing = 0;
  int nodes = 0;
  double rest() const { return std::max(0.0, seconds - computing); }
};

/// `text` is a report, `from` says whose in errors.
Overhead overhead_of(const std::string& text, const std::string& from) {
  const json report = json::parse(text, nullptr, false);
  if (!report.is_object() || !report.contains("nodes") || !report.contains("seconds"))
    throw Error(Errc::format, from + ": this is no report of a run", "write one with larmor run --report");
  Overhead out;
  try {
    out.seconds = report.at("seconds").get<double>();
    std::vector<std::pair<double, double>> spans;
    for (const auto& [path, node] : report.at("nodes").items()) {
      if (node.at("rounds").get<int>() < 1) continue;
      ++out.nodes;
      const double start = node.at("started").get<double>();
      spans.emplace_back(start, std::min(out.seconds, start + node.at("seconds").get<double>()));
    }
    std::sort(spans.begin(), spans.end());
    double end = 0;
    for (const auto& [from, to] : spans) {
      out.computing += std::max(0.0, to - std::max(from, end));
      end = std::max(end, to);
    }
  } catch (const json::exception& e) {
    throw Error(Errc::format, from + ": " + e.what(), "write a report with larmor run --report");
  }
  return out;
}

/// Runs the graph from nothing, and leaves nothing behind. Errors   the first of a node, with the node
Overhead overhead_of_a_run(const flow::Graph& graph, const std::filesystem::path& path, const Call& call) {
  const flow::EngineOptions defaults{};  // nothing on disk
  flow::Engine engine(all_operations(call), {defaults.memory_budget, defaults.disk_cache, defaults.disk_budget,
                                             defaults.disk_from_seconds, graph_library(path), call.device});
  flow::RunOptions options;
  options.base = path.parent_path();
  // What nodes with effects write is never moved to its place, and goes with the folder.
  const io::OutputFolder written(std::filesystem::temp_directory_path() / fmt::format("larmor_stats_{}", ::getpid()));
  options.out = written.path();
  options.policy = flow::Policy::free;
  options.cancel = Cancel::interrupt();
  const flow::RunReport report = run_or_throw(engine, graph, options, console_progress(call.quiet), [](const auto&) {});
  return overhead_of(report.to_json(), path.string());
}

int run(const Call& call) {
  const std::filesystem::path path = call.text("GRAPH");
  const flow::Graph graph = open_graph(path);
  const auto s = flow::statistics(graph, all_operations(call), graph_library(path),
                                  [&](const std::string& id) { return user_operations(call).lines_of(id); });
  const bool timed = call.given("--report") || call.given("--run");
  Overhead overhead;
  if (call.given("--report")) {
    const std::string file = call.text("--report");
    overhead = overhead_of(io::read_text(file), file);
  } else if (timed) {
    overhead = overhead_of_a_run(graph, path, call);
  }
  if (call.json) {
    json out{{"operations", s.operations},
             {"instances", s.instances},
             {"reuse", s.reuse},
             {"wires", s.wires},
             {"settings", s.settings},
             {"sub_graphs", s.sub_graphs},
             {"definitions", s.definitions},
             {"zones", s.zones},
             {"mapped", s.mapped},
             {"swept", s.swept},
             {"depth", s.depth},
             {"width", s.width},
             {"user_operations", s.user_operations},
             {"code_lines", s.code_lines},
             {"json_lines", s.json_lines},
             {"counts", s.counts},
             {"unknown", s.unknown}};
    if (timed)
      out["run"] = {{"seconds", overhead.seconds},
                    {"computing", overhead.computing},
                    {"overhead", overhead.rest()},
                    {"nodes", overhead.nodes}};
    print_json(out);
    return 0;
  }
  std::vector<std::vector<std::string>> rows{{"quantity", "value", "meaning"}};
  const auto row = [&](const char* name, std::int64_t n, const char* meaning) {
    rows.push_back({name, with_commas(n), meaning});
  };
  row("nodes", s.operations, "distinct operations");
  row("instances", s.instances, "times that they are placed, in sub-graphs too");
  rows.push_back({"reuse", fmt::format("{:.2f}", s.reuse), "instances / nodes"});
  row("wires", s.wires, "in sub-graphs too");
  row("settings", s.settings, "that are not at their default");
  row("sub-graphs", s.sub_graphs, "placed");
  row("definitions", s.definitions, "in the file");
  row("zones", s.zones, "loops");
  row("mapped", s.mapped, "nodes that run over an axis");
  row("swept", s.swept, "nodes that run for a list of values");
  row("depth", s.depth, "longest chain of nodes");
  row("width", s.width, "most nodes that can run side by side");
  row("user operations", s.user_operations, "distinct");
  row("lines of code", s.code_lines, "of the user operations");
  row("lines of JSON", s.json_lines, "of the graph");
  if (timed) {
    rows.push_back({"run", fmt::format("{:.3f}", overhead.seconds), "seconds"});
    rows.push_back({"overhead", fmt::format("{:.3f}", overhead.rest()), "seconds in which no operation computed"});
    rows.push_back({"overhead a node",
                    fmt::format("{:.3f}", overhead.nodes ? 1e3 * overhead.rest() / overhead.nodes : 0.0),
                    fmt::format("milliseconds, {} ran", overhead.nodes)});
  }
  fmt::print("{}", text_table(rows));
  std::vector<std::pair<std::string, std::int64_t>> counts(s.counts.begin(), s.counts.end());
  std::stable_sort(counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  rows = {{"operation", "instances"}};
  for (const auto& [id, n] : counts) rows.push_back({id, with_commas(n)});
  if (rows.size() > 1) fmt::print("\n{}", text_table(rows));
  if (!s.unknown.empty()) fmt::print(stderr, "not known here: {}\n", fmt::join(s.unknown, ", "));
  return 0;
}

}  // namespace

void register_graph_stats(Commands& commands) {
  commands.add({.name = "graph stats",
                .does = "How large a graph is, and how much of it is reuse",
                .in = {{.name = "GRAPH", .what = "graph (.json)"}},
                .opt = {flag("--run", "run it, from nothing and leaving nothing behind, for the time and the overhead"),
                        file("--report", "the same of a run that was (larmor run --report)"), ops_option()},
                .refs = {"Zwart and Pipe, MRM 74:1449 (2015), table 2"},
                .examples = {"larmor graph stats dce.json", "larmor graph stats filter.json --run"},
                .more =
                    "Nodes are the distinct operations, which is what somebody had to write; instances are the "
                    "places where they stand; their ratio is the reuse. A sub-graph counts as what is in it, for "
                    "each place it stands in. Overhead is the time of a run in which no operation computed: what the "
                    "engine and the files of the cache took. These are the quantities of the paper's table 2 by "
                    "name; their definitions are Larmor's own.",
                .run = run});
}

}  // namespace larmor::cli
