// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <larmor/core/parallel.hpp>
#include <larmor/flow/disk_cache.hpp>
#include <larmor/flow/value_file.hpp>

#include "support.hpp"

namespace larmor::flow {
namespace {

using namespace testing_ops;
using testing::HasSubstr;
namespace fs = std::filesystem;

constexpr std::size_t mega = std::size_t{1} << 20;

// n arrays of 4 MB, each the double of the one before.
Graph chain(int n) {
  Graph g;
  g.nodes["s00"] = op("t.ramp", {{"nx", 1 << 20}, {"nz", 1}, {"start", 1}});
  std::string last = "s00";
  for (int i = 1; i < n; ++i) {
    const std::string id = (i < 10 ? "s0" : "s") + std::to_string(i);
    g.nodes[id] = op("t.scale", {{"factor", 2}});
    g.wires[id + ".in"] = last + ".out";
    last = id;
  }
  g.nodes["end"] = op("t.mean");
  g.wires["end.in"] = last + ".out";
  return g;
}

EngineOptions budget(std::size_t bytes, const fs::path& disk = {}) {
  EngineOptions o;
  o.memory_budget = bytes, o.disk_cache = disk, o.disk_from_seconds = 0;
  return o;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) out.push_back(entry.path());
  return out;
}

TEST(ValueFile, RoundTripAndDamage) {
  TempFolder folder;
  const auto path = folder.path / "v";
  Array a = Array::of<float>({3, 5}, {"x", "z"});
  for (int i = 0; i < 15; ++i) a.data<float>()[i] = static_cast<float>(i);
  const Value value =
      Value::record("image", {{"data", a}, {"more", Value::List{1, "text", Value(a)}}, {"empty", Array()}});
  write_value_file(path, value, 1.5);
  double seconds = 0;
  EXPECT_EQ(read_value_file(path, &seconds).hash(), value.hash());
  EXPECT_EQ(seconds, 1.5);
  EXPECT_EQ(seconds_of_value_file(path), 1.5);
  const auto size = fs::file_size(path);
  for (const std::size_t cut : {std::size_t{0}, std::size_t{10}, std::size_t{60}, size - 1}) {
    fs::resize_file(path, cut);
    EXPECT_THROW(read_value_file(path), Error) << cut;
    write_value_file(path, value, 1.5);
  }
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).seekp(70).put('\x7f');
  EXPECT_THROW(read_value_file(path), Error);  // the head has a checksum
  EXPECT_THROW(read_value_file(folder.path / "none"), Error);
  EXPECT_EQ(files_in(folder.path).size(), 1U);  // no temporary files are left
}

TEST(DiskCache, DamagedValuesAreRemovedAndWereNeverThere) {
  TempFolder folder;
  const Value value(Array::of<double>({128}, {"x"}));
  {
    DiskCache cache(folder.path, 100 * mega);
    EXPECT_TRUE(cache.write_value(value.hash(), value, 1));
    EXPECT_EQ(cache.read_value(value.hash()).hash(), value.hash());
    auto record = std::make_shared<Record>();
    record->key = value.hash(), record->op = "t.op";
    cache.queue_record(record);
    cache.flush();
    EXPECT_EQ(cache.read_record(value.hash())->op, "t.op");
  }
  for (const auto& file : files_in(folder.path)) {  // the bytes of arrays have no checksum but the hash
    std::fstream f(file, std::ios::in | std::ios::out | std::ios::binary);
    f.seekp(-1, std::ios::end).put('\x55');
  }
  DiskCache cache(folder.path, 100 * mega);
  EXPECT_TRUE(cache.read_value(value.hash()).none());
  EXPECT_FALSE(cache.has_value(value.hash()));
}

TEST(DiskCache, KeepsWithinItsBudgetWhatIsDearest) {
  TempFolder folder;
  DiskCache cache(folder.path, 10 * mega);
  std::vector<Value> values;
  for (int i = 0; i < 20; ++i) {
    Array a = Array::of<float>({1 << 18}, {"x"});  // 1 MB
    a.data<float>()[0] = static_cast<float>(i);
    values.emplace_back(a);
    EXPECT_TRUE(cache.write_value(values.back().hash(), values.back(), i == 3 ? 100 : 1));
  }
  EXPECT_LE(cache.bytes_on_disk(), 10 * mega);
  EXPECT_TRUE(cache.has_value(values[3].hash()));
}

TEST(Cache, ARestartComputesNothing) {
  Ops t;
  TempFolder folder;
  const Graph g = chain(6);
  double mean = 0;
  {
    Engine engine(t.types, budget(512 * mega, folder.path));
    const auto report = engine.run(g);
    EXPECT_EQ(report.ran, 7) << report.to_json();
    mean = engine.value(g, "end.out").number();
  }
  Engine engine(t.types, budget(512 * mega, folder.path));
  const auto report = engine.run(g);
  EXPECT_EQ(report.ran, 0);
  EXPECT_EQ(engine.value(g, "end.out").number(), mean);
  EXPECT_EQ(report.resident_bytes, 0U);  // known, but nothing was loaded
  EXPECT_EQ(engine.value(g, "s03.out").bytes(), 4 * mega);
  // A change at the end reads what it needs and no more.
  Graph other = g;
  other.nodes["s05"].settings["factor"] = 3;
  EXPECT_EQ(engine.run(other).ran, 2);
  EXPECT_EQ(engine.value(other, "end.out").number(), mean * 1.5);
}

TEST(Cache, DamageOnDiskIsComputedAgain) {
  Ops t;
  TempFolder folder;
  const Graph g = chain(4);
  Hash expected;
  {
    Engine engine(t.types, budget(512 * mega, folder.path));
    engine.run(g);
    expected = engine.value(g, "s03.out").hash();
  }
  int n = 0;
  for (const auto& file : files_in(folder.path)) {
    if (++n % 2)
      fs::resize_file(file, fs::file_size(file) / 2);
    else
      std::fstream(file, std::ios::in | std::ios::out | std::ios::binary)
          .seekp(static_cast<std::streamoff>(fs::file_size(file)) - 3)
          .put('\x33');
  }
  Engine engine(t.types, budget(512 * mega, folder.path));
  EXPECT_EQ(engine.run(g).state, "done");
  EXPECT_EQ(engine.value(g, "s03.out").hash(), expected);
}

TEST(Cache, EnginesShareAFolder) {
  Ops t;
  TempFolder folder;
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (int k = 0; k < 4; ++k)
    threads.emplace_back([&] {
      for (int i = 0; i < 3; ++i) {
        Engine engine(t.types, budget(16 * mega, folder.path));
        if (engine.run(chain(5)).state != "done") ++wrong;
        // 1 + mean of 0 .. 2^20 - 1, sixteen times; sums of floats this large are exact in double
        if (engine.value(chain(5), "end.out").number() != 16 * (1 + ((1 << 20) - 1) / 2.0)) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Memory, AChainOfLargeArraysStaysWithinTheBudgetUnderEveryPolicy) {
  const Graph g = chain(20);
  Hash expected;
  {
    Ops t;
    Engine engine(t.types, budget(1024 * mega));
    engine.run(g);
    expected = engine.value(g, "s19.out").hash();
  }
  for (const Policy policy : {Policy::automatic, Policy::keep, Policy::free, Policy::spill, Policy::recompute}) {
    Ops t;
    Graph with = g;
    for (auto& [id, node] : with.nodes) node.policy["out"] = policy;
    Engine engine(t.types, budget(10 * mega));  // two arrays and a half
    const auto report = engine.run(with);
    EXPECT_EQ(report.state, "done");
    // The budget, and one step that reads one array and makes one.
    EXPECT_LE(report.peak_bytes, (10 + 8) * mega) << static_cast<int>(policy);
    EXPECT_LE(engine.resident_bytes(), 10 * mega);
    EXPECT_EQ(engine.value(with, "s19.out").hash(), expected) << static_cast<int>(policy);
    EXPECT_EQ(engine.value(with, "s02.out").bytes(), 4 * mega);
    EXPECT_EQ(engine.run(with).ran, 0) << static_cast<int>(policy);
  }
}

TEST(Memory, WhatWaitsForAReaderIsSpilledAndReadBack) {
  Ops t;
  Graph g;  // eight arrays, all of which one node reads at the end, each through a mean of its own
  g.nodes["all"] = op("t.sum");
  for (int i = 0; i < 8; ++i) {
    const auto id = std::to_string(i);
    g.nodes["r" + id] = op("t.ramp", {{"nx", 1 << 20}, {"nz", 1}, {"start", i}});
    g.nodes["gate"] = op("t.number");
    g.nodes["s" + id] = op("t.scale", {{"factor", 1}});
    g.nodes["s" + id].ports = {"factor"};
    g.nodes["m" + id] = op("t.mean");
    g.wires["s" + id + ".in"] = "r" + id + ".out";
    g.wires["s" + id + ".factor"] = "gate.out";
    g.wires["m" + id + ".in"] = "s" + id + ".out";
    g.wires["all.in." + std::to_string(i + 1)] = "m" + id + ".out";
  }
  Engine engine(t.types, budget(6 * mega));
  const auto report = engine.run(g);
  EXPECT_EQ(report.state, "done");
  EXPECT_EQ(engine.value(g, "all.out").number(), 8 * (((1 << 20) - 1) / 2.0) + 28);
}

TEST(Memory, MappingHoldsInputOutputAndTheSlicesInFlight) {
  Ops t;
  set_thread_count(2);
  Graph g;
  g.nodes["ramp"] = op("t.ramp", {{"nx", 1 << 18}, {"nz", 20}});  // 20 slices of 1 MB
  g.nodes["one"] = op("t.scale");
  g.nodes["one"].map = MapOver{"z", {}, 2};
  g.wires["one.in"] = "ramp.out";
  EngineOptions options = budget(1024 * mega);
  Engine engine(t.types, options);
  EXPECT_LE(engine.run(g).peak_bytes, (20 + 20 + 2) * mega);
  // A sub-graph of three nodes, the same way: what lies between its nodes comes and goes with the slice.
  auto d = std::make_shared<Graph>();
  for (const char* id : {"a", "b", "c"}) d->nodes[id] = op("t.scale");
  d->wires = {{"b.in", "a.out"}, {"c.in", "b.out"}};
  d->inputs["in"] = {"array", "", {"a.in"}};
  d->outputs["out"] = {"array", "", {"c.out"}};
  g.definitions["d"] = d;
  g.nodes["one"] = Node{};
  g.nodes["one"].graph = "d";
  g.nodes["one"].map = MapOver{"z", {}, 2};
  Engine other(t.types, options);
  const auto report = other.run(g);
  EXPECT_EQ(report.state, "done");
  // In flight: of each of two slices the array that a node reads and the one that it makes.
  EXPECT_LE(report.peak_bytes, (20 + 20 + 2 * 2) * mega);
}

TEST(Memory, EvictedValuesAreMadeAgainOnlyWhenSomebodyNeedsThem) {
  Ops t;
  Graph g = chain(6);
  for (auto& [id, node] : g.nodes) node.policy["out"] = Policy::recompute;
  Engine engine(t.types, budget(1024 * mega));
  engine.run(g);
  t.runs = 0;
  EXPECT_EQ(engine.run(g).ran, 0);
  EXPECT_EQ(t.runs, 0);
  g.nodes["s05"].settings["factor"] = 7;
  engine.run(g);
  EXPECT_EQ(t.runs, 7);  // s00 to s04 again, s05, end
}

TEST(Effects, RunAgainWhenWhatTheyWroteIsGoneOrChanged) {
  Ops t;
  TempFolder folder;
  Graph g;
  g.nodes["a"] = op("t.number", {{"value", 2}});
  g.nodes["w"] = op("t.write", {{"path", "a.txt"}});
  g.wires["w.in"] = "a.out";
  RunOptions options;
  options.out = folder.path / "out";
  fs::create_directories(options.out);
  const auto file = options.out / "a.txt";
  {
    Engine engine(t.types, budget(mega, folder.path / "cache"));
    EXPECT_EQ(engine.run(g, options).ran, 2);
    EXPECT_EQ(engine.run(g, options).ran, 0);
    fs::remove(file);
    EXPECT_EQ(engine.run(g, options).nodes.at("w").state, State::done);
    EXPECT_TRUE(fs::exists(file));
    std::ofstream(file) << "somebody wrote here";
    EXPECT_EQ(engine.run(g, options).nodes.at("w").state, State::done);
  }
  Engine again(t.types, budget(mega, folder.path / "cache"));
  EXPECT_EQ(again.run(g, options).ran, 0);
  fs::remove(file);
  EXPECT_EQ(again.run(g, options).ran, 1);
}

TEST(Effects, FilesThatAreReadCountByTimeAndSize) {
  Ops t;
  TempFolder folder;
  const auto file = folder.path / "n.txt";
  std::ofstream(file) << "5";
  Graph g;
  g.nodes["r"] = op("t.read", {{"path", "n.txt"}});
  RunOptions options;
  options.base = folder.path;
  Engine engine(t.types);
  engine.run(g, options);
  EXPECT_EQ(engine.value(g, "r.out", options).number(), 5);
  EXPECT_EQ(engine.run(g, options).ran, 0);
  std::ofstream(file) << "67";
  EXPECT_EQ(engine.run(g, options).ran, 1);
  EXPECT_EQ(engine.value(g, "r.out", options).number(), 67);
  fs::remove(file);
  EXPECT_EQ(engine.run(g, options).state, "failed");
}

TEST(Effects, ImpureNodesRunEachTimeAndKeepTheirLastValue) {
  Ops t;
  Graph g;
  g.nodes["c"] = op("t.clock");
  Engine engine(t.types);
  engine.run(g);
  EXPECT_EQ(engine.value(g, "c.out").number(), 1);
  EXPECT_EQ(engine.value(g, "c.out").number(), 1);
  EXPECT_EQ(engine.run(g).ran, 1);
  EXPECT_EQ(engine.value(g, "c.out").number(), 2);
}

TEST(Cancel, ComesBackWithinATenthOfASecond) {
  Ops t;
  Graph g = chain(3);
  g.nodes["s01"].settings["wait"] = 60000;
  g.nodes["other"] = op("t.number");
  Engine engine(t.types);
  double best = 1e9;  // of a few: on a busy machine a thread may wait that long for its turn
  for (int attempt = 0; attempt < 5 && best >= 0.1; ++attempt) {
    RunOptions options;
    std::chrono::steady_clock::time_point asked;
    std::thread stop([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      asked = std::chrono::steady_clock::now();
      options.cancel.request();
    });
    const auto report = engine.run(g, options);
    const auto back = std::chrono::steady_clock::now();
    stop.join();
    best = std::min(best, std::chrono::duration<double>(back - asked).count());
    EXPECT_EQ(report.state, "cancelled");
    EXPECT_EQ(report.nodes.at("s01").state, State::cancelled);
    EXPECT_EQ(report.nodes.at("end").state, State::cancelled);
    EXPECT_NE(report.nodes.at("s00").state, State::error);
  }
  EXPECT_LT(best, 0.1);
  g.nodes["s01"].settings["wait"] = 0;
  EXPECT_EQ(engine.run(g).state, "done");
}

TEST(Reports, ProgressComesAtMostTwentyTimesASecond) {
  Ops t;
  t.types.add("t.steps", NodeType{.title = "Steps"}.out<double>("out", "1").run([](Ports& io) {
    for (const char* stage : {"first", "second"}) {
      io.progress().begin(stage, 2000);
      for (int i = 0; i < 2000; ++i) {
        io.progress().add(1);
        std::this_thread::sleep_for(std::chrono::microseconds(50));
      }
      io.progress().end();
    }
    io.out("out") = 1.0;
  }));
  Graph g;
  g.nodes["n"] = op("t.steps");
  int told = 0;
  bool second = false;
  RunOptions options;
  options.on_node = [&](const NodeReport& r) {
    ++told;
    second = second || r.doing == "second";
  };
  Engine engine(t.types);
  const auto report = engine.run(g, options);
  EXPECT_TRUE(second);
  EXPECT_LE(told, 8 + 20 * report.seconds);  // and the changes of state and stage
}

TEST(Reports, TellEveryChangeInOrderAndTimesOfEarlierRuns) {
  Ops t;
  TempFolder folder;
  Graph g = chain(3);
  g.nodes["s01"].settings["wait"] = 20;
  std::mutex mutex;
  std::map<std::string, std::vector<State>> states;
  RunOptions options;
  options.session = "a.json";
  options.on_node = [&](const NodeReport& r) {
    const std::lock_guard lock(mutex);
    states[r.path].push_back(r.state);
  };
  {
    Engine engine(t.types, budget(64 * mega, folder.path));
    const auto report = engine.run(g, options);
    EXPECT_EQ(states["s01"], (std::vector<State>{State::waiting, State::running, State::done}));
    states.clear();
    engine.run(g, options);  // nothing waits, so nothing is said to
    EXPECT_EQ(states["s01"], (std::vector<State>{State::cached}));
    EXPECT_EQ(report.nodes.at("s01").peak_bytes, 8 * mega);
    EXPECT_GE(report.nodes.at("s01").seconds, 0.02);
    EXPECT_EQ(report.nodes.at("s01").expected_seconds, 0);
    EXPECT_THAT(report.to_json(), HasSubstr("\"s01\""));
  }
  Engine engine(t.types, budget(64 * mega, folder.path));
  EXPECT_GE(engine.run(g, options).nodes.at("s01").expected_seconds, 0.02);
}

}  // namespace
}  // namespace larmor::flow
