// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/flow/graph_json.hpp>
#include <larmor/flow/number_json.hpp>

namespace larmor::flow {
namespace {

constexpr std::size_t line_width = 100;

void write(const Json& json, std::string& out, std::size_t indent);

bool flat(const Json& json) {
  if (!json.is_array()) return !json.is_object() || json.empty();
  for (const auto& item : json)
    if (item.is_object() ? !item.empty() : !flat(item)) return false;
  return true;
}

void write_scalar(const Json& json, std::string& out) {
  if (!json.is_number_float()) {
    out += json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return;
  }
  const std::string text = fmt::format("{}", json.get<double>());  // the shortest that reads back the same
  out += text + (text.find_first_of(".e") == std::string::npos ? ".0" : "");
}

void write_flat(const Json& json, std::string& out) {
  if (!json.is_array()) return write_scalar(json, out);
  out += '[';
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (i) out += ", ";
    write_flat(json[i], out);
  }
  out += ']';
}

void write(const Json& json, std::string& out, std::size_t indent) {
  if (!json.is_structured() || json.empty()) return write_scalar(json, out);
  if (flat(json)) {
    std::string line;
    write_flat(json, line);
    if (indent + line.size() <= line_width) {
      out += line;
      return;
    }
  }
  const std::string inner(indent + 2, ' ');
  bool first = true;
  out += json.is_array() ? '[' : '{';
  for (const auto& [key, value] : json.items()) {
    out += (first ? "\n" : ",\n") + inner;
    if (json.is_object()) out += Json(key).dump(-1, ' ', false, Json::error_handler_t::replace) + ": ";
    write(value, out, indent + 2);
    first = false;
  }
  out += "\n" + std::string(indent, ' ') + (json.is_array() ? ']' : '}');
}

}  // namespace

std::string pretty(const Json& json) {
  std::string out;
  write(json, out, 0);
  return out + "\n";
}

Json setting_json(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::none:
      return nullptr;
    case Value::Kind::boolean:
      return value.boolean();
    case Value::Kind::number:
      return number_json<Json>(value.number());
    case Value::Kind::text:
      return value.text();
    case Value::Kind::array: {
      Json out = Json::array();
      for (const double v : ValueTraits<std::vector<double>>::from(value)) out.push_back(number_json<Json>(v));
      return out;
    }
    case Value::Kind::list: {
      Json out = Json::array();
      for (const auto& v : value.list()) out.push_back(setting_json(v));
      return out;
    }
    case Value::Kind::record: {
      // Keys that begin with $ mean something to the reader: such fields are written as a list.
      const bool named =
          value.type() != "record" || std::any_of(value.fields().begin(), value.fields().end(),
                                                  [](const auto& field) { return field.first.starts_with('$'); });
      Json fields = named ? Json::array() : Json::object();
      for (const auto& [name, v] : value.fields()) {
        if (named)
          fields.push_back(Json::array({name, setting_json(v)}));
        else
          fields[name] = setting_json(v);
      }
      if (!named) return fields;
      return {{"$type", value.type() == "record" ? "" : value.type()}, {"$fields", std::move(fields)}};
    }
  }
  return nullptr;
}

}  // namespace larmor::flow
