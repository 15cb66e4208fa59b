// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <larmor/core/units.hpp>
#include <nlohmann/json.hpp>

/// Entries of registries as JSON, for the files that make the catalogue.
namespace larmor::cli {

/// JSON has no infinity: an open bound is null.
inline nlohmann::ordered_json finite_json(double x) {
  return std::isfinite(x) ? nlohmann::ordered_json(x) : nlohmann::ordered_json(nullptr);
}

/// What every entry has: id, title, source, aliases.
template <class Items>
nlohmann::ordered_json titled_json(const Items& items) {
  auto out = nlohmann::ordered_json::array();
  for (const auto& [id, m] : items)
    out.push_back({{"id", id}, {"title", m.title}, {"source", m.source}, {"aliases", items.aliases_of(id)}});
  return out;
}

/// Models with their parameters, as they are shown and inside. derived(model): JSON of what is worked out afterwards;
/// inputs(model): number of arterial inputs.
template <class Models, class Derived, class Inputs>
nlohmann::ordered_json models_json(const Models& models, Derived&& derived, Inputs&& inputs) {
  using json = nlohmann::ordered_json;
  auto out = json::array();
  for (const auto& [id, m] : models) {
    json params = json::array();
    for (const auto& p : m.params) {
      const std::string shown = units::display_unit(p.name, p.unit);
      params.push_back({{"name", p.name},
                        {"unit", p.unit},
                        {"lower", finite_json(p.lower)},
                        {"upper", finite_json(p.upper)},
                        {"start", finite_json(p.start)},
                        {"title", p.title},
                        {"display_unit", shown},
                        {"display_factor", units::factor(p.unit, shown)}});
    }
    out.push_back({{"id", id},
                   {"title", m.title},
                   {"source", m.source},
                   {"params", params},
                   {"derived", derived(m)},
                   {"inputs", inputs(m)},
                   {"aliases", models.aliases_of(id)}});
  }
  return out;
}
template <class Models>
nlohmann::ordered_json models_json(const Models& models) {
  return models_json(
      models, [](const auto&) { return nlohmann::ordered_json::array(); }, [](const auto&) { return 1; });
}

}  // namespace larmor::cli
