// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::flow {
namespace {

const Axes grid_axes{"x", "y", "z"};

// Arrays that are not there travel as nothing: an empty array has no shape to come back to.
Value array_or_none(const Array& a) {
  if (a.empty()) return {};
  return a.rank() == 3 && a.axes().size() != 3 ? a.with_axes(grid_axes) : a;
}
Array array_of(const Value& v) { return v.none() ? Array() : v.array(); }

std::string text_of(const Value& record, const char* name) {
  const Value v = record.field(name);
  return v.kind() == Value::Kind::text ? v.text() : std::string();
}

}  // namespace

Value ValueTraits<ParameterMaps>::to(const ParameterMaps& maps) {
  Value::List list;
  for (const auto& m : maps.maps)
    list.push_back(Value::record("map", {{"name", m.name},
                                         {"symbol", m.symbol},
                                         {"unit", m.unit},
                                         {"title", m.title},
                                         {"values", array_or_none(m.values)},
                                         {"standard_error", array_or_none(m.standard_error)}}));
  Image reference = maps.reference;
  reference.data = Array();
  Value geometry = ValueTraits<Image>::to(reference);
  Value::Fields fields;
  for (const auto& [name, v] : geometry.fields())
    fields.emplace_back(name, name == "data" ? array_or_none(maps.reference.data) : v);
  return Value::record("maps", {{"reference", Value::record("image", std::move(fields))},
                                {"maps", std::move(list)},
                                {"status", array_or_none(maps.status)},
                                {"meta", value_of(maps.meta)}});
}

ParameterMaps ValueTraits<ParameterMaps>::from(const Value& value) {
  if (value.type() != "maps")
    throw Error(Errc::type, "parameter maps are needed and this is " + value.describe(),
                "wire the maps of a fit (dce.fit, t1.vfa), or read a folder of them with io.read_maps");
  ParameterMaps out;
  const Value reference = value.field("reference");
  if (reference.type() == "image") {
    if (reference.field("data").none()) {  // geometry alone
      Value::Fields fields;
      for (const auto& [name, v] : reference.fields())
        fields.emplace_back(name, name == "data" ? Value(Array::of<float>({1})) : v);
      out.reference = ValueTraits<Image>::from(Value::record("image", std::move(fields)));
      out.reference.data = Array();
    } else {
      out.reference = ValueTraits<Image>::from(reference);
    }
  }
  for (const auto& m : value.field("maps").list())
    out.maps.push_back({.name = text_of(m, "name"),
                        .symbol = text_of(m, "symbol"),
                        .unit = text_of(m, "unit"),
                        .title = text_of(m, "title"),
                        .values = array_of(m.field("values")),
                        .standard_error = array_of(m.field("standard_error"))});
  out.status = array_of(value.field("status"));
  out.meta = metadata_of(value.field("meta"));
  return out;
}

}  // namespace larmor::flow
