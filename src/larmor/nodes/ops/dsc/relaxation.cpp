// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/dsc_ports.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/perfusion/dsc/arrival.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void relaxation(flow::Ports& io) {
  const Image signal = series_in(io, "signal");
  dsc::RelaxationOptions o;
  if (const auto own = io.setting("TE"); own.given())
    o.TE = static_cast<double>(own) * units::millisecond;
  else if (const auto sidecar = meta_numbers(signal.meta, "EchoTime"); !sidecar.empty())
    o.TE = sidecar[0];
  else
    throw Error(Errc::usage, "TE is not known: neither the setting nor the sidecar has it", "set TE [ms]");
  o.arrival = io.setting("arrival").str();
  o.baseline_first = static_cast<int>(io.setting("skip"));
  const auto b = io.setting("baseline").numbers();
  if (!b.empty()) {
    const double first = b.size() == 2 ? b[0] : o.baseline_first, last = b.back();
    if (b.size() > 2 || !(first >= 0 && first < last && last <= static_cast<double>(signal.volumes())))
      throw Error(Errc::usage, fmt::format("'baseline' takes frames {} to {} of {}", first, last, signal.volumes()),
                  "give a count, or [first, last) with 0 <= first < last <= the number of frames");
    o.baseline_first = static_cast<int>(first), o.baseline_last = static_cast<int>(last);
  }
  auto r = dsc::relaxation_change(signal.data, signal.times, mask_in(io, "mask", signal), o, &io.cancel());
  Image out = signal;
  out.data = r.dR2.with_axes({"x", "y", "z", "t"});
  out.meta["Units"] = std::string("1/s");
  io.out("dR2") = out;
  io.out("status") = statuses_image(r.status, signal);
  io.out("baseline") = std::vector<double>{static_cast<double>(r.baseline_first), static_cast<double>(r.baseline_last)};
  const auto g = signal.grid();
  const Shape grid{g[0], g[1], g[2]};
  ParameterMaps maps;
  maps.reference = reference_of(signal);
  maps.maps = {dce::make_map("S0", "a.u.", "", r.S0, {}, grid),
               dce::make_map("CNR", "1", "Peak of dR2 over its noise before the bolus", r.CNR, {}, grid)};
  io.out("maps") = maps;
  io.out("TE") = o.TE;
}

}  // namespace

void register_dsc_relaxation(flow::NodeTypes& nodes) {
  nodes.add(
      "dsc.relaxation",
      flow::NodeType{.title = "Signal to dR2*",
                     .does = "Change of the relaxation rate from the signal of a first pass",
                     .from = "Rosen et al., MRM 14:249 (1990)",
                     .help =
                         "$\\Delta R_2^* = -\\ln(S/S_0)/T_E$, $S_0$ the mean of the frames before the bolus. Voxels "
                         "whose signal goes to 0 have no rate, and say so in the status.",
                     .tags = {"DSC", "perfusion", "bolus", "gradient echo"}}
          .in<Image>("signal", "dynamic series (x, y, z, t) with times", {.min_rank = 4, .max_rank = 4})
          .maybe<Gridded>("mask", "voxels to convert; all when nothing is wired")
          .out<Image>("dR2", "change of the relaxation rate [1/s] (x, y, z, t)")
          .out<Image>("status", "what became of each voxel")
          .out<std::vector<double>>("baseline", "frames before the bolus that were used: first, and one past the last")
          .out<ParameterMaps>("maps", "baseline signal S0 and contrast-to-noise ratio CNR")
          .out<double>("TE", "echo time [s]")
          .set(optional_number("TE", "echo time; empty: the sidecar's", 0.1, 999, "ms"))
          .set(Setting{"skip", "first frames, which are not in steady state", 0, 0, 1000})
          .set(Setting::numbers("baseline",
                                "frames before the bolus: a count, or [first, last) counted from 0; empty: up to its "
                                "arrival",
                                {}))
          .set(Setting::choice("arrival", "how the arrival is found", "arrival.piecewise", dsc::arrivals().ids()))
          .run(relaxation));
}

}  // namespace larmor::nodes
