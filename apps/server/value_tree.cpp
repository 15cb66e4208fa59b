// SPDX-License-Identifier: Apache-2.0
#include "value_tree.hpp"

#include <fmt/format.h>

#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/flow/value_traits.hpp>
#include <map>
#include <mutex>
#include <optional>

#include "statistics.hpp"

namespace larmor::server {
namespace {

using json = nlohmann::json;
using flow::Value;

constexpr std::size_t most_items = 4096, most_text = std::size_t{4} << 20;

std::pair<double, double> kept_extremes(const Array& array, const std::string& key) {
  static std::mutex mutex;
  static std::map<std::string, std::pair<double, double>> kept;
  {
    std::lock_guard lock(mutex);
    if (const auto it = kept.find(key); it != kept.end()) return it->second;
  }
  const auto found = extremes(array);
  std::lock_guard lock(mutex);
  if (kept.size() > 4096) kept.clear();
  return kept[key] = found;
}

json number(double v) {
  if (std::isfinite(v)) return v;
  return {{"$number", std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf"}};
}

json numbers(const std::vector<double>& all) {
  json out = json::array();
  for (const double v : all) out.push_back(number(v));
  return out;
}

std::string joined(const std::string& path, const std::string& name) { return path.empty() ? name : path + "." + name; }

/// Facts that every viewer of images needs, in the form that it needs.
void add_image(json& out, const Value& image) {
  const auto affine = flow::ValueTraits<std::vector<double>>::from(image.field("affine"));
  if (affine.size() == 16) {
    json rows = json::array(), spacing = json::array();
    for (std::size_t r = 0; r < 4; ++r)
      rows.push_back(numbers({affine.begin() + static_cast<std::ptrdiff_t>(4 * r),
                              affine.begin() + static_cast<std::ptrdiff_t>(4 * r + 4)}));
    for (std::size_t c = 0; c < 3; ++c) spacing.push_back(number(std::hypot(affine[c], affine[4 + c], affine[8 + c])));
    out["affine"] = rows;
    out["spacing"] = spacing;
  }
  const Value times = image.field("times"),
              unit = image.field("meta").kind() == Value::Kind::record ? image.field("meta").field("Units") : Value();
  if (!times.none()) out["times"] = numbers(flow::ValueTraits<std::vector<double>>::from(times));
  out["unit"] = unit.kind() == Value::Kind::text ? unit.text() : "";
}

/// A map is computed in the units inside; people read it in those of the lexicon.
void add_units(json& out, const Value& map) {
  const Value name = map.field("name"), unit = map.field("unit");
  if (name.kind() != Value::Kind::text || unit.kind() != Value::Kind::text) return;
  try {
    const auto shown = units::display_unit(name.text(), unit.text());
    if (shown == unit.text()) return;
    out["shown_factor"] = units::factor(unit.text(), shown);
    out["shown_unit"] = shown;
  } catch (const Error&) {  // a unit of somebody's own: shown as it is
  }
}

json tree(const Value& v, const std::string& path, const std::string& hash) {
  switch (v.kind()) {
    case Value::Kind::none:
      return nullptr;
    case Value::Kind::boolean:
      return v.boolean();
    case Value::Kind::number:
      return number(v.number());
    case Value::Kind::text:
      return v.text().size() <= most_text ? v.text() : v.text().substr(0, most_text) + "\n[...]";
    case Value::Kind::array: {
      const Array& a = v.array();
      const auto [lo, hi] = kept_extremes(a, hash + ":" + path);
      return {{"array", true},
              {"path", path},
              {"dtype", to_string(a.dtype())},
              {"shape", a.shape()},
              {"axes", a.axes()},
              {"min", std::isfinite(lo) ? json(lo) : json()},
              {"max", std::isfinite(hi) ? json(hi) : json()}};
    }
    case Value::Kind::list: {
      json out = json::array();
      for (const auto& item : v.list()) {
        if (out.size() == most_items) break;
        out.push_back(tree(item, joined(path, std::to_string(out.size())), hash));
      }
      return out;
    }
    case Value::Kind::record:
      break;
  }
  json out = json::object();
  for (const auto& [name, field] : v.fields()) out[name] = tree(field, joined(path, name), hash);
  out["$type"] = v.type();
  if (v.type() == "image") add_image(out, v);
  if (v.type() == "map") add_units(out, v);
  return out;
}

std::optional<Array> first_array(const Value& v) {
  if (v.kind() == Value::Kind::array) return v.array();
  if (v.kind() == Value::Kind::list)
    for (const auto& item : v.list())
      if (auto a = first_array(item)) return a;
  if (v.kind() == Value::Kind::record)
    for (const auto& [name, field] : v.fields())
      if (auto a = first_array(field)) return a;
  return std::nullopt;
}

Value step_into(const Value& v, std::string_view& rest) {
  if (v.kind() == Value::Kind::list) {
    const std::string key(rest.substr(0, rest.find('.')));
    rest.remove_prefix(std::min(rest.size(), key.size() + 1));
    if (key.size() > 9 || key.empty() || key.find_first_not_of("0123456789") != std::string::npos ||
        std::stoul(key) >= v.list().size())
      throw Error(Errc::unknown_name, fmt::format("there is no '{}' in a list of {}", key, v.list().size()));
    return v.list()[std::stoul(key)];
  }
  std::vector<std::string> names;
  if (v.kind() == Value::Kind::record)
    for (const auto& [name, field] : v.fields()) {
      names.push_back(name);  // which may hold a dot itself
      if (rest == name || (rest.starts_with(name) && rest[name.size()] == '.')) {
        rest.remove_prefix(std::min(rest.size(), name.size() + 1));
        return field;
      }
    }
  throw unknown_name("field", rest, names);
}

}  // namespace

json value_tree(const Value& value, const std::string& hash) { return tree(value, "", hash); }

Array array_at(const Value& value, std::string_view path) {
  if (path.empty()) {
    if (value.kind() == Value::Kind::record && value.field("data").kind() == Value::Kind::array)
      return value.field("data").array();
    if (const auto a = first_array(value)) return *a;
    throw Error(Errc::type, "there is no array in " + value.describe());
  }
  Value at = value;
  for (std::string_view rest = path; !rest.empty();) at = step_into(at, rest);
  if (at.kind() != Value::Kind::array)
    throw Error(Errc::type, fmt::format("'{}' is no array: {}", path, at.describe()));
  return at.array();
}

}  // namespace larmor::server
