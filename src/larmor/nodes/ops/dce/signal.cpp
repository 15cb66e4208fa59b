// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/parallel.hpp>
#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void signal(flow::Ports& io) {
  const Image c = series_in(io, "concentration");
  dce::Spgr spgr{.FA = static_cast<double>(io.setting("FA")) * units::degree,
                 .TR = static_cast<double>(io.setting("TR")) * units::millisecond,
                 .r1 = io.setting("r1")};
  spgr.check();
  const auto T1 = map_in(io, "T1", c), S0 = map_in(io, "S0", c);
  const Array in = c.data.cast(DType::f32).contiguous_copy();
  Image out = c;
  out.data = Array::uninitialised(DType::f32, in.shape(), {"x", "y", "z", "t"});
  const auto voxels = static_cast<std::size_t>(c.voxels()), frames = c.times.size();
  const auto from = in.span<const float>();
  const auto to = out.data.span<float>();
  parallel_for(voxels, 1024, [&](std::size_t begin, std::size_t end) {
    io.cancel().check();
    std::vector<double> C(frames), S(frames);
    for (std::size_t v = begin; v < end; ++v) {
      for (std::size_t t = 0; t < frames; ++t) C[t] = static_cast<double>(from[t * voxels + v]);
      dce::spgr_signal(C, static_cast<double>(S0.size() == 1 ? S0[0] : S0[v]),
                       static_cast<double>(T1.size() == 1 ? T1[0] : T1[v]), spgr, S);
      for (std::size_t t = 0; t < frames; ++t) to[t * voxels + v] = static_cast<float>(S[t]);
    }
  });
  out.meta["FlipAngle"] = spgr.FA / units::degree;
  out.meta["RepetitionTimeExcitation"] = spgr.TR;
  out.meta.erase("Units");
  io.out("signal") = out;
}

}  // namespace

void register_dce_signal(flow::NodeTypes& nodes) {
  nodes.add("dce.signal",
            flow::NodeType{.title = "Concentration to signal",
                           .does = "Signal of a spoiled gradient echo for a concentration series",
                           .from = "Haase et al., JMR 67:258 (1986)",
                           .help = "$S = S_0\\,f(1/T_{10} + r_1 C)/f(1/T_{10})$ with the steady state $f$.",
                           .tags = {"DCE", "SPGR", "simulation"}}
                .in<Image>("concentration", "concentration [mM] (x, y, z, t)", {.min_rank = 4, .max_rank = 4})
                .in<Array>("T1", "T1 before contrast [s] (x, y, z), or one number")
                .in<Array>("S0", "signal before contrast (x, y, z), or one number")
                .out<Image>("signal", "signal, in the unit of S0")
                .set(Setting{"FA", "flip angle", 15.0, 0.01, 180}.in("deg"))
                .set(Setting{"TR", "repetition time between excitations", 5.0, 0.1, 20000}.in("ms"))
                .set(Setting{"r1", "longitudinal relaxivity", 4.5, 0.01, 200}.in("1/(s mM)"))
                .run(signal));
}

}  // namespace larmor::nodes
