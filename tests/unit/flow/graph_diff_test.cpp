// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/flow/graph_diff.hpp>
#include <larmor/flow/graph_stats.hpp>

namespace larmor::flow {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Graph graph(const std::string& rest) { return parse_graph("{\"larmor\": 1, " + rest + "}"); }

std::vector<std::string> lines(const Graph& a, const Graph& b) {
  std::vector<std::string> out;
  for (const auto& c : diff(a, b))
    out.push_back(std::string(1, c.sign) + " " + c.place + "|" + c.text + (c.counts ? "" : " (seen)"));
  return out;
}

const std::string base = R"("nodes": {"read": {"op": "io.read", "settings": {"path": "a.nii"}},
    "fit": {"op": "dce.fit", "settings": {"Hct": 0.42, "n": 3}, "at": [1, 2]}},
    "wires": {"fit.signal": "read.image"})";

TEST(GraphDiff, NothingBetweenAGraphAndItself) { EXPECT_THAT(lines(graph(base), graph(base)), IsEmpty()); }

TEST(GraphDiff, SettingsNodesAndWires) {
  Graph b = graph(base);
  b.nodes["fit"].settings = {{"Hct", 0.45}, {"new", "x"}};
  b.nodes["show"] = {.op = "view.image", .settings = {{"gain", 2}}};
  b.wires["show.in"] = "fit.out";
  EXPECT_THAT(lines(graph(base), b),
              ElementsAre("~ settings|fit.Hct: 0.42 -> 0.45", "- settings|fit.n: 3 -> default",
                          "+ settings|fit.new: default -> \"x\"", "+ nodes|node show (view.image), gain: 2",
                          "+ wires|wire fit.out -> show.in"));
  EXPECT_THAT(lines(b, graph(base)), ElementsAre("~ settings|fit.Hct: 0.45 -> 0.42", "+ settings|fit.n: default -> 3",
                                                 "- settings|fit.new: \"x\" -> default",
                                                 "- nodes|node show (view.image)", "- wires|wire fit.out -> show.in"));
  Graph c = graph(base);
  c.wires["fit.signal"] = "read.other";
  EXPECT_THAT(lines(graph(base), c), ElementsAre("~ wires|wire to fit.signal: from read.image -> read.other"));
}

TEST(GraphDiff, ARenamedNodeIsOneLine) {
  Graph b = graph(base);
  auto node = b.nodes.extract("read");
  node.key() = "load";
  b.nodes.insert(std::move(node));
  b.wires["fit.signal"] = "load.image";
  EXPECT_THAT(lines(graph(base), b), ElementsAre("> nodes|node read -> load (seen)"));
  b.nodes["load"].settings["path"] = "b.nii";  // another node then
  EXPECT_EQ(lines(graph(base), b).size(), 3u);
}

TEST(GraphDiff, WhatIsOnlySeenDoesNotCount) {
  Graph b = graph(base);
  b.title = "T", b.about = "why", b.dashboards = "{}";
  b.nodes["fit"].at = {5, 5}, b.nodes["fit"].title = "Fit", b.nodes["fit"].note = "n";
  b.comments["c"] = {.text = "x"};
  b.frames["f"] = {.title = "x"};
  const auto changes = diff(graph(base), b);
  EXPECT_EQ(changes.size(), 8u);
  for (const auto& c : changes) EXPECT_FALSE(c.counts) << c.text;
}

TEST(GraphDiff, EveryPartOfANodeAndOfTheGraph) {
  Graph b = graph(base);
  Node& fit = b.nodes["fit"];
  fit.op = "dce.fast", fit.mode = Mode::bypass, fit.ports = {"Hct"}, fit.policy["out"] = Policy::spill;
  fit.map = MapOver{.axis = "z", .inputs = {"signal"}, .in_flight = 2};
  fit.sweeps["Hct"] = {0.4, 0.5};
  b.inputs["x"] = {.inside = {"read.path"}, .required = false};
  b.outputs["y"] = {.type = "maps", .inside = {"fit.out"}};
  b.settings["h"] = {.node = "fit", .setting = "Hct"};
  EXPECT_THAT(
      lines(graph(base), b),
      ElementsAre("~ nodes|node fit: dce.fit -> dce.fast", "+ sweeps|fit.Hct swept: default -> [0.4,0.5]",
                  "+ policy|fit.out kept as: default -> spill", "~ nodes|fit settings that are ports: [] -> [Hct]",
                  "~ nodes|fit mode: normal -> bypass", "~ nodes|fit mapped: none -> over z of [signal], 2 at once",
                  "+ inputs|input x (any, optional [read.path])", "+ outputs|output y (maps [fit.out])",
                  "+ promoted|promoted setting h (fit.Hct)"));
}

TEST(GraphDiff, GoesIntoDefinitions) {
  const auto with = [](const std::string& op, const std::string& loop) {
    return graph(R"("nodes": {"l": {"graph": "d")" + loop + R"(}}, "definitions": {"d": {"nodes": {"a": {"op": ")" +
                 op + "\"}}}}");
  };
  EXPECT_THAT(lines(with("x.y", ""), with("x.z", R"(, "loop": {"times": 3, "feedback": {"a": "b"}})")),
              ElementsAre("~ nodes|l loop: none -> repeat of [], 3 times, b becomes a",
                          "~ definitions/d/nodes|node a: x.y -> x.z"));
  EXPECT_THAT(lines(graph(R"("title": "")"), with("x.y", "")),
              ElementsAre("+ nodes|node l (sub-graph d)", "+ definitions|definition d (1 nodes)"));
}

TEST(GraphStats, CountsWhatTheTableOfThePaperCounts) {
  NodeTypes types;
  types.add("a.a", NodeType{.title = "A"}.in<Array>("in", "").out<Array>("out", ""));
  NodeType mine{.title = "B"};
  mine.user = true;
  types.add("user.b", std::move(mine));
  const Graph g = graph(R"("nodes": {"1": {"op": "a.a", "settings": {"x": 1}}, "2": {"op": "a.a", "map": {"axis": "z"}},
      "3": {"graph": "d"}, "4": {"graph": "d", "loop": {"times": 2}}, "5": {"op": "user.b", "sweeps": {"v": [1, 2]}},
      "6": {"op": "lost.op"}, "7": {"graph": "lost"}},
      "wires": {"2.in": "1.out", "3.x": "2.out", "4.x": "2.out"},
      "definitions": {"d": {"nodes": {"p": {"op": "a.a"}, "q": {"op": "a.a"}}, "wires": {"q.in": "p.out"}}})");
  const auto s = statistics(g, types, {}, [](const std::string& id) { return id == "user.b" ? 12 : 0; });
  EXPECT_EQ(s.operations, 3);
  EXPECT_EQ(s.instances, 4 + 2 * 2);
  EXPECT_DOUBLE_EQ(s.reuse, 8.0 / 3);
  EXPECT_EQ(s.counts.at("a.a"), 6);
  EXPECT_EQ(s.wires, 3 + 2 * 1);
  EXPECT_EQ(s.settings, 1);
  EXPECT_EQ(s.sub_graphs, 3);
  EXPECT_EQ(s.definitions, 1);
  EXPECT_EQ(s.zones, 1);
  EXPECT_EQ(s.mapped, 1);
  EXPECT_EQ(s.swept, 1);
  EXPECT_EQ(s.depth, 3);  // 1 -> 2 -> 3
  EXPECT_EQ(s.width, 4);  // 1, 5, 6, 7
  EXPECT_EQ(s.user_operations, 1);
  EXPECT_EQ(s.code_lines, 12);
  EXPECT_THAT(s.unknown, ElementsAre("lost", "lost.op"));
  const std::string text = to_json(g);
  EXPECT_EQ(s.json_lines, std::count(text.begin(), text.end(), '\n'));
  EXPECT_EQ(statistics(Graph{}, types).reuse, 0);
}

TEST(GraphStats, DefinitionsThatDoubleStayFinite) {
  std::string definitions = R"("d0": {"nodes": {"a": {"op": "a.a"}}})";
  for (int i = 1; i < 80; ++i) {
    const auto inner = "\"graph\": \"d" + std::to_string(i - 1) + "\"";
    definitions += ", \"d" + std::to_string(i) + "\": {\"nodes\": {\"a\": {" + inner + "}, \"b\": {" + inner + "}}}";
  }
  const Graph g = graph(R"("nodes": {"top": {"graph": "d79"}}, "definitions": {)" + definitions + "}");
  EXPECT_EQ(statistics(g, NodeTypes{}).instances, std::int64_t{1} << 60);
}

}  // namespace
}  // namespace larmor::flow
