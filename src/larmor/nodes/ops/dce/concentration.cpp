// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/protocol.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

double one_of(const flow::Ports& io, const char* setting, double factor, const std::vector<double>& sidecar) {
  if (const auto own = io.setting(setting); own.given()) return factor * static_cast<double>(own);
  if (sidecar.empty())
    throw Error(Errc::usage, fmt::format("{} is not known: neither the setting nor the sidecar has it", setting),
                fmt::format("set {} [{}]", setting, io.type().setting(setting)->unit));
  return sidecar[0];
}

dce::ConversionOptions conversion_of(const flow::Ports& io, std::int64_t frames) {
  dce::ConversionOptions o;
  o.method = io.setting("method").str();
  o.device = io.device();
  const auto b = io.setting("baseline").numbers();
  if (b.empty()) return o;
  const double first = b.size() == 2 ? b[0] : 0, last = b.back();
  if (b.size() > 2 || !(first >= 0 && first < last && last <= static_cast<double>(frames)))
    throw Error(Errc::usage, fmt::format("'baseline' takes frames {} to {} of {}", first, last, frames),
                "give a count, or [first, last) with 0 <= first < last <= the number of frames");
  o.baseline_first = static_cast<int>(first), o.baseline_last = static_cast<int>(last);
  return o;
}

void concentration(flow::Ports& io) {
  const Image signal = series_in(io, "signal");
  const auto before = statuses_in(io, "status", signal);
  Image out = signal;
  dce::Statuses status = before;
  std::vector<double> baseline;
  if (io.setting("method").str() == "none") {
    out.data = signal.data.cast(DType::f32).contiguous_copy();
  } else {
    dce::Spgr spgr;
    spgr.FA = one_of(io, "FA", units::degree, in_rad(meta_numbers(signal.meta, "FlipAngle")));
    spgr.TR = one_of(io, "TR", units::millisecond, meta_TR(signal.meta));
    spgr.r1 = io.setting("r1");
    spgr.check();
    const auto T1 = map_in(io, "T1", signal);
    if (T1.empty()) throw Error(Errc::range, "no T1: neither a map nor a value", "wire a T1 map, or a number [s]");
    const auto wanted = dce::wanted_voxels(mask_in(io, "mask", signal), mask_in(io, "aif_region", signal));
    auto c = dce::signal_to_concentration(signal.data, signal.times, spgr, T1, map_in(io, "B1", signal), wanted,
                                          conversion_of(io, signal.volumes()), &io.cancel());
    out.data = std::move(c.concentration);
    status = dce::after(before, std::move(c.status));
    baseline = {static_cast<double>(c.baseline_first), static_cast<double>(c.baseline_last)};
    if (!io.setting("TR").given() && spgr.TR > 0.5)
      io.warn(
          fmt::format("TR is {} s, long for a spoiled gradient echo; RepetitionTime may be the frame time. Set TR "
                      "[ms] if so",
                      spgr.TR));
  }
  out.data = out.data.with_axes({"x", "y", "z", "t"});
  out.meta["Units"] = std::string("mM");
  io.out("concentration") = out;
  if (!status.empty()) io.out("status") = statuses_image(status, signal);
  io.out("baseline") = baseline;
}

void adapt(flow::Form& form) {
  if (form.setting("method").str() != "none") return;
  for (const char* name : {"FA", "TR", "r1", "baseline"}) form.hide(name);
}

Setting optional_number(const char* name, const char* what, double lower, double upper, const char* unit) {
  Setting s{name, what, lower, lower, upper};
  s.value = {};
  return std::move(s).in(unit).or_none();
}

}  // namespace

void register_dce_concentration(flow::NodeTypes& nodes) {
  nodes.add(
      "dce.concentration",
      flow::NodeType{.title = "Signal to concentration",
                     .does = "Contrast agent concentration from the signal of a spoiled gradient echo",
                     .from = "Haase et al., JMR 67:258 (1986)",
                     .help = "$S = M_0 \\sin\\alpha\\,(1-E_1)/(1-E_1\\cos\\alpha)$ with $R_1 = 1/T_{10} + r_1 "
                             "C$ is solved exactly (spgr), or $C = (S/S_0-1)/(T_{10} r_1)$ (linear). $S_0$ is the "
                             "mean of the frames before contrast. Frames without a solution are NaN.",
                     .tags = {"DCE", "SPGR", "FLASH", "relaxivity"}}
          .in<Image>("signal", "dynamic series (x, y, z, t) with times", {.min_rank = 4, .max_rank = 4})
          .maybe<Array>("T1", "T1 before contrast [s] (x, y, z), or one number")
          .maybe<Array>("B1", "actual / nominal flip angle (x, y, z)")
          .maybe<Gridded>("mask", "voxels to convert; all when nothing is wired")
          .maybe<Gridded>("aif_region", "voxels of the artery, converted too")
          .maybe<Gridded>("status", "status of T1 mapping: voxels without T1 keep their reason")
          .out<Image>("concentration", "concentration [mM] (x, y, z, t)")
          .out<Image>("status", "what became of each voxel", {.required = false})
          .out<std::vector<double>>("baseline", "frames before contrast that were used: first, and one past the last")
          .set(Setting::choice("method", "exact steady state, linear, or none: the series is concentration already",
                               "spgr", {"spgr", "linear", "none"}))
          .set(optional_number("FA", "flip angle; empty: the sidecar's", 0.01, 180, "deg"))
          .set(optional_number("TR", "repetition time between excitations; empty: the sidecar's", 0.1, 20000, "ms"))
          .set(Setting{"r1", "longitudinal relaxivity of the contrast agent", 4.5, 0.01, 200}.in("1/(s mM)"))
          .set(Setting::numbers("baseline",
                                "frames before contrast: a count, or [first, last) counted from 0; empty: up to the "
                                "arrival of the bolus",
                                {}))
          .run(concentration)
          .validate(adapt));
}

}  // namespace larmor::nodes
