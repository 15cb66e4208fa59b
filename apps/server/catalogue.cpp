// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/nodes/categories.hpp>

#include "describe.hpp"
#include "shipped.hpp"

namespace larmor::server {
namespace {

json bounded(json j, double lower, double upper) {
  if (std::isfinite(lower)) j["lower"] = lower;
  if (std::isfinite(upper)) j["upper"] = upper;
  return j;
}

json describe(const flow::Port& port, bool input) {
  const auto& l = port.limits;
  json j{{"name", port.name}, {"what", port.what}, {"type", port.type}};
  if (input) j.update({{"required", l.required}, {"repeated", l.repeated}});
  json dtypes = json::array();
  for (const auto t : l.dtypes) dtypes.push_back(to_string(t));
  j.update({{"dtypes", dtypes}, {"min_rank", l.min_rank}, {"max_rank", l.max_rank}, {"axes", l.axes}});
  return bounded(std::move(j), l.lower, l.upper);
}

json describe(const std::string& id, const flow::NodeType& t) {
  json inputs = json::array(), outputs = json::array(), settings = json::array(), examples = json::array();
  for (const auto& p : t.inputs) inputs.push_back(describe(p, true));
  for (const auto& p : t.outputs) outputs.push_back(describe(p, false));
  for (const auto& s : t.settings) settings.push_back(server::describe(s));
  for (const auto& e : t.examples) examples.push_back({{"title", e.title}, {"graph", e.graph}});
  return {{"id", id},
          {"title", t.title},
          {"does", t.does},
          {"from", t.from},
          {"help", t.help},
          {"version", t.version},
          {"effect", t.effect},
          {"user", t.user},
          {"tags", t.tags},
          {"category", id.substr(0, id.rfind('.'))},
          {"inputs", inputs},
          {"outputs", outputs},
          {"settings", settings},
          {"examples", examples}};
}

/// "nii" -> the operation that opens such files: it needs no wire and has a setting for a file with that ending.
json extensions(const flow::NodeTypes& types) {
  json out = json::object();
  for (const auto& [id, type] : types) {
    if (std::any_of(type.inputs.begin(), type.inputs.end(), [](const auto& p) { return p.limits.required; })) continue;
    const auto opens = std::find_if(type.settings.begin(), type.settings.end(), [](const auto& s) {
      return s.kind == flow::SettingKind::file_open && !s.choices.empty();
    });
    if (opens == type.settings.end()) continue;
    for (const auto& ending : opens->choices) {
      // Where several open a kind of file, the one that opens fewest kinds is made for it.
      const auto it = out.find(ending);
      const auto kinds = [&](const std::string& other) {
        std::size_t n = 0;
        for (const auto& s : types.get(other).settings)
          if (s.kind == flow::SettingKind::file_open) n = std::max(n, s.choices.size());
        return n;
      };
      const bool reader = id.starts_with("io.");  // one that reads files and does nothing else
      if (it == out.end() || (reader && !it->get_ref<const std::string&>().starts_with("io.")) ||
          (reader == it->get_ref<const std::string&>().starts_with("io.") &&
           opens->choices.size() < kinds(it->get<std::string>())))
        out[ending] = id;
    }
  }
  return out;
}

}  // namespace

json plain(const flow::Value& value) {
  return value.none() ? json() : json::parse(flow::to_json(value), nullptr, false);
}

json describe(const flow::Setting& s) {
  json j{{"name", s.name},          {"what", s.what}, {"kind", to_string(s.kind)}, {"default", plain(s.value)},
         {"step", s.step},          {"unit", s.unit}, {"choices", s.choices},      {"optional", s.optional},
         {"multiline", s.multiline}};
  return bounded(std::move(j), s.lower, s.upper);
}

json describe(const flow::Issue& i) {
  return {{"kind", i.kind == flow::Issue::Kind::error ? "error" : "warning"},
          {"node", i.node},
          {"port", i.port},
          {"message", i.message},
          {"advice", i.advice},
          {"code", i.code}};
}
json describe(const std::vector<flow::Issue>& issues) {
  json out = json::array();
  for (const auto& i : issues) out.push_back(describe(i));
  return out;
}

json catalogue(const flow::NodeTypes& types, const Shipped& shipped) {
  const auto reading = types.reading();
  json all{
      {"types", json::object()}, {"categories", json::object()}, {"ops", json::array()}, {"graphs", json::array()}};
  for (const auto& [id, t] : types.types)
    all["types"][id] = {
        {"title", t.title}, {"what", t.what}, {"parent", t.parent}, {"colour", t.colour}, {"viewers", t.viewers}};
  for (const auto& [id, t] : types) {
    all["ops"].push_back(describe(id, t));
    const auto& category = all["ops"].back()["category"].get_ref<const std::string&>();
    all["categories"][category] = {{"title", nodes::category_title(category)}};
  }
  // Whole, so that a node that stands for one can be entered.
  for (const auto& g : shipped.all())
    all["graphs"].push_back({{"name", g.name}, {"title", g.title}, {"about", g.about}, {"graph", json::parse(g.text)}});
  all["extensions"] = extensions(types);
  return all;
}

}  // namespace larmor::server
