// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/ivim_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <larmor/perfusion/ivim/segmented.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void full(flow::Ports& io) {
  const DiffusionSeries s = diffusion_series_in(io);
  const std::string id = ivim::models().resolve(io.setting("model").str());
  const auto& model = ivim::models().get(id);
  std::vector<double> design = s.b;
  fit::CurveFitOptions options;
  options.device = io.device();
  if (model.design.size() == 2) {
    const auto c = io.setting("c").numbers();
    if (c.size() != s.b.size())
      throw Error(Errc::range,
                  std::to_string(c.size()) + " flow weightings for " + std::to_string(s.b.size()) + " volumes",
                  "set c, one a volume [s/mm]");
    design.clear();
    for (std::size_t k = 0; k < c.size(); ++k) design.insert(design.end(), {s.b[k], c[k]});
    options.params["D_blood"].fixed = io.setting("D_blood");
  }
  options.map = io.setting("fitter").str() == "map";
  io.out("maps") =
      maps_of(fit_curves(model, s.image.data, design, {}, s.mask, options, io.progress(), &io.cancel()), s.image, id);
}

void in_steps(flow::Ports& io) {
  const DiffusionSeries s = diffusion_series_in(io);
  ivim::SegmentedOptions options;
  options.b_threshold = io.setting("threshold");
  io.out("maps") = maps_of(segmented_fit(s.image.data, s.b, s.mask, options, io.progress(), &io.cancel()), s.image,
                           "ivim.biexponential");
}

}  // namespace

/// ivim.fit and ivim.segmented.
void register_ivim_fit(flow::NodeTypes& nodes) {
  std::string from;
  for (const auto& [id, m] : ivim::models()) from += (from.empty() ? "" : "; ") + m.source;
  nodes.add(
      "ivim.fit",
      flow::NodeType{.title = "IVIM fit",
                     .does = "Diffusion and perfusion from signals at several b-values, by least squares",
                     .from = from,
                     .help = "$S = S_0\\,[(1-f)\\,e^{-bD} + f\\,e^{-bD^*}]$ and its relatives. Bounded "
                             "Levenberg-Marquardt from the best of a grid of starts. With `map` wide log-normal "
                             "priors keep what the data do not tell from running away.",
                     .version = 2,
                     .tags = {"intravoxel incoherent motion", "diffusion", "perfusion fraction", "ADC", "kurtosis"}}
          .in<Gridded>("signal", "signal (x, y, z, b)", {.min_rank = 4})
          .maybe<Gridded>("mask", "voxels to fit, those not 0; all when nothing is wired")
          .out<ParameterMaps>("maps", "S0, f [1], D and D* [mm2/s], ... with standard errors and status")
          .set(Setting::choice("model", "signal model", "ivim.biexponential", ivim::models().ids()))
          .set(Setting::choice("fitter", "least squares, or maximum a posteriori", "lm", {"lm", "map"}))
          .set(b_values_setting())
          .set(Setting::numbers("c", "flow weighting of each volume (ballistic model)", {}).in("s/mm"))
          .set(
              Setting{"D_blood", "diffusion coefficient of blood (ballistic model)", 1.75e-3, 1.5e-3, 2e-3}.in("mm2/s"))
          .validate(ask_for_b_values)
          .run(full));
  nodes.add(
      "ivim.segmented",
      flow::NodeType{.title = "IVIM in two steps",
                     .does = "D and f from the signals at high b, then D* from what they leave",
                     .from = "Le Bihan et al., Radiology 168:497 (1988); Federau et al., Radiology 265:874 (2012)",
                     .help = "$\\ln S = \\ln S_0(1-f) - bD$ where $b$ is at or above the threshold; then $D^*$ alone. "
                             "Fast and robust; $f$ is biased by the perfusion left at the threshold.",
                     .tags = {"intravoxel incoherent motion", "segmented", "two-step"}}
          .in<Gridded>("signal", "signal (x, y, z, b)", {.min_rank = 4})
          .maybe<Gridded>("mask", "voxels to fit, those not 0; all when nothing is wired")
          .out<ParameterMaps>("maps", "S0, f [1], D and D* [mm2/s] with standard errors and status")
          .set(Setting{"threshold", "b-value from which perfusion is taken as gone", 200.0, 1, 5000}.in("s/mm2"))
          .set(b_values_setting())
          .validate(ask_for_b_values)
          .run(in_steps));
}

}  // namespace larmor::nodes
