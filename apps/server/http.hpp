// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/error.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// `larmor studio`: HTTP and WebSocket in front of the engine. Nothing here knows an operation by name.
namespace larmor::server {

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET"; HEAD comes as GET
  std::string target;  // as it was sent
  std::string path;    // decoded, without the query
  Pairs query;         // decoded, in order
  Pairs headers;       // names in lower case
  std::string body;

  /// Empty when there is none.
  std::string_view header(std::string_view name) const;
  std::string_view param(std::string_view name) const;
  bool has(std::string_view name) const;
};

struct Response {
  int status = 200;
  std::string type = "application/json";
  Pairs headers = {};
  std::string body = {};
  /// Bytes that outlive the server (embedded files), sent instead of `body`.
  std::string_view fixed = {};
  std::string_view bytes() const { return fixed.data() ? fixed : std::string_view(body); }
};

/// An Error that knows its HTTP status.
class HttpError : public Error {
 public:
  HttpError(int status, Errc code, std::string what_happened, std::string what_to_do = {})
      : Error(code, std::move(what_happened), std::move(what_to_do)), status_(status) {}
  int status() const { return status_; }

 private:
  int status_;
};
/// 400, 404 or 500 by the class of error, or what an HttpError says.
int status_of(const Error& error);
/// {"error":{"code","message","advice","where"}}
Response error_response(int status, std::string_view code, std::string_view message, std::string_view advice = {},
                        const std::vector<std::string>& where = {});
Response error_response(const Error& error);

/// Percent decoding; in queries '+' is a space. Errors   Errc::format for a broken escape or a zero byte
std::string decode_url(std::string_view text, bool query = false);
std::string encode_url(std::string_view text);
/// Fills target, path and query. Errors   Errc::format
void parse_target(std::string_view target, Request& request);

/// Takes the same time for every text of a length, so that a token cannot be guessed letter by letter.
bool equal_secret(std::string_view given, std::string_view secret);
/// Letters and digits from the system's random source.
std::string random_token(std::size_t n = 32);

}  // namespace larmor::server
