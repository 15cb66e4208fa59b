// SPDX-License-Identifier: Apache-2.0
#include "../describe.hpp"
#include "../studio.hpp"

namespace larmor::server {
namespace {

Response opened(const std::shared_ptr<Session>& s) {
  json j = s->state();
  return json_response({{"id", j["id"]}, {"path", j["path"]}, {"rev", j["rev"]}, {"graph", std::move(j["graph"])}});
}

Response open_graph(Studio& studio, const Call& call) {
  const json body = call.body();
  if (const auto path = text_member(body, "path"); !path.empty()) return opened(studio.open(path));
  if (const auto name = text_member(body, "example"); !name.empty()) return opened(studio.open_example(name));
  if (body.contains("graph")) return opened(studio.add(body["graph"]));
  throw Error(Errc::usage, "there is no graph to open", R"(send {"path": ...}, {"graph": {...}} or {"example": ...})");
}

Response patch_graph(Studio& studio, const Call& call) {
  const json body = call.body();
  if (!body.contains("patch")) throw Error(Errc::usage, "the body has no 'patch'", R"(send {"patch": [...]})");
  return json_response(studio.session(call.place("g"))
                           ->edit(body["patch"], text_member(body, "label", "edit"), text_member(body, "merge"),
                                  text_member(body, "client")));
}

Response check_graph(Studio& studio, const Call& call) {
  const json body = call.body();
  if (!body.contains("graph")) throw Error(Errc::usage, "the body has no 'graph'", R"(send {"graph": {...}})");
  const flow::Graph graph = flow::parse_graph(body["graph"].dump(-1, ' ', false, json::error_handler_t::replace));
  return json_response(
      describe(flow::check(graph, studio.types(), studio.shipped().library(), studio.roots().all().front())));
}

constexpr const char* opened_schema = R"({"type":"object","required":["id","path","rev","graph"],"properties":{
    "id":{"type":"string"},"path":{"type":"string","description":"empty: not saved yet"},"rev":{"type":"integer"},
    "graph":{"type":"object"}}})";
constexpr const char* step_schema =
    R"({"type":"object","required":["rev","label"],"properties":{"rev":{"type":"integer"},
    "label":{"type":"string","description":"what was undone or redone"}}})";
constexpr const char* client_schema = R"({"type":"object","properties":{"client":{"type":"string"}}})";
constexpr const char* issues_schema = R"({"type":"array","items":{"type":"object","properties":{
    "kind":{"enum":["error","warning"]},"node":{"type":"string"},"port":{"type":"string"},"message":{"type":"string"},
    "advice":{"type":"string"},"code":{"type":"string"}}}})";

}  // namespace

void add_graph_routes(Router& router, Studio& studio) {
  const auto one = [&studio](const Call& call) { return studio.session(call.place("g")); };
  router.add({.method = "GET",
              .path = "/api/graphs",
              .id = "listGraphs",
              .does = "The open graphs",
              .tag = "graphs",
              .reply = R"({"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},
                  "path":{"type":"string"},"title":{"type":"string"},"rev":{"type":"integer"},
                  "saved_rev":{"type":"integer"},"clients":{"type":"integer"}}}})",
              .run = [&studio](const Call&) {
                json all = json::array();
                for (const auto& s : studio.sessions()) all.push_back(s->brief());
                return json_response(all);
              }});
  router.add({.method = "POST",
              .path = "/api/graphs",
              .id = "openGraph",
              .does = "Opens a file, a new graph, or a copy of a shipped one; a file that is open is joined",
              .tag = "graphs",
              .body = R"({"type":"object","properties":{"path":{"type":"string"},"graph":{"type":"object"},
                  "example":{"type":"string"}}})",
              .body_example = R"({"graph":{"larmor":1,"title":"first","nodes":{}}})",
              .reply = opened_schema,
              .fails = {404},
              .run = [&studio](const Call& call) { return open_graph(studio, call); }});
  router.add(
      {.method = "GET",
       .path = "/api/graphs/{g}",
       .id = "readGraph",
       .does = "The graph with its revision, issues, states of its nodes and what can be undone",
       .tag = "graphs",
       .reply = R"({"type":"object","required":["id","rev","graph","issues","nodes","auto","running","undo","redo",
                  "saved_rev","seq"],"properties":{"seq":{"type":"integer","description":"follow /api/events from here"},
                  "nodes":{"type":"object","description":"NodeReport by path"},
                  "undo":{"type":["string","null"]},"redo":{"type":["string","null"]}}})",
       .fails = {404},
       .run = [one](const Call& call) { return json_response(one(call)->state()); }});
  router.add({.method = "PATCH",
              .path = "/api/graphs/{g}",
              .id = "editGraph",
              .does =
                  "Edits by JSON patch (RFC 6902): all of it or nothing. Edits with the same 'merge' key that follow "
                  "each other within a second are one step of undo",
              .tag = "graphs",
              .body = R"({"type":"object","required":["patch"],"properties":{"patch":{"type":"array","items":{
                  "type":"object","required":["op","path"],"properties":{
                    "op":{"enum":["add","remove","replace","move","copy","test"]},"path":{"type":"string"},
                    "from":{"type":"string"},"value":{}}}},"label":{"type":"string"},"merge":{"type":"string"},
                  "client":{"type":"string"},"rev":{"type":"integer"}}})",
              .body_example = R"({"patch":[{"op":"add","path":"/title","value":"second"}],"label":"rename"})",
              .reply = R"({"type":"object","required":["rev"],"properties":{"rev":{"type":"integer"}}})",
              .fails = {404, 409},
              .run = [&studio](const Call& call) { return patch_graph(studio, call); }});
  router.add(
      {.method = "POST",
       .path = "/api/graphs/{g}/undo",
       .id = "undo",
       .does = "Takes the last step back, whoever made it",
       .tag = "graphs",
       .body = client_schema,
       .body_example = R"({"client":"c1"})",
       .reply = step_schema,
       .fails = {404, 409},
       .run = [one](const Call& call) { return json_response(one(call)->undo(text_member(call.body(), "client"))); }});
  router.add(
      {.method = "POST",
       .path = "/api/graphs/{g}/redo",
       .id = "redo",
       .does = "Does again what was taken back",
       .tag = "graphs",
       .body = client_schema,
       .body_example = R"({"client":"c1"})",
       .reply = step_schema,
       .fails = {404, 409},
       .run = [one](const Call& call) { return json_response(one(call)->redo(text_member(call.body(), "client"))); }});
  router.add(
      {.method = "POST",
       .path = "/api/graphs/{g}/save",
       .id = "saveGraph",
       .does = "Writes the graph to its file, or to another",
       .tag = "graphs",
       .body = R"({"type":"object","properties":{"path":{"type":"string"}}})",
       .body_example = R"({"path":"saved.json"})",
       .reply = R"({"type":"object","required":["path","saved_rev"],"properties":{"path":{"type":"string"},
                  "saved_rev":{"type":"integer"}}})",
       .fails = {404},
       .run = [one](const Call& call) { return json_response(one(call)->save(text_member(call.body(), "path"))); }});
  router.add({.method = "DELETE",
              .path = "/api/graphs/{g}",
              .id = "closeGraph",
              .does = "Closes the graph for everybody; what is not saved is gone",
              .tag = "graphs",
              .reply = R"({"type":"object"})",
              .fails = {404},
              .run = [&studio](const Call& call) {
                studio.close(call.place("g"));
                return json_response(json::object());
              }});
  router.add({.method = "POST",
              .path = "/api/check",
              .id = "checkGraph",
              .does = "Everything that can be said of a graph without running it",
              .tag = "graphs",
              .body = R"({"type":"object","required":["graph"],"properties":{"graph":{"type":"object"}}})",
              .body_example = R"({"graph":{"larmor":1,"nodes":{"a":{"op":"no.such"}}}})",
              .reply = issues_schema,
              .run = [&studio](const Call& call) { return check_graph(studio, call); }});
}

}  // namespace larmor::server
