// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

// What the setting "source" stands for with what is wired.
std::string source_of(const flow::Ports& io) {
  const std::string source = io.setting("source");
  if (source != "auto") return source;
  return io.has("map") ? "map" : io.has("series") ? "series" : "fixed";
}

void give(flow::Ports& io, const dce::BaselineT1& t1, const Image& like) {
  const auto g = like.grid();
  if (t1.T1.size() == 1)
    io.out("T1") = Array::from<float>(t1.T1, {1});
  else
    io.out("T1") = place_of(like, Array::from<float>(t1.T1, {g[0], g[1], g[2]}));
  if (!t1.status.empty()) io.out("status") = statuses_image(t1.status, like);
  if (t1.maps.empty()) return;
  ParameterMaps maps;
  maps.reference = place_of(like, t1.maps[0].values);
  maps.maps = t1.maps;
  io.out("maps") = maps;
}

void baseline_T1(flow::Ports& io) {
  const std::string source = source_of(io);
  if (source == "none") return;
  if (source == "fixed") {
    const auto fixed = io.setting("fixed");
    if (!fixed.given())
      throw Error(Errc::range, "no T1: in-port 'series' gets nothing, 'map' neither, and 'fixed' is not set",
                  "give a series or a map, or set 'fixed' [s]");
    io.out("T1") = Array::from<float>(std::vector<float>{static_cast<float>(static_cast<double>(fixed))}, {1});
    return;
  }
  Image like = io.in<Gridded>(source.c_str()).image();  // "series" or "map"
  const Image series = like;
  // The slices of one volume would be taken for its volumes.
  if (source == "series" && series.data.rank() != 4)
    throw Error(Errc::shape, fmt::format("the T1 series is {}, not 4-D", to_string(series.data.shape())),
                "give signals (x, y, z, n), one volume a flip angle or inversion time");
  if (series.data.rank() > 3) like.data = series.data.slice(3, 0);
  const auto mask = mask_in(io, "mask", like);
  if (source == "map") {
    auto T1 = map_in(io, "map", like);
    if (io.setting("map_unit").str() == "ms")
      for (float& x : T1) x *= 1e-3F;
    const auto g = like.grid();
    give(io, dce::baseline_T1(std::move(T1), mask, {g[0], g[1], g[2]}), like);
    return;
  }
  const auto wanted = dce::wanted_voxels(mask, mask_in(io, "aif_region", like));
  give(io,
       dce::baseline_T1(series.data, io.setting("method").str(), t1_protocol(io, series.meta), map_in(io, "B1", like),
                        mask, wanted, io.progress(), &io.cancel()),
       like);
}

void adapt(flow::Form& form) {
  const std::string source = form.setting("source");
  const auto only = [&](const char* name, bool used) {
    if (!used) form.hide(name);
  };
  const bool series = source == "series" || source == "auto";
  const bool vfa = form.setting("method").str().starts_with("t1.vfa");
  only("method", series), only("FA", series), only("TR", series && vfa), only("TI", series && !vfa);
  only("fixed", source == "fixed" || source == "auto"), only("map_unit", source == "map" || source == "auto");
}

}  // namespace

void register_dce_baseline_t1(flow::NodeTypes& nodes) {
  Setting fixed{"fixed", "T1 of every voxel, for source 'fixed'", 1.4, 0.01, 20};
  fixed.value = {};
  nodes.add(
      "dce.baseline_t1",
      flow::NodeType{.title = "T1 before contrast",
                     .does = "T1 before contrast from a series, a map or one value, whichever there is",
                     .from = "see t1.vfa, t1.look_locker, t1.inversion_recovery",
                     .help = "Source auto: the map when one is wired, else the series, else the value. Voxels whose T1 "
                             "cannot be measured are NaN and keep the reason in the status.",
                     .tags = {"T10", "DCE"}}
          .maybe<Gridded>("series", "signal (x, y, z, n), one volume a flip angle or inversion time")
          .maybe<Gridded>("map", "T1 map (x, y, z)")
          .maybe<Array>("B1", "actual / nominal flip angle (x, y, z)")
          .maybe<Gridded>("mask", "voxels to fit; T10 has a value inside only")
          .maybe<Gridded>("aif_region", "voxels of the artery, mapped too")
          .out<Gridded>("T1", "T1 [s] (x, y, z), or one number", {.required = false})
          .out<Image>("status", "what became of each voxel", {.required = false})
          .out<ParameterMaps>("maps", "T10 [s], and M0 of a series", {.required = false})
          .set(Setting::choice("source", "where it comes from; none: not needed (concentration is given)", "auto",
                               {"auto", "series", "map", "fixed", "none"}))
          .set(Setting::choice("method", "how a series becomes T1", "t1.vfa_nonlinear", dce::t1_methods().ids()))
          .set(Setting::numbers("FA", "flip angle of each volume; empty: the sidecar's", {}).in("deg"))
          .set(
              Setting::numbers("TR", "repetition time, one for all or one a volume; empty: the sidecar's", {}).in("ms"))
          .set(Setting::numbers("TI", "time after inversion of each volume; empty: the sidecar's", {}).in("ms"))
          .set(Setting::choice("map_unit", "unit of the map", "s", {"s", "ms"}))
          .set(std::move(fixed).in("s").or_none())
          .run(baseline_T1)
          .validate(adapt));
}

}  // namespace larmor::nodes
