// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/asl_ports.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

const std::map<std::string, asl::M0Source>& sources() {
  static const std::map<std::string, asl::M0Source> all{{"auto", asl::M0Source::automatic},
                                                        {"scan", asl::M0Source::scan},
                                                        {"included", asl::M0Source::included},
                                                        {"estimate", asl::M0Source::estimate},
                                                        {"control", asl::M0Source::control}};
  return all;
}

void blood_m0(flow::Ports& io) {
  const Image series = asl_series_in(io, "series");
  const auto roles = asl::roles_from(series.meta, static_cast<std::size_t>(series.volumes()), 0);
  Image scan;
  if (io.has("scan")) {
    scan = io.in<Gridded>("scan").image();
    if (io.in<Gridded>("scan").geometry) require_same_space(series, scan, "the series", "the M0 scan");
  }
  const auto optional = [&](const char* name) {
    const auto s = io.setting(name);
    return s.given() ? std::optional<double>(static_cast<double>(s)) : std::nullopt;
  };
  const auto found = asl::find_M0(sources().at(io.setting("source").str()), series, roles, scan, optional("estimate"));
  asl::M0Options o;
  o.method = io.setting("method").str();
  o.TR = optional("TR") ? optional("TR") : found.TR;
  if (static_cast<bool>(io.setting("echo"))) o.TE = found.TE;
  o.T1 = optional("T1"), o.partition = optional("partition");
  const auto mask = mask_in(io, "mask", series), region = mask_in(io, "region", series);
  const auto T1 = map_in(io, "T1", series);
  const Array M0 =
      asl::blood_M0(found.image.data, o, T1.size() == 1 ? std::vector<float>{} : T1, region.empty() ? mask : region);
  io.log(fmt::format("M0 from {}{}", found.from, o.TR ? fmt::format(", TR {:g} s", *o.TR) : ""));
  Image image = place_of(series, M0.with_axes({"x", "y", "z"}));
  image.meta.clear();
  image.meta["From"] = found.from, image.meta["Method"] = o.method;
  if (o.TR) image.meta["RepetitionTimePreparation"] = *o.TR;
  io.out("M0") = image;
  ParameterMaps maps;
  maps.reference = reference_of(image);
  maps.maps.push_back(asl::M0_map(M0, mask));
  io.out("maps") = maps;
}

void adapt(flow::Form& form) {
  const auto source = form.setting("source").str();
  if (source != "estimate" && source != "auto") form.hide("estimate");
  if (form.setting("method").str() == "m0.voxelwise") form.hide("echo");
}

}  // namespace

void register_asl_m0(flow::NodeTypes& nodes) {
  std::string from;
  for (const auto& [id, m] : asl::m0_methods()) from += (from.empty() ? "" : "; ") + m.source;
  const auto none = [](Setting s) {
    s.value = {};
    return std::move(s).or_none();
  };
  std::vector<std::string> words;
  for (const auto& [word, s] : sources()) words.push_back(word);
  nodes.add(
      "asl.m0",
      flow::NodeType{.title = "M0 of blood",
                     .does = "Equilibrium magnetisation of arterial blood, voxel by voxel or one for all",
                     .from = from,
                     .help = "$M_{0b} = S / (1 - e^{-TR/T_1}) / \\lambda$. Source auto: what M0Type of the sidecar "
                             "says, else the scan, M0 volumes of the series, the number, the control images (when "
                             "their background is not suppressed).",
                     .tags = {"arterial spin labelling", "calibration", "M0", "CSF", "perfusion"}}
          .in<Gridded>("series", "the series, with the type of every volume (asl.differences)", {.min_rank = 4})
          .maybe<Gridded>("scan", "M0 scan (x, y, z[, t])")
          .maybe<Gridded>("mask", "the brain: region of m0.single")
          .maybe<Gridded>("region", "tissue that one M0 is taken from")
          .maybe<Array>("T1", "T1 of tissue [s] (x, y, z), for the repetition time")
          .out<Image>("M0", "M0 of arterial blood (x, y, z)")
          .out<ParameterMaps>("maps", "the same as a map")
          .set(Setting::choice("source", "where the image of M0 comes from", "auto", words))
          .set(Setting::choice("method", "how it becomes M0 of blood", "m0.voxelwise", asl::m0_methods().ids()))
          .set(none(Setting{"estimate", "M0 of tissue; empty: the sidecar's M0Estimate", 1000.0, 1e-6, 1e12}))
          .set(none(Setting{"TR", "repetition time of the M0 image; empty: the sidecar's", 5.0, 0.01, 100}.in("s")))
          .set(none(Setting{"T1", "T1 of its tissue; empty: the method's, or the map's", 1.33, 0.01, 20}.in("s")))
          .set(none(Setting{"partition", "its partition coefficient; empty: the method's", 0.9, 0.1, 2}.in("mL/g")))
          .set({"echo", "bring one M0 from T2* of its tissue to that of blood", false})
          .run(blood_m0)
          .validate(adapt));
}

}  // namespace larmor::nodes
