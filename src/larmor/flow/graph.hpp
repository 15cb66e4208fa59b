// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <filesystem>
#include <larmor/flow/node_type.hpp>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace larmor::flow {

/// What happens with the result of a port once its consumers are done.
enum class Policy : std::uint8_t { automatic, keep, free, spill, recompute };
/// normal; bypass: the first input that fits is handed through; freeze: results of the last run stay, whatever changes.
enum class Mode : std::uint8_t { normal, bypass, freeze };

/// Runs a node once for every index of an axis of its inputs and stacks its outputs along it.
struct MapOver {
  std::string axis;                      // "z"; inputs that do not have it go to every slice as they are
  std::vector<std::string> inputs = {};  // that are sliced; empty: all that have the axis
  int in_flight = 0;                     // slices at once, 0: number of threads
};

/// Turns a sub-graph node into a zone that runs repeatedly. Feedback is explicit: the value of the definition's output
/// `from` becomes its input `to` of the next round. Inputs that nothing feeds back keep the value of their wire.
struct Loop {
  enum class Kind : std::uint8_t { each, repeat, until };
  Kind kind = Kind::repeat;
  /// each: inputs (lists, or arrays along `axis`) of which every round gets one element; outputs are collected the
  /// same way, except those fed back, which give the last.
  std::vector<std::string> over = {};
  std::string axis = {};
  int times = 1;                                     // repeat: rounds; until: at most
  std::string condition = {};                        // until: output (boolean, or a number: stop when not 0)
  std::map<std::string, std::string> feedback = {};  // input <- output
  bool history = false;                              // keep the outputs of every round, to be looked at
};

struct Node {
  std::string op = {};                         // "math.add"; empty when it is a sub-graph
  std::string graph = {};                      // name of a definition in this file, or of a shipped graph
  std::map<std::string, Value> settings = {};  // those that differ from the default
  /// Settings swept: the node (and what depends on it) runs for every value; results stack on a new axis named like
  /// the setting.
  std::map<std::string, Value::List> sweeps = {};
  std::vector<std::string> ports = {};        // settings that are in-ports too, named like the setting
  std::map<std::string, Policy> policy = {};  // by out-port
  Mode mode = Mode::normal;
  std::optional<MapOver> map = {};
  std::optional<Loop> loop = {};
  std::string title = {}, note = {};
  std::array<double, 2> at{};
  bool folded = false;
  std::string extra = {};  // JSON of keys that this version does not know; written back as they were
};

struct Comment {
  std::array<double, 2> at{}, size{};
  std::string text;  // Markdown with TeX
  std::string colour = {};
};
struct Frame {
  std::array<double, 2> at{}, size{};
  std::string title, colour = {};
};

/// A setting of an inner node on the outside of the graph.
struct Promoted {
  std::string node, setting;  // "fit", "Hct"; node may be a path "prep/t1"
  std::string title = {}, what = {};
};

/// An in- or out-port of a graph used as a node, or of a file given with --in.
struct GraphPort {
  std::string type = "any", what = {};
  std::vector<std::string> inside;  // in: the ports it feeds ("fit.signal", ...); out: exactly one
  bool required = true;
};

struct Graph {
  static constexpr int current_version = 1;
  int version = current_version;
  std::string title = {}, about = {};
  std::map<std::string, Node> nodes = {};         // by id: letters, digits, _ and -
  std::map<std::string, std::string> wires = {};  // in-port <- out-port: "fit.signal" <- "read.image"
  std::map<std::string, GraphPort> inputs = {}, outputs = {};
  std::map<std::string, Promoted> settings = {};
  std::map<std::string, Comment> comments = {};
  std::map<std::string, Frame> frames = {};
  std::map<std::string, std::shared_ptr<const Graph>> definitions = {};
  std::string dashboards = {};  // JSON, the client's
  std::string extra = {};       // JSON of unknown keys
};

/// Reads the JSON of a graph; older versions are brought forward. Unknown keys are kept, unknown operations are no
/// error here. Errors   Errc::format with the place ("nodes.fit.settings"), a version that is newer than ours, with
/// both
Graph parse_graph(std::string_view json);
/// Two spaces, keys sorted, short arrays on one line: one change in the canvas is few lines in a diff.
std::string to_json(const Graph& graph);
Graph load_graph(const std::filesystem::path& path);

/// One thing that is wrong, or worth knowing.
struct Issue {
  enum class Kind : std::uint8_t { error, warning } kind = Kind::error;
  std::string node = {};  // path; empty: the graph
  std::string port = {};  // or setting
  std::string message, advice = {};
  /// "unknown_op", "unknown_graph", "unknown_node", "unknown_port", "type", "cycle", "recursion", "missing_input",
  /// "two_wires", "setting", "missing_file", "sweep", "bypass", "map", "loop", "graph_port", "promoted", "node"
  std::string code = {};
};

/// Where graphs that nodes name are found ("dce" -> graphs/dce.json).
using Library = std::function<std::shared_ptr<const Graph>(const std::string& name)>;

/// The graph that a node stands for: a definition of the graph it is in, or one of the library; null when there is none
/// or the node is an operation.
std::shared_ptr<const Graph> definition_of(const Node& node, const Graph& graph, const Library& library = {});
/// What the definitions of a graph can name: its own definitions, and what it could name itself.
Library library_inside(const Graph& graph, const Library& library = {});

/// The node type that a graph is from the outside: its ports and promoted settings. Errors   Errc::unknown_name
NodeType as_node_type(const Graph& graph, const NodeTypes& types, const Library& library = {});
/// The type of a node, sub-graph or not; empty when the operation or definition is unknown.
std::optional<NodeType> type_of(const Node& node, const Graph& graph, const NodeTypes& types,
                                const Library& library = {});

/// Everything that can be said without running: unknown operations, graphs, ports and settings (each with the nearest
/// name), settings out of range, types that do not fit (with the reason and the operations that would convert), cycles
/// outside zones (naming the nodes), inputs that need a wire, files that are not there. Relative file names are below
/// `base`.
std::vector<Issue> check(const Graph& graph, const NodeTypes& types, const Library& library = {},
                         const std::filesystem::path& base = {});

/// Operations with one input that can take a value of type `from` and an output that fits `to`, the closest first.
std::vector<std::string> converters(const NodeTypes& types, std::string_view to, std::string_view from);
/// The nodes in an order in which every node comes after those it takes from; nodes of cycles, and what depends on
/// them, come last. Wires of ports that are not there count by the nodes they name.
std::vector<std::string> topological_order(const Graph& graph);

/// "fit.signal" -> {"fit", "signal"}; a repeated port keeps its number: {"cat", "in.2"}. Errors   Errc::format
std::pair<std::string, std::string> split_port(std::string_view reference);

}  // namespace larmor::flow
