// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/ivim_ports.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/values/image.hpp>
#include <limits>

namespace larmor::nodes {
namespace {

constexpr const char* keys[] = {"bValues", "DiffusionBValue"};

}  // namespace

DiffusionSeries diffusion_series_in(const flow::Ports& io) {
  DiffusionSeries s;
  s.image = io.in<Gridded>("signal").image();
  if (s.image.data.rank() != 4)
    throw Error(Errc::shape, "the series is " + s.image.data.describe(), "give (x, y, z, b)").at("port 'signal'");
  s.b = io.setting("b").numbers();
  for (const char* key : keys)
    if (s.b.empty()) s.b = meta_numbers(s.image.meta, key);
  if (static_cast<std::int64_t>(s.b.size()) != s.image.volumes())
    throw Error(Errc::range, fmt::format("{} b-values for {} volumes", s.b.size(), s.image.volumes()),
                "set b, or give them in the sidecar (bValues) [s/mm2]");
  s.counts = meta_numbers(s.image.meta, "Averages");
  if (s.counts.size() != s.b.size()) s.counts.clear();
  s.mask = mask_in(io, "mask", s.image);
  return s;
}

flow::Setting b_values_setting() {
  return flow::Setting::numbers("b", "diffusion weighting of each volume; empty: the sidecar's", {}).in("s/mm2");
}

void ask_for_b_values(flow::Form& form) {
  if (form.in("signal").none() || !form.setting("b").numbers().empty()) return;
  const auto meta = form.in("signal").field("meta");
  for (const char* key : keys)
    if (!meta.none() && !meta.field(key).none()) return;
  form.warn("the series says no b-values: set b [s/mm2]");
}

ParameterMaps maps_of(const fit::CurveFit& fit, const Image& series, const std::string& model) {
  ParameterMaps maps;
  maps.reference = reference_of(series);
  const auto g = series.grid();
  const Shape shape{g[0], g[1], g[2]};
  const auto volume = [&](const std::vector<float>& values) { return Array::from<float>(values, shape); };
  for (std::size_t i = 0; i < fit.params.size(); ++i) {
    const auto& p = fit.params[i];
    maps.maps.push_back({p.name, p.name, p.unit, p.title, volume(fit.values[i]), volume(fit.standard_error[i])});
  }
  maps.maps.push_back({"R2", "R^2", "1", "Coefficient of determination", volume(fit.R2), {}});
  std::vector<std::uint8_t> codes;
  for (const auto s : fit.status) codes.push_back(static_cast<std::uint8_t>(s));
  maps.status = Array::from<std::uint8_t>(codes, shape);
  maps.meta["Models"] = std::vector<std::string>{model};
  return maps;
}

ParameterMaps maps_of(const ivim::Estimate& e, const Image& series, const std::string& method, const ivim::Signals& s) {
  ParameterMaps maps = maps_of(e.fit, series, e.model);
  const auto g = series.grid();
  const Shape shape{g[0], g[1], g[2]};
  if (!e.fit.residual_sd.empty())
    maps.maps.push_back({"residual_sd",
                         "sd",
                         "a.u.",
                         "Standard deviation of the residual",
                         Array::from<float>(e.fit.residual_sd, shape),
                         {}});
  if (!e.flags.empty()) {
    std::vector<float> flags(e.flags.begin(), e.flags.end());
    for (std::size_t v = 0; v < flags.size(); ++v)
      if (!fit::usable(e.fit.status[v])) flags[v] = std::numeric_limits<float>::quiet_NaN();
    maps.maps.push_back(
        {"flags",
         "flags",
         "1",
         "Why to read with care: 1 the prior decides D*, 2 the prior decides D, 4 low signal, 8 noise that the network "
         "was not trained for",
         Array::from<float>(flags, shape),
         {}});
  }
  maps.meta["Method"] = method;
  if (e.noise_sd > 0) maps.meta["NoiseSd"] = e.noise_sd;
  if (ivim::models().get(e.model).design.size() > 1) maps.meta["c"] = s.c, maps.meta["b"] = s.b;
  return maps;
}

std::vector<double> ivim_signal(const ParameterMaps& maps, std::span<const double> b, std::int64_t voxel) {
  const auto* names = std::get_if<std::vector<std::string>>(&maps.meta.at("Models"));
  const auto& model = ivim::models().get(names->at(0));
  if (!fit::usable(static_cast<fit::FitStatus>(maps.status.data<std::uint8_t>()[voxel]))) return {};
  std::vector<double> p, design(b.begin(), b.end()), signal(b.size());
  for (const auto& q : model.params) p.push_back(maps.get(q.name).values.data<float>()[voxel]);
  if (model.design.size() > 1) {
    const auto c = meta_numbers(maps.meta, "c");
    if (c.size() != b.size()) return {};
    design.clear();
    for (std::size_t k = 0; k < b.size(); ++k) design.insert(design.end(), {b[k], c[k]});
  }
  curve_signal(model, design, p, {}, signal);
  return signal;
}

}  // namespace larmor::nodes
