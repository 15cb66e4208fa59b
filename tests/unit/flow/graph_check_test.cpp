// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/flow/graph.hpp>

namespace larmor::flow {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

NodeTypes make_types() {
  NodeTypes t;
  const auto nothing = [](Ports&) {};
  t.types.add("picture", {.title = "Picture", .what = "", .parent = "record"});
  t.add("num.source", NodeType{.title = "Number"}.out<double>("out", "it").set({"value", "which", 1.0, 0, 10}));
  t.add("num.add", NodeType{.title = "Add"}
                       .in<double>("a", "first")
                       .maybe<double>("b", "second")
                       .out<double>("out", "a + b")
                       .out<double>("stop", "when not 0")
                       .set({"scale", "of it", 1.0, 0, 5})
                       .run(nothing));
  t.add("num.sum", NodeType{.title = "Sum"}.in<double>("in", "terms", {.repeated = true}).out<double>("out", "sum"));
  t.add("text.source", NodeType{.title = "Text"}.out<std::string>("out", "letters"));
  t.add("text.number", NodeType{.title = "Number of text"}.in<std::string>("in", "letters").out<double>("out", "it"));
  t.add("array.c", NodeType{.title = "Complex"}.out<Array>("out", "it", {.dtypes = {DType::c64}, .min_rank = 2}));
  t.add("array.f", NodeType{.title = "Real"}.in<Array>("in", "it", {.dtypes = {DType::f32}}).out<Array>("out", "it"));
  t.add("array.line", NodeType{.title = "Line"}.in<Array>("in", "one axis", {.max_rank = 1}).out<Array>("out", "it"));
  t.add("file.read", NodeType{.title = "Read"}.out<Array>("out", "it").set(Setting::open("path", "which")));
  return t;
}

const NodeTypes& types() {
  static const NodeTypes all = make_types();
  return all;
}

Graph graph(const std::string& rest) { return parse_graph("{\"larmor\": 1, " + rest + "}"); }

std::vector<std::string> said(const Graph& g, const Library& library = {}) {
  std::vector<std::string> out;
  for (const auto& i : check(g, types(), library, "/"))
    out.push_back(i.code + " " + i.node + "|" + i.port + "|" + i.message + "|" + i.advice);
  return out;
}
std::vector<std::string> said(const std::string& rest) { return said(graph(rest)); }

TEST(GraphCheck, NothingToSayOfAGoodGraph) {
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "num.source"}, "m": {"op": "num.source", "settings": {"value": 2}},
                       "add": {"op": "num.add", "ports": ["scale"]}, "sum": {"op": "num.sum"}},
                       "wires": {"add.a": "n.out", "add.scale": "m.out", "sum.in.1": "add.out", "sum.in.2": "n.out"},
                       "outputs": {"y": {"type": "number", "from": "sum.out"}}, "inputs": {"b": {"to": ["add.b"]}},
                       "settings": {"v": {"node": "n", "setting": "value"}})"),
              IsEmpty());
}

TEST(GraphCheck, NamesWhatIsUnknownAndWhatIsNear) {
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.sourc"}})"),
              ElementsAre(testing::AllOf(HasSubstr("unknown_op a|"), HasSubstr("did you mean num.source?"))));
  EXPECT_THAT(said(R"("nodes": {"a": {"graph": "blurr"}}, "definitions": {"blur": {}})"),
              ElementsAre(testing::AllOf(HasSubstr("unknown_graph a|"), HasSubstr("did you mean blur?"))));
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.source", "settings": {"valu": 1}}})"),
              ElementsAre(testing::AllOf(HasSubstr("setting a|valu"), HasSubstr("did you mean value?"))));
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.source", "ports": ["valu"], "policy": {"ou": "keep"}}})"),
              ElementsAre(HasSubstr("setting a|valu"), HasSubstr("unknown_port a|ou")));
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "num.source"}, "s": {"op": "num.sum"}}, "wires": {"s.in": "m.out"})"),
              ElementsAre(HasSubstr("unknown_node s|in|no node called 'm'")));
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "num.source"}}, "wires": {"m.in": "n.out"})"),
              ElementsAre(HasSubstr("no node called 'm'")));
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "num.source"}, "s": {"op": "num.sum"}}, "wires": {"s.in": "n.ot"})"),
              ElementsAre(testing::AllOf(HasSubstr("unknown_port n|ot"), HasSubstr("did you mean out?"))));
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "num.source"}, "m": {"op": "num.source"}}, "wires": {"m.value": "n.out"})"),
              ElementsAre(testing::AllOf(HasSubstr("unknown_port m|value"), HasSubstr("make it a port first"))));
}

TEST(GraphCheck, UnknownNodesKeepTheirWires) {
  // The wires of a node whose operation is not there say nothing more.
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "lost.op"}, "s": {"op": "num.sum"}}, "wires": {"s.in": "n.out"})"),
              ElementsAre(HasSubstr("unknown_op n|")));
}

TEST(GraphCheck, Settings) {
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.source", "settings": {"value": 11}}})"),
              ElementsAre("setting a|value|'value' is 11|give a number from 0 to 10"));
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.source", "settings": {"value": "x"}}})"),
              ElementsAre(HasSubstr("setting a|value|")));
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.source", "sweeps": {"value": []}}})"),
              ElementsAre(HasSubstr("sweep a|value|")));
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.source", "sweeps": {"value": [1, 99]}}})"),
              ElementsAre(HasSubstr("sweep a|value|'value' is 99")));
  Graph built;
  built.nodes["a"] = {};
  EXPECT_THAT(said(built), ElementsAre(HasSubstr("node a|")));
}

TEST(GraphCheck, Files) {
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "file.read", "settings": {"path": "not/there.nii"}}})"),
              ElementsAre(HasSubstr("missing_file a|path|/not/there.nii is not there")));
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "file.read"}})"), ElementsAre(HasSubstr("no file is chosen")));
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "file.read", "settings": {"path": "proc"}}})"), IsEmpty());
}

TEST(GraphCheck, TypesThatDoNotFitWithTheConverters) {
  EXPECT_THAT(
      said(R"("nodes": {"t": {"op": "text.source"}, "a": {"op": "num.add"}}, "wires": {"a.a": "t.out"})"),
      ElementsAre("type a|a|in-port 'a' takes from t.out: Number is needed and this is Text|put one of these between "
                  "them: text.number"));
  EXPECT_THAT(said(R"("nodes": {"c": {"op": "array.c"}, "f": {"op": "array.f"}}, "wires": {"f.in": "c.out"})"),
              ElementsAre(HasSubstr("takes elements of f32 and c.out gives c64")));
  EXPECT_THAT(said(R"("nodes": {"c": {"op": "array.c"}, "f": {"op": "array.line"}}, "wires": {"f.in": "c.out"})"),
              ElementsAre(HasSubstr("takes 0 to 1 axes and c.out gives 2 axes or more")));
  EXPECT_THAT(said(R"("nodes": {"c": {"op": "array.c"}, "f": {"op": "array.line", "map": {"axis": "y"}}},
                       "wires": {"f.in": "c.out"})"),
              IsEmpty());
  EXPECT_THAT(converters(types(), "number", "text"), ElementsAre("text.number"));
  EXPECT_THAT(converters(types(), "picture", "text"), IsEmpty());
}

TEST(GraphCheck, Inputs) {
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.add"}, "s": {"op": "num.sum"}})"),
              ElementsAre(HasSubstr("missing_input a|a|"), HasSubstr("missing_input s|in|")));
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "num.source"}, "a": {"op": "num.add"}}, "wires": {"a.a": "n.out"},
                       "inputs": {"x": {"to": ["a.a"]}})"),
              ElementsAre(HasSubstr("two_wires a|a|in-port 'a' gets 2 values")));
}

TEST(GraphCheck, CyclesByName) {
  EXPECT_THAT(said(R"("nodes": {"z": {"op": "num.add"}, "b": {"op": "num.add"}, "c": {"op": "num.add"},
                       "up": {"op": "num.source"}, "down": {"op": "num.sum"}},
                       "wires": {"b.a": "z.out", "c.a": "b.out", "z.a": "c.out", "z.b": "up.out", "down.in": "c.out"})"),
              ElementsAre(HasSubstr("cycle b||the nodes b -> c -> z -> b wait for each other")));
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.add"}}, "wires": {"a.a": "a.out"})"),
              ElementsAre(HasSubstr("the nodes a -> a wait")));
  EXPECT_THAT(said(R"("nodes": {"a": {"op": "num.add"}, "b": {"op": "num.add"}},
                       "wires": {"a.a": "a.out", "b.a": "b.out"})"),
              ElementsAre(HasSubstr("cycle a"), HasSubstr("cycle b")));
}

TEST(GraphCheck, SubGraphs) {
  const std::string inner = R"("definitions": {"inner": {"nodes": {"a": {"op": "num.add"}, "bad": {"op": "num.ad"}},
      "inputs": {"x": {"to": ["a.a"]}}, "outputs": {"y": {"from": "a.out"}, "stop": {"from": "a.stop"}}}})";
  // Two nodes of one definition: what is wrong inside is said once.
  EXPECT_THAT(
      said(R"("nodes": {"one": {"graph": "inner"}, "two": {"graph": "inner"}}, "wires": {"two.x": "one.y"}, )" + inner),
      ElementsAre(HasSubstr("missing_input one|x"), HasSubstr("unknown_op one/bad|")));
  const Library library = [](const std::string& name) -> std::shared_ptr<const Graph> {
    if (name != "shipped") return nullptr;
    return std::make_shared<const Graph>(graph(R"("nodes": {"t": {"op": "text.source"}},
                                                   "outputs": {"y": {"from": "t.out"}})"));
  };
  EXPECT_THAT(
      said(graph(R"("nodes": {"s": {"graph": "shipped"}, "a": {"op": "num.add"}}, "wires": {"a.a": "s.y"})"), library),
      ElementsAre(HasSubstr("Number is needed and this is Text")));
  EXPECT_THAT(said(R"("nodes": {"a": {"graph": "d"}}, "definitions": {"d": {"nodes": {"b": {"graph": "e"}}},
                                                                   "e": {"nodes": {"c": {"graph": "d"}}}})"),
              ElementsAre(HasSubstr("recursion")));
}

TEST(GraphCheck, ALibraryThatNestsWithoutEndIsNoHang) {
  const Library library = [](const std::string&) {
    return std::make_shared<const Graph>(graph(R"("nodes": {"a": {"graph": "again"}, "b": {"graph": "again"}})"));
  };
  EXPECT_FALSE(said(graph(R"("nodes": {"a": {"graph": "again"}})"), library).empty());
}

TEST(GraphCheck, GraphPortsAndPromotedSettings) {
  EXPECT_THAT(said(R"("nodes": {"t": {"op": "text.source"}, "a": {"op": "num.sum"}},
                       "inputs": {"x": {"type": "text", "to": ["a.in", "a.inn"]}, "w": {"type": "txt"}},
                       "outputs": {"y": {"type": "number", "from": "t.out"}, "z": {"from": "b.out"}})"),
              ElementsAre(HasSubstr("graph_port |w|no type called 'txt'"),
                          HasSubstr("graph_port |x|the input 'x' of the graph feeds a.in: Number is needed"),
                          HasSubstr("graph_port |x|no in-port called 'inn'"),
                          HasSubstr("graph_port |y|the output 'y' of the graph comes from t.out"),
                          HasSubstr("graph_port |z|no node called 'b'")));
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "num.source"}},
                       "settings": {"v": {"node": "n", "setting": "w"}, "u": {"node": "m/n", "setting": "w"}})"),
              ElementsAre(HasSubstr("promoted |u|"), HasSubstr("promoted |v|")));
  Graph two = graph(R"("nodes": {"n": {"op": "num.source"}})");
  two.outputs["y"] = {.inside = {"n.out", "n.out"}};
  EXPECT_THAT(said(two), ElementsAre(HasSubstr("graph_port |y|the output 'y' of the graph comes from 2 ports")));
}

TEST(GraphCheck, BypassMapAndLoop) {
  const auto issues =
      check(graph(R"("nodes": {"t": {"op": "text.source"}, "n": {"op": "text.number", "mode": "bypass"}},
                                      "wires": {"n.in": "t.out"})"),
            types());
  ASSERT_EQ(issues.size(), 1u);
  EXPECT_EQ(issues[0].code, "bypass");
  EXPECT_EQ(issues[0].kind, Issue::Kind::warning);
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "num.source", "map": {"axis": "", "inputs": ["x"]}}})"),
              ElementsAre(HasSubstr("map n||"), HasSubstr("map n|x|"), HasSubstr("no input to take slices of")));
  EXPECT_THAT(said(R"("nodes": {"n": {"op": "num.source", "loop": {"times": 2}}})"),
              ElementsAre(HasSubstr("loop n||only sub-graphs")));
  const auto loop = [](const std::string& text) {
    return said(R"("nodes": {"n": {"op": "num.source"}, "l": {"graph": "d", "loop": )" + text + R"(}},
        "wires": {"l.x": "n.out"}, "definitions": {"d": {"nodes": {"a": {"op": "num.add"}, "t": {"op": "text.source"}},
        "inputs": {"x": {"to": ["a.a"]}},
        "outputs": {"y": {"from": "a.out"}, "stop": {"from": "a.stop"}, "word": {"from": "t.out"}}}})");
  };
  EXPECT_THAT(loop(R"({"kind": "until", "times": 3, "condition": "stop", "feedback": {"x": "y"}})"), IsEmpty());
  EXPECT_THAT(loop(R"({"kind": "each", "over": ["x"]})"), IsEmpty());
  EXPECT_THAT(loop(R"({"kind": "each"})"), ElementsAre(HasSubstr("takes elements of no input")));
  EXPECT_THAT(loop(R"({"kind": "until"})"), ElementsAre(HasSubstr("no output says when the loop ends")));
  EXPECT_THAT(loop(R"({"kind": "until", "condition": "sto"})"), ElementsAre(HasSubstr("did you mean stop?")));
  EXPECT_THAT(loop(R"({"kind": "until", "condition": "word"})"), ElementsAre(HasSubstr("Yes or no is needed")));
  EXPECT_THAT(loop(R"({"over": ["z"], "feedback": {"w": "y", "x": "v"}})"),
              ElementsAre(HasSubstr("'z'"), HasSubstr("'w'"), HasSubstr("'v'")));
  EXPECT_THAT(loop(R"({"feedback": {"x": "word"}})"), ElementsAre(HasSubstr("'word' of one round becomes 'x'")));
  Graph none = graph(R"("nodes": {"l": {"graph": "d", "loop": {}}}, "definitions": {"d": {}})");
  none.nodes.at("l").loop->times = 0;
  EXPECT_THAT(said(none), ElementsAre(HasSubstr("the loop has 0 rounds")));
}

TEST(GraphTypes, OutsideOfAGraph) {
  const Graph g = graph(R"("title": "Twice", "about": "Adds.\nMore.", "nodes": {"a": {"op": "num.add",
      "settings": {"scale": 3}}, "in": {"graph": "d"}}, "inputs": {"x": {"to": ["a.a"], "what": "it"}, "y": {"to": ["a.b"],
      "required": false}}, "outputs": {"out": {"from": "a.out"}},
      "settings": {"k": {"node": "a", "setting": "scale", "title": "Factor"}, "v": {"node": "in/n", "setting": "value"}},
      "definitions": {"d": {"nodes": {"n": {"op": "num.source", "settings": {"value": 7}}}}})");
  const NodeType t = as_node_type(g, types());
  EXPECT_EQ(t.title, "Twice");
  EXPECT_EQ(t.does, "Adds.");
  EXPECT_EQ(t.input("x")->type, "number");
  EXPECT_EQ(t.input("x")->what, "it");
  EXPECT_EQ(t.input("y")->what, "second");
  EXPECT_FALSE(t.input("y")->limits.required);
  EXPECT_EQ(t.output("out")->type, "number");
  EXPECT_EQ(t.setting("k")->value.number(), 3);
  EXPECT_EQ(t.setting("k")->upper, 5);
  EXPECT_EQ(t.setting("k")->what, "Factor");
  EXPECT_EQ(t.setting("v")->value.number(), 7);
  Graph bad = g;
  bad.settings["k"].setting = "scal";
  EXPECT_THROW(as_node_type(bad, types()), Error);
}

TEST(GraphTypes, SettingsAsPortsAndZones) {
  const Graph g = graph(R"("nodes": {"a": {"op": "num.add", "ports": ["scale"]},
      "l": {"graph": "d", "loop": {"kind": "each", "over": ["x"], "feedback": {"z": "last"}}}, "u": {"op": "no.op"}},
      "definitions": {"d": {"nodes": {"n": {"op": "num.add"}},
        "inputs": {"x": {"to": ["n.a"]}, "z": {"to": ["n.b"]}},
        "outputs": {"y": {"from": "n.out"}, "last": {"from": "n.stop"}}}})");
  const auto a = type_of(g.nodes.at("a"), g, types());
  EXPECT_EQ(a->input("scale")->type, "number");
  EXPECT_FALSE(a->input("scale")->limits.required);
  const auto l = type_of(g.nodes.at("l"), g, types());
  EXPECT_EQ(l->input("x")->type, "list");
  EXPECT_EQ(l->input("z")->type, "number");
  EXPECT_EQ(l->output("y")->type, "list");
  EXPECT_EQ(l->output("last")->type, "number");
  EXPECT_FALSE(type_of(g.nodes.at("u"), g, types()).has_value());
}

TEST(GraphTypes, DefinitionsSeeThoseAroundThem) {
  const Graph g = graph(R"("nodes": {"o": {"graph": "outer"}}, "definitions": {
      "outer": {"nodes": {"i": {"graph": "leaf"}}, "outputs": {"y": {"from": "i.y"}}},
      "leaf": {"nodes": {"n": {"op": "num.source"}}, "outputs": {"y": {"from": "n.out"}}}})");
  EXPECT_EQ(type_of(g.nodes.at("o"), g, types())->output("y")->type, "number");
  EXPECT_THAT(said(g), IsEmpty());
}

TEST(GraphTypes, TheOrderFollowsTheWires) {
  const Graph g = graph(R"("nodes": {"a": {"op": "x"}, "b": {"op": "x"}, "c": {"op": "x"}, "d": {"op": "x"}},
                            "wires": {"a.in": "c.out", "c.in": "b.out", "d.in": "d.out"})");
  EXPECT_THAT(topological_order(g), ElementsAre("b", "c", "a", "d"));
}

}  // namespace
}  // namespace larmor::flow
