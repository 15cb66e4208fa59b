// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cctype>

#include "router.hpp"

namespace larmor::server {
namespace {

json schema(const std::string& text) { return text.empty() ? json::object() : parse_json(text); }

json error_schema() {
  return parse_json(R"({"type":"object","required":["error"],"properties":{"error":{"type":"object",
    "required":["code","message","advice","where"],"properties":{
      "code":{"type":"string","description":"class of the error: shape, range, unknown_name, token, ..."},
      "message":{"type":"string","description":"what happened"},
      "advice":{"type":"string","description":"what to do"},
      "where":{"type":"array","items":{"type":"string"},"description":"innermost first"}}}}})");
}

std::string reason(int status) {
  switch (status) {
    case 304:
      return "unchanged since the ETag that was sent";
    case 400:
      return "the call is wrong";
    case 403:
      return "not allowed: host, origin, token, or a file outside the roots";
    case 404:
      return "there is no such graph, node, port or file";
    case 409:
      return "does not apply to what the graph is now";
    case 413:
      return "the answer or the body would be too large";
    case 500:
      return "the work failed";
    default:
      return "error";
  }
}

json operation(const Route& route) {
  json o{{"operationId", route.id}, {"summary", route.does}, {"tags", {route.tag}}};
  json parameters = json::array();
  for (std::size_t at = route.path.find('{'); at != std::string::npos; at = route.path.find('{', at + 1)) {
    const std::string name = route.path.substr(at + 1, route.path.find('}', at) - at - 1);
    parameters.push_back({{"name", name},
                          {"in", "path"},
                          {"required", true},
                          {"description", name == "g" ? "id of an open graph" : name},
                          {"schema", {{"type", "string"}}}});
  }
  for (const auto& p : route.params) {
    json one{{"name", p.name},
             {"in", "query"},
             {"required", p.required},
             {"description", p.what},
             {"schema", {{"type", "string"}}}};
    if (!p.example.empty()) one["example"] = p.example;
    parameters.push_back(one);
  }
  if (!parameters.empty()) o["parameters"] = parameters;
  if (!route.body.empty()) {
    json content{{"schema", schema(route.body)}};
    if (!route.body_example.empty()) content["example"] = parse_json(route.body_example);
    o["requestBody"] = {{"required", true}, {"content", {{"application/json", content}}}};
  }
  json content{{"schema", schema(route.reply)}};
  if (route.type != "application/json") content = json::object();
  o["responses"]["200"] = {{"description", "done"}, {"content", {{route.type, content}}}};
  std::vector<int> fails{400, 403};
  fails.insert(fails.end(), route.fails.begin(), route.fails.end());
  for (const int status : fails) {
    json& r = o["responses"][std::to_string(status)];
    r["description"] = reason(status);
    if (status >= 400) r["content"]["application/json"]["schema"]["$ref"] = "#/components/schemas/Error";
  }
  return o;
}

}  // namespace

json Router::openapi() const {
  json api{{"openapi", "3.1.0"},
           {"info",
            {{"title", "Larmor Studio"},
             {"version", LARMOR_VERSION},
             {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}},
             {"description",
              "Everything that the canvas does. Graphs are edited by JSON patches (RFC 6902), which the server checks, "
              "numbers and sends to all clients; values are read by slices. Research use only, not for diagnosis."}}},
           {"servers", {{{"url", "/"}}}},
           {"security", {json::object(), {{"token", json::array()}}}}};
  api["components"]["securitySchemes"]["token"] = {
      {"type", "http"},
      {"scheme", "bearer"},
      {"description", "asked for when the server listens on more than 127.0.0.1; ?token= works too"}};
  api["components"]["schemas"]["Error"] = error_schema();
  for (const auto& route : routes_) {
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(std::tolower(c));
    api["paths"][route.path][method] = operation(route);
  }
  return api;
}

}  // namespace larmor::server
