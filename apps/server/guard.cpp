// SPDX-License-Identifier: Apache-2.0
#include "guard.hpp"

#include <fmt/format.h>

namespace larmor::server {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return out;
}

bool ours(std::string_view origin, std::string_view host) {
  const auto scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;  // "null": a sandboxed page or a file
  const auto name = origin.substr(scheme + 3);
  return lower(name) == lower(host) || is_loopback(host_name(name));
}

}  // namespace

std::string_view host_name(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    return end == std::string_view::npos ? host : host.substr(1, end - 1);
  }
  return host.substr(0, host.find(':'));
}

bool is_loopback(std::string_view host) {
  const std::string name = lower(host);
  return name == "localhost" || name == "::1" || name == "127.0.0.1";
}

std::optional<Response> Guard::admit(const Request& request) const {
  const auto host = request.header("host");
  if (token.empty() && !is_loopback(host_name(host)))
    return error_response(403, "host", fmt::format("Studio does not answer as '{}'", host),
                          "open it as http://127.0.0.1, or start it with --host and a token");
  if (const auto origin = request.header("origin"); !origin.empty() && !ours(origin, host))
    return error_response(403, "origin", fmt::format("a page of {} may not use Studio", origin),
                          "open Studio's own page");
  if (request.header("sec-fetch-site") == "cross-site" && request.path.starts_with("/api/"))
    return error_response(403, "origin", "a page of another site may not use Studio", "open Studio's own page");
  // The client's files hold no secret; with them the page can ask for the token.
  if (token.empty() || !request.path.starts_with("/api/")) return std::nullopt;
  std::string_view given = request.header("authorization");
  given = given.starts_with("Bearer ") ? given.substr(7) : request.param("token");
  if (equal_secret(given, token)) return std::nullopt;
  Response r = error_response(403, "token", given.empty() ? "a token is needed" : "the token is wrong",
                              "use the address that larmor studio printed when it started");
  return r;
}

}  // namespace larmor::server
