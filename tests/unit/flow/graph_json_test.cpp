// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <larmor/flow/graph.hpp>

namespace larmor::flow {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const char* const everything = R"({
  "larmor": 1, "title": "all", "about": "of *it*", "colour_of_tomorrow": {"a": [1, 2]},
  "nodes": {
    "read": {"op": "io.read_image", "at": [10, -20.5], "settings": {"path": "a.nii", "n": 3, "x": 0.1, "on": true,
             "list": [1, 2.5], "none": null, "bad": {"$number": "nan"}, "far": {"$number": "-inf"}}},
    "fit": {"op": "dce.fit", "sweeps": {"Hct": [0.4, 0.45]}, "ports": ["Hct"], "policy": {"out": "spill"},
            "mode": "freeze", "map": {"axis": "z", "inputs": ["in"], "in_flight": 2, "later": 1}, "title": "Fit",
            "note": "why", "folded": true, "unknown": "kept"},
    "loop": {"graph": "denoise", "loop": {"kind": "until", "over": ["in"], "axis": "z", "times": 5, "condition": "stop",
             "feedback": {"in": "out"}, "history": true}}},
  "wires": {"fit.signal": "read.image", "loop.in.2": "fit.out"},
  "inputs": {"x": {"type": "array", "what": "it", "to": ["read.a", "fit.b"], "required": false}},
  "outputs": {"y": {"type": "image", "from": "loop.out", "new": 1}},
  "settings": {"Hct": {"node": "fit", "setting": "Hct", "title": "t", "what": "w"}},
  "comments": {"c1": {"at": [0, 0], "size": [200, 80], "text": "$x^2$", "colour": "#fff", "new": 2}},
  "frames": {"f1": {"at": [1, 2], "size": [3, 4], "title": "frame", "colour": "#000"}},
  "definitions": {"denoise": {"title": "inner", "nodes": {"a": {"op": "math.add"}}, "also": "kept"}},
  "dashboards": {"main": {"items": [{"kind": "text"}]}}})";

std::string message(std::string_view json) {
  try {
    parse_graph(json);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::format);
    return e.what();
  }
  return "no error";
}

TEST(GraphJson, ReadsEveryPart) {
  const Graph g = parse_graph(everything);
  EXPECT_EQ(g.title, "all");
  const Node& read = g.nodes.at("read");
  EXPECT_EQ(read.op, "io.read_image");
  EXPECT_EQ(read.at, (std::array<double, 2>{10, -20.5}));
  EXPECT_EQ(read.settings.at("path").text(), "a.nii");
  EXPECT_EQ(read.settings.at("list").list().at(1).number(), 2.5);
  EXPECT_TRUE(read.settings.at("none").none());
  EXPECT_TRUE(std::isnan(read.settings.at("bad").number()));
  EXPECT_EQ(read.settings.at("far").number(), -HUGE_VAL);
  const Node& fit = g.nodes.at("fit");
  EXPECT_EQ(fit.sweeps.at("Hct").size(), 2u);
  EXPECT_EQ(fit.policy.at("out"), Policy::spill);
  EXPECT_EQ(fit.mode, Mode::freeze);
  EXPECT_EQ(fit.map->in_flight, 2);
  EXPECT_TRUE(fit.folded);
  const Loop& loop = *g.nodes.at("loop").loop;
  EXPECT_EQ(loop.kind, Loop::Kind::until);
  EXPECT_EQ(loop.feedback.at("in"), "out");
  EXPECT_TRUE(loop.history);
  EXPECT_EQ(g.wires.at("loop.in.2"), "fit.out");
  EXPECT_EQ(g.inputs.at("x").inside, (std::vector<std::string>{"read.a", "fit.b"}));
  EXPECT_FALSE(g.inputs.at("x").required);
  EXPECT_EQ(g.outputs.at("y").inside, std::vector<std::string>{"loop.out"});
  EXPECT_EQ(g.settings.at("Hct").title, "t");
  EXPECT_EQ(g.definitions.at("denoise")->nodes.at("a").op, "math.add");
}

TEST(GraphJson, WritesWhatItReads) {
  const std::string once = to_json(parse_graph(everything));
  EXPECT_EQ(to_json(parse_graph(once)), once);
  // What this version does not know stays where it was.
  for (const char* unknown : {"\"colour_of_tomorrow\"", "\"unknown\": \"kept\"", "\"later\": 1", "\"new\": 1",
                              "\"new\": 2", "\"also\": \"kept\""})
    EXPECT_THAT(once, HasSubstr(unknown));
  EXPECT_THAT(once, HasSubstr("\"$number\": \"nan\""));
}

TEST(GraphJson, UnknownKeysGoWithWhatTheyBelongTo) {
  Graph g = parse_graph(everything);
  g.comments.clear();
  g.outputs.clear();
  g.nodes.at("fit").map.reset();
  const std::string text = to_json(g);
  EXPECT_THAT(text, Not(HasSubstr("\"new\"")));
  EXPECT_THAT(text, Not(HasSubstr("\"later\"")));
  EXPECT_NO_THROW(parse_graph(text));
}

TEST(GraphJson, IsEasyToCompare) {
  Graph g;
  g.nodes["b"] = {.op = "x.y", .settings = {{"v", 0.1}, {"a", Value::List{1, 2}}}, .at = {1, 2}};
  g.nodes["a"] = {.graph = "d"};
  g.wires["b.in"] = "a.out";
  EXPECT_EQ(to_json(g), R"({
  "larmor": 1,
  "nodes": {
    "a": {
      "graph": "d"
    },
    "b": {
      "at": [1, 2],
      "op": "x.y",
      "settings": {
        "a": [1, 2],
        "v": 0.1
      }
    }
  },
  "wires": {
    "b.in": "a.out"
  }
}
)");
}

TEST(GraphJson, NumbersKeepTheirBits) {
  Graph g;
  for (const double v : {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, -0.0, 1e16, 123456789012345678.0}) {
    g.nodes["n"] = {.op = "x.y", .settings = {{"v", v}}};
    const double back = parse_graph(to_json(g)).nodes.at("n").settings.at("v").number();
    EXPECT_EQ(back, v);
    EXPECT_EQ(std::signbit(back), std::signbit(v));
  }
}

TEST(GraphJson, RecordsAndArraysInSettings) {
  Graph g;
  const std::vector<float> two{1, 2.5};
  g.nodes["n"] = {.op = "x.y",
                  .settings = {{"plain", Value::record("", {{"a", 1}})},
                               {"named", Value::record("image", {{"a", "b"}})},
                               {"odd", Value::record("", {{"$array", 7}})},
                               {"array", Array::from(std::span<const float>(two), {2}, {"x"})}}};
  const auto settings = parse_graph(to_json(g)).nodes.at("n").settings;
  EXPECT_EQ(settings.at("plain").field("a").number(), 1);
  EXPECT_EQ(settings.at("named").type(), "image");
  EXPECT_EQ(settings.at("odd").field("$array").number(), 7);
  EXPECT_EQ(settings.at("array").list().at(1).number(), 2.5);
  g.nodes["n"].settings = {{"two axes", Array::of<float>({2, 2})}};
  EXPECT_THROW(to_json(g), Error);
}

TEST(GraphJson, DraftsAreBroughtForward) {
  const Graph g = parse_graph(R"({"larmor": 0, "nodes": {"a": {"op": "x.y"}, "b": {"op": "x.y"}},
                                  "wires": [["a.out", "b.in"]]})");
  EXPECT_EQ(g.version, Graph::current_version);
  EXPECT_EQ(g.wires.at("b.in"), "a.out");
  EXPECT_THAT(message(R"({"larmor": 0, "wires": [["a.out", "b.in"], ["c.out", "b.in"]]})"), HasSubstr("two wires"));
  EXPECT_THAT(message(R"({"larmor": 0, "wires": [["a.out"]]})"), HasSubstr("wires.0"));
  EXPECT_THAT(message(R"({"larmor": 0, "wires": {}})"), HasSubstr("a list"));
}

TEST(GraphJson, RefusesOtherVersions) {
  EXPECT_THAT(message(R"({"larmor": 7})"),
              AllOf(HasSubstr("version 7"), HasSubstr("up to version 1"), HasSubstr("newer larmor")));
  EXPECT_THAT(message(R"({"nodes": {}})"), HasSubstr("no key 'larmor'"));
  EXPECT_THAT(message(R"({"larmor": "1"})"), HasSubstr("not the number of a version"));
  EXPECT_THAT(message(R"({"larmor": -1})"), HasSubstr("not the number of a version"));
  EXPECT_THAT(message("[1]"), HasSubstr("a graph is an object and this is array"));
}

TEST(GraphJson, NamesThePlaceOfEveryFault) {
  const auto in = [](const std::string& rest) { return message("{\"larmor\": 1, " + rest + "}"); };
  EXPECT_THAT(message("{\"larmor\": 1,\n \"nodes\": {]}"), AllOf(HasSubstr("not JSON"), HasSubstr("line 2")));
  EXPECT_THAT(message("{\"larmor\": 1, \"larmor\": 1}"), HasSubstr("'larmor' is there twice"));
  EXPECT_THAT(message(std::string(300, '[')), HasSubstr("200 deep"));
  EXPECT_THAT(in(R"("nodes": [])"), AllOf(HasSubstr("an object is needed"), HasSubstr("at: nodes")));
  EXPECT_THAT(in(R"("nodes": {"a": 1})"), HasSubstr("at: nodes.a"));
  EXPECT_THAT(in(R"("nodes": {"a.b": {"op": "x"}})"), HasSubstr("'a.b' cannot be a name"));
  EXPECT_THAT(in(R"("nodes": {"a": {}})"), HasSubstr("neither 'op' nor 'graph'"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "graph": "y"}})"), HasSubstr("both say"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "settings": 1}})"), HasSubstr("at: nodes.a.settings"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "settings": {"s": {"$array": 0}}}})"),
              HasSubstr("at: nodes.a.settings.s"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "sweeps": {"s": 1}}})"), HasSubstr("at: nodes.a.sweeps.s"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "at": [1]}})"), HasSubstr("a list of two numbers"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "ports": [1]}})"), HasSubstr("at: nodes.a.ports.0"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "folded": 1}})"), HasSubstr("true or false"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "mode": "bypas"}})"), HasSubstr("did you mean bypass?"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "policy": {"out": "kep"}}})"), HasSubstr("did you mean keep?"));
  EXPECT_THAT(in(R"("nodes": {"a": {"op": "x", "map": {"axis": "z", "in_flight": -1}}})"),
              HasSubstr("at: nodes.a.map.in_flight"));
  EXPECT_THAT(in(R"("nodes": {"a": {"graph": "x", "loop": {"times": 0}}})"), HasSubstr("1 or more"));
  EXPECT_THAT(in(R"("nodes": {"a": {"graph": "x", "loop": {"kind": "for"}}})"), HasSubstr("at: nodes.a.loop.kind"));
  EXPECT_THAT(in(R"("wires": {"a": "b.c"})"), AllOf(HasSubstr("'a' names no port"), HasSubstr("at: wires")));
  EXPECT_THAT(in(R"("wires": {"a.b": 1})"), HasSubstr("at: wires.a.b"));
  EXPECT_THAT(in(R"("outputs": {"y": {}})"), HasSubstr("no 'from'"));
  EXPECT_THAT(in(R"("inputs": {"y": {"to": ["x"]}})"), HasSubstr("at: inputs.y.to"));
  EXPECT_THAT(in(R"("settings": {"y": {"node": "x"}})"), HasSubstr("one is not there"));
  EXPECT_THAT(in(R"("definitions": {"d": {"nodes": {"a": {"op": 1}}}})"), HasSubstr("at: definitions.d.nodes.a.op"));
  EXPECT_THAT(in(R"("dashboards": 1)"), HasSubstr("at: dashboards"));
}

TEST(GraphJson, SplitsReferences) {
  EXPECT_EQ(split_port("fit.signal"), (std::pair<std::string, std::string>{"fit", "signal"}));
  EXPECT_EQ(split_port("cat.in.2"), (std::pair<std::string, std::string>{"cat", "in.2"}));
  EXPECT_EQ(split_port("loop/blur.out"), (std::pair<std::string, std::string>{"loop/blur", "out"}));
  for (const char* bad : {"", "fit", ".out", "fit.", "a b.out", "/a.out", "a/.out", "a//b.out"})
    EXPECT_THROW(split_port(bad), Error) << bad;
}

TEST(GraphJson, LoadsFiles) {
  const auto path =
      std::filesystem::temp_directory_path() / ("larmor_graph_json_test_" + std::to_string(::getpid()) + ".json");
  std::ofstream(path) << everything;
  EXPECT_EQ(load_graph(path).title, "all");
  std::ofstream(path) << "{";
  try {
    load_graph(path);
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr("not JSON"), HasSubstr(path.string())));
  }
  std::filesystem::remove(path);
  EXPECT_THROW(load_graph(path), Error);
  EXPECT_THROW(load_graph("/"), Error);
}

}  // namespace
}  // namespace larmor::flow
