// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/operations.hpp>

#include "studio.hpp"

namespace larmor::server {
namespace {

std::string members(const json& schema) {
  const json* object = &schema;
  if (schema.contains("items")) object = &schema["items"];
  if (!object->contains("properties")) return {};
  std::vector<std::string> names;
  for (const auto& [name, about] : (*object)["properties"].items()) {
    const auto what = about.value("description", "");
    names.push_back("`" + name + "`" + (what.empty() ? "" : " (" + what + ")"));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

std::string page_of(const Route& route) {
  std::string out = fmt::format("\n### {} {}\n\n{}.\n", route.method, route.path, route.does);
  if (!route.params.empty()) {
    out += "\n| in the query | what | example |\n|---|---|---|\n";
    for (const auto& p : route.params)
      out += fmt::format("| `{}`{} | {} | {} |\n", p.name, p.required ? " (needed)" : "", p.what,
                         p.example.empty() ? "" : "`" + p.example + "`");
  }
  if (!route.body_example.empty()) out += fmt::format("\nBody: `{}`\n", route.body_example);
  if (!route.reply.empty()) {
    const json schema = parse_json(route.reply);
    if (const auto names = members(schema); !names.empty())
      out += fmt::format("\nAnswer: {}{}\n", schema.value("type", "") == "array" ? "a list of " : "", names);
  } else {
    out += fmt::format("\nAnswer: `{}`\n", route.type);
  }
  return out;
}

}  // namespace

std::string reference_page() {
  StudioOptions options;
  options.roots = {fs::temp_directory_path()};
  const Studio studio(nodes::make_operations(), options);
  std::string out =
      "# HTTP API of Studio\n\n"
      "Everything that the canvas of `larmor studio` does is one of these calls; the server gives the same as OpenAPI "
      "3.1 at "
      "`/api/openapi.json`. Bodies and answers are JSON unless said otherwise. An error is "
      "`{\"error\":{\"code\",\"message\",\"advice\",\"where\"}}` with the status 400 (the call is wrong), 403 (not "
      "allowed), 404 (not there), 409 (does not apply to what the graph is now), 413 (too large) or 500. When the "
      "server "
      "asks for a token, send it as `Authorization: Bearer TOKEN` or `?token=TOKEN`.\n\n"
      "## Events\n\n"
      "`/api/events?graph=ID&since=N&client=NAME` is a WebSocket. Every message has a number `seq`; with `since` a "
      "client "
      "goes on after the last one that it knows, and `{\"t\":\"reset\"}` tells it to read the graph again.\n\n"
      "| `t` | when | members |\n|---|---|---|\n"
      "| `patch` | the graph was edited | `rev`, `patch` (RFC 6902), `label`, `client`, `undo`, `redo` |\n"
      "| `node` | a node has another state or progress | `node`: report of the node |\n"
      "| `run` | a run began or ended | `run`, `state`, `seconds`, `ran`, `cached`, `failed`, `skipped`, bytes |\n"
      "| `issues` | the check says something else | `issues` |\n"
      "| `log` | an operation or the server says something | `level`, `text`, `node` |\n"
      "| `saved` | the graph was written | `path`, `rev` |\n"
      "| `auto` | automatic runs were switched | `on` |\n"
      "| `memory` | after a run | `resident_bytes`, `budget` |\n"
      "| `clients` | somebody came or went | `n` |\n"
      "| `catalogue` | operations of users changed | |\n"
      "| `closed` | somebody closed the graph | |\n\n"
      "A client may send `{\"t\":\"ping\"}`, which is answered `{\"t\":\"pong\"}`.\n";
  std::string tag;
  for (const auto& route : studio.router().routes()) {
    if (route.tag != tag) {
      tag = route.tag;
      std::string title = tag;
      title[0] = static_cast<char>(std::toupper(title[0]));
      out += "\n## " + title + "\n";
    }
    out += page_of(route);
  }
  return out;
}

}  // namespace larmor::server
