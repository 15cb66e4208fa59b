// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void pick(flow::Ports& io) {
  const auto maps = io.in<ParameterMaps>("maps");
  const std::string name = io.setting("name"), what = io.setting("what");
  Image out;
  if (name == "status") {
    if (maps.status.empty()) throw Error(Errc::usage, "these maps have no status", "give the maps of a fit");
    out = place_of(maps.reference, maps.status);
  } else {
    const auto& map = maps.get(name);
    const bool se = what == "standard_error";
    if (se && map.standard_error.empty())
      throw Error(Errc::usage, name + " has no standard error", "choose a parameter that was fitted");
    Array data = se ? map.standard_error : map.values;
    const std::string unit = io.setting("units").str() == "engine" ? map.unit : units::display_unit(map.name, map.unit);
    if (const double k = units::factor(map.unit, unit); k != 1) {
      data = data.contiguous_copy().clone();
      for (float& x : data.span<float>()) x *= static_cast<float>(k);
    }
    out = place_of(maps.reference, data);
    out.meta["Units"] = unit;
    out.meta["Description"] = (se ? "Standard error of " : "") + (map.title.empty() ? map.name : map.title);
  }
  io.out("image") = out;
}

void adapt(flow::Form& form) {
  if (form.in("maps").type() != "maps") return;
  auto& name = form.change("name");
  name.kind = flow::SettingKind::choice;
  name.choices.clear();
  for (const auto& m : form.in("maps").field("maps").list()) name.choices.push_back(m.field("name").text());
  if (!form.in("maps").field("status").none()) name.choices.emplace_back("status");
}

}  // namespace

void register_maps_pick(flow::NodeTypes& nodes) {
  nodes.add(
      "maps.pick",
      flow::NodeType{.title = "Pick a map",
                     .does = "One of several parameter maps, as an image",
                     .tags = {"Ktrans", "ve", "vp", "T1", "status"}}
          .in<ParameterMaps>("maps", "maps of a fit")
          .out<Image>("image", "the map (x, y, z)")
          .set({"name", "which: Ktrans, ve, T10, R2, status, ...", "Ktrans"})
          .set(Setting::choice("what", "the values, or their standard errors", "values", {"values", "standard_error"}))
          .set(Setting::choice("units", "of the lexicon (1/min, mL/min/100mL) or of the engine (1/s)", "engine",
                               {"lexicon", "engine"}))
          .run(pick)
          .validate(adapt));
}

}  // namespace larmor::nodes
