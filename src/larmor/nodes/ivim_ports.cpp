// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/ivim_ports.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/values/image.hpp>

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

}  // namespace larmor::nodes
