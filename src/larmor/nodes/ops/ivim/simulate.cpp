// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/perfusion/ivim/simulate.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void compute(flow::Ports& io) {
  const std::int64_t nx = io.setting("x"), ny = io.setting("y");
  const auto b = io.setting("b").numbers();
  const auto seed = static_cast<std::uint64_t>(std::int64_t(io.setting("seed")));
  const bool regions = io.setting("layout").str() == "regions";
  if (regions && nx != ny)
    throw Error(Errc::range,
                "the picture of three regions is square, not " + std::to_string(nx) + " x " + std::to_string(ny),
                "set x and y to the same number");
  const ivim::Simulated s = regions ? ivim::three_regions(static_cast<std::size_t>(nx), b, io.setting("noise_sd"), seed)
                                    : ivim::simulate(static_cast<std::size_t>(nx * ny), b, ivim::classical_prior(),
                                                     io.setting("noise_sd"), io.setting("magnitude"), seed);
  Image signal;
  signal.data = s.signal.reshaped({nx, ny, 1, static_cast<std::int64_t>(b.size())}, {"x", "y", "z", "b"});
  signal.meta["bValues"] = b;
  ParameterMaps truth;
  truth.reference = signal;
  constexpr const char* names[] = {"S0", "f", "D", "D_star"};
  constexpr const char* units[] = {"a.u.", "1", "mm2/s", "mm2/s"};
  for (std::size_t m = 0; m < 4; ++m)
    truth.maps.push_back({names[m], names[m], units[m], "truth", Array::from<float>(s.truth[m], {nx, ny, 1}), {}});
  truth.reference.data = truth.maps[0].values;
  io.out("signal") = signal;
  io.out("truth") = truth;
}

}  // namespace

void register_ivim_simulate(flow::NodeTypes& nodes) {
  nodes.add(
      "ivim.simulate",
      flow::NodeType{.title = "IVIM signals",
                     .does = "Signals of the bi-exponential model with parameters drawn evenly, and their truth",
                     .from = "Barbieri et al., MRM 83:312 (2020)",
                     .help = "f from 0.1 to 0.4, D from 0.0005 to 0.002 and D* from 0.01 to 0.1 mm2/s, S0 = 1, with "
                             "Rician or Gaussian noise. The same seed gives the same numbers everywhere.",
                     .tags = {"intravoxel incoherent motion", "digital reference object", "phantom"}}
          .out<Image>("signal", "signal (x, y, z, b) with its b-values")
          .out<ParameterMaps>("truth", "S0, f, D and D*")
          .set(Setting::choice("layout", "parameters drawn evenly, or three regions", "random", {"random", "regions"}))
          .set({"x", "voxels along x", 100, 1, 4096})
          .set({"y", "voxels along y", 100, 1, 4096})
          .set(Setting::numbers("b", "diffusion weightings", {ivim::classical_b.begin(), ivim::classical_b.end()})
                   .in("s/mm2"))
          .set({"noise_sd", "noise of one channel, relative to S0", 0.01, 0.0, 1.0})
          .set({"magnitude", "Rician noise, else Gaussian", true})
          .set({"seed", "of the random numbers", 1, 0})
          .run(compute));
}

}  // namespace larmor::nodes
