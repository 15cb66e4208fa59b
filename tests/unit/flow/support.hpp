// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <larmor/flow/engine.hpp>
#include <thread>

namespace larmor::flow::testing_ops {

/// Operations on numbers and arrays that count how often they run.
struct Ops {
  NodeTypes types;
  std::atomic<int> runs{0}, at_once{0}, most_at_once{0};

  Ops() {
    add("t.number", NodeType{.title = "Number"}.out<double>("out", "the number").set({"value", "what it is", 1.0}),
        [](Ports& io) { io.out("out") = static_cast<double>(io.setting("value")); });
    add("t.add",
        NodeType{.title = "Add"}
            .in<double>("a", "first")
            .maybe<double>("b", "second")
            .out<double>("out", "a + b + bias")
            .set({"bias", "added", 0.0}),
        [](Ports& io) {
          const double bias = io.setting("bias");
          io.out("out") = io.in<double>("a") + (io.has("b") ? io.in<double>("b") : 0) + bias;
        });
    add("t.sign", NodeType{.title = "Sign"}.in<double>("a", "number").out<double>("out", "-1, 0 or 1"), [](Ports& io) {
      const double a = io.in<double>("a");
      io.out("out") = static_cast<double>((a > 0) - (a < 0));
    });
    add("t.sum",
        NodeType{.title = "Sum"}.in<double>("in", "numbers", {.repeated = true}).out<double>("out", "their sum"),
        [](Ports& io) {
          double sum = 0;
          for (const auto& v : io.all("in")) sum += ValueTraits<double>::from(v);
          io.out("out") = sum;
        });
    add("t.fail",
        NodeType{.title = "Fail"}
            .in<double>("a", "number")
            .out<double>("out", "never, above the limit")
            .set({"above", "fails for larger numbers", -1e9})
            .set(Setting::choice("how", "what is thrown", "error", {"error", "memory", "other", "int"})),
        [](Ports& io) {
          const double a = io.in<double>("a"), above = io.setting("above");
          const std::string how = io.setting("how");
          if (a <= above) {
            io.out("out") = a;
            return;
          }
          if (how == "memory") throw std::bad_alloc();
          if (how == "other") throw std::runtime_error("broken");
          if (how == "int") throw 3;
          throw Error(Errc::numeric, "cannot", "do not");
        });
    // (nx, nz) with value = x + 10 z
    add("t.ramp",
        NodeType{.title = "Ramp"}
            .out<Array>("out", "x + 10 z")
            .set({"nx", "extent of x", 4, 0, 1 << 26})
            .set({"nz", "extent of z", 3, 0, 1 << 20})
            .set({"start", "added", 0.0}),
        [](Ports& io) {
          const int nx = int(io.setting("nx")), nz = int(io.setting("nz"));
          const double start = io.setting("start");
          Array a = Array::uninitialised(DType::f32, {nx, nz}, {"x", "z"});
          for (std::int64_t z = 0; z < nz; ++z)
            for (std::int64_t x = 0; x < nx; ++x)
              a.data<float>()[z * nx + x] = static_cast<float>(start + static_cast<double>(x + 10 * z));
          io.out("out") = a;
        });
    add("t.scale",
        NodeType{.title = "Scale"}
            .in<Array>("in", "array")
            .out<Array>("out", "in x factor")
            .set({"factor", "multiplies", 2.0})
            .set({"wait", "before it is done [ms]", 0, 0, 100000}),
        [](Ports& io) {
          for (int ms = int(io.setting("wait")); ms > 0; --ms) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
            io.cancel().check();
          }
          const double factor = io.setting("factor");
          Array a = io.in<Array>("in").clone();
          for (auto& v : a.span<float>()) v = static_cast<float>(v * factor);
          io.out("out") = a;
        });
    add("t.mean", NodeType{.title = "Mean"}.in<Array>("in", "array").out<double>("out", "mean of all"), [](Ports& io) {
      const Array a = io.in<Array>("in").contiguous_copy();
      double sum = 0;
      for (const float v : a.span<const float>()) sum += static_cast<double>(v);
      io.out("out") = sum / static_cast<double>(a.size());
    });
    add("t.list", NodeType{.title = "List"}.out<Value::List>("out", "0, 1, 2, ...").set({"n", "how many", 3, 0, 1000}),
        [](Ports& io) {
          Value::List list;
          for (int i = 0; i < int(io.setting("n")); ++i) list.emplace_back(i);
          io.out("out") = list;
        });
    add("t.above",
        NodeType{.title = "Above"}
            .in<double>("a", "number")
            .out<bool>("out", "is it above the limit")
            .set({"limit", "the limit", 100.0}),
        [](Ports& io) {
          const double limit = io.setting("limit");
          io.out("out") = io.in<double>("a") > limit;
        });
    types.add("t.write", NodeType{.title = "Write", .effect = true}
                             .in<Value>("in", "anything")
                             .set(Setting::save("path", "file", "out.txt"))
                             .run([this](Ports& io) {
                               ++runs;
                               std::ofstream(io.setting("path").str()) << to_json(io.value("in"));
                             }));
    types.add("t.read", NodeType{.title = "Read"}
                            .out<double>("out", "the number in it")
                            .set(Setting::open("path", "file"))
                            .run([this](Ports& io) {
                              ++runs;
                              double v = 0;
                              std::ifstream file(io.setting("path").str());
                              if (!(file >> v)) throw Error(Errc::file, "no number in " + io.setting("path").str());
                              io.out("out") = v;
                            }));
    types.add("t.clock",
              NodeType{.title = "Clock", .impure = true}.out<double>("out", "another each time").run([this](Ports& io) {
                io.out("out") = static_cast<double>(++runs);
              }));
  }

  void add(const std::string& id, NodeType&& type, std::function<void(Ports&)> compute) {
    types.add(id, std::move(type).run([this, compute = std::move(compute)](Ports& io) {
      ++runs;
      const int now = ++at_once;
      for (int most = most_at_once; now > most && !most_at_once.compare_exchange_weak(most, now);) {
      }
      struct Leave {
        std::atomic<int>& n;
        ~Leave() { --n; }
      } leave{at_once};
      compute(io);
    }));
  }
};

inline Node op(std::string id, std::map<std::string, Value> settings = {}) {
  Node n;
  n.op = std::move(id);
  n.settings = std::move(settings);
  return n;
}

inline Node sub(std::string graph, std::map<std::string, Value> settings = {}) {
  Node n;
  n.graph = std::move(graph);
  n.settings = std::move(settings);
  return n;
}

/// A folder of its own that goes with the object.
struct TempFolder {
  std::filesystem::path path;
  TempFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "larmor_flow_XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace larmor::flow::testing_ops
