// SPDX-License-Identifier: Apache-2.0
#include "catalogue.hpp"

#include <fmt/format.h>

#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/perfusion/common/convolution.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dce/fit.hpp>
#include <larmor/perfusion/dce/model.hpp>
#include <larmor/perfusion/dce/t1.hpp>
#include <larmor/perfusion/dsc/arrival.hpp>
#include <larmor/perfusion/dsc/deconvolve.hpp>
#include <larmor/perfusion/dsc/leakage.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>
#include <nlohmann/json.hpp>

#include "catalogue_asl.hpp"
#include "catalogue_json.hpp"
#include "catalogue_ops.hpp"
#include "command.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;
using Rows = std::vector<std::vector<std::string>>;

json dce_models_json() {
  const auto derived = [](const dce::Model& m) {
    json all = json::array();
    for (const auto& d : m.derived) all.push_back({{"name", d.name}, {"unit", d.unit}, {"title", d.title}});
    return all;
  };
  return models_json(dce::models(), derived, [](const dce::Model& m) { return m.n_inputs; });
}
json ivim_models_json() { return models_json(ivim::models()); }

json ivim_methods_json() {
  json out = json::array();
  for (const auto& [id, m] : ivim::methods())
    out.push_back({{"id", id},
                   {"title", m.title},
                   {"source", m.source},
                   {"models", m.any_model ? "any" : "ivim.biexponential"},
                   {"aliases", ivim::methods().aliases_of(id)}});
  return out;
}

json deconvolutions_json() { return titled_json(dsc::deconvolutions()); }
json residues_json() { return titled_json(dsc::residues()); }
json leakages_json() { return titled_json(dsc::leakages()); }
json arrivals_json() { return titled_json(dsc::arrivals()); }

json aifs_json() {
  json out = json::array();
  for (const auto& [id, a] : dce::aif_models())
    out.push_back({{"id", id},
                   {"title", a.title},
                   {"source", a.source},
                   {"plasma", a.plasma},
                   {"Hct", a.Hct},
                   {"preclinical", a.preclinical},
                   {"aliases", dce::aif_models().aliases_of(id)}});
  return out;
}

json convolutions_json() {
  json out = json::array();
  for (const auto& [id, c] : perfusion::convolutions())
    out.push_back(
        {{"id", id}, {"title", c.title}, {"source", c.source}, {"accuracy", c.accuracy}, {"any_grid", c.any_grid}});
  return out;
}

json fitters_json() {
  json out = json::array();
  for (const auto& [id, f] : dce::fitters())
    out.push_back({{"id", id}, {"title", f.title}, {"source", f.source}, {"how", f.how}});
  return out;
}

json t1_json() {
  json out = json::array();
  for (const auto& [id, m] : dce::t1_methods())
    out.push_back(
        {{"id", id}, {"title", m.title}, {"source", m.source}, {"needs", m.needs}, {"min_volumes", m.min_volumes}});
  return out;
}

json units_json() {
  json out = json::array();
  for (const auto& q : units::quantities())
    out.push_back({{"name", q.name},
                   {"symbol", q.symbol},
                   {"title", q.title},
                   {"engine", q.engine},
                   {"display", q.display},
                   {"lexicon", q.lexicon}});
  return out;
}

json devices_json() {
  json out = json::array();
  out.push_back({{"id", "cpu"}, {"what", "always there"}});
  const auto lines = device_descriptions();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].starts_with("cpu")) {
      out[0]["what"] = lines[i];
      continue;
    }
    out.push_back({{"id", lines[i].substr(0, lines[i].find(' '))}, {"what", lines[i]}});
  }
  if (cuda_device_count() == 0) out.push_back({{"id", "cuda"}, {"what", "not here: " + cuda_why_not()}});
  return out;
}

json option_json(const Option& o) {
  constexpr const char* kinds[] = {"flag", "number", "integer", "text", "file", "folder"};
  json j{{"name", o.name}, {"what", o.what}, {"kind", kinds[static_cast<int>(o.kind)]}};
  if (!o.unit().empty()) j["unit"] = o.unit();
  if (!o.start.empty()) j["default"] = o.start;
  if (std::isfinite(o.lower)) j["lower"] = o.lower;
  if (std::isfinite(o.upper)) j["upper"] = o.upper;
  if (o.choices) j["choices"] = o.choices();
  if (o.repeated) j["repeated"] = true;
  if (o.required) j["required"] = true;
  if (o.is_output) j["output"] = true;
  return j;
}

json commands_json() {
  json out = json::array();
  for (const auto& c : commands().all()) {
    json in = json::array(), opt = json::array();
    for (const auto* list : {&c.in, &c.out})
      for (const auto& p : *list) {
        in.push_back({{"name", p.name}, {"what", p.what}, {"optional", p.optional}});
        if (p.choices) in.back()["choices"] = p.choices();
        if (list == &c.out) in.back()["output"] = true;
      }
    for (const auto& o : c.opt) opt.push_back(option_json(o));
    out.push_back({{"name", c.name}, {"does", c.does}, {"arguments", in}, {"options", opt}, {"references", c.refs}});
  }
  return out;
}

json ops_json() { return json::parse(operations_json()); }
json types_json() { return json::parse(wire_types_json()); }

struct CatalogueKind {
  const char *name, *title, *lead;
  json (*items)();
  Rows (*rows)(const json& items);
};

std::string str(const json& j, const char* key) { return j.at(key).get<std::string>(); }

Rows model_rows(const json& items) {
  Rows rows{{"id", "parameter", "unit", "lower", "upper", "start", "meaning"}};
  for (const auto& m : items) {
    rows.push_back({str(m, "id"), "", "", "", "", "", str(m, "title") + ". " + str(m, "source")});
    for (const auto& p : m.at("params")) {
      const double k = p.at("display_factor").get<double>();
      const auto shown = [&](const char* key, const char* open) {
        return p.at(key).is_null() ? std::string(open) : short_number(k * p.at(key).get<double>());
      };
      rows.push_back({"", str(p, "name"), str(p, "display_unit"), shown("lower", "-inf"), shown("upper", "inf"),
                      shown("start", ""), str(p, "title")});
    }
    for (const auto& d : m.at("derived"))
      rows.push_back({"", str(d, "name"), units::display_unit(str(d, "name"), str(d, "unit")), "", "", "derived",
                      str(d, "title")});
  }
  return rows;
}

Rows aif_rows(const json& items) {
  Rows rows{{"id", "title", "gives", "Hct", "source"}};
  for (const auto& a : items)
    rows.push_back({str(a, "id"), str(a, "title"), a.at("plasma").get<bool>() ? "plasma" : "whole blood",
                    short_number(a.at("Hct").get<double>()), str(a, "source")});
  return rows;
}

Rows convolution_rows(const json& items) {
  Rows rows{{"id", "title", "grid", "accuracy", "source"}};
  for (const auto& c : items)
    rows.push_back({str(c, "id"), str(c, "title"), c.at("any_grid").get<bool>() ? "any" : "uniform", str(c, "accuracy"),
                    str(c, "source")});
  return rows;
}

Rows fitter_rows(const json& items) {
  Rows rows{{"id", "title", "how", "source"}};
  for (const auto& f : items) rows.push_back({str(f, "id"), str(f, "title"), str(f, "how"), str(f, "source")});
  return rows;
}

Rows titled_rows(const json& items) {
  Rows rows{{"id", "title", "source"}};
  for (const auto& m : items) rows.push_back({str(m, "id"), str(m, "title"), str(m, "source")});
  return rows;
}

Rows ivim_method_rows(const json& items) {
  Rows rows{{"id", "title", "models", "source"}};
  for (const auto& m : items) rows.push_back({str(m, "id"), str(m, "title"), str(m, "models"), str(m, "source")});
  return rows;
}

Rows labelling_rows(const json& items) {
  Rows rows{{"id", "title", "BIDS", "efficiency", "model", "source"}};
  for (const auto& l : items)
    rows.push_back({str(l, "id"), str(l, "title"), str(l, "bids"), fmt::format("{}", l.at("label_eff").get<double>()),
                    str(l, "model"), str(l, "source")});
  return rows;
}

Rows t1_rows(const json& items) {
  Rows rows{{"id", "title", "needs", "volumes", "source"}};
  for (const auto& m : items)
    rows.push_back({str(m, "id"), str(m, "title"), str(m, "needs"),
                    fmt::format("{} or more", m.at("min_volumes").get<int>()), str(m, "source")});
  return rows;
}

Rows unit_rows(const json& items) {
  Rows rows{{"name", "shown in", "engine", "meaning", "lexicon"}};
  for (const auto& u : items)
    rows.push_back({str(u, "name"), str(u, "display"), str(u, "engine"), str(u, "title"), str(u, "lexicon")});
  return rows;
}

Rows device_rows(const json& items) {
  Rows rows{{"id", "what"}};
  for (const auto& d : items) rows.push_back({str(d, "id"), str(d, "what")});
  return rows;
}

Rows command_rows(const json& items) {
  Rows rows{{"command", "does"}};
  for (const auto& c : items) rows.push_back({str(c, "name"), str(c, "does")});
  return rows;
}

Rows ops_rows(const json&) { return operation_rows(); }
Rows types_rows(const json&) { return wire_type_rows(); }

const CatalogueKind kinds[] = {
    {"models", "Models",
     "Tracer-kinetic models of `fit.model`. Bounds and starts are in the units shown. Every model also takes `delay` "
     "[s], the arrival of the bolus in the tissue after the arterial input. A name may be given in full "
     "(`dce.tofts`) or by its last part (`tofts`).",
     dce_models_json, model_rows},
    {"ivim-models", "IVIM models",
     "Signal models of diffusion and perfusion, for the operation `ivim.fit`. Bounds and starts are in the units "
     "shown.",
     ivim_models_json, model_rows},
    {"ivim-methods", "IVIM methods",
     "Ways to estimate, for `fit.method` of `larmor ivim` and the operation `ivim.estimate`.", ivim_methods_json,
     ivim_method_rows},
    {"asl-models", "ASL models",
     "Kinetic models of `fit.model` of `larmor asl`. Bounds and starts are in the units shown.", asl_models_json,
     model_rows},
    {"labellings", "Labelling",
     "Ways to label blood, for `acquisition.labelling` of `larmor asl`, with their usual efficiency.", labellings_json,
     labelling_rows},
    {"differences", "Differences", "Ways to subtract, for `differences.method` of `larmor asl`.", differences_json,
     titled_rows},
    {"m0-methods", "M0 of blood", "Ways to M0 of blood, for `m0.method` of `larmor asl`.", m0_methods_json,
     titled_rows},
    {"deconvolutions", "Deconvolutions",
     "Ways from tissue curves and an arterial input to flow, for `deconvolution.method` of `larmor dsc` and the "
     "operation "
     "`dsc.deconvolve`.",
     deconvolutions_json, titled_rows},
    {"residues", "Residue models", "Shapes of the impulse response, for `deconvolution.correction` and fits.",
     residues_json, titled_rows},
    {"leakages", "Leakage corrections", "For `leakage.method` of `larmor dsc`.", leakages_json, titled_rows},
    {"arrivals", "Arrival detectors", "Ways to find when a bolus arrives, for `signal.arrival` of `larmor dsc`.",
     arrivals_json, titled_rows},
    {"aifs", "Arterial input functions",
     "Population curves of `aif.model`. `Hct` is the haematocrit of the paper; whole-blood curves are divided by "
     "1 - Hct to become plasma curves.",
     aifs_json, aif_rows},
    {"fitters", "Fitters", "Ways to fit a model, for `fit.fitter`.", fitters_json, fitter_rows},
    {"convolutions", "Convolutions", "Ways to convolve an input with an exponential.", convolutions_json,
     convolution_rows},
    {"t1", "T1 mapping", "Methods of `larmor t1` and of `t1.method`.", t1_json, t1_rows},
    {"units", "Quantities and units",
     "Maps, settings and reports are in the unit of the column `shown in`; `output.units: engine` writes the engine's.",
     units_json, unit_rows},
    {"ops", "Operations", "What a node of a graph can be.", ops_json, ops_rows},
    {"types", "Types on wires", "What an operation takes and gives.", types_json, types_rows},
    {"devices", "Devices", "Where work can run: `--device`.", devices_json, device_rows},
    {"commands", "Commands", "", commands_json, command_rows},
};

const CatalogueKind& find_kind(std::string_view name) {
  for (const auto& k : kinds)
    if (name == k.name) return k;
  auto all = catalogue_kinds();
  all.emplace_back("all");
  throw unknown_name("list", name, all);
}

template <class R>
std::vector<std::string> names_of(const R& registry) {
  return registry.ids();
}

}  // namespace

std::vector<std::string> catalogue_kinds() {
  std::vector<std::string> out;
  for (const auto& k : kinds) out.emplace_back(k.name);
  return out;
}

std::string catalogue_json(std::string_view kind) {
  if (kind != "all") return find_kind(kind).items().dump(2) + "\n";
  json out = json::object();
  for (const auto& k : kinds) out[k.name] = k.items();
  return out.dump(2) + "\n";
}

std::string catalogue_text(std::string_view kind) {
  std::string out;
  for (const auto& k : kinds) {
    if (kind != "all" && kind != k.name) continue;
    if (kind == "all") out += fmt::format("{}{}\n", out.empty() ? "" : "\n", k.title);
    out += text_table(k.rows(k.items()), kind == "all" ? 2 : 0);
  }
  if (out.empty()) find_kind(kind);
  return out;
}

std::string catalogue_page(std::string_view kind) {
  const auto& k = find_kind(kind);
  std::string out = fmt::format("# {}\n\n", k.title);
  if (*k.lead) out += wrapped(k.lead, 0, 110) + "\n\n";
  const auto rows = k.rows(k.items());
  for (std::size_t r = 0; r < rows.size(); ++r) {
    out += "|";
    for (const auto& cell : rows[r]) {
      std::string text;
      for (const char c : cell) text += c == '|' ? std::string("\\|") : std::string(1, c);
      out += " " + text + " |";
    }
    out += "\n";
    if (r == 0) {
      out += "|";
      for (std::size_t c = 0; c < rows[0].size(); ++c) out += "---|";
      out += "\n";
    }
  }
  return out;
}

std::vector<std::string> model_ids() { return names_of(dce::models()); }
std::vector<std::string> aif_ids() { return names_of(dce::aif_models()); }
std::vector<std::string> fitter_ids() { return names_of(dce::fitters()); }
std::vector<std::string> t1_ids() { return names_of(dce::t1_methods()); }

}  // namespace larmor::cli
