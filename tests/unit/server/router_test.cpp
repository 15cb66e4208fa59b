// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <server/events.hpp>
#include <server/roots.hpp>
#include <server/router.hpp>

namespace larmor::server {
namespace {

Request request(const std::string& method, const std::string& target, std::string body = {}) {
  Request r;
  parse_target(target, r);
  r.method = method;
  r.body = std::move(body);
  if (!r.body.empty()) r.headers = {{"content-type", "application/json"}};
  return r;
}

Router two_routes() {
  Router router;
  router.add({.method = "GET",
              .path = "/api/graphs/{g}",
              .id = "readGraph",
              .does = "Reads",
              .tag = "graphs",
              .run = [](const Call& c) {
                return json_response({{"g", c.place("g")}});
              }});
  router.add({.method = "POST",
              .path = "/api/graphs/{g}/run",
              .id = "run",
              .does = "Runs",
              .tag = "runs",
              .params = {{"n", "a number", "3", true}},
              .body = R"({"type":"object"})",
              .heavy = true,
              .run = [](const Call& c) {
                return json_response({{"n", *c.integer("n")}, {"body", c.body()}});
              }});
  return router;
}

TEST(Router, FindsPlacesMethodsAndMistakes) {
  const Router router = two_routes();
  EXPECT_EQ(router.answer(request("GET", "/api/graphs/dce")).body, R"({"g":"dce"})");
  EXPECT_EQ(router.answer(request("POST", "/api/graphs/x/run?n=5", R"({"a":1})")).body, R"({"body":{"a":1},"n":5})");
  const auto no = router.answer(request("DELETE", "/api/graphs/x/run"));
  EXPECT_EQ(no.status, 405);
  EXPECT_EQ(no.headers.back().second, "POST");
  try {
    router.answer(request("GET", "/api/graphs/x/rum"));
    ADD_FAILURE();
  } catch (const HttpError& e) {
    EXPECT_EQ(e.status(), 404);
    EXPECT_NE(e.message().find("/api/graphs/{g}/run"), std::string::npos);
  }
  EXPECT_THROW(router.answer(request("POST", "/api/graphs/x/run")), Error);
  EXPECT_THROW(router.answer(request("POST", "/api/graphs/x/run?n=5x")), Error);
  EXPECT_THROW(router.answer(request("GET", "/api/graphs/")), HttpError);
  EXPECT_TRUE(router.heavy(request("POST", "/api/graphs/x/run")));
  EXPECT_FALSE(router.heavy(request("GET", "/api/graphs/x")));
}

TEST(Router, BodiesAreJsonAndSaySo) {
  const Router router = two_routes();
  Request r = request("POST", "/api/graphs/x/run?n=5", "{}");
  r.headers = {{"content-type", "text/plain"}};
  try {
    router.answer(r);
    ADD_FAILURE();
  } catch (const HttpError& e) {
    EXPECT_EQ(e.status(), 415);
  }
  EXPECT_THROW(router.answer(request("POST", "/api/graphs/x/run?n=5", "{x")), Error);
}

TEST(Router, OpenApiHoldsEveryRoute) {
  const Router router = two_routes();
  const json api = router.openapi();
  EXPECT_EQ(api["openapi"], "3.1.0");
  for (const auto& route : router.routes()) {
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(std::tolower(c));
    const json& o = api.at("paths").at(route.path).at(method);
    EXPECT_EQ(o["operationId"], route.id);
    EXPECT_EQ(o["parameters"][0]["name"], "g");
  }
}

/// Collects what is sent.
struct Ear : Socket {
  std::vector<json> heard;
  void send(std::shared_ptr<const std::string> text) override { heard.push_back(json::parse(*text)); }
  void close() override {}
  bool open() const override { return true; }
};

TEST(Events, NumbersGrowAndEveryClientHearsAll) {
  Events events;
  const auto a = std::make_shared<Ear>(), b = std::make_shared<Ear>();
  events.join(a, std::nullopt);
  events.join(b, std::nullopt);
  events.publish({{"t", "log"}});
  EXPECT_EQ(a->heard.back(), b->heard.back());
  EXPECT_EQ(a->heard.front()["n"], 1);
  EXPECT_EQ(b->heard.front()["n"], 2);
  for (std::size_t i = 1; i < a->heard.size(); ++i)
    EXPECT_EQ(a->heard[i]["seq"].get<std::uint64_t>(), a->heard[i - 1]["seq"].get<std::uint64_t>() + 1);
  events.leave(*b);
  EXPECT_EQ(events.clients(), 1);
  EXPECT_EQ(a->heard.back()["n"], 1);
}

TEST(Events, AClientGoesOnWhereItWas) {
  Events events(10);
  events.publish({{"t", "one"}});
  const auto since = events.seq();
  for (int i = 0; i < 5; ++i) events.publish({{"t", "x"}, {"i", i}});
  const auto ear = std::make_shared<Ear>();
  events.join(ear, since);
  ASSERT_EQ(ear->heard.size(), 6u);  // five missed, and the number of clients
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ear->heard[static_cast<std::size_t>(i)]["i"], i);
}

TEST(Events, TooOldOrOfAnotherLifeIsAReset) {
  Events events(10);
  for (int i = 0; i < 30; ++i) events.publish({{"t", "x"}});
  for (const auto since : {events.seq() - 20, events.seq() + 5, std::uint64_t{17}}) {
    const auto ear = std::make_shared<Ear>();
    events.join(ear, since);
    EXPECT_EQ(ear->heard.front()["t"], "reset");
    events.leave(*ear);
  }
}

TEST(Roots, NothingOutsideIsTouched) {
  const fs::path base = fs::temp_directory_path() / ("larmor_roots_" + std::to_string(getpid()));
  fs::create_directories(base / "in" / "sub");
  fs::create_directories(base / "inner_not");
  std::ofstream(base / "secret") << "x";
  fs::create_symlink(base / "secret", base / "in" / "link");
  fs::create_symlink(base, base / "in" / "up");
  fs::create_symlink(base / "in" / "sub", base / "in" / "fine");
  const Roots roots({base / "in"});
  const fs::path root = roots.all().front();
  EXPECT_EQ(roots.allow("a.json"), root / "a.json");
  EXPECT_EQ(roots.allow("sub/../b"), root / "b");
  EXPECT_EQ(roots.allow("fine/c"), root / "sub/c");
  EXPECT_EQ(roots.allow(root), root);
  EXPECT_EQ(roots.allow("../x", root / "sub"), root / "x");
  for (const fs::path& bad : {fs::path("../secret"), base / "secret", fs::path("link"), fs::path("up/secret"),
                              fs::path("up/in/../secret"), fs::path("/etc/passwd"), base / "inner_not" / "x"}) {
    try {
      roots.allow(bad);
      ADD_FAILURE() << bad;
    } catch (const HttpError& e) {
      EXPECT_EQ(e.status(), 403);
    }
  }
  EXPECT_THROW(Roots({base / "none"}), Error);
  EXPECT_THROW(Roots({}), Error);
  fs::remove_all(base);
}

TEST(Addresses, AreDecoded) {
  EXPECT_EQ(decode_url("a%2Fb+c"), "a/b+c");
  EXPECT_EQ(decode_url("a+b%2b", true), "a b+");
  EXPECT_EQ(encode_url("a b/c%"), "a%20b/c%25");
  for (const char* bad : {"%", "%1", "%g0", "%00"}) EXPECT_THROW(decode_url(bad), Error) << bad;
  Request r;
  parse_target("/x?a=1&b&c=%3D&&a=2", r);
  EXPECT_EQ(r.param("a"), "1");
  EXPECT_TRUE(r.has("b"));
  EXPECT_EQ(r.param("c"), "=");
  EXPECT_THROW(parse_target("http://evil/", r), Error);
}

}  // namespace
}  // namespace larmor::server
