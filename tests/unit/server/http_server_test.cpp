// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <random>
#include <server/guard.hpp>
#include <server/http_server.hpp>
#include <thread>

#include "client.hpp"

namespace larmor::server {
namespace {

using test::ask;
using test::Client;
using namespace std::chrono_literals;

/// Echoes; /slow takes its time on the heavy pool, /large answers more than the buffers of the system hold.
struct Echo {
  std::atomic<int> release{0}, slow{0}, opened{0}, closed{0};
  std::mutex mutex;
  std::shared_ptr<Socket> socket;

  Handlers handlers() {
    Handlers h;
    h.admit = [](const Request& r) -> std::optional<Response> {
      if (r.path == "/forbidden") return error_response(403, "origin", "no");
      return std::nullopt;
    };
    h.heavy = [](const Request& r) { return r.path == "/slow"; };
    h.answer = [this](const Request& r) {
      if (r.path == "/slow") {
        ++slow;
        while (!release) std::this_thread::sleep_for(1ms);
      }
      if (r.path == "/throw") throw Error(Errc::shape, "64 for 65", "give 64");
      if (r.path == "/crash") throw std::runtime_error("unforeseen");
      Response out;
      out.type = "text/plain";
      out.body = r.path == "/large" ? std::string(std::size_t{64} << 20, 'x') : r.method + " " + r.path + " " + r.body;
      return out;
    };
    h.opened = [this](const Request&, const std::shared_ptr<Socket>& s) {
      std::lock_guard lock(mutex);
      socket = s;
      ++opened;
      s->send(std::string("hello"));
    };
    h.message = [](Socket& s, std::string_view text) { s.send("echo " + std::string(text)); };
    h.closed = [this](Socket&) { ++closed; };
    return h;
  }
  template <class F>
  static bool soon(F&& f, std::chrono::milliseconds most = 5s) {
    for (const auto end = std::chrono::steady_clock::now() + most; std::chrono::steady_clock::now() < end;) {
      if (f()) return true;
      std::this_thread::sleep_for(2ms);
    }
    return f();
  }
};

TEST(HttpServer, AnswersAndKeepsTheConnection) {
  Echo echo;
  HttpServer server({}, echo.handlers());
  Client c(server.port());
  for (int i = 0; i < 3; ++i) {
    const auto a = c.ask("POST", "/a%20b?x=1", "body");
    EXPECT_EQ(a.status, 200);
    EXPECT_EQ(a.body, "POST /a b body");
  }
  EXPECT_EQ(server.connections(), 1);
  c.send("HEAD /x HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  c.more();
  EXPECT_TRUE(c.rest().ends_with("\r\n\r\n")) << c.rest();  // the length, and nothing of it
}

TEST(HttpServer, ErrorsOfHandlersAreAnswers) {
  Echo echo;
  HttpServer server({}, echo.handlers());
  Client c(server.port());
  const auto a = c.ask("GET", "/throw");
  EXPECT_EQ(a.status, 400);
  EXPECT_EQ(a.body, R"({"error":{"advice":"give 64","code":"shape","message":"64 for 65","where":[]}})");
  EXPECT_EQ(c.ask("GET", "/crash").status, 500);
  EXPECT_EQ(c.ask("GET", "/%zz").status, 400);
  EXPECT_EQ(ask(server.port(), "GET", "/a%00b").status, 400);
  EXPECT_EQ(ask(server.port(), "POST", "/forbidden", "body").status, 403);
}

TEST(HttpServer, LimitsHeadersAndBodies) {
  Echo echo;
  HttpOptions o;
  o.body_limit = 1000;
  HttpServer server(o, echo.handlers());
  EXPECT_EQ(ask(server.port(), "POST", "/", std::string(1000, 'x')).status, 200);
  EXPECT_EQ(ask(server.port(), "POST", "/", std::string(1001, 'x')).status, 413);
  EXPECT_EQ(ask(server.port(), "GET", "/", {}, "X: " + std::string(70000, 'x') + "\r\n").status, 431);
  EXPECT_EQ(ask(server.port(), "GET", "/").status, 200);
}

TEST(HttpServer, LongWorkHoldsUpNobody) {
  Echo echo;
  HttpOptions o;
  o.heavy_threads = 2;
  HttpServer server(o, echo.handlers());
  Client a(server.port()), b(server.port()), c(server.port());
  for (auto* x : {&a, &b, &c}) x->send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(Echo::soon([&] { return echo.slow == 2; }));  // the third waits for a thread
  for (int i = 0; i < 20; ++i) EXPECT_EQ(ask(server.port(), "GET", "/quick").status, 200);
  EXPECT_EQ(echo.slow, 2);
  echo.release = 1;
  for (auto* x : {&a, &b, &c}) EXPECT_EQ(x->answer()->status, 200);
}

TEST(HttpServer, ClosesSlowHeadersBodiesAndReaders) {
  Echo echo;
  HttpOptions o;
  o.header_time = o.body_time = o.stall_time = 200ms;
  HttpServer server(o, echo.handlers());
  Client header(server.port()), body(server.port()), reader(server.port());
  header.send("GET / HT");
  body.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nab");
  reader.send("GET /large HTTP/1.1\r\nHost: h\r\n\r\n");  // and never reads
  EXPECT_TRUE(header.closed_within(2000));
  EXPECT_TRUE(body.closed_within(2000));
  EXPECT_TRUE(Echo::soon([&] { return server.connections() == 0; }));
}

TEST(HttpServer, ADripOfHeaderBytesDoesNotBuyTime) {
  Echo echo;
  HttpOptions o;
  o.header_time = 300ms;
  HttpServer server(o, echo.handlers());
  Client c(server.port());
  c.send("GET / HTTP/1.1\r\n");
  const auto start = std::chrono::steady_clock::now();
  while (c.send("X: y\r\n") && !c.closed_within(50) && std::chrono::steady_clock::now() - start < 5s) continue;
  EXPECT_LT(std::chrono::steady_clock::now() - start, 2s);
}

TEST(HttpServer, WhenFullTheLongestWaitingGoes) {
  Echo echo;
  HttpOptions o;
  o.max_connections = 8;
  HttpServer server(o, echo.handlers());
  std::vector<std::unique_ptr<Client>> idle;
  for (int i = 0; i < 8; ++i) {
    idle.push_back(std::make_unique<Client>(server.port()));
    ASSERT_TRUE(Echo::soon([&] { return server.connections() == i + 1; }));
  }
  EXPECT_EQ(ask(server.port(), "GET", "/").status, 200);
  EXPECT_TRUE(idle.front()->closed_within(1000));
  EXPECT_EQ(idle.back()->ask("GET", "/").status, 200);
}

TEST(HttpServer, GarbageIsRefusedAndTheServerStaysUp) {
  Echo echo;
  HttpServer server({}, echo.handlers());
  EXPECT_EQ(
      [&] {
        Client c(server.port());
        c.send("\x16\x03\x01 no HTTP at all\r\n\r\n");
        return c.answer()->status;
      }(),
      400);
  std::mt19937 random(7);  // fixed: a failure can be repeated
  const std::string good =
      "POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\nbody";
  for (int i = 0; i < 300; ++i) {
    std::string text = good;
    for (int k = 0; k < 1 + i % 6; ++k) {
      const auto at = random() % text.size();
      if (random() % 3 == 0)
        text.erase(at, 1 + random() % 5);
      else if (random() % 2)
        text.insert(at, 1, static_cast<char>(random()));
      else
        text[at] = static_cast<char>(random());
    }
    Client c(server.port());
    c.send(text);
    c.more(2);
  }
  EXPECT_EQ(ask(server.port(), "GET", "/").status, 200);
}

TEST(WebSockets, EchoAndClose) {
  Echo echo;
  HttpServer server({}, echo.handlers());
  {
    Client c(server.port());
    ASSERT_EQ(c.upgrade("/ws"), 101);
    EXPECT_EQ(c.text(), "hello");
    c.send_text("abc");
    EXPECT_EQ(c.text(), "echo abc");
    const std::string longer(60000, 'y');
    c.send_text(longer);
    EXPECT_TRUE(c.text() == "echo " + longer);
  }
  EXPECT_TRUE(Echo::soon([&] { return echo.closed == 1; }));
}

TEST(WebSockets, TooLargeAndTooManyMessagesCloseOnlyTheirSender) {
  Echo echo;
  HttpOptions o;
  o.messages_per_second = 50;
  HttpServer server(o, echo.handlers());
  Client good(server.port()), large(server.port()), flood(server.port());
  for (auto* c : {&good, &large, &flood}) {
    ASSERT_EQ(c->upgrade("/ws"), 101);
    ASSERT_EQ(c->text(), "hello");
  }
  large.send_text(std::string(70000, 'x'));
  EXPECT_TRUE(large.closed_within(3000));
  for (int i = 0; i < 200 && flood.send_text("x"); ++i) continue;
  EXPECT_TRUE(flood.closed_within(3000));
  good.send_text("still there");
  EXPECT_EQ(good.text(), "echo still there");
}

TEST(WebSockets, OneThatDoesNotReadIsDroppedAndOthersAreNot) {
  Echo echo;
  HttpOptions o;
  o.queue_bytes = 1 << 20;
  HttpServer server(o, echo.handlers());
  Client stuck(server.port());
  ASSERT_EQ(stuck.upgrade("/ws"), 101);
  ASSERT_TRUE(Echo::soon([&] { return echo.opened == 1; }));
  std::shared_ptr<Socket> socket = echo.socket;
  const auto text = std::make_shared<const std::string>(100000, 'z');
  for (int i = 0; i < 2000 && socket->open(); ++i) {
    socket->send(text);
    std::this_thread::sleep_for(100us);
  }
  EXPECT_TRUE(Echo::soon([&] { return !socket->open(); }));
  EXPECT_EQ(ask(server.port(), "GET", "/").status, 200);
}

TEST(WebSockets, BrokenFramesAreRefusedAndTheServerStaysUp) {
  Echo echo;
  HttpOptions o;
  o.max_sockets = 1000;
  HttpServer server(o, echo.handlers());
  std::mt19937 random(11);
  for (int i = 0; i < 150; ++i) {
    Client c(server.port());
    ASSERT_EQ(c.upgrade("/ws"), 101);
    std::string junk(1 + random() % 40, '\0');
    for (char& x : junk) x = static_cast<char>(random());
    if (i % 3 == 0) junk[0] = '\x81';
    c.send(junk);
    c.more(2);
  }
  Client c(server.port());
  ASSERT_EQ(c.upgrade("/ws"), 101);
  EXPECT_EQ(c.text(), "hello");
}

TEST(HttpServer, StopsWithClientsConnected) {
  Echo echo;
  auto server = std::make_unique<HttpServer>(HttpOptions{}, echo.handlers());
  Client idle(server->port()), half(server->port()), socket(server->port());
  half.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nab");
  ASSERT_EQ(socket.upgrade("/ws"), 101);
  const auto start = std::chrono::steady_clock::now();
  server.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, 3s);
  EXPECT_TRUE(idle.closed_within(1000));
}

TEST(HttpServer, AnAddressThatIsTakenIsAnError) {
  Echo echo;
  HttpServer first({}, echo.handlers());
  HttpOptions o;
  o.port = first.port();
  EXPECT_THROW(HttpServer(o, echo.handlers()), Error);
  o.host = "no.such.host.invalid";
  EXPECT_THROW(HttpServer(o, echo.handlers()), Error);
}

Request request(const std::string& path, Pairs headers) {
  Request r;
  parse_target(path, r);
  r.headers = std::move(headers);
  return r;
}

TEST(Guard, AnswersOnlyToItsOwnNameAndItsOwnPages) {
  const Guard g;
  const auto ok = [&](Pairs h) { return !g.admit(request("/api/version", std::move(h))); };
  EXPECT_TRUE(ok({{"host", "127.0.0.1:8090"}}));
  EXPECT_TRUE(ok({{"host", "localhost"}, {"origin", "http://localhost:5173"}}));
  EXPECT_TRUE(ok({{"host", "[::1]:8090"}, {"origin", "http://[::1]:8090"}}));
  EXPECT_FALSE(ok({}));
  EXPECT_FALSE(ok({{"host", "evil.example:8090"}}));  // DNS rebinding
  EXPECT_FALSE(ok({{"host", "127.0.0.1.evil.example"}}));
  EXPECT_FALSE(ok({{"host", "127.0.0.1"}, {"origin", "https://evil.example"}}));
  EXPECT_FALSE(ok({{"host", "127.0.0.1"}, {"origin", "https://localhost.evil.example"}}));
  EXPECT_FALSE(ok({{"host", "127.0.0.1"}, {"origin", "null"}}));
  EXPECT_FALSE(ok({{"host", "127.0.0.1"}, {"sec-fetch-site", "cross-site"}}));
}

TEST(Guard, AsksForTheTokenOfTheApiOnly) {
  const Guard g{"secret"};
  const Pairs host{{"host", "station.example:80"}};
  EXPECT_FALSE(g.admit(request("/index.html", host)));
  EXPECT_TRUE(g.admit(request("/api/version", host)));
  EXPECT_TRUE(g.admit(request("/api/version?token=secre", host)));
  EXPECT_TRUE(g.admit(request("/api/version?token=secreT", host)));
  EXPECT_FALSE(g.admit(request("/api/version?token=secret", host)));
  EXPECT_FALSE(g.admit(request("/api/version", {{"host", "x"}, {"authorization", "Bearer secret"}})));
  EXPECT_FALSE(equal_secret("", "secret"));
  EXPECT_FALSE(equal_secret("secretsecret", "secret"));
  EXPECT_NE(random_token(), random_token());
  EXPECT_EQ(random_token(40).size(), 40u);
}

}  // namespace
}  // namespace larmor::server
