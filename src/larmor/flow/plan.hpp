// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/engine.hpp>
#include <unordered_map>

namespace larmor::flow {

struct Plan;

/// Where a value comes from: an out-port of a step, an input of the plan, or a constant.
struct Source {
  enum class Kind : std::uint8_t { nothing, step, input, constant } kind = Kind::nothing;
  int step = -1, port = -1;  // of an input: `port` is its number
  Value constant = {};

  static Source of_step(int step, int port) { return {Kind::step, step, port, {}}; }
  static Source of_input(int number) { return {Kind::input, -1, number, {}}; }
  static Source of_constant(Value value) { return {Kind::constant, -1, -1, std::move(value)}; }
};

/// A sweep: the name of the axis on which its results stack, and how many there are.
struct Sweep {
  std::string axis;
  int count = 0;
};
using Sweeps = std::vector<std::shared_ptr<const Sweep>>;

/// The sources of one port for every combination of the sweeps upstream; the first sweep runs fastest.
struct Bundle {
  Sweeps sweeps = {};
  std::vector<Source> at = {Source{}};
};

struct Feed {
  std::string name;  // in-port or setting
  Source from;
};

/// A node that repeats: mapped over an axis, or a loop.
struct Zone {
  std::optional<MapOver> map;
  std::optional<Loop> loop;
  std::shared_ptr<const Plan> body;
  std::vector<std::string> inputs;    // of the body, in order
  std::vector<std::string> constant;  // of those: settings from wires, which are never sliced
};

/// A node at one combination of sweeps, with everything about it that does not depend on its inputs.
struct Step {
  enum class Kind : std::uint8_t { operation, zone, sink } kind = Kind::operation;
  int path = -1;      // number of the node's path
  std::string index;  // "[1,0]" within sweeps
  std::string op;
  std::shared_ptr<const NodeType> type;
  std::map<std::string, Value> settings;
  std::vector<Feed> inputs, wired_settings;
  std::vector<std::string> outputs;
  std::vector<Policy> policy;
  std::vector<bool> wanted;  // by out-port: an output of the graph, kept to be read after the run; empty: none
  std::shared_ptr<const Zone> zone;
  std::shared_ptr<const Error> refused;  // why it cannot run
  bool frozen = false, cacheable = true;
  bool part = false;                          // slice of a mapped operation: the zone reports its state
  bool stacks = false;                        // results of a sweep: no node of the graph
  Hash base;                                  // operation, version, settings, files, device; zones: their body
  std::vector<std::filesystem::path> writes;  // of an effect
  // Made by finish():
  std::vector<std::vector<int>> consumers;  // by out-port; a step that reads twice is there twice
  int producers = 0;                        // wires from steps
};

/// Paths of nodes, shared by a plan and the bodies of its zones.
struct Paths {
  std::vector<std::string> names, ops;
  std::unordered_map<std::string, int> numbers;
  int number(const std::string& path, const std::string& op = {});
};

/// A graph made flat: steps in an order in which every step comes after those it reads.
struct Plan {
  std::shared_ptr<Paths> paths;
  std::vector<Step> steps;
  std::vector<std::string> inputs;
  std::map<std::string, Bundle> ports;  // "denoise/blur.out"; of zones only the zone's own
  std::map<std::string, Bundle> outputs;
  std::vector<int> bypassed;  // paths
  std::vector<Issue> issues;
  bool inner = false;  // body of a zone

  /// Adds a step that only reads `feeds`, for values that are wanted in memory. Returns its number.
  int add_sink(std::vector<Feed> feeds);
  /// Fills what follows from the wires.
  void finish();
  /// Hash of everything that the steps do with their inputs.
  Hash fingerprint() const;
  /// False when what they do does not follow from that: something inside writes, is never cached, is broken, or reads a
  /// file that a wire names.
  bool told() const;
};

struct PlanOptions {
  std::filesystem::path base = {}, out = {};
  Library library = {};
  Device device = {};
  bool allow_user_code = true;
};

/// Never throws for what is wrong with a node: its step is refused, with the reason.
Plan make_plan(const Graph& graph, const NodeTypes& types, const PlanOptions& options);

/// One source of a bundle: itself, or a step that stacks it over its sweeps.
Source stacked(Plan& plan, const Bundle& bundle, const std::string& path, const NodeTypes& types);

/// Size and time of change of a file, or of everything in a folder: differs when the content may.
Hash file_stamp(const std::filesystem::path& path);
/// The same of what is read, with the files that readers look into beside it: those with the same name up to the first
/// dot (scan.nii.gz and scan.json, brain.cfl and brain.hdr), and sidecars whose name is made of words of it, there and
/// in the folders above up to that with a dataset_description.json, as data sets hand them down
/// (sub-01_task-rest_bold.nii and task-rest_bold.json).
Hash input_stamp(const std::filesystem::path& path);

}  // namespace larmor::flow
