// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <server/document.hpp>
#include <server/http.hpp>
#include <server/router.hpp>

namespace larmor::server {
namespace {

using namespace std::chrono_literals;

json j(const char* text) { return json::parse(text); }
const json start = j(R"({"nodes":{"a":{"at":[1,2],"settings":{"k":1}},"b":{}},"list":[1,2,3],"x/y":{"~":5}})");

TEST(JsonPatch, DoesWhatRfc6902Says) {
  struct Case {
    const char *patch, *pointer, *value;
  };
  const Case cases[] = {
      {R"([{"op":"add","path":"/nodes/c","value":{"op":"x"}}])", "/nodes/c/op", R"("x")"},
      {R"([{"op":"add","path":"/list/1","value":9}])", "/list", "[1,9,2,3]"},
      {R"([{"op":"add","path":"/list/-","value":9}])", "/list", "[1,2,3,9]"},
      {R"([{"op":"remove","path":"/list/0"}])", "/list", "[2,3]"},
      {R"([{"op":"replace","path":"/nodes/a/at","value":[5,6]}])", "/nodes/a/at", "[5,6]"},
      {R"([{"op":"move","from":"/nodes/a","path":"/nodes/z"}])", "/nodes/z/settings/k", "1"},
      {R"([{"op":"move","from":"/list/0","path":"/list/2"}])", "/list", "[2,3,1]"},
      {R"([{"op":"move","from":"/nodes/a","path":"/nodes/b"}])", "/nodes/b/at", "[1,2]"},
      {R"([{"op":"copy","from":"/nodes/a","path":"/nodes/z"}])", "/nodes/a/at", "[1,2]"},
      {R"([{"op":"test","path":"/x~1y/~0","value":5},{"op":"replace","path":"/x~1y/~0","value":6}])", "/x~1y/~0", "6"},
      {R"([{"op":"replace","path":"","value":{"only":1}}])", "/only", "1"},
  };
  for (const auto& c : cases) {
    json d = start;
    const json inverse = apply_patch(d, j(c.patch));
    EXPECT_EQ(d.at(json::json_pointer(c.pointer)), j(c.value)) << c.patch;
    EXPECT_EQ(d, start.patch(j(c.patch))) << c.patch;  // another implementation agrees
    apply_patch(d, inverse);
    EXPECT_EQ(d, start) << c.patch;
  }
}

TEST(JsonPatch, OnePartThatFailsTakesAllBack) {
  for (const char* patch : {
           R"([{"op":"add","path":"/nodes/c","value":1},{"op":"remove","path":"/nodes/none"}])",
           R"([{"op":"remove","path":"/nodes/a"},{"op":"test","path":"/list/0","value":7}])",
           R"([{"op":"replace","path":"/list/0","value":0},{"op":"add","path":"/list/9","value":1}])",
           R"([{"op":"replace","path":"/list/01","value":0}])",
           R"([{"op":"move","from":"/nodes","path":"/nodes/a/deeper"}])",
           R"([{"op":"move","from":"/list/0","path":"/none/0"}])",
           R"([{"op":"add","path":"/list/0/deeper","value":1}])",
       }) {
    json d = start;
    try {
      apply_patch(d, j(patch));
      ADD_FAILURE() << patch;
    } catch (const HttpError& e) {
      EXPECT_EQ(e.status(), 409) << patch;
    }
    EXPECT_EQ(d, start) << patch;
  }
}

TEST(JsonPatch, WhatIsNoPatchIsRefused) {
  for (const char* patch : {R"({"op":"add"})", R"([5])", R"([{"op":"add","path":"/a"}])", R"([{"path":"/a"}])",
                            R"([{"op":"paint","path":"/a"}])", R"([{"op":"add","path":"a","value":1}])",
                            R"([{"op":"add","path":"/~2","value":1}])", R"([{"op":"remove","path":""}])"}) {
    json d = start;
    try {
      apply_patch(d, j(patch));
      ADD_FAILURE() << patch;
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::format) << patch;
    }
    EXPECT_EQ(d, start);
  }
}

TEST(JsonPatch, RandomEditsAreTakenBackExactly) {
  std::mt19937 random(3);
  const std::vector<std::string> paths{"/nodes/a", "/nodes/b",      "/nodes/c", "/list/0",
                                       "/list/-",  "/nodes/a/at/1", "/x~1y"};
  const std::vector<std::string> ops{"add", "remove", "replace", "move", "copy"};
  int applied = 0;
  for (int i = 0; i < 2000; ++i) {
    json patch = json::array();
    for (int k = 0; k < 4; ++k)
      patch.push_back({{"op", ops[random() % ops.size()]},
                       {"path", paths[random() % paths.size()]},
                       {"from", paths[random() % paths.size()]},
                       {"value", random() % 100}});
    json d = start;
    try {
      apply_patch(d, apply_patch(d, patch));
      ++applied;
    } catch (const HttpError&) {
    }
    ASSERT_EQ(d, start) << patch.dump();
  }
  EXPECT_GT(applied, 100);
}

TEST(JsonPatch, BombsAreRefused) {
  json d = j(R"({"a":[1,2,3,4,5,6,7,8]})");
  json doubling = json::array();
  for (int i = 0; i < 60; ++i) {
    doubling.push_back({{"op", "copy"}, {"from", "/a"}, {"path", "/b"}});
    doubling.push_back({{"op", "copy"}, {"from", "/b"}, {"path", "/a/-"}});
  }
  const json before = d;
  EXPECT_THROW(apply_patch(d, doubling), Error);
  EXPECT_EQ(d, before);
  json deep = json::array();
  std::string path;
  for (int i = 0; i < 500; ++i) deep.push_back({{"op", "add"}, {"path", path += "/a"}, {"value", json::object()}});
  EXPECT_THROW(apply_patch(d, deep), Error);
  EXPECT_THROW(parse_json(std::string(100000, '[')), Error);
  EXPECT_THROW(parse_json("{"), Error);
}

void no_check(const json&) {}
json set(int v) { return {{{"op", "replace"}, {"path", "/nodes/a/settings/k"}, {"value", v}}}; }

TEST(Document, UndoesAndRedoesEverything) {
  Document d(start, no_check);
  EXPECT_EQ(d.rev(), 1u);
  d.edit(set(2), "first");
  d.edit(json{{{"op", "remove"}, {"path", "/nodes/b"}}}, "second");
  const json after = d.content();
  EXPECT_EQ(d.undo_label(), "second");
  EXPECT_EQ(d.undo().label, "second");
  EXPECT_EQ(d.undo().label, "first");
  EXPECT_EQ(d.content(), start);
  EXPECT_THROW(d.undo(), HttpError);
  EXPECT_EQ(d.redo_label(), "first");
  d.redo();
  d.redo();
  EXPECT_EQ(d.content(), after);
  EXPECT_THROW(d.redo(), HttpError);
  EXPECT_EQ(d.rev(), 7u);  // every change counts, undo too
  d.undo();
  d.edit(set(9), "other way");
  EXPECT_FALSE(d.redo_label());
}

TEST(Document, EditsOfADragAreOneStep) {
  Document d(start, no_check);
  const auto t = Document::Clock::now();
  for (int i = 0; i < 50; ++i) d.edit(set(i + 2), "k", "drag-1", t + i * 100ms);
  d.edit(set(100), "k", "drag-2", t + 5s);
  d.edit(set(101), "k", "drag-2", t + 7s);  // the same key after a pause is a new step
  d.undo();
  EXPECT_EQ(d.content()["nodes"]["a"]["settings"]["k"], 100);
  d.undo();
  EXPECT_EQ(d.content()["nodes"]["a"]["settings"]["k"], 51);
  d.undo();
  EXPECT_EQ(d.content(), start);
  d.redo();
  EXPECT_EQ(d.content()["nodes"]["a"]["settings"]["k"], 51);
}

TEST(Document, MergedStepsOfOtherPlacesAreTakenBackInOrder) {
  Document d(start, no_check);
  const auto t = Document::Clock::now();
  d.edit(json{{{"op", "add"}, {"path", "/nodes/c"}, {"value", {{"at", {0, 0}}}}}}, "", "m", t);
  d.edit(json{{{"op", "replace"}, {"path", "/nodes/c/at"}, {"value", {4, 4}}}}, "", "m", t);
  d.edit(json{{{"op", "remove"}, {"path", "/nodes/a"}}}, "", "m", t);
  const json after = d.content();
  d.undo();
  EXPECT_EQ(d.content(), start);
  d.redo();
  EXPECT_EQ(d.content(), after);
}

TEST(Document, WhatTheCheckRefusesDidNotHappen) {
  Document d(start, [](const json& c) {
    if (!c.at("nodes").is_object()) throw Error(Errc::format, "nodes");
  });
  EXPECT_THROW(d.edit(json{{{"op", "replace"}, {"path", "/nodes"}, {"value", 5}}}, ""), Error);
  EXPECT_EQ(d.content(), start);
  EXPECT_EQ(d.rev(), 1u);
  EXPECT_FALSE(d.undo_label());
}

TEST(Document, TheWayBackIsBounded) {
  Document d(start, no_check);
  for (int i = 0; i < 700; ++i) d.edit(set(i + 2), "k");
  int n = 0;
  for (; d.undo_label(); ++n) d.undo();
  EXPECT_EQ(n, 500);
}

}  // namespace
}  // namespace larmor::server
