// SPDX-License-Identifier: Apache-2.0
// On random graphs: what the engine gives is what a plain recursion gives, whatever the threads, the budget, the policy
// and the cache, and what has run does not run again.
#include <gtest/gtest.h>

#include <larmor/core/parallel.hpp>
#include <random>

#include "support.hpp"

namespace larmor::flow {
namespace {

using namespace testing_ops;

using Random = std::mt19937_64;
int pick(Random& random, int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); }

struct Made {
  Graph graph;
  std::vector<std::string> numbers, arrays;  // nodes by what they give
};

// Nodes read only nodes made before, so there is no cycle. Arrays are of 64 kB and more: the store holds them.
Made random_graph(Random& random, int n) {
  Made m;
  const auto some = [&](const std::vector<std::string>& from) {
    return from[static_cast<std::size_t>(pick(random, static_cast<int>(from.size())))];
  };
  for (int i = 0; i < n; ++i) {
    const std::string id = "n" + std::to_string(i);
    const int kind = m.numbers.empty() ? 0 : m.arrays.empty() ? 1 : pick(random, 7);
    auto& node = m.graph.nodes[id];
    auto& wires = m.graph.wires;
    switch (kind) {
      case 0:
        node = op("t.number", {{"value", pick(random, 5)}});
        break;
      case 1:
        node = op("t.ramp", {{"nx", 4096}, {"nz", 4}, {"start", pick(random, 3)}});
        break;
      case 2:
      case 3:
        node = op("t.scale", {{"factor", pick(random, 3)}});
        wires[id + ".in"] = some(m.arrays);
        if (pick(random, 3) == 0) node.map = MapOver{pick(random, 2) ? "z" : "x", {}, pick(random, 3)};
        if (node.map && node.map->axis == "x") node.map.reset();  // 4096 slices are slow and tell nothing more
        if (pick(random, 4) == 0) node.ports = {"factor"}, wires[id + ".factor"] = some(m.numbers);
        break;
      case 4:
        node = op("t.mean");
        wires[id + ".in"] = some(m.arrays);
        break;
      case 5:
        node = op("t.sum");
        for (int k = 1; k <= 1 + pick(random, 4); ++k) wires[id + ".in." + std::to_string(k)] = some(m.numbers);
        break;
      default:
        node = op("t.sign");
        wires[id + ".a"] = some(m.numbers);
    }
    node.policy["out"] = static_cast<Policy>(pick(random, 5));
    const bool array = node.op == "t.ramp" || node.op == "t.scale";
    (array ? m.arrays : m.numbers).push_back(id + ".out");
  }
  return m;
}

// The value of a node by plain recursion.
Value naive(const NodeTypes& types, const Graph& g, const std::string& port, std::map<std::string, Value>& known) {
  if (const auto it = known.find(port); it != known.end()) return it->second;
  const std::string id = port.substr(0, port.find('.'));
  const Node& node = g.nodes.at(id);
  std::map<std::string, Value> inputs, settings = node.settings;
  for (const auto& [to, from] : g.wires) {
    if (!to.starts_with(id + ".")) continue;
    const std::string name = to.substr(id.size() + 1);
    const bool setting = std::find(node.ports.begin(), node.ports.end(), name) != node.ports.end();
    (setting ? settings : inputs)[name] = naive(types, g, from, known);
  }
  return known[port] = run_operation(types.get(node.op), types.types, inputs, settings).at("out");
}

void expect_as_naive(Engine& engine, const NodeTypes& types, const Made& m, const std::string& what) {
  std::map<std::string, Value> known;
  for (const auto* ports : {&m.numbers, &m.arrays})
    for (const auto& port : *ports)
      EXPECT_EQ(engine.value(m.graph, port).hash(), naive(types, m.graph, port, known).hash()) << what << ", " << port;
}

class RandomGraphs : public testing::TestWithParam<int> {};

TEST_P(RandomGraphs, GiveWhatARecursionGives) {
  Random random(static_cast<unsigned>(GetParam()));
  const int before = thread_count();
  Ops t;
  TempFolder folder;
  Made m = random_graph(random, 40);
  for (int round = 0; round < 4; ++round) {
    EngineOptions options;
    options.memory_budget = std::size_t{1} << (17 + 3 * pick(random, 4));  // two arrays, or all of them
    if (pick(random, 2)) options.disk_cache = folder.path;
    options.disk_from_seconds = pick(random, 2) ? 0 : 0.05;
    set_thread_count(1 + pick(random, 4));
    Engine engine(t.types, options);
    RunOptions run;
    run.policy = static_cast<Policy>(pick(random, 5));
    const std::string what = "seed " + std::to_string(GetParam()) + ", round " + std::to_string(round);
    EXPECT_EQ(engine.run(m.graph, run).state, "done") << what;
    EXPECT_EQ(engine.run(m.graph, run).ran, 0) << what;
    expect_as_naive(engine, t.types, m, what);
    // One setting changes; nothing runs that does not depend on it.
    auto node = std::next(m.graph.nodes.begin(), pick(random, static_cast<int>(m.graph.nodes.size())));
    for (auto& [name, value] : node->second.settings)
      if (name != "nx" && name != "nz") value = value.number() + 1;
    EXPECT_EQ(engine.run(m.graph, run).state, "done") << what;
    expect_as_naive(engine, t.types, m, what + ", changed");
    EXPECT_LE(engine.resident_bytes(), options.memory_budget) << what;
  }
  set_thread_count(before);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomGraphs, testing::Range(0, 20));

TEST(EngineLaws, AChangeRunsOnlyWhatDependsOnIt) {
  Random random(7);
  Ops t;
  for (int repeat = 0; repeat < 20; ++repeat) {
    Made m = random_graph(random, 30);
    // What is not kept would be made again for a reader that changed.
    for (auto& [id, node] : m.graph.nodes) node.policy["out"] = Policy::keep;
    Engine engine(t.types);
    engine.run(m.graph);
    auto changed = std::next(m.graph.nodes.begin(), pick(random, static_cast<int>(m.graph.nodes.size())));
    if (changed->second.settings.empty()) continue;
    for (auto& [name, value] : changed->second.settings)
      if (name != "nx" && name != "nz") value = value.number() + 1;
    std::map<std::string, bool> downstream{{changed->first, true}};
    for (bool more = true; more;) {
      more = false;
      for (const auto& [to, from] : m.graph.wires) {
        const auto reader = to.substr(0, to.find('.')), source = from.substr(0, from.find('.'));
        if (downstream.count(source) && downstream.emplace(reader, true).second) more = true;
      }
    }
    const auto report = engine.run(m.graph);
    for (const auto& [path, node] : report.nodes)
      if (!downstream.count(path)) {
        EXPECT_EQ(node.rounds, 0) << path;
      }
  }
}

}  // namespace
}  // namespace larmor::flow
