// SPDX-License-Identifier: Apache-2.0
#include "catalogue_asl.hpp"

#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/perfusion/asl/differences.hpp>
#include <larmor/perfusion/asl/labelling.hpp>
#include <larmor/perfusion/asl/m0.hpp>
#include <larmor/perfusion/asl/model.hpp>

namespace larmor::cli {

using json = nlohmann::ordered_json;

json asl_models_json() {
  json out = json::array();
  for (const auto& [id, m] : asl::models()) {
    json params = json::array();
    for (const auto& p : m.params) {
      const auto shown = units::display_unit(p.name, p.unit);
      params.push_back({{"name", p.name},
                        {"unit", p.unit},
                        {"lower", p.lower},
                        {"upper", p.upper},
                        {"start", p.start},
                        {"title", p.title},
                        {"display_unit", shown},
                        {"display_factor", units::factor(p.unit, shown)}});
    }
    out.push_back({{"id", id},
                   {"title", m.title},
                   {"source", m.source},
                   {"params", params},
                   {"derived", json::array()},
                   {"inputs", 1},
                   {"aliases", asl::models().aliases_of(id)}});
  }
  return out;
}

json labellings_json() {
  json out = json::array();
  for (const auto& [id, l] : asl::labellings())
    out.push_back({{"id", id},
                   {"title", l.title},
                   {"source", l.source},
                   {"bids", l.bids},
                   {"label_eff", l.label_eff},
                   {"model", l.model},
                   {"aliases", asl::labellings().aliases_of(id)}});
  return out;
}

json differences_json() {
  json out = json::array();
  for (const auto& [id, m] : asl::difference_methods())
    out.push_back(
        {{"id", id}, {"title", m.title}, {"source", m.source}, {"aliases", asl::difference_methods().aliases_of(id)}});
  return out;
}

json m0_methods_json() {
  json out = json::array();
  for (const auto& [id, m] : asl::m0_methods())
    out.push_back({{"id", id},
                   {"title", m.title},
                   {"source", m.source},
                   {"T1", m.T1},
                   {"partition", m.partition},
                   {"T2_star", m.T2_star},
                   {"aliases", asl::m0_methods().aliases_of(id)}});
  return out;
}

}  // namespace larmor::cli
