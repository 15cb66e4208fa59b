// SPDX-License-Identifier: Apache-2.0
#include "dce_graph.hpp"

#include <fmt/format.h>

#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_fit.hpp>
#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>

#include "pipeline.hpp"

namespace larmor::cli {
namespace {

using flow::Value;
using flow::ValueTraits;

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

void set_fit(SurfaceSettings& s, const dce::PipelineOptions& o) {
  const auto& f = o.fit;
  s.set("fit.model", o.models.at(0));
  std::string rest;
  for (std::size_t i = 1; i < o.models.size(); ++i) rest += (i > 1 ? " " : "") + o.models[i];
  s.set("fit.compare", rest);
  s.set("fit.fitter", dce::fitters().resolve(f.fitter));
  s.set("fit.fit_delay", f.fit_delay);
  s.set("fit.delay_bounds", list_value({f.delay_lower, f.delay_upper}));
  s.set("fit.delay", f.delay);
  s.set("fit.max_iterations", f.max_iterations);
  s.set("fit.tolerance", f.tolerance);
  if (f.noise_sd) s.set("fit.noise_sd", *f.noise_sd);
  std::vector<double> skip;
  for (std::size_t i = 0; i < f.use_frame.size(); ++i)
    if (!f.use_frame[i]) skip.push_back(static_cast<double>(i));
  s.set("fit.skip_frames", list_value(skip));
  s.set("fit.params", nodes::param_settings_text(f.params));
}

}  // namespace

flow::Graph dce_graph(const DceJob& job) {
  flow::Graph graph = nodes::shipped_graph("dce");
  SurfaceSettings s(graph);
  const auto& o = job.options;
  const auto& d = job.data;
  if (o.concentration) {
    s.set("t1.source", "none");
    s.set("signal.method", "none");
  } else {
    s.set("t1.source", !d.t1_series.data.empty() ? "series" : d.T10.size() > 1 ? "map" : "fixed");
    if (d.t1_series.data.empty() && d.T10.size() == 1) s.set_shown("t1.fixed", static_cast<double>(d.T10[0]), 1);
    s.set("t1.method", dce::t1_methods().resolve(o.t1_method));
    s.set_shown("t1.FA", o.t1_protocol.FA, units::degree);
    s.set_shown("t1.TR", o.t1_protocol.TR, units::millisecond);
    s.set_shown("t1.TI", o.t1_protocol.TI, units::millisecond);
    s.set("signal.method", o.conversion.method);
    s.set_shown("signal.FA", o.spgr.FA, units::degree);
    s.set_shown("signal.TR", o.spgr.TR, units::millisecond);
    s.set("signal.r1", o.spgr.r1);
    if (o.conversion.baseline_last > 0)
      s.set("signal.baseline", list_value({static_cast<double>(o.conversion.baseline_first),
                                           static_cast<double>(o.conversion.baseline_last)}));
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
  if (d.T10.size() > 1) in["t1_map"] = volume_value(d.dynamic, d.T10);
  if (!d.B1.empty()) in["B1"] = volume_value(d.dynamic, d.B1);
  if (!d.mask.empty()) in["mask"] = region_value(d.dynamic, d.mask);
  if (!d.aif_region.empty()) in["aif_region"] = region_value(d.dynamic, d.aif_region);
  if (!d.curves.empty()) in["aif_curve"] = ValueTraits<Aif>::to(d.curves[0]);
  if (d.curves.size() > 1) in["venous_curve"] = ValueTraits<Aif>::to(d.curves[1]);
  return in;
}

}  // namespace larmor::cli
