// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <atomic>
#include <larmor/flow/engine.hpp>

namespace larmor::flow {
namespace {

using testing::HasSubstr;

// Operations on numbers and arrays that count how often they run.
struct Bench {
  NodeTypes types;
  std::atomic<int> runs{0};

  Bench() {
    types.add("t.number", NodeType{.title = "Number"}
                              .out<double>("out", "the number")
                              .set({"value", "what it is", 1.0})
                              .run([this](Ports& io) {
                                ++runs;
                                io.out("out") = static_cast<double>(io.setting("value"));
                              }));
    types.add("t.add", NodeType{.title = "Add"}
                           .in<double>("a", "first")
                           .maybe<double>("b", "second")
                           .out<double>("out", "a + b + bias")
                           .set({"bias", "added", 0.0})
                           .run([this](Ports& io) {
                             ++runs;
                             const double b = io.has("b") ? io.in<double>("b") : 0;
                             const double bias = io.setting("bias");
                             io.out("out") = io.in<double>("a") + b + bias;
                           }));
    types.add(
        "t.sign",
        NodeType{.title = "Sign"}.in<double>("a", "number").out<double>("out", "-1, 0 or 1").run([this](Ports& io) {
          ++runs;
          const double a = io.in<double>("a");
          io.out("out") = static_cast<double>((a > 0) - (a < 0));
        }));
    types.add("t.fail", NodeType{.title = "Fail"}
                            .in<double>("a", "number")
                            .out<double>("out", "never")
                            .set(Setting::choice("how", "what is thrown", "error", {"error", "memory", "other", "int"}))
                            .run([this](Ports& io) {
                              ++runs;
                              const std::string how = io.setting("how");
                              if (how == "memory") throw std::bad_alloc();
                              if (how == "other") throw std::runtime_error("broken");
                              if (how == "int") throw 3;
                              throw Error(Errc::numeric, "cannot", "do not");
                            }));
  }
};

Node op(std::string id, std::map<std::string, Value> settings = {}) {
  Node n;
  n.op = std::move(id);
  n.settings = std::move(settings);
  return n;
}

Graph sum() {  // (2 + 3) + 10
  Graph g;
  g.nodes["a"] = op("t.number", {{"value", 2}});
  g.nodes["b"] = op("t.number", {{"value", 3}});
  g.nodes["c"] = op("t.add", {{"bias", 10}});
  g.wires = {{"c.a", "a.out"}, {"c.b", "b.out"}};
  return g;
}

TEST(Engine, ASecondRunComputesNothing) {
  Bench t;
  Engine engine(t.types);
  const auto first = engine.run(sum());
  EXPECT_EQ(first.state, "done");
  EXPECT_EQ(first.ran, 3);
  EXPECT_EQ(engine.value(sum(), "c.out").number(), 15);
  const auto second = engine.run(sum());
  EXPECT_EQ(second.ran, 0);
  EXPECT_EQ(second.cached, 3);
  EXPECT_EQ(second.nodes.at("c").state, State::cached);
  EXPECT_TRUE(second.nodes.at("c").outputs.at("out").unchanged);
  EXPECT_EQ(t.runs, 3);
}

TEST(Engine, EarlierRunsSayHowLongANodeWillTake) {
  Bench t;
  Engine engine(t.types);
  Graph g = sum();
  double total = 0, squares = 0;
  for (int run = 1; run <= 3; ++run) {
    g.nodes["b"].settings["value"] = run;
    const auto report = engine.run(g);
    const auto& c = report.nodes.at("c");
    // What was expected before it ran, and what is known since.
    EXPECT_DOUBLE_EQ(c.expected_seconds, run == 1 ? 0 : total / (run - 1));
    total += c.seconds, squares += c.seconds * c.seconds;
    EXPECT_EQ(c.runs, run);
    EXPECT_NEAR(c.mean_seconds, total / run, 1e-12 * total);
    if (run > 1) {
      EXPECT_NEAR(c.sd_seconds, std::sqrt((squares - total * total / run) / (run - 1)), 1e-6 * total);
    }
  }
  // What was in the cache says nothing about time.
  EXPECT_EQ(engine.run(g).nodes.at("c").runs, 3);
}

TEST(Engine, AChangeRunsWhatDependsOnItAndGoingBackNothing) {
  Bench t;
  Engine engine(t.types);
  engine.run(sum());
  Graph g = sum();
  g.nodes["b"].settings["value"] = 4;
  const auto report = engine.run(g);
  EXPECT_EQ(report.nodes.at("a").state, State::cached);
  EXPECT_EQ(report.nodes.at("b").state, State::done);
  EXPECT_EQ(report.nodes.at("c").state, State::done);
  EXPECT_EQ(engine.value(g, "c.out").number(), 16);
  EXPECT_EQ(engine.run(sum()).ran, 0);
  EXPECT_EQ(engine.value(sum(), "c.out").number(), 15);
}

TEST(Engine, EqualContentStopsTheChange) {
  Bench t;
  Graph g;
  g.nodes["a"] = op("t.number", {{"value", 2}});
  g.nodes["s"] = op("t.sign");
  g.nodes["c"] = op("t.add");
  g.wires = {{"s.a", "a.out"}, {"c.a", "s.out"}};
  Engine engine(t.types);
  engine.run(g);
  g.nodes["a"].settings["value"] = 5;  // its sign is the same
  const auto report = engine.run(g);
  EXPECT_EQ(report.nodes.at("s").state, State::done);
  EXPECT_EQ(report.nodes.at("c").state, State::cached);
}

TEST(Engine, AFailureLeavesOtherBranchesRunning) {
  Bench t;
  for (const char* how : {"error", "memory", "other", "int"}) {
    Graph g = sum();
    g.nodes["bad"] = op("t.fail", {{"how", how}});
    g.nodes["after"] = op("t.sign");
    g.wires["bad.a"] = "a.out";
    g.wires["after.a"] = "bad.out";
    Engine engine(t.types);
    const auto report = engine.run(g);
    EXPECT_EQ(report.state, "failed");
    EXPECT_EQ(report.nodes.at("c").state, State::done);
    EXPECT_EQ(report.nodes.at("bad").state, State::error) << how;
    EXPECT_FALSE(report.nodes.at("bad").error.empty());
    EXPECT_EQ(report.nodes.at("after").state, State::skipped);
    EXPECT_EQ(report.failed, 1);
    EXPECT_EQ(report.skipped, 1);
  }
}

TEST(Engine, BrokenNodesAreErrorsOfTheirOwn) {
  Bench t;
  Graph g = sum();
  g.nodes["unknown"] = op("t.nummber");
  g.nodes["after"] = op("t.sign");
  g.wires["after.a"] = "unknown.out";
  g.nodes["range"] = op("t.number", {{"value", "text"}});
  g.nodes["name"] = op("t.number", {{"valeu", 1}});
  g.nodes["empty"] = op("t.sign");
  g.nodes["port"] = op("t.sign");
  g.wires["port.a"] = "a.uot";
  g.nodes["wire"] = op("t.sign");
  g.wires["wire.a"] = "nobody.out";
  g.nodes["in"] = op("t.sign");
  g.wires["in.aa"] = "a.out";
  Engine engine(t.types);
  const auto report = engine.run(g);
  EXPECT_EQ(report.state, "failed");
  EXPECT_EQ(report.nodes.at("c").state, State::done);
  EXPECT_EQ(report.nodes.at("after").state, State::skipped);
  const std::map<std::string, std::string> says = {{"unknown", "did you mean t.number?"},
                                                   {"range", "'value' is 'text'"},
                                                   {"name", "did you mean value?"},
                                                   {"empty", "'a' gets nothing"},
                                                   {"port", "did you mean out?"},
                                                   {"wire", "no node called 'nobody'"},
                                                   {"in", "did you mean a?"}};
  for (const auto& [node, text] : says) {
    EXPECT_EQ(report.nodes.at(node).state, State::error) << node;
    EXPECT_THAT(report.nodes.at(node).error, HasSubstr(text)) << node;
  }
}

TEST(Engine, NodesInACycleSaySo) {
  Bench t;
  Graph g = sum();
  g.nodes["x"] = op("t.add");
  g.nodes["y"] = op("t.add");
  g.nodes["z"] = op("t.sign");
  g.wires["x.a"] = "y.out";
  g.wires["y.a"] = "x.out";
  g.wires["z.a"] = "y.out";
  Engine engine(t.types);
  const auto report = engine.run(g);
  EXPECT_EQ(report.nodes.at("c").state, State::done);
  EXPECT_THAT(report.nodes.at("x").error, HasSubstr("x -> y -> x"));
  EXPECT_THAT(report.nodes.at("y").error, HasSubstr("cycle"));
  EXPECT_EQ(report.nodes.at("z").state, State::skipped);
}

TEST(Engine, FormsAreForTheLastValuesOfTheInputs) {
  Bench t;
  t.types.add("t.pick", NodeType{.title = "Pick"}
                            .in<double>("n", "how many there are")
                            .out<double>("out", "the index")
                            .set({"index", "which", 0, 0, 100})
                            .validate([](Form& form) {
                              if (!form.in("n").none()) form.change("index").upper = form.in("n").number() - 1;
                            })
                            .run([](Ports& io) { io.out("out") = static_cast<double>(io.setting("index")); }));
  Graph g = sum();
  g.nodes["pick"] = op("t.pick", {{"index", 3}});
  g.wires["pick.n"] = "c.out";
  Engine engine(t.types);
  EXPECT_EQ(engine.form(g, "pick").all()[0].upper, 100);
  engine.run(g);
  EXPECT_EQ(engine.form(g, "pick").all()[0].upper, 14);
  EXPECT_EQ(int(engine.form(g, "pick").setting("index")), 3);
  EXPECT_THROW(engine.form(g, "pik"), Error);
}

TEST(Engine, TargetsRunOnlyWhatTheyNeed) {
  Bench t;
  Graph g = sum();
  g.nodes["other"] = op("t.number", {{"value", 9}});
  Engine engine(t.types);
  RunOptions options;
  options.targets = {"b"};
  const auto report = engine.run(g, options);
  EXPECT_EQ(report.nodes.size(), 1U);
  EXPECT_EQ(report.nodes.at("b").state, State::done);
  EXPECT_TRUE(engine.value(g, "c.out").none());
  options.targets = {"d"};
  EXPECT_THROW(engine.run(g, options), Error);
}

}  // namespace
}  // namespace larmor::flow
