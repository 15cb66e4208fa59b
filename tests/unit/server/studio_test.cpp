// SPDX-License-Identifier: Apache-2.0
#include <random>
#include <thread>

#include "studio_fixture.hpp"

namespace larmor::server {
namespace {

using test::Client;

TEST_F(StudioTest, EveryRouteIsDescribedAndItsExampleWorks) {
  const json described = api("GET", "/api/openapi.json").body;
  const std::string g = open({{"show", node("test.ramp")}});
  ASSERT_TRUE(settled(g, "show", "done"));
  std::size_t n = 0;
  for (const auto& route : studio->router().routes()) {
    std::string method = route.method, target = route.path;
    for (char& c : method) c = static_cast<char>(std::tolower(c));
    const json& o = described.at("paths").at(route.path).at(method);
    EXPECT_FALSE(o["summary"].get<std::string>().empty());
    EXPECT_TRUE(o["responses"].contains("200"));
    ++n;
    if (route.id == "closeGraph") continue;  // last
    for (const auto& [name, to] : {std::pair<std::string, std::string>{"{g}", g}, {"{n}", "1"}})
      if (const auto at = target.find(name); at != std::string::npos) target.replace(at, name.size(), to);
    if (o.contains("parameters"))
      for (const auto& p : o["parameters"])
        if (p["in"] == "query" && p.contains("example"))
          target += (target.find('?') == std::string::npos ? "?" : "&") + p["name"].get<std::string>() + "=" +
                    p["example"].get<std::string>();
    json body;
    if (o.contains("requestBody")) body = o["requestBody"]["content"]["application/json"].at("example");
    const auto a = test::ask(server->port(), route.method, target, body.is_null() ? "" : body.dump());
    EXPECT_EQ(a.status, 200) << route.method << " " << target << "\n" << a.body;
    if (route.type != "application/json" || route.reply.find("required") == std::string::npos) continue;
    const json promised = json::parse(route.reply).value("required", json::array());
    for (const auto& key : promised) EXPECT_TRUE(json::parse(a.body).contains(key)) << route.id << " " << key;
  }
  EXPECT_GE(n, 22u);
  EXPECT_EQ(api("DELETE", "/api/graphs/" + g).status, 200);
  EXPECT_EQ(api("GET", "/api/graphs/" + g).status, 404);
}

TEST_F(StudioTest, EditsAreCheckedNumberedAndTakenBack) {
  const std::string g = open({{"n", node("test.number", {{"value", 2}})}});
  EXPECT_EQ(patch(g, {replace("/nodes/n/settings/value", 5)}, {{"label", "value"}}).body["rev"], 2);
  EXPECT_EQ(patch(g, {replace("/nodes/none/settings/value", 5)}).status, 409);
  EXPECT_EQ(patch(g, {replace("/nodes", 7)}).status, 400);  // no graph
  EXPECT_EQ(patch(g, "no patch").status, 400);
  EXPECT_EQ(api("PATCH", "/api/graphs/" + g, {{"label", "x"}}).status, 400);
  EXPECT_EQ(api("PATCH", "/api/graphs/none", {{"patch", json::array()}}).status, 404);
  json s = state(g);
  EXPECT_EQ(s["rev"], 2);
  EXPECT_EQ(s["undo"], "value");
  EXPECT_TRUE(s["redo"].is_null());
  EXPECT_EQ(api("POST", "/api/graphs/" + g + "/undo", json::object()).body["label"], "value");
  s = state(g);
  EXPECT_EQ(s["graph"]["nodes"]["n"]["settings"]["value"], 2);
  EXPECT_EQ(s["redo"], "value");
  EXPECT_EQ(api("POST", "/api/graphs/" + g + "/undo").status, 409);
  EXPECT_EQ(api("POST", "/api/graphs/" + g + "/redo").status, 200);
  EXPECT_EQ(state(g)["graph"]["nodes"]["n"]["settings"]["value"], 5);
  for (int i = 0; i < 10; ++i)
    patch(g, {replace("/nodes/n/settings/value", 10 + i)}, {{"label", "drag"}, {"merge", "d1"}});
  api("POST", "/api/graphs/" + g + "/undo");
  EXPECT_EQ(state(g)["graph"]["nodes"]["n"]["settings"]["value"], 5);
}

TEST_F(StudioTest, TwoClientsStayInStepAndResume) {
  const std::string g = open({{"n", node("test.number")}});
  ASSERT_TRUE(settled(g, "n", "done"));
  const auto is_patch = [](const json& m) { return m["t"] == "patch"; };
  Client a(server->port());
  ASSERT_EQ(a.upgrade("/api/events?graph=" + g + "&client=a"), 101);
  std::uint64_t seen = 0;
  {
    Client b(server->port());
    ASSERT_EQ(b.upgrade("/api/events?graph=" + g + "&client=b"), 101);
    ASSERT_TRUE(soon([&] { return api("GET", "/api/graphs").body[0]["clients"] == 2; }));
    patch(g, {replace("/nodes/n", node("test.number", {{"value", 7}}))}, {{"client", "a"}, {"label", "seven"}});
    const json at_a = until(a, is_patch).back(), at_b = until(b, is_patch).back();
    EXPECT_EQ(at_a, at_b);
    EXPECT_EQ(at_a["rev"], 2);
    EXPECT_EQ(at_a["client"], "a");
    EXPECT_EQ(at_a["undo"], "seven");
    EXPECT_EQ(at_a["patch"][0]["path"], "/nodes/n");
    seen = at_b["seq"];
  }
  // b is away; what it missed comes when it is back.
  patch(g, {add("/title", "missed")});
  api("POST", "/api/graphs/" + g + "/undo");
  Client b(server->port());
  ASSERT_EQ(b.upgrade("/api/events?graph=" + g + "&client=b&since=" + std::to_string(seen)), 101);
  const auto first = until(b, is_patch), second = until(b, is_patch);
  EXPECT_EQ(first.back()["rev"], 3);
  EXPECT_EQ(second.back()["rev"], 4);
  EXPECT_EQ(second.back()["patch"], json::parse(R"([{"op":"remove","path":"/title"}])"));
  Client old(server->port());
  ASSERT_EQ(old.upgrade("/api/events?graph=" + g + "&since=12"), 101);
  EXPECT_EQ(json::parse(*old.text())["t"], "reset");
  old.send_text(R"({"t":"ping"})");
  EXPECT_EQ(until(old, [](const json& m) { return m["t"] == "pong"; }).back()["t"], "pong");
  EXPECT_EQ(Client(server->port()).upgrade("/api/events?graph=none"), 404);
  EXPECT_EQ(Client(server->port()).upgrade("/elsewhere"), 404);
}

TEST_F(StudioTest, AnEditRunsWhatDependsOnItAndNothingElse) {
  const std::string g = open({{"a", node("test.number", {{"value", 1}})},
                              {"b", node("test.number", {{"value", 2}})},
                              {"c", node("test.number", {{"value", 4}})},
                              {"ab", node("test.add")},
                              {"bc", node("test.add")}},
                             {{"ab.a", "a.out"}, {"ab.b", "b.out"}, {"bc.a", "b.out"}, {"bc.b", "c.out"}});
  ASSERT_TRUE(settled(g, "bc", "done"));
  EXPECT_EQ(value(g, "ab.out"), 3);
  patch(g, {replace("/nodes/c/settings/value", 10)});
  ASSERT_TRUE(soon([&] { return value(g, "bc.out") == 12; }));
  ASSERT_TRUE(settled(g, "bc", "done"));
  const json runs = api("GET", "/api/graphs/" + g + "/runs").body;
  const json last = api("GET", "/api/graphs/" + g + "/runs/" + runs.back()["run"].dump()).body;
  EXPECT_EQ(last["ran"], 2) << last.dump(1);  // c and bc
  EXPECT_EQ(last["nodes"]["ab"]["state"], "cached");
  // Moving a node runs nothing.
  patch(g, {add("/nodes/c/at", {5, 5})});
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(api("GET", "/api/graphs/" + g + "/runs").body.size(), runs.size());
  // By hand: the change only marks what is out of date.
  api("PUT", "/api/graphs/" + g + "/auto", {{"on", false}});
  patch(g, {replace("/nodes/a/settings/value", 3)});
  ASSERT_TRUE(soon([&] { return state_of(g, "ab") == "idle"; }));
  EXPECT_EQ(state_of(g, "bc"), "done");
  api("POST", "/api/graphs/" + g + "/run", {{"targets", {"ab"}}});
  ASSERT_TRUE(settled(g, "ab", "done"));
  EXPECT_EQ(value(g, "ab.out"), 5);
  EXPECT_EQ(api("POST", "/api/graphs/" + g + "/run", {{"targets", {"none"}}}).status, 404);
  EXPECT_EQ(api("GET", "/api/graphs/" + g + "/runs/999").status, 404);
  EXPECT_EQ(api("GET", "/api/graphs/" + g + "/runs/x").status, 400);
}

TEST_F(StudioTest, ARunThatAnEditMakesStaleIsCancelled) {
  const std::string g =
      open({{"a", node("test.number")}, {"s", node("test.slow", {{"seconds", 30}})}}, {{"s.a", "a.out"}});
  ASSERT_TRUE(soon([&] { return state_of(g, "s") == "running"; }));
  const auto start = std::chrono::steady_clock::now();
  patch(g, {replace("/nodes/s/settings/seconds", 0)});
  ASSERT_TRUE(settled(g, "s", "done"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  patch(g, {replace("/nodes/s/settings/seconds", 31)});
  ASSERT_TRUE(soon([&] { return state_of(g, "s") == "running"; }));
  api("POST", "/api/graphs/" + g + "/cancel");
  EXPECT_TRUE(settled(g, "s", "cancelled"));
}

TEST_F(StudioTest, ErrorsOfNodesAreTold) {
  const std::string g = open({{"f", node("test.fail")}, {"n", node("test.number")}});
  ASSERT_TRUE(settled(g, "f", "error"));
  const json s = state(g);
  EXPECT_EQ(s["nodes"]["f"]["error"], "it does not converge");
  EXPECT_EQ(s["nodes"]["f"]["advice"], "start elsewhere");
  EXPECT_EQ(s["nodes"]["n"]["state"], "done");
  const json log = api("GET", "/api/graphs/" + g + "/log").body;
  ASSERT_FALSE(log.empty());
  EXPECT_EQ(log[0]["node"], "f");
  EXPECT_EQ(api("GET", "/api/graphs/" + g + "/log?since=" + log.back()["n"].dump()).body.size(), 0u);
  EXPECT_EQ(api("GET", "/api/graphs/" + g + "/value?port=f.out").status, 404);
  patch(g, {add("/nodes/bad", node("no.such"))});
  ASSERT_TRUE(soon([&] {
    const json now = state(g);
    for (const auto& i : now["issues"])
      if (i["code"] == "unknown_op" && i["node"] == "bad") return true;
    return false;
  }));
}

TEST_F(StudioTest, FilesAreWrittenOnlyWhenSomebodySaysRun) {
  const std::string g =
      open({{"n", node("test.number", {{"value", 6}})}, {"w", node("test.write")}}, {{"w.a", "n.out"}});
  ASSERT_TRUE(settled(g, "n", "done"));
  EXPECT_FALSE(fs::exists(dir / "work" / "out.txt"));
  api("POST", "/api/graphs/" + g + "/run");
  ASSERT_TRUE(settled(g, "w", "done"));
  EXPECT_TRUE(fs::exists(dir / "work" / "out.txt"));
}

TEST_F(StudioTest, AGraphReachesNoFileOutsideTheRoots) {
  fs::create_symlink(dir / "secret.txt", dir / "work" / "link.txt");
  const std::string secret = (dir / "secret.txt").string();
  const std::string g = open({{"good", node("test.read", {{"path", "open.txt"}})},
                              {"plain", node("test.read", {{"path", secret}})},
                              {"dots", node("test.read", {{"path", "../secret.txt"}})},
                              {"link", node("test.read", {{"path", "link.txt"}})},
                              {"text", node("test.text", {{"text", secret}})},
                              {"wired", {{"op", "test.read"}, {"ports", {"path"}}}},
                              {"n", node("test.number")},
                              {"out", node("test.write", {{"path", (dir / "written.txt").string()}})}},
                             {{"wired.path", "text.out"}, {"out.a", "n.out"}});
  api("POST", "/api/graphs/" + g + "/run");
  ASSERT_TRUE(settled(g, "out", "error"));
  EXPECT_EQ(value(g, "good.out"), "open");
  for (const char* id : {"plain", "dots", "link", "wired", "out"}) EXPECT_EQ(state_of(g, id), "error") << id;
  EXPECT_FALSE(fs::exists(dir / "written.txt"));
  for (const std::string path : {"..", "/etc", "link.txt/..", "/etc/passwd"})
    EXPECT_EQ(api("GET", "/api/files?path=" + path).status / 100, 4) << path;
  EXPECT_EQ(api("GET", "/api/files?path=/etc").status, 403);
  EXPECT_EQ(api("POST", "/api/graphs", {{"path", "/etc/passwd"}}).status, 403);
  EXPECT_EQ(api("POST", "/api/graphs", {{"path", "none.json"}}).status, 404);
  EXPECT_EQ(api("POST", "/api/graphs", {{"path", "open.txt"}}).status, 400);
  EXPECT_EQ(api("POST", "/api/graphs/" + g + "/save", {{"path", "../evil.json"}}).status, 403);
  json names = json::array();
  const json listed = api("GET", "/api/files").body;
  for (const auto& e : listed["entries"]) names.push_back(e["name"]);
  EXPECT_EQ(names, json({"open.txt"}));  // the link leads outside
}

TEST_F(StudioTest, TheCatalogueSaysWhatThingsAreCalled) {
  const json all = api("GET", "/api/catalogue").body;
  EXPECT_EQ(all["categories"]["dce"]["title"], "DCE");
  EXPECT_EQ(all["categories"]["io"]["title"], "Files");
  EXPECT_EQ(all["categories"]["test"]["title"], "Test");  // nobody has given it a name
  for (const auto& op : all["ops"]) EXPECT_TRUE(all["categories"].contains(op["category"])) << op["id"];
  // Graphs come whole: a node that stands for one can be entered.
  const auto& graphs = all["graphs"];
  const auto sum = std::find_if(graphs.begin(), graphs.end(), [](const json& g) { return g["name"] == "sum"; });
  ASSERT_NE(sum, graphs.end());
  EXPECT_EQ((*sum)["graph"]["nodes"]["n"]["op"], "test.number");
}

TEST_F(StudioTest, SavesOpensAndJoins) {
  const std::string g = open({{"n", node("test.number", {{"value", 4}})}});
  EXPECT_EQ(api("POST", "/api/graphs/" + g + "/save", json::object()).status, 400);  // where?
  const json saved = api("POST", "/api/graphs/" + g + "/save", {{"path", "mine"}}).body;
  EXPECT_EQ(saved["path"], (fs::canonical(dir / "work") / "mine.json").string());
  const json again = api("POST", "/api/graphs", {{"path", "mine.json"}}).body;
  EXPECT_EQ(again["id"], g);  // open already
  patch(g, {replace("/nodes/n/settings/value", 5)});
  EXPECT_NE(state(g)["rev"], state(g)["saved_rev"]);
  api("POST", "/api/graphs/" + g + "/save");
  EXPECT_EQ(state(g)["rev"], state(g)["saved_rev"]);
  api("DELETE", "/api/graphs/" + g);
  const json opened = api("POST", "/api/graphs", {{"path", "mine.json"}}).body;
  EXPECT_EQ(opened["graph"]["nodes"]["n"]["settings"]["value"], 5);
  EXPECT_EQ(opened["id"], "mine");
  const json example = api("POST", "/api/graphs", {{"example", "sum"}}).body;
  EXPECT_EQ(example["path"], "");
  EXPECT_EQ(example["graph"]["title"], "Sum");
  EXPECT_EQ(api("POST", "/api/graphs", {{"example", "sun"}}).status, 404);
  EXPECT_EQ(api("POST", "/api/graphs", json::object()).status, 400);
}

TEST_F(StudioTest, WhatWasNotSavedComesBackAfterACrash) {
  std::ofstream(dir / "work" / "f.json") << R"({"larmor":1,"nodes":{"n":{"op":"test.number"}}})";
  api("POST", "/api/graphs", {{"path", "f.json"}});
  open({{"m", node("test.number", {{"value", 8}})}});
  patch("f", {add("/title", "unsaved")});
  patch("untitled", {add("/title", "never saved")});
  for (const auto& s : studio->sessions()) s->write_recovery();
  // A crash: the copies and the lock file stay, the lock itself does not.
  const fs::path kept = dir / "kept";
  fs::copy(dir / "cache", kept, fs::copy_options::recursive);
  stop();
  fs::remove_all(dir / "cache");
  fs::rename(kept, dir / "cache");
  start();
  EXPECT_EQ(state("f")["graph"]["title"], "unsaved");
  EXPECT_EQ(state("f")["undo"], "restored unsaved changes");
  api("POST", "/api/graphs/f/undo");
  EXPECT_FALSE(state("f")["graph"].contains("title"));  // as it is in the file
  EXPECT_EQ(state("untitled")["graph"]["title"], "never saved");
  EXPECT_NE(state("untitled")["rev"], state("untitled")["saved_rev"]);
}

TEST_F(StudioTest, StrangersAreKeptOut) {
  Client c(server->port());
  const auto ask = [&](const std::string& headers) {
    Client one(server->port());
    one.send("GET /api/version HTTP/1.1\r\n" + headers + "\r\n");
    return one.answer()->status;
  };
  EXPECT_EQ(ask("Host: 127.0.0.1\r\n"), 200);
  EXPECT_EQ(ask("Host: evil.example\r\n"), 403);
  EXPECT_EQ(ask("Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n"), 403);
  EXPECT_EQ(Client(server->port()).upgrade("/api/events?graph=x", "Origin: http://evil.example\r\n"), 403);
  // A form of a page elsewhere cannot say that it sends JSON.
  const auto form =
      test::ask(server->port(), "POST", "/api/graphs", R"({"graph":{"larmor":1}})", "Content-Type: text/plain\r\n");
  EXPECT_EQ(form.status, 415);
}

TEST_F(StudioTest, WithATokenNobodyGetsInWithoutIt) {
  stop();
  token = "let-me-in";
  start();
  EXPECT_EQ(api("GET", "/api/graphs").status, 403);
  EXPECT_EQ(api("GET", "/api/graphs?token=let-me-im").status, 403);
  EXPECT_EQ(api("GET", "/api/graphs?token=let-me-in").status, 200);
  EXPECT_EQ(test::ask(server->port(), "GET", "/api/graphs", "", "Authorization: Bearer let-me-in\r\n").status, 200);
  EXPECT_EQ(Client(server->port()).upgrade("/api/events?graph=x"), 403);
  EXPECT_EQ(Client(server->port()).upgrade("/api/events?graph=x&token=let-me-in"), 404);
  EXPECT_EQ(test::ask(server->port(), "GET", "/").status, 200);
}

TEST_F(StudioTest, AFloodOfEverythingLeavesItStanding) {
  const std::string g = open({{"r", node("test.ramp")}, {"n", node("test.number")}});
  ASSERT_TRUE(settled(g, "r", "done"));
  const std::string base = "/api/graphs/" + g;
  std::vector<std::string> targets{base,
                                   base + "/array?port=r.out",
                                   base + "/statistics?port=r.out",
                                   base + "/value?port=r.out",
                                   base + "/form?node=n",
                                   base + "/runs",
                                   "/api/catalogue",
                                   "/api/files",
                                   "/api/openapi.json",
                                   base + "/download?port=r.out&format=npy"};
  std::atomic<int> crashed{0};
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < 150; ++i) try {
          std::string target = targets[random() % targets.size()];
          if (random() % 2) target += "&at=z:" + std::to_string(static_cast<int>(random() % 9) - 3);
          if (random() % 3 == 0)
            target += "&axes=y,x&shape=polygon:1:1:5:2:3:8&range=x:2:" + std::to_string(random() % 20);
          if (random() % 5 == 0) target.insert(random() % target.size(), 1, static_cast<char>('!' + random() % 90));
          const std::string method = random() % 4 ? "GET" : random() % 2 ? "POST" : "PATCH";
          std::string body = R"({"patch":[{"op":"add","path":"/nodes/q","value":{"op":"test.number","at":[1,2]}}]})";
          for (unsigned k = random() % 4; k > 0; --k)
            body[random() % body.size()] = static_cast<char>(' ' + random() % 94);
          const auto a = test::ask(server->port(), method, target, method == "GET" ? "" : body);
          crashed += a.status == 500;
        } catch (const std::exception&) {  // closed: that is allowed
        }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(crashed, 0);
  EXPECT_EQ(api("GET", "/api/version").status, 200);
  EXPECT_EQ(state(g)["id"], g);
}

}  // namespace
}  // namespace larmor::server
