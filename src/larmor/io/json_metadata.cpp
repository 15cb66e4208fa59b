// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/error.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>
#include <optional>

namespace larmor::io {
namespace {

using Json = nlohmann::json;

std::optional<MetaValue> value_of(const Json& json) {
  if (json.is_null()) return std::nullopt;
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (!json.is_array()) return json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (std::all_of(json.begin(), json.end(), [](const Json& v) { return v.is_number(); }))
    return json.get<std::vector<double>>();
  std::vector<std::string> texts;
  for (const auto& v : json)
    texts.push_back(v.is_string() ? v.get<std::string>() : v.dump(-1, ' ', false, Json::error_handler_t::replace));
  return texts;
}

// nlohmann's parser recurses: 100,000 opening brackets would run out of stack.
void check_depth(const std::string& text, const std::string& name) {
  constexpr int deepest = 200;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        quoted = false;
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == '[' || text[i] == '{') {
      if (++depth > deepest) throw Error(Errc::format, fmt::format("{}: JSON nested more than {} deep", name, deepest));
    } else if (text[i] == ']' || text[i] == '}') {
      --depth;
    }
  }
}

}  // namespace

Metadata parse_json_metadata(const std::string& text, const std::string& name) {
  check_depth(text, name);
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::parse_error& e) {
    const std::size_t at = std::min<std::size_t>(e.byte ? e.byte - 1 : 0, text.size());
    const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    const auto line_start = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    const auto column = line_start == std::string::npos ? at + 1 : at - line_start;
    std::string reason = e.what();
    if (const auto cut = reason.find("syntax error"); cut != std::string::npos) reason.erase(0, cut);
    throw Error(Errc::format, fmt::format("{}: line {}, column {}: {}", name, line, column, reason),
                "correct the JSON");
  } catch (const Json::exception& e) {
    throw Error(Errc::format, fmt::format("{}: {}", name, e.what()), "correct the JSON");
  }
  if (!json.is_object())
    throw Error(Errc::format,
                fmt::format("{}: the file holds one JSON {}, not an object of named values", name, json.type_name()),
                "write { \"Name\": value, ... }");
  Metadata meta;
  for (const auto& [key, value] : json.items())
    if (auto v = value_of(value)) meta[key] = std::move(*v);
  return meta;
}

Metadata read_json_metadata(const std::filesystem::path& json_path) {
  return parse_json_metadata(read_text(json_path), json_path.string());
}

}  // namespace larmor::io
