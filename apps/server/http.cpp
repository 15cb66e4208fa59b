// SPDX-License-Identifier: Apache-2.0
#include "http.hpp"

#include <sys/random.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace larmor::server {
namespace {

std::string_view find(const Pairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs)
    if (key == name) return value;
  return {};
}

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string_view Request::header(std::string_view name) const { return find(headers, name); }
std::string_view Request::param(std::string_view name) const { return find(query, name); }
bool Request::has(std::string_view name) const {
  return std::any_of(query.begin(), query.end(), [&](const auto& p) { return p.first == name; });
}

int status_of(const Error& error) {
  if (const auto* http = dynamic_cast<const HttpError*>(&error)) return http->status();
  switch (error.code()) {
    case Errc::unknown_name:
    case Errc::file:
      return 404;
    case Errc::cancelled:
      return 409;
    case Errc::device:
    case Errc::internal:
      return 500;
    default:
      return 400;
  }
}

Response error_response(int status, std::string_view code, std::string_view message, std::string_view advice,
                        const std::vector<std::string>& where) {
  const nlohmann::json body{{"error", {{"code", code}, {"message", message}, {"advice", advice}, {"where", where}}}};
  Response r;
  r.status = status;
  r.headers.emplace_back("Cache-Control", "no-store");
  // Names in an error may come from the request and be no UTF-8.
  r.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return r;
}
Response error_response(const Error& error) {
  return error_response(status_of(error), to_string(error.code()), error.message(), error.advice(), error.where());
}

std::string decode_url(std::string_view text, bool query) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1, low = high < 0 ? -1 : hex(text[i + 2]);
      if (low < 0)
        throw Error(Errc::format, "the address holds a % that two hexadecimal digits do not follow", "write %25 for %");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && query) {
      c = ' ';
    }
    if (c == '\0') throw Error(Errc::format, "the address holds a zero byte");
    out += c;
  }
  return out;
}

std::string encode_url(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~' || c == '/';
    if (plain)
      out += c;
    else
      out += {'%', digits[u >> 4], digits[u & 15]};
  }
  return out;
}

void parse_target(std::string_view target, Request& request) {
  request.target = target;
  if (!target.starts_with('/'))
    throw Error(Errc::format, "the address does not begin with /", "ask for a path, not for another server");
  const auto mark = target.find('?');
  request.path = decode_url(target.substr(0, mark));
  request.query.clear();
  if (mark == std::string_view::npos) return;
  std::string_view rest = target.substr(mark + 1);
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const std::string_view one = rest.substr(0, end);
    if (!one.empty()) {
      const auto equals = one.find('=');
      request.query.emplace_back(
          decode_url(one.substr(0, equals), true),
          equals == std::string_view::npos ? std::string() : decode_url(one.substr(equals + 1), true));
    }
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
}

bool equal_secret(std::string_view given, std::string_view secret) {
  unsigned different = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i)
    different |= static_cast<unsigned char>(given[i]) ^
                 static_cast<unsigned char>(secret.empty() ? '\0' : secret[i % secret.size()]);
  return different == 0;
}

std::string random_token(std::size_t n) {
  static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";  // 64
  std::string out(n, '\0');
  for (std::size_t done = 0; done < n;) {
    const auto got = getrandom(out.data() + done, n - done, 0);
    if (got < 0) throw Error(Errc::internal, "the system gives no random numbers");
    done += static_cast<std::size_t>(got);
  }
  for (char& c : out) c = letters[static_cast<unsigned char>(c) & 63];
  return out;
}

}  // namespace larmor::server
