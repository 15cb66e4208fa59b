// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <larmor/nodes/dce_fit.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <sstream>

namespace larmor::nodes {

std::vector<std::string> model_list(const std::string& text) {
  std::string spaced = text;
  std::replace(spaced.begin(), spaced.end(), ',', ' ');
  std::istringstream words(spaced);
  std::vector<std::string> out;
  for (std::string word; words >> word;) out.push_back(dce::models().resolve(word));
  return out;
}

void run_fit(flow::Ports& io, const std::vector<std::string>& models) {
  for (std::size_t i = 0; i < models.size(); ++i)
    if (std::count(models.begin(), models.end(), models[i]) > 1)
      throw Error(Errc::usage, fmt::format("{} is named twice", models[i]), "name each model once");
  const Image c = series_in(io, "concentration");
  const auto options = fit_options(io, c.volumes());
  const auto start = std::chrono::steady_clock::now();
  const auto fits =
      dce::fit_voxels(models, c.data.cast(DType::f32).contiguous_copy(), c.times, plasma_in(io), mask_in(io, "mask", c),
                      statuses_in(io, "status", c), options, io.progress(), &io.cancel());
  io.log(fmt::format("{} voxels fitted in {:.6f} s", fits.fitted,
                     std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()));
  io.out("fitted") = static_cast<double>(fits.fitted);
  io.out("maps") = dce::maps_of(fits, reference_of(c), options);
}

std::optional<double> fit_seconds(const std::string& log) {
  double seconds = 0;
  if (std::sscanf(log.c_str(), "%*d voxels fitted in %lf s", &seconds) == 1) return seconds;
  return {};
}

flow::NodeType fit_type(flow::NodeType type, std::vector<flow::Setting> first) {
  if (type.from.empty())
    for (const auto& [id, m] : dce::models()) type.from += (type.from.empty() ? "" : "; ") + m.source;
  type.help =
      "Bounded least squares from a global start. Parameters, their standard errors (Cramer-Rao), what derives from "
      "them, R2, AICc and the status of every voxel. A voxel that cannot be fitted is NaN and has its reason.";
  for (auto& s : first) type.settings.push_back(std::move(s));
  for (auto& s : fit_settings()) type.settings.push_back(std::move(s));
  return std::move(type)
      .in<Image>("concentration", "concentration [mM] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
      .in<Aif>("aif", "arterial plasma concentration [mM]")
      .maybe<Aif>("venous", "venous plasma concentration [mM], for models with two inputs")
      .maybe<Gridded>("mask", "voxels to fit, those not 0; all when nothing is wired")
      .maybe<Gridded>("status", "status of the steps before: voxels without a value keep their reason")
      .out<ParameterMaps>("maps", "parameters, derived quantities, R2, AICc, residual_sd, status")
      .out<double>("fitted", "voxels that were fitted")
      .validate(adapt_fit);
}

}  // namespace larmor::nodes
