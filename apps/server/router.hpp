// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "http.hpp"

namespace larmor::server {

using json = nlohmann::json;

/// A request that has found its route: what stood in the {places} of the path, and the body.
struct Call {
  const Request& request;
  std::map<std::string, std::string> places;

  const std::string& place(const std::string& name) const { return places.at(name); }
  std::string_view param(std::string_view name) const { return request.param(name); }
  /// Errors   Errc::format
  std::optional<std::int64_t> integer(std::string_view name) const;
  /// The body as JSON; an empty one is {}. Errors   Errc::format (no JSON, too deep), HttpError 415
  json body() const;
};

struct Param {
  std::string name, what;
  std::string example = {};
  bool required = false;
};

/// One call of the API, described where it is made: the router, the OpenAPI file, the reference page and their tests
/// read the same entry.
struct Route {
  std::string method, path;  // "GET", "/api/graphs/{g}/array"
  std::string id;            // "readArray"
  std::string does;
  std::string tag;                 // "graphs"
  std::vector<Param> params = {};  // of the query
  std::string body = {};           // JSON schema of the body; empty: none
  std::string body_example = {};   // JSON
  std::string reply = {};          // JSON schema of the answer, when that is JSON
  std::string type = "application/json";
  std::vector<int> fails = {};  // statuses beyond 400 and 403
  bool heavy = false;           // may take long
  std::function<Response(const Call&)> run = {};
};

class Router {
 public:
  void add(Route route) { routes_.push_back(std::move(route)); }
  const std::vector<Route>& routes() const { return routes_; }
  /// Errors   HttpError 404 with the nearest path, 405
  Response answer(const Request& request) const;
  bool heavy(const Request& request) const;
  /// OpenAPI 3.1 of all routes.
  json openapi() const;

 private:
  const Route* match(const Request& request, std::map<std::string, std::string>& places, std::string& allowed) const;
  std::vector<Route> routes_;
};

Response json_response(const json& value, int status = 200);

/// Text to JSON. Errors   Errc::format with the place, or when it is more than `most_levels` deep
json parse_json(std::string_view text, std::size_t most_levels = 100);

/// Member of an object, or what is said instead. Errors   Errc::type for one of another type
std::string text_member(const json& object, const char* name, const std::string& otherwise = {});
bool flag_member(const json& object, const char* name, bool otherwise);

}  // namespace larmor::server
