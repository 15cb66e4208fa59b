// SPDX-License-Identifier: Apache-2.0
#include "dce_graph.hpp"

#include <fmt/format.h>

#include <larmor/core/log.hpp>
#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_fit.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <limits>

#include "graph_run.hpp"

namespace larmor::cli {
namespace {

using flow::Value;
using flow::ValueTraits;

// Settings are in the units of people: 0.2617993877991494 rad is 15 degrees and not 14.999999999999998.
double shown(double engine, double unit) { return std::stod(fmt::format("{:.13g}", engine / unit)); }
std::vector<double> shown(std::vector<double> engine, double unit) {
  for (double& x : engine) x = shown(x, unit);
  return engine;
}
Value list(const std::vector<double>& numbers) { return ValueTraits<std::vector<double>>::to(numbers); }

class Settings {
 public:
  explicit Settings(flow::Graph& graph) : graph_(graph) {}
  /// By its name on the surface; one that is the default is left out of the graph.
  void set(const char* key, const Value& value) {
    const auto& promoted = graph_.settings.at(key);
    auto& node = graph_.nodes.at(promoted.node);
    const auto* described = nodes::operations().get(node.op).setting(promoted.setting);
    if (described && described->value.hash() == value.hash())
      node.settings.erase(promoted.setting);
    else
      node.settings[promoted.setting] = value;
  }

 private:
  flow::Graph& graph_;
};

Value volume(const Image& like, const std::vector<float>& values) {
  const auto g = like.grid();
  return ValueTraits<Image>::to(nodes::place_of(like, Array::from<float>(values, {g[0], g[1], g[2]})));
}
Value region(const Image& like, const std::vector<std::uint8_t>& values) {
  const auto g = like.grid();
  return ValueTraits<Image>::to(nodes::place_of(like, Array::from<std::uint8_t>(values, {g[0], g[1], g[2]})));
}

const char* source_word(dce::AifSource source) {
  switch (source) {
    case dce::AifSource::model:
      return "model";
    case dce::AifSource::curve:
      return "curve";
    case dce::AifSource::region:
      return "region";
    case dce::AifSource::automatic:
      break;
  }
  return "automatic";
}

void set_fit(Settings& s, const dce::PipelineOptions& o) {
  const auto& f = o.fit;
  s.set("fit.model", o.models.at(0));
  std::string rest;
  for (std::size_t i = 1; i < o.models.size(); ++i) rest += (i > 1 ? " " : "") + o.models[i];
  s.set("fit.compare", rest);
  s.set("fit.fitter", dce::fitters().resolve(f.fitter));
  s.set("fit.fit_delay", f.fit_delay);
  s.set("fit.delay_bounds", list({f.delay_lower, f.delay_upper}));
  s.set("fit.delay", f.delay);
  s.set("fit.max_iterations", f.max_iterations);
  s.set("fit.tolerance", f.tolerance);
  if (f.noise_sd) s.set("fit.noise_sd", *f.noise_sd);
  std::vector<double> skip;
  for (std::size_t i = 0; i < f.use_frame.size(); ++i)
    if (!f.use_frame[i]) skip.push_back(static_cast<double>(i));
  s.set("fit.skip_frames", list(skip));
  s.set("fit.params", nodes::param_settings_text(f.params));
}

}  // namespace

flow::Graph dce_graph(const DceJob& job) {
  flow::Graph graph = nodes::shipped_graph("dce");
  Settings s(graph);
  const auto& o = job.options;
  const auto& d = job.data;
  if (o.concentration) {
    s.set("t1.source", "none");
    s.set("signal.method", "none");
  } else {
    s.set("t1.source", !d.t1_series.data.empty() ? "series" : d.T10.size() > 1 ? "map" : "fixed");
    if (d.t1_series.data.empty() && d.T10.size() == 1) s.set("t1.fixed", shown(static_cast<double>(d.T10[0]), 1));
    s.set("t1.method", dce::t1_methods().resolve(o.t1_method));
    s.set("t1.FA", list(shown(o.t1_protocol.FA, units::degree)));
    s.set("t1.TR", list(shown(o.t1_protocol.TR, units::millisecond)));
    s.set("t1.TI", list(shown(o.t1_protocol.TI, units::millisecond)));
    s.set("signal.method", o.conversion.method);
    s.set("signal.FA", shown(o.spgr.FA, units::degree));
    s.set("signal.TR", shown(o.spgr.TR, units::millisecond));
    s.set("signal.r1", o.spgr.r1);
    if (o.conversion.baseline_last > 0)
      s.set("signal.baseline",
            list({static_cast<double>(o.conversion.baseline_first), static_cast<double>(o.conversion.baseline_last)}));
  }
  s.set("aif.source", source_word(o.input.source));
  s.set("aif.model", dce::aif_models().resolve(o.input.model));
  s.set("aif.Hct", o.input.Hct);
  if (o.input.arrival) s.set("aif.arrival", *o.input.arrival);
  s.set("aif.delay", o.input.delay);
  s.set("aif.step", o.input.step);
  // Only a population curve needs the arrival; without one the first frame stands for it.
  if (o.input.arrival || o.input.source != dce::AifSource::model)
    s.set("arrival.otherwise", o.input.arrival.value_or(d.dynamic.times.front()));
  set_fit(s, o);
  s.set("output.descriptors", o.descriptors);
  return graph;
}

std::map<std::string, Value> dce_inputs(const DceJob& job) {
  const auto& d = job.data;
  std::map<std::string, Value> in{{"dynamic", ValueTraits<Image>::to(d.dynamic)}};
  if (!d.t1_series.data.empty()) in["t1_series"] = ValueTraits<Image>::to(d.t1_series);
  if (d.T10.size() > 1) in["t1_map"] = volume(d.dynamic, d.T10);
  if (!d.B1.empty()) in["B1"] = volume(d.dynamic, d.B1);
  if (!d.mask.empty()) in["mask"] = region(d.dynamic, d.mask);
  if (!d.aif_region.empty()) in["aif_region"] = region(d.dynamic, d.aif_region);
  if (!d.curves.empty()) in["aif_curve"] = ValueTraits<Aif>::to(d.curves[0]);
  if (d.curves.size() > 1) in["venous_curve"] = ValueTraits<Aif>::to(d.curves[1]);
  return in;
}

DceResult run_dce_graph(const DceJob& job, const Progress& progress, const Cancel& cancel) {
  DceResult out;
  out.graph = dce_graph(job);
  flow::EngineOptions machine;
  machine.memory_budget =
      std::numeric_limits<std::size_t>::max() / 2;  // as much as there is: nothing is kept for later
  machine.device = job.options.fit.device;
  flow::Engine engine(nodes::operations(), machine);
  flow::RunOptions run;
  run.inputs = dce_inputs(job);
  run.targets = {"maps"};  // the report of the command says more than that of the graph
  run.policy = flow::Policy::free;
  run.cancel = cancel;
  const auto report = run_or_throw(engine, out.graph, std::move(run), progress, [&](const flow::RunOptions& same) {
    const auto value = [&](const char* port) { return engine.value(out.graph, port, same); };
    out.maps = ValueTraits<ParameterMaps>::from(value("maps.out"));
    out.concentration = ValueTraits<Image>::from(value("signal.concentration"));
    out.inputs = {ValueTraits<Aif>::from(value("aif.aif"))};
    if (const Value venous = value("aif.venous"); !venous.none()) out.inputs.push_back(ValueTraits<Aif>::from(venous));
    if (const Value voxels = value("aif.voxels"); !voxels.none()) out.detected = ValueTraits<Image>::from(voxels);
    out.arrival = value("arrival.arrival").number();
    out.mean_tissue = ValueTraits<nodes::Curve>::from(value("arrival.mean")).y.at(0);
    if (const auto b = ValueTraits<std::vector<double>>::from(value("signal.baseline")); b.size() == 2)
      out.baseline_first = static_cast<int>(b[0]), out.baseline_last = static_cast<int>(b[1]);
    out.fitted = static_cast<std::int64_t>(value("fit.fitted").number());
  });
  for (const auto& [node, stage] : {std::pair{"t1", "T1"},
                                    {"signal", "concentration"},
                                    {"arrival", "arrival"},
                                    {"aif", "input function"},
                                    {"fit", "fit"},
                                    {"uptake", "uptake"},
                                    {"maps", "maps"}})
    if (const auto it = report.nodes.find(node); it != report.nodes.end())
      out.seconds.emplace_back(stage, it->second.seconds);
  out.fit_seconds = nodes::fit_seconds(report.nodes.at("fit").log).value_or(report.nodes.at("fit").seconds);
  return out;
}

}  // namespace larmor::cli
