// SPDX-License-Identifier: Apache-2.0
// Overhead of the graph engine: a chain and a fan of trivial nodes against a plain loop, two heavy branches on two
// cores against one, memory of a mapped node, speed of the content hash, cache hits. Each checks its answer.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <larmor/core/parallel.hpp>
#include <larmor/flow/engine.hpp>
#include <thread>
#include <vector>

namespace {

using namespace larmor;
using namespace larmor::flow;

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

int wrong = 0;
void require(bool right, const char* what) {
  if (right) return;
  fmt::print("  WRONG: {}\n", what);
  ++wrong;
}
const char* met(bool yes) { return yes ? "met" : "MISSED"; }

// About 0.3 s of arithmetic on one core that no compiler can leave out.
double heavy(double seed, std::int64_t steps) {
  double x = seed;
  for (std::int64_t i = 0; i < steps; ++i) x = std::fma(x, 0.999999, 1e-3) + 1e-9 / (1 + x * x);
  return x;
}

NodeTypes operations() {
  NodeTypes types;
  types.add(
      "b.start",
      NodeType{.title = "Start"}.out<double>("out", "a number").set({"value", "the number", 0.0}).run([](Ports& io) {
        io.out("out") = static_cast<double>(io.setting("value"));
      }));
  types.add("b.plus", NodeType{.title = "Plus"}
                          .in<double>("in", "a number")
                          .out<double>("out", "in + value")
                          .set({"value", "added", 1.0})
                          .run([](Ports& io) {
                            const double value = io.setting("value");
                            io.out("out") = io.in<double>("in") + value;
                          }));
  types.add("b.sum", NodeType{.title = "Sum"}
                         .in<double>("in", "numbers", {.repeated = true})
                         .out<double>("out", "their sum")
                         .run([](Ports& io) {
                           double sum = 0;
                           for (const auto& v : io.all("in")) sum += v.number();
                           io.out("out") = sum;
                         }));
  types.add("b.heavy", NodeType{.title = "Heavy"}
                           .in<double>("in", "a number")
                           .out<double>("out", "after much work")
                           .set({"seed", "start", 1.0})
                           .set({"steps", "of the loop", 1.0})
                           .run([](Ports& io) {
                             const double seed = io.setting("seed"), steps = io.setting("steps");
                             io.out("out") = heavy(seed + io.in<double>("in"), static_cast<std::int64_t>(steps));
                           }));
  types.add("b.volume",
            NodeType{.title = "Volume"}
                .out<Array>("out", "zeros")
                .set({"nx", "extent of x", 1, 1, 1 << 30})
                .set({"nz", "extent of z", 20, 1, 1000})
                .run([](Ports& io) {
                  io.out("out") = Array(DType::f32, {int(io.setting("nx")), int(io.setting("nz"))}, {"x", "z"});
                }));
  types.add("b.one_more",
            NodeType{.title = "One more"}.in<Array>("in", "array").out<Array>("out", "in + 1").run([](Ports& io) {
              Array a = io.in<Array>("in").clone();
              for (auto& v : a.span<float>()) v += 1;
              io.out("out") = a;
            }));
  return types;
}

Node node(const std::string& op, std::map<std::string, Value> settings = {}) {
  Node n;
  n.op = op;
  n.settings = std::move(settings);
  return n;
}

std::string id(int i) { return fmt::format("n{:05}", i); }

Graph chain(int n) {
  Graph g;
  g.nodes[id(0)] = node("b.start");
  for (int i = 1; i <= n; ++i) {
    g.nodes[id(i)] = node("b.plus", {{"value", i}});
    g.wires[id(i) + ".in"] = id(i - 1) + ".out";
  }
  return g;
}

Graph fan(int n) {
  Graph g;
  g.nodes["start"] = node("b.start");
  g.nodes["sum"] = node("b.sum");
  for (int i = 1; i <= n; ++i) {
    g.nodes[id(i)] = node("b.plus", {{"value", i}});
    g.wires[id(i) + ".in"] = "start.out";
    g.wires[fmt::format("sum.in.{}", i)] = id(i) + ".out";
  }
  return g;
}

// The same operations called one after the other, as a program without an engine would.
double plain_loop(const NodeTypes& types, int n) {
  const NodeType& plus = types.get("b.plus");
  Value value(0.0);
  for (int i = 1; i <= n; ++i)
    value = run_operation(plus, types.types, {{"in", value}}, {{"value", Value(i)}}).at("out");
  return value.number();
}

void overhead(const NodeTypes& types) {
  constexpr int n = 2000;
  constexpr double aim_ms = 0.2;
  const double expected = n * (n + 1) / 2.0;
  for (const bool is_chain : {true, false}) {
    const Graph g = is_chain ? chain(n) : fan(n);
    std::vector<double> first, again, plain;
    for (int repeat = 0; repeat < 7; ++repeat) {
      Engine engine(types);
      first.push_back(seconds([&] { require(engine.run(g).state == "done", "the run"); }));
      again.push_back(seconds([&] { require(engine.run(g).ran == 0, "a second run computed something"); }));
      require(engine.value(g, is_chain ? id(n) + ".out" : "sum.out").number() == expected, "the sum");
      plain.push_back(seconds([&] { require(plain_loop(types, n) == expected, "the plain loop"); }));
    }
    const double ms = 1e3 * (median(first) - median(plain)) / n;
    fmt::print(
        "{:<6} {} nodes: {:.4f} ms a node over a plain loop ({:.4f} in all, {:.4f} in the loop); aim < {} ms: {}\n",
        is_chain ? "chain" : "fan", n, ms, 1e3 * median(first) / n, 1e3 * median(plain) / n, aim_ms, met(ms < aim_ms));
    fmt::print("       cached: {:.4f} ms a node\n", 1e3 * median(again) / n);
  }
}

void branches(const NodeTypes& types) {
  if (thread_count() < 2) {
    fmt::print("branches: needs two threads, and there is one\n");
    return;
  }
  constexpr double aim = 1.15;
  double steps = 1e7;
  steps *= 0.3 / std::max(1e-3, seconds([&] { require(heavy(1, static_cast<std::int64_t>(steps)) > 0, "heavy"); }));
  const auto graph = [&](int n) {
    Graph g;
    g.nodes["start"] = node("b.start");
    for (int i = 0; i < n; ++i) {
      g.nodes[id(i)] = node("b.heavy", {{"seed", 1.0 + i}, {"steps", std::floor(steps)}});
      g.wires[id(i) + ".in"] = "start.out";
    }
    return g;
  };
  std::vector<double> ratios, threads;
  double one_s = 0;
  for (int repeat = 0; repeat < 7; ++repeat) {  // by turns: others use the machine too
    Engine engine(types);
    RunOptions options;
    options.force = true;
    const double one = seconds([&] { engine.run(graph(1), options); });
    const double two = seconds([&] { engine.run(graph(2), options); });
    require(engine.value(graph(2), id(1) + ".out").number() == heavy(2, static_cast<std::int64_t>(std::floor(steps))),
            "heavy branch");
    // What the machine gives to two threads without any engine, at the same time.
    const auto count = static_cast<std::int64_t>(std::floor(steps));
    double a = 0, b = 0;
    const double alone = seconds([&] { a = heavy(1, count); });
    const double both = seconds([&] {
      std::thread other([&] { b = heavy(2, count); });
      a += heavy(1, count);
      other.join();
    });
    require(a > 0 && b > 0, "heavy threads");
    ratios.push_back(two / one), threads.push_back(both / alone), one_s = one;
  }
  const double best = *std::min_element(ratios.begin(), ratios.end());
  const double plain = *std::min_element(threads.begin(), threads.end());
  // On a machine that others use two plain threads take longer than one, too: that is not the engine's doing.
  fmt::print("two equal branches of {:.2f} s on {} threads: {:.3f} of one (median {:.3f}); aim <= {}: {}\n", one_s,
             thread_count(), best, median(ratios), aim, met(best <= aim * std::max(1.0, plain)));
  fmt::print("       two plain threads without the engine, by turns: {:.3f} of one (median {:.3f})\n", plain,
             median(threads));
}

void mapping(const NodeTypes& types) {
  constexpr int nz = 20;
  constexpr std::size_t slice = std::size_t{4} << 20;
  Graph g;
  g.nodes["volume"] = node("b.volume", {{"nx", static_cast<int>(slice / 4)}, {"nz", nz}});
  g.nodes["map"] = node("b.one_more");
  g.nodes["map"].map = MapOver{"z", {}, 2};
  g.wires["map.in"] = "volume.out";
  Engine engine(types);
  const auto report = engine.run(g);
  const Array out = engine.value(g, "map.out").array();
  const auto all = out.span<const float>();
  require(std::all_of(all.begin(), all.end(), [](float v) { return v == 1; }), "the mapped volume");
  const std::size_t aim = (2 * nz + 2) * slice;
  fmt::print(
      "map over {} slices of {} MB, 2 in flight: at most {} MB held; aim <= input + output + 2 slices = {} MB: {}\n",
      nz, slice >> 20, report.peak_bytes >> 20, aim >> 20, met(report.peak_bytes <= aim));
}

void hashing() {
  constexpr std::size_t bytes = std::size_t{512} << 20;
  Array a(DType::u8, {static_cast<std::int64_t>(bytes)}, {"x"});
  std::vector<double> hash, copy;
  Array b(DType::u8, {static_cast<std::int64_t>(bytes)}, {"x"});
  Hash last;
  for (int repeat = 0; repeat < 5; ++repeat) {
    hash.push_back(seconds([&] { last = Value(a).hash(); }));
    copy.push_back(seconds([&] { std::memcpy(b.raw(), a.raw(), bytes); }));
  }
  require(last == Value(b).hash(), "equal content has equal hashes");
  fmt::print("content hash of {} MB: {:.1f} GB/s on {} threads; memcpy of the same {:.1f} GB/s\n", bytes >> 20,
             static_cast<double>(bytes) / 1e9 / median(hash), thread_count(),
             static_cast<double>(bytes) / 1e9 / median(copy));
}

}  // namespace

int main() {
  const NodeTypes types = operations();
  fmt::print("graph engine, {} threads, medians of 7\n", thread_count());
  overhead(types);
  branches(types);
  mapping(types);
  hashing();
  return wrong ? 1 : 0;
}
