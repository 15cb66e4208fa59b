// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/flow/graph_order.hpp>
#include <larmor/flow/graph_stats.hpp>
#include <larmor/flow/graph_types.hpp>

namespace larmor::flow {
namespace {

/// Counts of one graph, with those inside added; each definition is counted once and multiplied.
struct Counts {
  std::int64_t instances = 0, wires = 0, settings = 0, sub_graphs = 0, zones = 0, mapped = 0, swept = 0;
  std::map<std::string, std::int64_t> ops;
  void operator+=(const Counts& o) {
    // Definitions that hold one another twice double with every level: stop before the numbers go round.
    static constexpr std::int64_t most = std::int64_t{1} << 60;
    const auto add = [](std::int64_t& a, std::int64_t b) { a = std::min(most, a + b); };
    add(instances, o.instances), add(wires, o.wires), add(settings, o.settings), add(sub_graphs, o.sub_graphs);
    add(zones, o.zones), add(mapped, o.mapped), add(swept, o.swept);
    for (const auto& [id, n] : o.ops) add(ops[id], n);
  }
};

class Counter {
 public:
  Counter(const NodeTypes& types, std::set<std::string>& unknown) : types_(types), unknown_(unknown) {}

  Counts count(const Graph& graph, const Library& library) {
    if (const auto it = known_.find(&graph); it != known_.end()) return it->second;
    known_[&graph] = {};  // one that holds itself counts as nothing inside
    Counts c;
    c.wires = std::ssize(graph.wires);
    for (const auto& [id, node] : graph.nodes) {
      c.settings += std::ssize(node.settings);
      c.mapped += node.map.has_value(), c.swept += !node.sweeps.empty();
      if (!node.op.empty()) {
        ++c.instances, ++c.ops[node.op];
        if (!types_.has(node.op)) unknown_.insert(node.op);
        continue;
      }
      ++c.sub_graphs;
      c.zones += node.loop.has_value();
      const auto inner = definition_of(node, graph, library);
      if (!inner) {
        unknown_.insert(node.graph);
        continue;
      }
      held_.push_back(inner);
      c += count(*inner, library_inside(graph, library));
    }
    return known_[&graph] = c;
  }

 private:
  const NodeTypes& types_;
  std::set<std::string>& unknown_;
  std::map<const Graph*, Counts> known_;
  std::vector<std::shared_ptr<const Graph>> held_;
};

int definitions_in(const Graph& graph) {
  int n = 0;
  for (const auto& [name, inner] : graph.definitions) n += 1 + definitions_in(*inner);
  return n;
}

}  // namespace

GraphStats statistics(const Graph& graph, const NodeTypes& types, const Library& library,
                      const std::function<int(const std::string& id)>& lines_of) {
  const auto lock = types.reading();
  GraphStats s;
  std::set<std::string> unknown;
  const Counts c = Counter(types, unknown).count(graph, remembering(library));
  s.instances = c.instances, s.wires = c.wires, s.settings = c.settings, s.sub_graphs = c.sub_graphs;
  s.zones = c.zones, s.mapped = c.mapped, s.swept = c.swept;
  s.counts = c.ops;
  s.operations = std::ssize(c.ops);
  s.reuse = s.operations ? static_cast<double>(s.instances) / static_cast<double>(s.operations) : 0;
  s.definitions = definitions_in(graph);
  s.unknown.assign(unknown.begin(), unknown.end());
  for (const auto& [id, n] : c.ops) {
    if (!types.has(id) || !types.get(id).user) continue;
    ++s.user_operations;
    if (lines_of) s.code_lines += lines_of(id);
  }
  std::map<std::string, int> level;
  std::map<int, int> at_level;
  const auto sources = sources_by_node(graph);
  for (const auto& id : topological_order(graph)) {
    int deepest = 0;
    for (const auto& source : sources.at(id)) deepest = std::max(deepest, level[source]);
    level[id] = deepest + 1;
    s.depth = std::max(s.depth, deepest + 1);
    s.width = std::max(s.width, ++at_level[deepest + 1]);
  }
  const std::string text = to_json(graph);
  s.json_lines = std::count(text.begin(), text.end(), '\n');
  return s;
}

}  // namespace larmor::flow
