// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <chrono>
#include <filesystem>
#include <larmor/flow/graph.hpp>

namespace larmor::flow {

enum class State : std::uint8_t {
  idle,     // has not run
  waiting,  // for its inputs
  running,
  done,     // ran in this run
  cached,   // its result was there
  warning,  // ran, and has something to say
  error,
  skipped,  // an input failed
  cancelled,
  bypassed,
  frozen
};
std::string_view to_string(State state);

struct PortReport {
  std::string type, describe;  // "image", "f32 (64 x, 64 y, 24 z)"
  Hash hash = {};
  std::size_t bytes = 0;
  bool resident = false;   // in memory now; else on disk, or to be computed again
  bool unchanged = false;  // same content as after the run before
};

/// A node in a run. Inner nodes of sub-graphs have paths: "denoise/blur"; rounds of zones and mapped slices add up.
struct NodeReport {
  std::string path, op;
  State state = State::idle;
  double progress = 0;              // 0..1 while running
  std::string doing;                // the stage in progress
  double started = 0, seconds = 0;  // from the start of the run [s]; seconds add up over rounds and slices
  double expected_seconds = 0;      // mean of earlier runs, 0: not known
  double mean_seconds = 0, sd_seconds = 0;
  int runs = 0, rounds = 0;  // runs of the mean (this one too when it has ended); computed in this run
  int thread = 0;
  std::size_t peak_bytes = 0, output_bytes = 0;
  int cache_hits = 0;
  std::vector<std::string> warnings;
  std::string error, advice, log;  // log: what a worker printed last
  std::string error_at;            // "my_op.py:12" for user code
  std::string code;                // of the error: "shape", "range", ... (to_string(Errc))
  std::vector<std::string> where;  // its `at:` lines, innermost first
  std::map<std::string, PortReport> outputs;
};

/// One line of JSON with the names of the fields; `state` as text.
std::string to_json(const NodeReport& report);

struct RunReport {
  std::string state;  // "done", "failed", "cancelled"
  double seconds = 0;
  std::size_t peak_bytes = 0, resident_bytes = 0;
  int ran = 0, cached = 0, failed = 0, skipped = 0;
  std::map<std::string, NodeReport> nodes;
  std::vector<Issue> issues;
  std::string to_json() const;
};

struct EngineOptions {
  std::size_t memory_budget = std::size_t{2} << 30;  // [bytes] of values, cache included
  std::filesystem::path disk_cache = {};             // empty: none
  std::size_t disk_budget = std::size_t{8} << 30;
  /// Results that took less are not worth a file [s].
  double disk_from_seconds = 0.05;
  Library library = {};
  Device device = {};
  bool allow_user_code = true;
};

struct RunOptions {
  /// Only these nodes and what they need (run to here); empty: all.
  std::vector<std::string> targets = {};
  std::map<std::string, Value> inputs = {};  // of the graph
  Policy policy = Policy::automatic;         // of ports that say automatic: keep in Studio, free when headless
  bool force = false;                        // ignore the cache
  /// Every change of state, progress (at most 20 times a second a node); called from the engine's threads, in order
  /// for each node.
  std::function<void(const NodeReport&)> on_node = {};
  Cancel cancel = {};
  std::filesystem::path base = {};  // relative file names of settings are below this folder
  std::filesystem::path out = {};   // those that are written are below this one; empty: base
  /// Names the document (its path), so that frozen nodes find their last results, times are told of the same node and
  /// ports know what is unchanged.
  std::string session = {};
};

/// Runs graphs. Knows what it has computed: a second run of the same graph, or of one that shares nodes with it, takes
/// what is there, from memory or from disk, also after a restart. Thread-safe; several runs may be under way.
class Engine {
 public:
  explicit Engine(const NodeTypes& types, EngineOptions options = {});
  ~Engine();

  /// Runs to the end. Nodes that fail leave the others running; the report says which. Never throws for what a node
  /// does. Errors   Errc::range, Errc::unknown_name for targets and inputs that the graph does not have
  RunReport run(const Graph& graph, const RunOptions& options = {});

  /// The value that an out-port has with the graph as it is ("fit.Ktrans", "denoise/blur.out", of a zone the last round
  /// or, with history, "loop/blur.out@3"; "maps" for an output of the graph), read back or computed again when it is
  /// not resident; none when it has never been computed. Values of sweeps are stacked on new last axes. Errors
  /// Errc::unknown_name for a port that the graph does not have
  Value value(const Graph& graph, std::string_view port, const RunOptions& options = {});

  /// How many rounds of the outermost loop around a port are kept ("loop@0/blur.out", "loop.out@0", ...); 0 without
  /// history, or when it has not run. Errors   Errc::format
  int rounds(const Graph& graph, std::string_view port, const RunOptions& options = {});

  /// The form of a node for the last values of its inputs.
  /// Errors   Errc::unknown_name for a node or an operation that is not there; what the node's validate throws
  Form form(const Graph& graph, const std::string& node, const RunOptions& options = {});

  /// Calls `change` (of operations: NodeTypes::replace) while no run is being planned. Runs under way go on with the
  /// operations that they began with.
  void exclusively(const std::function<void()>& change);

  std::size_t resident_bytes() const;
  void set_memory_budget(std::size_t bytes);
  void clear_cache(bool disk_too = false);
  const NodeTypes& types() const;
  const EngineOptions& options() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace larmor::flow
