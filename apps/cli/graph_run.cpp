// SPDX-License-Identifier: Apache-2.0
#include "graph_run.hpp"

#include <larmor/core/log.hpp>
#include <mutex>

namespace larmor::cli {
namespace {

// One bar at a time: the node that told last.
class Bar {
 public:
  explicit Bar(const Progress& progress) : progress_(progress) {}
  void tell(const flow::NodeReport& node) {
    const std::lock_guard lock(mutex_);
    if (node.state == flow::State::running && !node.doing.empty()) {
      const std::string what = node.path + ": " + node.doing;
      if (what != doing_) {
        end();
        progress_.begin(doing_ = what, steps);
      }
      const auto done = static_cast<std::size_t>(node.progress * steps);
      if (done > done_) progress_.add(done - done_), done_ = done;
    } else if (doing_.starts_with(node.path + ": ")) {
      end();
    }
  }
  void end() {
    if (!doing_.empty()) progress_.end();
    doing_.clear(), done_ = 0;
  }

 private:
  static constexpr std::size_t steps = 1000;
  const Progress& progress_;
  std::mutex mutex_;
  std::string doing_;
  std::size_t done_ = 0;
};

Errc code_of(const std::string& name) {
  for (const Errc code : {Errc::usage, Errc::unknown_name, Errc::shape, Errc::range, Errc::type, Errc::file,
                          Errc::format, Errc::numeric, Errc::device, Errc::cancelled})
    if (to_string(code) == name) return code;
  return Errc::internal;
}

// Nodes that failed of themselves; of several the first in time.
[[noreturn]] void rethrow(const flow::RunReport& report) {
  const flow::NodeReport* first = nullptr;
  for (const auto& [path, node] : report.nodes)
    if (node.state == flow::State::error && (!first || node.started < first->started)) first = &node;
  if (!first) {
    for (const auto& issue : report.issues)
      if (issue.kind == flow::Issue::Kind::error)
        throw Error(code_of(issue.code), issue.message, issue.advice).at("node '" + issue.node + "'");
    throw Error(Errc::internal, "the graph did not run to its end: " + report.state);
  }
  Error error(code_of(first->code), first->error, first->advice);
  for (const auto& place : first->where) error.at(place);
  throw error;
}

}  // namespace

flow::RunReport run_or_throw(flow::Engine& engine, const flow::Graph& graph, flow::RunOptions options,
                             const Progress& progress, const std::function<void(const flow::RunOptions&)>& then) {
  Bar bar(progress);
  options.on_node = [&bar](const flow::NodeReport& node) { bar.tell(node); };
  auto report = engine.run(graph, options);
  bar.end();
  options.cancel.check();
  if (report.state != "done") rethrow(report);
  for (const auto& [path, node] : report.nodes)
    for (const auto& text : node.warnings) log::warning(path + ": " + text);
  then(options);
  return report;
}

}  // namespace larmor::cli
