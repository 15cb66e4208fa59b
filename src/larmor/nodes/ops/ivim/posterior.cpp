// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/ivim_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/perfusion/ivim/grid_posterior.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void compute(flow::Ports& io) {
  const DiffusionSeries s = diffusion_series_in(io);
  ivim::PosteriorOptions o;
  o.prior = {.f_low = io.setting("f_low"),
             .f_high = io.setting("f_high"),
             .D_low = io.setting("D_low"),
             .D_high = io.setting("D_high"),
             .D_star_low = io.setting("D_star_low"),
             .D_star_high = io.setting("D_star_high"),
             .log_D_star = io.setting("log_D_star")};
  if (io.setting("noise_sd").given()) o.noise_sd = io.setting("noise_sd");
  if (io.setting("S0").given()) o.S0 = io.setting("S0");
  o.magnitude = io.setting("magnitude");
  const ivim::Posterior p = grid_posterior(s.image.data.to(io.device()), s.b, s.mask, o, io.progress(), &io.cancel());

  const auto g = s.image.grid();
  const Shape shape{g[0], g[1], g[2]};
  ParameterMaps maps;
  maps.reference = reference_of(s.image);
  constexpr const char* names[] = {"S0", "f", "D", "D_star"};
  constexpr const char* units[] = {"a.u.", "1", "mm2/s", "mm2/s"};
  constexpr const char* titles[] = {"Signal without diffusion weighting", "Perfusion fraction", "Diffusion coefficient",
                                    "Pseudo-diffusion coefficient"};
  for (std::size_t m = 0; m < 4; ++m)
    maps.maps.push_back({names[m], names[m], units[m], titles[m], Array::from<float>(p.mean[m], shape),
                         Array::from<float>(p.sd[m], shape)});
  std::vector<std::uint8_t> codes;
  for (const auto status : p.status) codes.push_back(static_cast<std::uint8_t>(status));
  maps.status = Array::from<std::uint8_t>(codes, shape);
  maps.meta["Models"] = std::vector<std::string>{"ivim.biexponential"};
  io.out("maps") = maps;
  io.out("flags") = place_of(s.image, Array::from<std::uint8_t>(p.flags, shape));
  io.out("noise_sd") = p.noise_sd;
}

}  // namespace

void register_ivim_posterior(flow::NodeTypes& nodes) {
  const ivim::Prior prior;
  Setting noise{"noise_sd", "sd of the noise of one channel; estimated when not set", 0.01, 0};
  noise.value = {};
  Setting S0{"S0", "signal without diffusion weighting where it is known; free when not set", 1.0, 0};
  S0.value = {};
  nodes.add(
      "ivim.posterior",
      flow::NodeType{
          .title = "IVIM posterior",
          .does = "Mean and sd of what the signals leave possible, the estimate of least expected error",
          .from = "Neil and Bretthorst, MRM 29:642 (1993); Koay and Basser, J. Magn. Reson. 179:317 (2006)",
          .help = "$p(D, D^*, f, S_0\\,|\\,S)$ by nodes in $D$ and $D^*$ with the amplitudes integrated in closed "
                  "form. Every value inside the ranges is equally likely beforehand ($\\ln D^*$ when "
                  "`log_D_star`). The noise of magnitudes is taken for what it is. Flags: 1 the prior decides "
                  "$D^*$, 2 the prior decides $D$, 4 $S_0$ is under 5 noise sd.",
          .version = 3,
          .tags = {"intravoxel incoherent motion", "Bayes", "Bayesian", "posterior mean", "MMSE"}}
          .in<Gridded>("signal", "signal (x, y, z, b)", {.min_rank = 4})
          .maybe<Gridded>("mask", "voxels to look at, those not 0; all when nothing is wired")
          .out<ParameterMaps>("maps", "posterior means of S0, f, D and D*, with their sds as standard errors")
          .out<Image>("flags", "why a voxel is to be read with care (x, y, z)")
          .out<double>("noise_sd", "noise that was used")
          .set(b_values_setting())
          .set(std::move(noise).or_none())
          .set(std::move(S0).or_none())
          .set({"magnitude", "signals are magnitudes: Rician noise", true})
          .set(Setting{"f_low", "range of f", prior.f_low, 0, 1})
          .set(Setting{"f_high", "range of f", prior.f_high, 0, 1})
          .set(Setting{"D_low", "range of D", prior.D_low, 0, 1}.in("mm2/s"))
          .set(Setting{"D_high", "range of D", prior.D_high, 0, 1}.in("mm2/s"))
          .set(Setting{"D_star_low", "range of D*", prior.D_star_low, 0, 10}.in("mm2/s"))
          .set(Setting{"D_star_high", "range of D*", prior.D_star_high, 0, 10}.in("mm2/s"))
          .set({"log_D_star", "D* is equally likely in its logarithm", prior.log_D_star})
          .validate(ask_for_b_values)
          .run(compute));
}

}  // namespace larmor::nodes
