// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/ivim_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/perfusion/ivim/voxel_network.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

ivim::EstimateOptions::Range range_in(const flow::Ports& io, const char* name) {
  const auto r = io.setting(name).numbers();
  if (r.empty()) return {};
  if (r.size() != 2 || !(r[0] < r[1]))
    throw Error(Errc::range, std::string(name) + " is not [lower, upper]", "give two numbers, the lower one first");
  return std::pair{r[0], r[1]};
}

void compute(flow::Ports& io) {
  const DiffusionSeries s = diffusion_series_in(io);
  const std::string method = ivim::methods().resolve(io.setting("method").str());
  ivim::Signals signals{.data = s.image.data.to(io.device()),
                        .b = s.b,
                        .c = io.setting("c").numbers(),
                        .counts = s.counts,
                        .mask = s.mask};
  ivim::EstimateOptions o;
  o.model = io.setting("model").str();
  o.S0_from_b0 = io.setting("S0").str() == "b0";
  o.b_threshold = io.setting("threshold");
  o.D_blood = io.setting("D_blood");
  if (io.setting("noise_sd").given()) o.noise_sd = io.setting("noise_sd");
  o.magnitude = io.setting("magnitude");
  o.f = range_in(io, "f"), o.D = range_in(io, "D"), o.D_star = range_in(io, "D_star");
  o.log_D_star = io.setting("log_D_star");
  if (const std::string weights = io.setting("weights").str(); !weights.empty()) {
    if (method != "ivim.network")
      throw Error(Errc::usage, "weights are given, but the method is " + method,
                  "choose ivim.network, or leave them out");
    try {
      o.network = std::make_shared<const ivim::VoxelNetwork>(nn::read_weights(weights));
    } catch (Error& e) {
      throw e.at(weights);
    }
  }
  const auto e = estimate(method, signals, o, io.progress(), &io.cancel());
  io.out("maps") = maps_of(e, s.image, method, signals);
  io.out("noise_sd") = e.noise_sd;
}

}  // namespace

void register_ivim_estimate(flow::NodeTypes& nodes) {
  Setting noise{"noise_sd", "sd of the noise of one volume; estimated when not set and needed", 0.01, 0};
  noise.value = {};
  std::string from;
  for (const auto& [id, m] : ivim::methods()) from += (from.empty() ? "" : "; ") + m.source;
  nodes.add(
      "ivim.estimate",
      flow::NodeType{
          .title = "IVIM estimate",
          .does = "Diffusion and perfusion from signals at several b-values, by the method of choice",
          .from = from,
          .help =
              "What `larmor ivim` runs. The ranges of f, D and D* are the bounds of a fit and the prior of a "
              "posterior; empty ones are those of the method. Volumes that `ivim.average` has put together count as "
              "often as there were.",
          .version = 4,
          .tags = {"intravoxel incoherent motion", "perfusion fraction", "segmented", "Bayes", "least squares"}}
          .in<Gridded>("signal", "signal (x, y, z, b)", {.min_rank = 4})
          .maybe<Gridded>("mask", "voxels to look at, those not 0; all when nothing is wired")
          .out<ParameterMaps>("maps", "parameters with standard errors or posterior sds, R2, residual, status")
          .out<double>("noise_sd", "noise that was used or found; 0: neither")
          .set(Setting::choice("method", "how", "ivim.posterior", ivim::methods().ids()))
          .set(Setting::choice("model", "signal model (others than the bi-exponential: ivim.lm, ivim.map)",
                               "ivim.biexponential", ivim::models().ids()))
          .set(Setting::choice("S0", "free, or held at the mean of the lowest b (ivim.lm, ivim.map)", "free",
                               {"free", "b0"}))
          .set(std::move(noise).or_none())
          .set({"magnitude", "signals are magnitudes: Rician noise (ivim.posterior)", true})
          .set(
              Setting{"threshold", "b-value from which perfusion is taken as gone (ivim.segmented)", 200.0, 1, 5000}.in(
                  "s/mm2"))
          .set(Setting::numbers("f", "[lower, upper] of f; empty: the method's", {}))
          .set(Setting::numbers("D", "[lower, upper] of D; empty: the method's", {}).in("mm2/s"))
          .set(Setting::numbers("D_star", "[lower, upper] of D*; empty: the method's", {}).in("mm2/s"))
          .set({"log_D_star", "prior of a posterior: D* is equally likely in its logarithm", true})
          .set(Setting::open("weights", "of larmor ivim train (ivim.network)", {"safetensors"}).or_none())
          .set(b_values_setting())
          .set(Setting::numbers("c", "flow weighting of each volume (ivim.ballistic)", {}).in("s/mm"))
          .set(Setting{"D_blood", "diffusion coefficient of blood (ivim.ballistic)", 1.75e-3, 1.5e-3, 2e-3}.in("mm2/s"))
          .validate(ask_for_b_values)
          .run(compute));
}

}  // namespace larmor::nodes
