// SPDX-License-Identifier: Apache-2.0
#include "catalogue_asl.hpp"

#include <larmor/perfusion/asl/differences.hpp>
#include <larmor/perfusion/asl/labelling.hpp>
#include <larmor/perfusion/asl/m0.hpp>
#include <larmor/perfusion/asl/model.hpp>

#include "catalogue_json.hpp"

namespace larmor::cli {

using json = nlohmann::ordered_json;

json asl_models_json() { return models_json(asl::models()); }

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

json differences_json() { return titled_json(asl::difference_methods()); }

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
