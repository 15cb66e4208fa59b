// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/heap.hpp>
#include <larmor/core/log.hpp>
#include <larmor/flow/provenance.hpp>
#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "graph_files.hpp"
#include "graph_job.hpp"
#include "print_json.hpp"
#include "user_ops.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;
using json = nlohmann::ordered_json;
using flow::State;
using flow::Value;

flow::EngineOptions engine_options(const Call& call, const fs::path& path) {
  flow::EngineOptions options;
  options.library = graph_library(path);
  options.device = call.device;
  if (call.given("--memory")) options.memory_budget = parse_size(call.text("--memory"), "--memory");
  if (!call.flag("--no-cache"))
    options.disk_cache = call.given("--cache") ? fs::path(call.text("--cache")) : default_cache_folder();
  return options;
}

void print_problems(const flow::RunReport& report) {
  for (const auto& [path, node] : report.nodes) {
    if (node.state == State::error) {
      fmt::print(stderr, "{}: {}\n", path, node.error);
      if (!node.advice.empty()) fmt::print(stderr, "  do: {}\n", node.advice);
    }
    for (const auto& text : node.warnings) log::warning(path + ": " + text);
  }
  for (const auto& issue : report.issues)
    if (issue.node.empty()) fmt::print(stderr, "{}", issue_text(issue, 0));
}

// Outputs of the graph: written to --out, numbers and texts printed.
json outputs_of(const Call& call, flow::Engine& engine, const flow::Graph& graph, const flow::RunOptions& options) {
  json out = json::object();
  for (const auto& [name, port] : graph.outputs) {
    const Value result = engine.value(graph, name, options), value = a_number(result);
    if (value.none()) continue;
    json one{{"type", result.type()}};
    const bool plain = value.kind() == Value::Kind::number || value.kind() == Value::Kind::boolean ||
                       value.kind() == Value::Kind::text;
    if (value.kind() == Value::Kind::number && !std::isfinite(value.number()))
      one["value"] = nullptr;
    else if (plain)
      one["value"] = json::parse(flow::to_json(value));
    else
      one["describe"] = value.describe();
    if (call.given("--out")) {
      const std::string node = port.inside.at(0).substr(0, port.inside.at(0).find('.'));
      const auto made = flow::provenance_of(graph, node, engine.types(), engine.options().library, options.base);
      one["file"] = write_output(call.text("--out"), name, result, flow::to_json(made)).string();
    }
    out[name] = std::move(one);
  }
  return out;
}

void print_result(const flow::RunReport& report, const json& outputs) {
  for (const auto& [name, one] : outputs.items()) {
    std::string text = one.contains("value") ? one["value"].is_null() ? "nan" : one["value"].dump()
                                             : one["describe"].get<std::string>();
    if (one.contains("file")) text += "  -> " + one["file"].get<std::string>();
    fmt::print("{}  {}\n", name, text);
  }
  log::info(fmt::format("{}: {} nodes ran, {} were known, {} failed, {} skipped, {:.2f} s, at most {}", report.state,
                        report.ran, report.cached, report.failed, report.skipped, report.seconds,
                        size_text(report.peak_bytes)));
}

int run(const Call& call) {
  const fs::path path = call.text("GRAPH");
  flow::Graph graph = open_graph(path);
  const auto& types = all_operations(call);
  flow::RunOptions options;
  options.base = call.given("--base") ? fs::path(call.text("--base")) : path.parent_path();  // empty: this folder
  // What is written goes where the call was made, as it does with every other command.
  options.out = call.given("--out") ? fs::path(call.text("--out")) : fs::current_path();
  options.session = fs::weakly_canonical(path).string();
  options.policy = flow::Policy::free;
  give_back_freed_memory();
  options.cancel = Cancel::interrupt();
  options.force = call.flag("--force");
  options.targets = call.texts("--to");
  auto engine_with = engine_options(call, path);
  for (const auto& assignment : call.texts("--set")) set_in_graph(graph, assignment, types, engine_with.library);
  for (const auto& assignment : call.texts("--in")) feed_graph(graph, options.inputs, assignment, types);
  if (call.given("--out")) fs::create_directories(options.out);

  flow::Engine engine(types, std::move(engine_with));
  flow::RunReport report;
  {
    RunTalk talk(graph.nodes.size(), call.quiet);
    options.on_node = [&](const flow::NodeReport& node) { talk(node); };
    report = engine.run(graph, options);
  }
  options.on_node = {};
  if (call.given("--report")) io::write_text(call.text("--report"), report.to_json());
  print_problems(report);
  json outputs = json::object();
  if (report.state != "cancelled" && options.targets.empty()) outputs = outputs_of(call, engine, graph, options);
  if (call.json) {
    json all = json::parse(report.to_json());
    all["outputs"] = outputs;
    print_json(all);
  } else {
    print_result(report, outputs);
  }
  return report.state == "done" ? 0 : 1;
}

}  // namespace

void register_run(Commands& commands) {
  commands.add(
      {.name = "run",
       .does = "Runs a graph",
       .in = {{.name = "GRAPH", .what = "graph (.json), or the name of one that comes with the program"}},
       .opt = {text("--set", "node.setting=value, or setting=value for one that the graph promotes").many(),
               text("--in", "name=file for an input of the graph, or for a node that reads a file").many(),
               folder("--out", "folder for outputs of the graph, and for files that nodes write; default: this one")
                   .output()
                   .as("-o"),
               text("--to", "run only this node and what it needs").many(),
               folder("--base", "folder of relative names of files that are read; default: that of the graph"),
               file("--report", "file that receives times, bytes and cache hits of every node, as JSON").output(),
               folder("--cache", "folder with results of earlier runs; default: ~/.cache/larmor"),
               flag("--no-cache", "keep nothing on disk"),
               text("--memory", "memory for results (512M, 2G, ...); what does not fit goes to disk", "2G"),
               flag("--force", "compute everything again"), ops_option()},
       .examples = {"larmor run filter.json --set window.width=0.8 --out filtered",
                    "larmor run filter.json --set 'window.width=[0.6, 0.8, 1]' --in kspace=brain.npy --to window"},
       .more = "Nodes that have run with the same settings on the same inputs are not run again, also after a restart. "
               "A list for a setting that takes one value is a sweep: the node, and what depends on it, runs for every "
               "value. Exit code 0 when every node is done, 1 when one failed or it was cancelled, 2 when the call was "
               "wrong.",
       .run = run});
}

}  // namespace larmor::cli
