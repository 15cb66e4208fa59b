// SPDX-License-Identifier: Apache-2.0
#include "router.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace larmor::server {
namespace {

std::vector<std::string_view> parts(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = path.find('/');
    out.push_back(path.substr(0, end));
    path = end == std::string_view::npos ? std::string_view{} : path.substr(end);
  }
  return out;
}

bool fits(std::string_view pattern, std::string_view path, std::map<std::string, std::string>& places) {
  const auto want = parts(pattern), have = parts(path);
  if (want.size() != have.size()) return false;
  places.clear();
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i].starts_with('{') && !have[i].empty())
      places[std::string(want[i].substr(1, want[i].size() - 2))] = have[i];
    else if (want[i] != have[i])
      return false;
  }
  return true;
}

}  // namespace

std::optional<std::int64_t> Call::integer(std::string_view name) const {
  const auto text = param(name);
  if (text.empty()) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    throw Error(Errc::format, fmt::format("'{}' is '{}', which is no whole number", name, text));
  return value;
}

json Call::body() const {
  const auto type = request.header("content-type");
  // A form of a stranger's page can send texts, but not this type.
  if (!request.body.empty() && !type.starts_with("application/json"))
    throw HttpError(415, Errc::format, fmt::format("the body is '{}'; it has to be application/json", type));
  return request.body.empty() ? json::object() : parse_json(request.body);
}

const Route* Router::match(const Request& request, std::map<std::string, std::string>& places,
                           std::string& allowed) const {
  for (const auto& route : routes_) {
    if (!fits(route.path, request.path, places)) continue;
    if (route.method == request.method) return &route;
    allowed += (allowed.empty() ? "" : ", ") + route.method;
  }
  return nullptr;
}

Response Router::answer(const Request& request) const {
  Call call{request, {}};
  std::string allowed;
  const Route* route = match(request, call.places, allowed);
  if (!route && !allowed.empty()) {
    Response r = error_response(405, "usage", fmt::format("{} does not take {}", request.path, request.method),
                                "use " + allowed);
    r.headers.emplace_back("Allow", allowed);
    return r;
  }
  if (!route) {
    std::vector<std::string> paths;
    for (const auto& r : routes_) paths.push_back(r.path);
    throw HttpError(404, Errc::unknown_name, unknown_name("address", request.path, paths).message(),
                    "all of them: /api/openapi.json");
  }
  for (const auto& p : route->params)
    if (p.required && !request.has(p.name))
      throw Error(Errc::usage, fmt::format("{} {} needs '{}' ({})", route->method, route->path, p.name, p.what),
                  p.example.empty() ? "" : fmt::format("write ?{}={}", p.name, p.example));
  return route->run(call);
}

bool Router::heavy(const Request& request) const {
  std::map<std::string, std::string> places;
  std::string allowed;
  const Route* route = match(request, places, allowed);
  return route && route->heavy;
}

Response json_response(const json& value, int status) {
  Response r;
  r.status = status;
  r.headers.emplace_back("Cache-Control", "no-store");
  r.body = value.dump(-1, ' ', false, json::error_handler_t::replace);
  return r;
}

json parse_json(std::string_view text, std::size_t most_levels) {
  const auto depth = [&](int level, json::parse_event_t, json&) {
    if (static_cast<std::size_t>(level) > most_levels)
      throw Error(Errc::format, fmt::format("the JSON has more than {} levels", most_levels));
    return true;
  };
  try {
    return json::parse(text.begin(), text.end(), depth);
  } catch (const json::exception& e) {
    throw Error(Errc::format, fmt::format("this is no JSON: {}", e.what()));
  }
}

std::string text_member(const json& object, const char* name, const std::string& otherwise) {
  if (!object.is_object()) throw Error(Errc::type, "the body is no JSON object");
  const auto it = object.find(name);
  if (it == object.end() || it->is_null()) return otherwise;
  if (!it->is_string()) throw Error(Errc::type, fmt::format("'{}' is a {}, not a text", name, it->type_name()));
  return it->get<std::string>();
}

bool flag_member(const json& object, const char* name, bool otherwise) {
  if (!object.is_object()) throw Error(Errc::type, "the body is no JSON object");
  const auto it = object.find(name);
  if (it == object.end() || it->is_null()) return otherwise;
  if (!it->is_boolean()) throw Error(Errc::type, fmt::format("'{}' is a {}, not true or false", name, it->type_name()));
  return it->get<bool>();
}

}  // namespace larmor::server
