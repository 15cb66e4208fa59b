// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/flow/number_json.hpp>
#include <larmor/flow/value.hpp>
#include <nlohmann/json.hpp>

namespace larmor::flow {
namespace {

using Json = nlohmann::ordered_json;

Json head_of(const Value& value, std::vector<Array>& buffers) {
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
      buffers.push_back(value.array().to(Device::cpu()).contiguous_copy());
      const auto& a = buffers.back();
      return Json{
          {"$array", buffers.size() - 1}, {"dtype", to_string(a.dtype())}, {"shape", a.shape()}, {"axes", a.axes()}};
    }
    case Value::Kind::list: {
      Json out = Json::array();
      for (const auto& v : value.list()) out.push_back(head_of(v, buffers));
      return out;
    }
    case Value::Kind::record: {
      Json out = Json::object();
      out["$type"] = value.type() == "record" ? "" : value.type();
      Json fields = Json::array();  // in order, and a field may be called $type
      for (const auto& [name, v] : value.fields()) fields.push_back(Json::array({name, head_of(v, buffers)}));
      out["$fields"] = std::move(fields);
      return out;
    }
  }
  return nullptr;
}

Error bad_head(const std::string& what) { return {Errc::format, "not an encoded value: " + what}; }

Value value_of(const Json& json, const std::vector<Array>& buffers, int depth) {
  if (depth > 64) throw bad_head("nested more than 64 deep");
  switch (json.type()) {
    case Json::value_t::null:
      return {};
    case Json::value_t::boolean:
      return json.get<bool>();
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      return json.get<double>();
    case Json::value_t::string:
      return json.get<std::string>();
    case Json::value_t::array: {
      Value::List out;
      for (const auto& item : json) out.push_back(value_of(item, buffers, depth + 1));
      return out;
    }
    case Json::value_t::object:
      break;
    default:
      throw bad_head("binary JSON");
  }
  if (const auto it = json.find("$number"); it != json.end()) {
    if (*it == "nan") return std::nan("");
    if (*it == "inf") return HUGE_VAL;
    if (*it == "-inf") return -HUGE_VAL;
    throw bad_head("$number " + it->dump());
  }
  if (const auto it = json.find("$array"); it != json.end()) {
    if (!it->is_number_integer() || it->get<std::int64_t>() < 0 || it->get<std::size_t>() >= buffers.size())
      throw bad_head("buffer " + it->dump() + " of " + std::to_string(buffers.size()));
    const Array& a = buffers[it->get<std::size_t>()];
    try {
      const auto shape = json.at("shape").get<Shape>();
      if (json.at("dtype").get<std::string>() != to_string(a.dtype()) || shape != a.shape())
        throw bad_head("buffer " + it->dump() + " is " + a.describe() + " and not " + json.dump());
      return a.with_axes(json.at("axes").get<Axes>());
    } catch (const Json::exception& e) {
      throw bad_head(e.what());
    }
  }
  Value::Fields fields;
  std::string type;
  if (const auto it = json.find("$type"); it != json.end()) {
    const auto list = json.find("$fields");
    if (!it->is_string() || list == json.end() || !list->is_array()) throw bad_head("a record without $fields");
    type = it->get<std::string>();
    for (const auto& pair : *list) {
      if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string()) throw bad_head("a field " + pair.dump());
      fields.emplace_back(pair[0].get<std::string>(), value_of(pair[1], buffers, depth + 1));
    }
  } else {
    for (const auto& [name, v] : json.items()) fields.emplace_back(name, value_of(v, buffers, depth + 1));
  }
  return Value::record(std::move(type), std::move(fields));
}

template <class T>
Json elements(const Array& a) {
  Json out = Json::array();
  const Array c = a.cast(dtype_of<T>).contiguous_copy();
  for (const T v : c.span<const T>()) out.push_back(number_json<Json>(static_cast<double>(v)));
  return out;
}

Json plain(const Value& value, std::size_t most) {
  switch (value.kind()) {
    case Value::Kind::array: {
      const Array a = value.array().to(Device::cpu());
      const bool complex = a.dtype() == DType::c64 || a.dtype() == DType::c128;
      if (complex || static_cast<std::size_t>(a.size()) > most) return a.describe();
      return elements<double>(a);
    }
    case Value::Kind::list: {
      Json out = Json::array();
      for (const auto& v : value.list()) out.push_back(plain(v, most));
      return out;
    }
    case Value::Kind::record: {
      Json out = Json::object();
      for (const auto& [name, v] : value.fields()) out[name] = plain(v, most);
      return out;
    }
    case Value::Kind::number:
      return std::isfinite(value.number()) ? number_json<Json>(value.number()) : Json(value.describe());
    default: {
      std::vector<Array> none;
      return head_of(value, none);
    }
  }
}

Json parsed(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    throw Error(Errc::format, std::string("not JSON: ") + e.what());
  }
}

}  // namespace

Encoded encode(const Value& value) {
  Encoded out;
  out.head = head_of(value, out.buffers).dump(-1, ' ', false, Json::error_handler_t::replace);
  return out;
}

Value decode(std::string_view head, const std::vector<Array>& buffers) { return value_of(parsed(head), buffers, 0); }

std::string to_json(const Value& value, std::size_t most) {
  return plain(value, most).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Value from_json(std::string_view text) { return value_of(parsed(text), {}, 0); }

}  // namespace larmor::flow
