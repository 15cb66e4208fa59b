// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <larmor/nodes/operations.hpp>
#include <server/studio.hpp>

#include "client.hpp"

namespace larmor::server {

/// Operations whose results, time and effects the tests know.
inline flow::NodeTypes test_operations() {
  using flow::NodeType;
  using flow::Ports;
  using flow::Setting;
  flow::NodeTypes types = nodes::make_operations();
  types.add("test.number", NodeType{.title = "Number", .does = "A number"}
                               .out<double>("out", "value")
                               .set(Setting("value", "value", 1.0, -1000, 1000))
                               .run([](Ports& io) { io.out("out") = double(io.setting("value")); }));
  types.add("test.add", NodeType{.title = "Add", .does = "Adds"}
                            .in<double>("a", "one")
                            .in<double>("b", "other")
                            .out<double>("out", "sum")
                            .run([](Ports& io) { io.out("out") = io.in<double>("a") + io.in<double>("b"); }));
  types.add("test.slow", NodeType{.title = "Slow", .does = "Takes its time"}
                             .in<double>("a", "one")
                             .out<double>("out", "the same")
                             .set(Setting("seconds", "how long", 5.0, 0.0, 60.0))
                             .run([](Ports& io) {
                               const auto end = std::chrono::steady_clock::now() +
                                                std::chrono::duration<double>(double(io.setting("seconds")));
                               while (std::chrono::steady_clock::now() < end) {
                                 io.cancel().check();
                                 std::this_thread::sleep_for(std::chrono::milliseconds(5));
                               }
                               io.out("out") = io.in<double>("a");
                             }));
  // (x, y, z) of 12 x 10 x 4: x + 100 y + 10000 z, the imaginary part its negative.
  types.add("test.ramp", NodeType{.title = "Ramp", .does = "A ramp"}.out<Array>("out", "ramp").run([](Ports& io) {
    Array a = Array::of<std::complex<float>>({12, 10, 4}, {"x", "y", "z"});
    auto* p = a.data<std::complex<float>>();
    for (int z = 0; z < 4; ++z)
      for (int y = 0; y < 10; ++y)
        for (int x = 0; x < 12; ++x) {
          const auto v = static_cast<float>(x + 100 * y + 10000 * z);
          *p++ = {v, -v};
        }
    io.out("out") = a;
  }));
  // Memory that nobody has touched is not there: 3 GB for nothing, as long as nobody copies it.
  types.add("test.big", NodeType{.title = "Big", .does = "3 GB"}.out<Array>("out", "zeros").run([](Ports& io) {
    io.out("out") = Array::uninitialised(DType::f32, {1024, 1024, 768}, {"x", "y", "z"});
  }));
  types.add("test.read", NodeType{.title = "Read", .does = "Reads a text"}
                             .out<std::string>("out", "content")
                             .set(Setting::open("path", "file", {"txt"}))
                             .run([](Ports& io) {
                               std::ifstream in(io.setting("path").str());
                               io.out("out") = std::string(std::istreambuf_iterator<char>(in), {});
                             }));
  types.add("test.write", NodeType{.title = "Write", .does = "Writes a text", .effect = true}
                              .in<double>("a", "number")
                              .out<std::string>("path", "file")
                              .set(Setting::save("path", "file", "out.txt"))
                              .run([](Ports& io) {
                                std::ofstream(io.setting("path").str()) << io.in<double>("a");
                                io.out("path") = io.setting("path").str();
                              }));
  types.add("test.text", NodeType{.title = "Text", .does = "A text"}
                             .out<std::string>("out", "text")
                             .set(Setting("text", "text", ""))
                             .run([](Ports& io) { io.out("out") = io.setting("text").str(); }));
  types.add("test.fail", NodeType{.title = "Fail", .does = "Fails"}.out<double>("out", "never").run([](Ports&) {
    throw Error(Errc::numeric, "it does not converge", "start elsewhere");
  }));
  return types;
}

inline json node(const std::string& op, json settings = json::object()) {
  json n{{"op", op}};
  if (!settings.empty()) n["settings"] = std::move(settings);
  return n;
}
inline json replace(const std::string& path, json value) {
  return {{"op", "replace"}, {"path", path}, {"value", std::move(value)}};
}
inline json add(const std::string& path, json value) {
  return {{"op", "add"}, {"path", path}, {"value", std::move(value)}};
}

/// A server on a folder of its own.
class StudioTest : public testing::Test {
 protected:
  struct Reply {
    int status;
    json body;
  };

  void SetUp() override {
    dir = fs::temp_directory_path() / ("larmor_studio_" + std::to_string(::getpid()));
    fs::remove_all(dir);
    fs::create_directories(dir / "work");
    fs::create_directories(dir / "shipped");
    std::ofstream(dir / "secret.txt") << "secret";
    std::ofstream(dir / "work" / "open.txt") << "open";
    std::ofstream(dir / "shipped" / "sum.json")
        << R"({"larmor":1,"title":"Sum","nodes":{"n":{"op":"test.number","settings":{"value":3}}}})";
    start();
  }
  void TearDown() override {
    stop();
    fs::remove_all(dir);
  }
  void start() {
    StudioOptions options;
    options.roots = {dir / "work"};
    options.cache = dir / "cache";
    options.shipped = {dir / "shipped"};
    options.token = token;
    options.answer_limit = std::size_t{64} << 20;
    options.engine.memory_budget = std::size_t{512} << 20;
    studio = std::make_unique<Studio>(test_operations(), options);
    server = std::make_unique<HttpServer>(http, studio->handlers());
  }
  void stop() {
    if (studio) studio->stop();
    server.reset();
    studio.reset();
  }

  Reply api(const std::string& method, const std::string& target, const json& body = nullptr) {
    const auto a = test::ask(server->port(), method, target, body.is_null() ? "" : body.dump());
    return {a.status, a.body.empty() ? json() : json::parse(a.body, nullptr, false)};
  }
  std::string open(const json& nodes, const json& wires = json::object()) {
    json graph{{"larmor", 1}, {"nodes", nodes}};
    if (!wires.empty()) graph["wires"] = wires;
    const Reply r = api("POST", "/api/graphs", {{"graph", graph}});
    EXPECT_EQ(r.status, 200) << r.body.dump();
    return r.body["id"];
  }
  Reply patch(const std::string& g, json operations, const json& more = json::object()) {
    json body{{"patch", std::move(operations)}};
    body.update(more);
    return api("PATCH", "/api/graphs/" + g, body);
  }
  json state(const std::string& g) { return api("GET", "/api/graphs/" + g).body; }
  std::string state_of(const std::string& g, const std::string& node) {
    const json s = state(g);
    return s["nodes"].contains(node) ? s["nodes"][node]["state"].get<std::string>() : "";
  }
  template <class F>
  bool soon(F&& f, int milliseconds = 10000) {
    for (const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
         std::chrono::steady_clock::now() < end;) {
      if (f()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return f();
  }
  bool settled(const std::string& g, const std::string& node, const std::string& wanted) {
    return soon([&] {
      const json s = state(g);
      return !s["running"].get<bool>() && s["nodes"].contains(node) && s["nodes"][node]["state"] == wanted;
    });
  }
  json value(const std::string& g, const std::string& port) {
    return api("GET", "/api/graphs/" + g + "/value?port=" + port).body["value"];
  }
  /// Messages of a socket until one is wanted.
  std::vector<json> until(test::Client& socket, const std::function<bool(const json&)>& wanted) {
    std::vector<json> all;
    while (const auto text = socket.text()) {
      all.push_back(json::parse(*text));
      if (wanted(all.back())) break;
    }
    return all;
  }

  fs::path dir;
  std::string token;
  HttpOptions http;
  std::unique_ptr<Studio> studio;
  std::unique_ptr<HttpServer> server;
};

}  // namespace larmor::server
