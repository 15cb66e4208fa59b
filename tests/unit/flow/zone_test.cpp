// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/core/parallel.hpp>

#include "support.hpp"

namespace larmor::flow {
namespace {

using namespace testing_ops;
using testing::HasSubstr;

Graph mapped(int in_flight = 0) {
  Graph g;
  g.nodes["ramp"] = op("t.ramp", {{"nx", 5}, {"nz", 7}});
  g.nodes["scale"] = op("t.scale", {{"factor", 3}});
  g.nodes["scale"].map = MapOver{"z", {}, in_flight};
  g.wires = {{"scale.in", "ramp.out"}};
  return g;
}

TEST(Map, SlicesStackToTheSameAsTheWhole) {
  Ops t;
  Engine engine(t.types);
  Graph whole = mapped();
  whole.nodes["scale"].map.reset();
  for (const char* axis : {"z", "x"}) {
    Graph g = mapped();
    g.nodes["scale"].map->axis = axis;
    const auto report = engine.run(g);
    EXPECT_EQ(report.state, "done");
    EXPECT_EQ(report.nodes.at("scale").rounds, std::string(axis) == "z" ? 7 : 5);
    engine.run(whole);
    EXPECT_EQ(engine.value(g, "scale.out").hash(), engine.value(whole, "scale.out").hash()) << axis;
  }
}

TEST(Map, NumbersOfSlicesMakeAnArrayAlongTheAxis) {
  Ops t;
  Graph g = mapped();
  g.nodes["mean"] = op("t.mean");
  g.nodes["mean"].map = MapOver{"z"};
  g.wires["mean.in"] = "ramp.out";
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g).state, "done");
  const Array a = engine.value(g, "mean.out").array();
  ASSERT_EQ(a.axes(), Axes{"z"});
  ASSERT_EQ(a.shape(), Shape{7});
  for (int z = 0; z < 7; ++z) EXPECT_EQ(a.data<double>()[z], 2 + 10 * z);
}

TEST(Map, AtMostSoManySlicesAreInFlight) {
  Ops t;
  set_thread_count(4);
  Graph g = mapped(2);
  g.nodes["scale"].settings["wait"] = 5;
  Engine engine(t.types);
  engine.run(g);
  EXPECT_LE(t.most_at_once, 2);
}

TEST(Map, ListsMapByItem) {
  Ops t;
  Graph g;
  g.nodes["list"] = op("t.list", {{"n", 4}});
  g.nodes["ten"] = op("t.number", {{"value", 10}});
  g.nodes["add"] = op("t.add");
  g.nodes["add"].map = MapOver{"", {"a"}};
  g.wires = {{"add.a", "list.out"}, {"add.b", "ten.out"}};
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g).state, "done");
  const auto list = engine.value(g, "add.out").list();
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[3].number(), 13);
  g.nodes["list"].settings["n"] = 0;
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_TRUE(engine.value(g, "add.out").list().empty());
}

TEST(Map, SaysWhatDoesNotFit) {
  Ops t;
  Engine engine(t.types);
  Graph g = mapped();
  g.nodes["scale"].map->axis = "t";
  EXPECT_THAT(engine.run(g).nodes.at("scale").error, HasSubstr("no input has an axis 't'"));
  g.nodes["scale"].map = MapOver{"z", {"inn"}};
  EXPECT_THAT(engine.run(g).nodes.at("scale").error, HasSubstr("did you mean in?"));
  g.nodes["scale"].map = MapOver{"z", {}, -1};
  EXPECT_THAT(engine.run(g).nodes.at("scale").error, HasSubstr("-1 slices in flight"));
  g = mapped();
  g.nodes["ramp"].settings["nz"] = 0;
  EXPECT_THAT(engine.run(g).nodes.at("scale").error, HasSubstr("no elements"));
}

TEST(Map, AFailingSliceNamesItself) {
  Ops t;
  Graph g;
  g.nodes["list"] = op("t.list", {{"n", 5}});
  g.nodes["fail"] = op("t.fail", {{"above", 3}});
  g.nodes["fail"].map = MapOver{""};
  g.wires = {{"fail.a", "list.out"}};
  Engine engine(t.types);
  const auto report = engine.run(g);
  EXPECT_EQ(report.nodes.at("fail").state, State::error);
  EXPECT_THAT(report.nodes.at("fail").error, HasSubstr("cannot"));
}

// 2 x in, + bias (promoted)
std::shared_ptr<Graph> doubling() {
  auto d = std::make_shared<Graph>();
  d->nodes["twice"] = op("t.add");
  d->nodes["bias"] = op("t.add");
  d->wires = {{"bias.a", "twice.out"}};
  d->inputs["in"] = {"number", "", {"twice.a", "twice.b"}};
  d->outputs["out"] = {"number", "", {"bias.out"}};
  d->settings["plus"] = {"bias", "bias"};
  return d;
}

Graph with_loop(Loop loop) {
  Graph g;
  g.definitions["double"] = doubling();
  g.nodes["start"] = op("t.number", {{"value", 3}});
  g.nodes["loop"] = sub("double");
  g.nodes["loop"].loop = std::move(loop);
  g.wires = {{"loop.in", "start.out"}};
  return g;
}

TEST(Loop, RepeatFeedsBack) {
  Ops t;
  Engine engine(t.types);
  const Graph g = with_loop({.kind = Loop::Kind::repeat, .times = 5, .feedback = {{"in", "out"}}});
  EXPECT_EQ(engine.run(g).nodes.at("loop/twice").rounds, 5);
  EXPECT_EQ(engine.value(g, "loop.out").number(), 3 * 32);
  EXPECT_EQ(engine.run(g).ran, 0);
  // Without feedback every round is the first: one computation.
  const Graph same = with_loop({.kind = Loop::Kind::repeat, .times = 5});
  EXPECT_EQ(engine.run(same).nodes.at("loop/twice").rounds, 0);
  EXPECT_EQ(engine.value(same, "loop.out").number(), 6);
}

TEST(Loop, NoRoundHandsThroughWhatIsFedBack) {
  Ops t;
  Engine engine(t.types);
  const Graph g = with_loop({.kind = Loop::Kind::repeat, .times = 0, .feedback = {{"in", "out"}}});
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(engine.value(g, "loop.out").number(), 3);
  EXPECT_THAT(engine.run(with_loop({.kind = Loop::Kind::repeat, .times = 0})).nodes.at("loop").error,
              HasSubstr("no round ran"));
}

TEST(Loop, UntilStopsWhenItsConditionHolds) {
  Ops t;
  Graph g = with_loop({.kind = Loop::Kind::until, .times = 50, .condition = "stop", .feedback = {{"in", "out"}}});
  auto d = std::make_shared<Graph>(*doubling());
  d->nodes["above"] = op("t.above");
  d->wires["above.a"] = "bias.out";
  d->outputs["stop"] = {"boolean", "", {"above.out"}};
  g.definitions["double"] = d;
  Engine engine(t.types);
  const auto report = engine.run(g);
  EXPECT_EQ(engine.value(g, "loop.out").number(), 192);  // the first above 100
  EXPECT_EQ(report.nodes.at("loop/above").rounds, 6);
  g.nodes["loop"].loop->times = 3;
  const auto stopped = engine.run(g);
  EXPECT_EQ(stopped.nodes.at("loop").state, State::warning);
  EXPECT_THAT(stopped.nodes.at("loop").warnings.at(0), HasSubstr("after 3 rounds"));
  EXPECT_EQ(engine.value(g, "loop.out").number(), 24);
}

TEST(Loop, EachCollectsListsAndArrays) {
  Ops t;
  Engine engine(t.types);
  Graph g = with_loop({.kind = Loop::Kind::each, .over = {"in"}});
  g.nodes["start"] = op("t.list", {{"n", 4}});
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(to_json(engine.value(g, "loop.out")), "[0,2,4,6]");
  g.nodes["start"] = op("t.ramp", {{"nx", 3}, {"nz", 1}});
  g.nodes["mean"] = op("t.mean");
  g.nodes["mean"].map = MapOver{"x"};
  g.wires = {{"mean.in", "start.out"}, {"loop.in", "mean.out"}};
  g.nodes["loop"].loop->axis = "x";
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(engine.value(g, "loop.out").describe(), "f64 (3 x) on cpu");
  EXPECT_EQ(to_json(engine.value(g, "loop.out")), "[0,2,4]");
}

TEST(Loop, EachWithFeedbackIsASum) {
  Ops t;
  auto d = std::make_shared<Graph>();
  d->nodes["add"] = op("t.add");
  d->inputs["item"] = {"number", "", {"add.a"}};
  d->inputs["so_far"] = {"number", "", {"add.b"}, false};
  d->outputs["sum"] = {"number", "", {"add.out"}};
  Graph g;
  g.definitions["add"] = d;
  g.nodes["list"] = op("t.list", {{"n", 10}});
  g.nodes["loop"] = sub("add");
  g.nodes["loop"].loop = Loop{.kind = Loop::Kind::each, .over = {"item"}, .feedback = {{"so_far", "sum"}}};
  g.wires = {{"loop.item", "list.out"}};
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(engine.value(g, "loop.sum").number(), 45);
}

TEST(Loop, HistoryCanBeLookedAt) {
  Ops t;
  Engine engine(t.types);
  const Graph g = with_loop({.kind = Loop::Kind::repeat, .times = 4, .feedback = {{"in", "out"}}, .history = true});
  engine.run(g);
  for (int round = 0; round < 4; ++round)
    EXPECT_EQ(engine.value(g, "loop/bias.out@" + std::to_string(round)).number(), 6 << round);
  EXPECT_EQ(engine.value(g, "loop/bias.out").number(), 48);
  EXPECT_TRUE(engine.value(g, "loop/bias.out@9").none());
  EXPECT_EQ(engine.value(g, "loop@2/bias.out").number(), 6 << 2);
  EXPECT_EQ(engine.value(g, "loop.out@2").number(), 6 << 2);
  for (const char* port : {"loop/bias.out", "loop.out"}) EXPECT_EQ(engine.rounds(g, port), 4) << port;
  EXPECT_EQ(engine.rounds(g, "start.out"), 0);
  EXPECT_EQ(Engine(t.types).rounds(g, "loop.out"), 0);  // it has not run
  EXPECT_THROW(engine.value(g, "loop/bais.out"), Error);
}

TEST(Loop, LoopsNest) {
  Ops t;
  Graph g = with_loop({.kind = Loop::Kind::repeat, .times = 3, .feedback = {{"in", "out"}}});
  auto outer = std::make_shared<Graph>();
  outer->nodes["inner"] = g.nodes["loop"];
  outer->inputs["in"] = {"number", "", {"inner.in"}};
  outer->outputs["out"] = {"number", "", {"inner.out"}};
  outer->settings["plus"] = {"inner", "plus"};
  g.definitions["outer"] = outer;
  g.nodes["loop"] = sub("outer", {{"plus", 1}});
  g.nodes["loop"].loop = Loop{.times = 2, .feedback = {{"in", "out"}}, .history = true};
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g).state, "done");
  double expected = 3;
  for (int i = 0; i < 6; ++i) expected = 2 * expected + 1;
  EXPECT_EQ(engine.value(g, "loop.out").number(), expected);
  EXPECT_EQ(engine.value(g, "loop/inner/bias.out").number(), expected);
  EXPECT_EQ(engine.value(g, "loop@0/inner/bias.out").number(), ((3 * 2 + 1) * 2 + 1) * 2 + 1);
  EXPECT_EQ(engine.rounds(g, "loop/inner/bias.out"), 2);
}

TEST(Loop, AMappedLoopRepeatsForEveryItem) {
  Ops t;
  Graph g = with_loop({.kind = Loop::Kind::repeat, .times = 3, .feedback = {{"in", "out"}}});
  g.nodes["start"] = op("t.list", {{"n", 4}});
  g.nodes["loop"].map = MapOver{""};
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(to_json(engine.value(g, "loop.out")), "[0,8,16,24]");
}

TEST(Loop, ALoopWithAnArrayInsideAMapGivesWhatTheOperationsGive) {
  Ops t;
  auto d = std::make_shared<Graph>();
  d->nodes["scale"] = op("t.scale", {{"factor", 2}});
  d->inputs["in"] = {"array", "", {"scale.in"}};
  d->outputs["out"] = {"array", "", {"scale.out"}};
  Graph g;
  g.definitions["d"] = d;
  g.nodes["ramp"] = op("t.ramp", {{"nx", 3000}, {"nz", 6}});  // slices above the size that records keep
  g.nodes["loop"] = sub("d");
  g.nodes["loop"].loop = Loop{.times = 3, .feedback = {{"in", "out"}}};
  g.nodes["loop"].map = MapOver{"z", {}, 2};
  g.nodes["eight"] = op("t.scale", {{"factor", 8}});
  g.wires = {{"loop.in", "ramp.out"}, {"eight.in", "ramp.out"}};
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(engine.value(g, "loop.out").hash(), engine.value(g, "eight.out").hash());
  // A look inside runs the zone once more and keeps what it finds.
  EXPECT_EQ(engine.value(g, "loop/scale.out").describe(), "f32 (3000 x) on cpu");
}

TEST(Loop, SweptLoopsAreLoopsOfTheirOwn) {
  Ops t;
  Graph g = with_loop({.kind = Loop::Kind::repeat, .times = 2, .feedback = {{"in", "out"}}});
  g.nodes["loop"].sweeps["plus"] = {0, 1};
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(to_json(engine.value(g, "loop.out")), "[12,15]");
}

TEST(Loop, WithAnEffectOrAClockInsideItRunsEachTime) {
  Ops t;
  TempFolder folder;
  Graph g = with_loop({.kind = Loop::Kind::repeat, .times = 2, .feedback = {{"in", "out"}}});
  auto d = std::make_shared<Graph>(*doubling());
  d->nodes["clock"] = op("t.clock");
  d->nodes["write"] = op("t.write");
  d->wires["write.in"] = "bias.out";
  g.definitions["double"] = d;
  RunOptions options;
  options.out = folder.path;
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g, options).state, "done");
  EXPECT_EQ(engine.value(g, "loop.out", options).number(), 12);
  const auto again = engine.run(g, options);
  EXPECT_EQ(again.nodes.at("loop").state, State::done);
  EXPECT_EQ(again.nodes.at("loop/clock").rounds, 2);
  EXPECT_EQ(again.nodes.at("loop/twice").rounds, 0);
  std::filesystem::remove(folder.path / "out.txt");
  engine.run(g, options);
  EXPECT_TRUE(std::filesystem::exists(folder.path / "out.txt"));
  // Another body is another zone.
  auto other = std::make_shared<Graph>(*d);
  other->nodes["bias"].settings["bias"] = 1;
  g.definitions["double"] = other;
  engine.run(g, options);
  EXPECT_EQ(engine.value(g, "loop.out", options).number(), 15);
}

TEST(Loop, EverythingThatIsThrownIsAnError) {
  Ops t;
  for (const char* how : {"error", "memory", "other", "int"}) {
    Graph g = mapped();
    g.nodes["list"] = op("t.list", {{"n", 3}});
    g.nodes["fail"] = op("t.fail", {{"how", how}});
    g.nodes["fail"].map = MapOver{""};
    g.wires["fail.a"] = "list.out";
    Engine engine(t.types);
    const auto report = engine.run(g);
    EXPECT_EQ(report.nodes.at("fail").state, State::error);
    EXPECT_FALSE(report.nodes.at("fail").error.empty());
    EXPECT_EQ(report.nodes.at("scale").state, State::done);
  }
}

TEST(Loop, SaysWhatIsWrong) {
  Ops t;
  Engine engine(t.types);
  const auto error = [&](Loop loop) { return engine.run(with_loop(std::move(loop))).nodes.at("loop").error; };
  EXPECT_THAT(error({.feedback = {{"inn", "out"}}}), HasSubstr("did you mean in?"));
  EXPECT_THAT(error({.feedback = {{"in", "outt"}}}), HasSubstr("did you mean out?"));
  EXPECT_THAT(error({.kind = Loop::Kind::until, .condition = "stop"}), HasSubstr("no out-port called 'stop'"));
  EXPECT_THAT(error({.kind = Loop::Kind::each}), HasSubstr("goes over nothing"));
  EXPECT_THAT(error({.kind = Loop::Kind::each, .over = {"in"}}), HasSubstr("has no axis"));
  EXPECT_THAT(error({.times = -1}), HasSubstr("-1 rounds"));
}

TEST(Loop, AFailingRoundIsNamed) {
  Ops t;
  Graph g = with_loop({.kind = Loop::Kind::repeat, .times = 10, .feedback = {{"in", "out"}}});
  auto d = std::make_shared<Graph>(*doubling());
  d->nodes["bias"] = op("t.fail", {{"above", 20}});
  d->settings.clear();
  g.definitions["double"] = d;
  Engine engine(t.types);
  const auto report = engine.run(g);
  EXPECT_EQ(report.nodes.at("loop").state, State::error);
  EXPECT_EQ(report.nodes.at("loop/bias").state, State::error);
  EXPECT_EQ(report.nodes.at("loop/bias").rounds, 2);  // 6, 12; 24 fails
}

TEST(SubGraph, IsPutInPlaceWithItsSettings) {
  Ops t;
  Graph g;
  g.definitions["double"] = doubling();
  g.nodes["start"] = op("t.number", {{"value", 3}});
  g.nodes["d"] = sub("double", {{"plus", 1}});
  g.nodes["e"] = sub("double");
  g.wires = {{"d.in", "start.out"}, {"e.in", "d.out"}};
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g).nodes.count("d/twice"), 1U);
  EXPECT_EQ(engine.value(g, "d.out").number(), 7);
  EXPECT_EQ(engine.value(g, "d/bias.out").number(), 7);
  EXPECT_EQ(engine.value(g, "e.out").number(), 14);
  g.nodes["d"].settings["plsu"] = 3;
  EXPECT_THAT(engine.run(g).nodes.at("d").error, HasSubstr("did you mean plus?"));
  g.nodes["d"] = sub("dubble");
  EXPECT_THAT(engine.run(g).nodes.at("d").error, HasSubstr("did you mean double?"));
  auto self = std::make_shared<Graph>(*doubling());
  self->nodes["again"] = sub("self");
  g.definitions["self"] = self;
  g.nodes["d"] = sub("self");
  EXPECT_THAT(engine.run(g).nodes.at("d/again").error, HasSubstr("contains itself"));
}

TEST(SubGraph, SettingsAsPortsAndPromotedSettingsFromWires) {
  Ops t;
  Graph g;
  g.definitions["double"] = doubling();
  g.nodes["start"] = op("t.number", {{"value", 3}});
  g.nodes["plus"] = op("t.number", {{"value", 100}});
  g.nodes["d"] = sub("double");
  g.nodes["d"].ports = {"plus"};
  g.nodes["a"] = op("t.add", {{"bias", 5}});
  g.nodes["a"].ports = {"bias"};
  g.wires = {{"d.in", "start.out"}, {"d.plus", "plus.out"}, {"a.a", "start.out"}, {"a.bias", "plus.out"}};
  Engine engine(t.types);
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(engine.value(g, "d.out").number(), 106);
  EXPECT_EQ(engine.value(g, "a.out").number(), 103);
  g.nodes["d"].loop = Loop{.times = 2, .feedback = {{"in", "out"}}};
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(engine.value(g, "d.out").number(), 312);
}

TEST(SubGraph, MappedRunsWholePerSlice) {
  Ops t;
  auto d = std::make_shared<Graph>();
  d->nodes["one"] = op("t.scale", {{"factor", 2}});
  d->nodes["two"] = op("t.scale", {{"factor", 5}});
  d->wires = {{"two.in", "one.out"}};
  d->inputs["in"] = {"array", "", {"one.in"}};
  d->outputs["out"] = {"array", "", {"two.out"}};
  Graph g;
  g.definitions["d"] = d;
  g.nodes["ramp"] = op("t.ramp", {{"nx", 100}, {"nz", 20}});
  g.nodes["s"] = sub("d");
  g.nodes["s"].map = MapOver{"z"};
  g.nodes["plain"] = op("t.scale", {{"factor", 10}});
  g.wires = {{"s.in", "ramp.out"}, {"plain.in", "ramp.out"}};
  Engine engine(t.types);
  const auto report = engine.run(g);
  EXPECT_EQ(report.state, "done");
  EXPECT_EQ(report.nodes.at("s/one").rounds, 20);
  EXPECT_EQ(engine.value(g, "s.out").hash(), engine.value(g, "plain.out").hash());
}

TEST(Sweep, WhatDependsOnItRunsForEveryValueAndStacks) {
  Ops t;
  Graph g;
  g.nodes["a"] = op("t.number");
  g.nodes["a"].sweeps["value"] = {1, 2, 3};
  g.nodes["b"] = op("t.number", {{"value", 10}});
  g.nodes["c"] = op("t.add");
  g.nodes["c"].sweeps["bias"] = {0, 100};
  g.wires = {{"c.a", "a.out"}, {"c.b", "b.out"}};
  Engine engine(t.types);
  const auto report = engine.run(g);
  EXPECT_EQ(report.nodes.at("b").rounds, 1);
  EXPECT_EQ(report.nodes.at("c").rounds, 6);
  EXPECT_EQ(report.nodes.at("c").outputs.at("out").describe, "6 x number");
  EXPECT_EQ(report.nodes.at("c").output_bytes, 6 * sizeof(double));
  const Array a = engine.value(g, "c.out").array();
  EXPECT_EQ(a.describe(), "f64 (3 value, 2 bias) on cpu");
  EXPECT_EQ(to_json(Value(a)), "[11,12,13,111,112,113]");
  EXPECT_EQ(to_json(engine.value(g, "a.out")), "[1,2,3]");
  g.nodes["a"].sweeps["value"].push_back(4);
  const auto again = engine.run(g);
  EXPECT_EQ(again.nodes.at("c").rounds, 2);  // only the new value
  EXPECT_EQ(again.nodes.at("c").outputs.at("out").describe, "8 x number");
  // Whichever value changes and whichever ends last, who looks at the hash sees it.
  g.nodes["a"].sweeps["value"][0] = 7;
  const auto other = engine.run(g);
  EXPECT_NE(other.nodes.at("c").outputs.at("out").hash, again.nodes.at("c").outputs.at("out").hash);
  EXPECT_EQ(engine.run(g).nodes.at("c").outputs.at("out").hash, other.nodes.at("c").outputs.at("out").hash);
}

TEST(Sweep, OfAPromotedSettingRunsOnlyWhatUsesIt) {
  Ops t;
  Graph g;
  g.definitions["double"] = doubling();
  g.nodes["start"] = op("t.ramp", {{"nx", 1}, {"nz", 1}, {"start", 3}});
  g.nodes["d"] = sub("double");
  g.nodes["d"].sweeps["plus"] = {0, 1};
  g.wires = {{"d.in", "start.out"}};
  Engine engine(t.types);
  const auto report = engine.run(g);
  EXPECT_EQ(report.nodes.at("d/twice").rounds, 1);
  EXPECT_EQ(report.nodes.at("d/bias").rounds, 2);
  EXPECT_EQ(to_json(engine.value(g, "d.out")), "[6,7]");
}

TEST(Sweep, AnEffectGetsTheStackOnce) {
  Ops t;
  TempFolder folder;
  Graph g;
  g.nodes["a"] = op("t.number");
  g.nodes["a"].sweeps["value"] = {1, 2, 3};
  g.nodes["w"] = op("t.write");
  g.wires = {{"w.in", "a.out"}};
  Engine engine(t.types);
  RunOptions options;
  options.out = folder.path;
  EXPECT_EQ(engine.run(g, options).nodes.at("w").rounds, 1);
  std::string text;
  std::getline(std::ifstream(folder.path / "out.txt"), text);
  EXPECT_EQ(text, "[1,2,3]");
}

TEST(Modes, BypassHandsThroughTheFirstInputThatFits) {
  Ops t;
  Graph g = mapped();
  g.nodes["scale"].mode = Mode::bypass;
  g.nodes["mean"] = op("t.mean");
  g.wires["mean.in"] = "scale.out";
  Engine engine(t.types);
  const auto report = engine.run(g);
  EXPECT_EQ(report.nodes.at("scale").state, State::bypassed);
  EXPECT_EQ(engine.value(g, "mean.out").number(), 32);
  EXPECT_EQ(engine.value(g, "scale.out").hash(), engine.value(g, "ramp.out").hash());
}

TEST(Modes, FrozenKeepsItsLastResultWhateverChanges) {
  Ops t;
  Graph g;
  g.nodes["a"] = op("t.number", {{"value", 2}});
  g.nodes["c"] = op("t.add");
  g.nodes["d"] = op("t.add");
  g.wires = {{"c.a", "a.out"}, {"d.a", "c.out"}};
  Engine engine(t.types);
  engine.run(g);
  g.nodes["c"].mode = Mode::freeze;
  g.nodes["a"].settings["value"] = 7;
  const auto report = engine.run(g);
  EXPECT_EQ(report.nodes.at("c").state, State::frozen);
  EXPECT_EQ(report.nodes.at("d").state, State::cached);
  EXPECT_EQ(engine.value(g, "d.out").number(), 2);
  g.nodes["c"].mode = Mode::normal;
  engine.run(g);
  EXPECT_EQ(engine.value(g, "d.out").number(), 7);
}

TEST(Modes, FrozenResultsSurviveARestartAndAShortBudget) {
  Ops t;
  TempFolder folder;
  Graph g;
  g.nodes["a"] = op("t.ramp", {{"nx", 1 << 16}, {"nz", 2}, {"start", 1}});
  g.nodes["b"] = op("t.scale", {{"factor", 3}});
  g.nodes["c"] = op("t.mean");
  g.wires = {{"b.in", "a.out"}, {"c.in", "b.out"}};
  EngineOptions options;
  options.disk_cache = folder.path, options.disk_from_seconds = 0;
  RunOptions run;
  run.session = "g.json";
  Hash frozen;
  {
    Engine engine(t.types, options);
    engine.run(g, run);
    frozen = engine.value(g, "b.out", run).hash();
  }
  g.nodes["b"].mode = Mode::freeze;
  g.nodes["a"].settings["start"] = 100;
  for (const std::size_t budget : {std::size_t{1} << 30, std::size_t{1} << 10}) {
    options.memory_budget = budget;
    Engine engine(t.types, options);
    const auto report = engine.run(g, run);
    EXPECT_EQ(report.nodes.at("b").state, State::frozen);
    EXPECT_EQ(engine.value(g, "b.out", run).hash(), frozen);
  }
}

TEST(Modes, ForceRunsEverythingAgain) {
  Ops t;
  Engine engine(t.types);
  engine.run(mapped());
  RunOptions options;
  options.force = true;
  EXPECT_EQ(engine.run(mapped(), options).ran, 2);
}

}  // namespace
}  // namespace larmor::flow
