// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/values/scene.hpp>

namespace larmor::flow {
namespace {

using nodes::Scene;
using nodes::SceneItem;
using Numbers = ValueTraits<std::vector<double>>;

constexpr const char* kinds[] = {"points", "lines", "spheres", "arrows"};

constexpr std::pair<const char*, std::optional<double> SceneItem::*> numbers[] = {{"radius", &SceneItem::radius},
                                                                                  {"opacity", &SceneItem::opacity},
                                                                                  {"width", &SceneItem::width},
                                                                                  {"trail", &SceneItem::trail}};
constexpr std::pair<const char*, std::string SceneItem::*> texts[] = {{"title", &SceneItem::title},
                                                                      {"colour", &SceneItem::colour},
                                                                      {"map", &SceneItem::map},
                                                                      {"value_title", &SceneItem::value_title},
                                                                      {"value_unit", &SceneItem::value_unit}};
constexpr std::pair<const char*, Array SceneItem::*> arrays[] = {
    {"directions", &SceneItem::directions}, {"colours", &SceneItem::colours}, {"values", &SceneItem::values}};

void triples(const char* name, const Array& a, std::int64_t n) {
  if (a.rank() < 2 || a.rank() > 3 || a.extent(0) != 3 || (n >= 0 && a.extent(1) != n))
    throw Error(Errc::shape, std::string("a scene: ") + name + " are " + a.describe(),
                n < 0 ? "give (3, points) or (3, points, t)" : "give (3, " + std::to_string(n) + "), or that and t");
}

std::string text_of(const Value& record, const char* name) {
  const Value v = record.field(name);
  return v.kind() == Value::Kind::text ? v.text() : std::string();
}

Value item(const SceneItem& i) {
  triples("positions", i.positions, -1);
  const std::int64_t n = i.positions.extent(1);
  if (i.directions.size()) triples("directions", i.directions, n);
  if (i.colours.size()) triples("colours", i.colours, n);
  if (i.values.size() && i.values.extent(0) != n)
    throw Error(Errc::shape, "a scene: values are " + i.values.describe(), "give one for each point");
  Value::Fields f{{"kind", kinds[static_cast<int>(i.kind)]}, {"positions", i.positions}};
  for (const auto& [name, member] : arrays)
    if ((i.*member).size()) f.emplace_back(name, i.*member);
  for (const auto& [name, member] : texts)
    if (!(i.*member).empty()) f.emplace_back(name, i.*member);
  for (const auto& [name, member] : numbers)
    if (i.*member) f.emplace_back(name, *(i.*member));
  if (i.range) f.emplace_back("range", Numbers::to({(*i.range)[0], (*i.range)[1]}));
  if (!i.times.empty())
    f.emplace_back("times", Array::from<double>(i.times, {static_cast<std::int64_t>(i.times.size())}, {"t"}));
  return Value::record("", std::move(f));
}

}  // namespace

Value ValueTraits<Scene>::to(const Scene& s) {
  Value::List items;
  for (const auto& i : s.items) items.push_back(item(i));
  Value::Fields f{{"title", s.title}, {"unit", s.unit}, {"axes", Value::List{s.axes[0], s.axes[1], s.axes[2]}}};
  if (s.box) {
    const auto& b = *s.box;
    f.emplace_back("box",
                   Value::List{Numbers::to({b[0][0], b[0][1], b[0][2]}), Numbers::to({b[1][0], b[1][1], b[1][2]})});
  }
  f.emplace_back("items", items);
  return Value::record("scene", std::move(f));
}

Scene ValueTraits<Scene>::from(const Value& value) {
  if (value.type() != "scene")
    throw Error(Errc::type, "a scene is needed and this is " + value.describe(), "make one: sim.scene");
  Scene s;
  s.title = text_of(value, "title"), s.unit = text_of(value, "unit");
  if (const Value axes = value.field("axes"); axes.kind() == Value::Kind::list && axes.list().size() == 3)
    for (std::size_t a = 0; a < 3; ++a) s.axes[a] = axes.list()[a].text();
  if (const Value box = value.field("box"); box.kind() == Value::Kind::list && box.list().size() == 2) {
    s.box.emplace();
    for (std::size_t c = 0; c < 2; ++c) {
      const auto corner = Numbers::from(box.list()[c]);
      for (std::size_t a = 0; a < 3 && a < corner.size(); ++a) (*s.box)[c][a] = corner[a];
    }
  }
  for (const auto& record : value.field("items").list()) {
    SceneItem i;
    for (int k = 0; k < 4; ++k)
      if (text_of(record, "kind") == kinds[k]) i.kind = static_cast<SceneItem::Kind>(k);
    i.positions = ValueTraits<Array>::from(record.field("positions"));
    for (const auto& [name, member] : arrays)
      if (const Value v = record.field(name); !v.none()) i.*member = ValueTraits<Array>::from(v);
    for (const auto& [name, member] : texts) i.*member = text_of(record, name);
    for (const auto& [name, member] : numbers)
      if (const Value v = record.field(name); !v.none()) i.*member = v.number();
    if (const Value v = record.field("range"); !v.none()) {
      const auto r = Numbers::from(v);
      if (r.size() == 2) i.range = {r[0], r[1]};
    }
    if (const Value v = record.field("times"); !v.none()) i.times = Numbers::from(v);
    s.items.push_back(std::move(i));
  }
  return s;
}

}  // namespace larmor::flow
