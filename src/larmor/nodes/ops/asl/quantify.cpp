// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <larmor/nodes/asl_ports.hpp>
#include <larmor/nodes/dce_ports.hpp>
#include <larmor/nodes/maps_report.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

struct Normalised {
  Image image;  // (x, y, z, delay)
  Array signal;
  asl::NotedTimings timings;
};
Normalised normalised_in(const flow::Ports& io) {
  Normalised n;
  n.image = io.in<Image>("difference");
  n.timings = asl::noted_timings(n.image.meta);
  const auto M0 = io.in<Gridded>("M0");
  if (M0.geometry) require_same_space(n.image, M0.image(), "the differences", "M0");
  n.signal = asl::normalised(n.image.data, M0.data);
  return n;
}

void quantify(flow::Ports& io) {
  const Normalised n = normalised_in(io);
  const auto mask = mask_in(io, "mask", n.image);
  asl::Tissue tissue{.T1 = map_in(io, "T1", n.image), .partition = io.setting("partition")};
  if (tissue.T1.empty()) tissue.T1 = {static_cast<float>(static_cast<double>(io.setting("T1")))};
  const Array error =
      io.has("error") ? asl::normalised(io.in<Image>("error").data, io.in<Gridded>("M0").data) : Array();
  const auto start = std::chrono::steady_clock::now();
  const auto maps = asl::quantify(n.signal, error, n.timings.samples, n.timings.weights, n.timings.protocol, tissue,
                                  mask, reference_of(n.image), asl_quantify_options(io), io.progress(), &io.cancel());
  io.log(fmt::format("{} voxels fitted in {:.6f} s", count_voxels(maps.status).masked,
                     std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()));
  io.out("maps") = maps;
  Image signal = n.image;
  signal.data = n.signal.with_axes({"x", "y", "z", "delay"});
  io.out("signal") = signal;
}

void partial_volume(flow::Ports& io) {
  if (!static_cast<bool>(io.setting("on"))) return;
  const Normalised n = normalised_in(io);
  const auto radius = io.setting("radius").numbers();
  if (radius.size() != 3) throw Error(Errc::usage, "'radius' does not hold 3 numbers", "give voxels along x, y and z");
  asl::PartialVolumeOptions window;
  for (std::size_t i = 0; i < 3; ++i) window.radius[i] = static_cast<int>(radius[i]);
  window.least = io.setting("least");
  io.out("maps") =
      asl::partial_volume_maps(n.signal, n.timings.samples, n.timings.weights, n.timings.protocol,
                               fraction_in(io, "GM", n.image), fraction_in(io, "WM", n.image),
                               fraction_in(io, "CSF", n.image), map_in(io, "T1", n.image), mask_in(io, "mask", n.image),
                               reference_of(n.image), asl_quantify_options(io), window, io.progress(), &io.cancel());
}

}  // namespace

/// asl.quantify and asl.partial_volume.
void register_asl_quantify(flow::NodeTypes& nodes) {
  std::string from;
  for (const auto& [id, m] : asl::models())
    if (from.find(m.source) == std::string::npos) from += (from.empty() ? "" : "; ") + m.source;
  flow::NodeType fit{
      .title = "Blood flow",
      .does = "CBF, arrival times and their errors from difference images",
      .from = "Alsop et al., MRM 73:102 (2015); " + from,
      .help =
          "Kinetic model: bounded Levenberg-Marquardt from the best of a grid of arrivals, over all delays; with one "
          "delay ATT must be fixed (params: 'ATT: fixed=1'). Formula: $f = \\Delta M\\, e^{PLD/T_{1b}} / (2 \\alpha "
          "T_{1b} M_{0b} (1 - e^{-LD/T_{1b}}))$, or of pulsed labelling $\\Delta M\\, e^{t/T_{1b}} / (2 \\alpha LD "
          "M_{0b})$. Slices are read at their own time. A voxel that cannot be fitted is NaN and has its reason.",
      .tags = {"arterial spin labelling", "perfusion", "CBF", "ATT", "Buxton", "kinetic model"}};
  for (auto& s : asl_quantify_settings()) fit.settings.push_back(std::move(s));
  nodes.add("asl.quantify",
            std::move(fit)
                .in<Image>("difference", "control - label (x, y, z, delay) of asl.differences", {.min_rank = 4})
                .maybe<Image>("error", "its standard error (the formula's)")
                .in<Gridded>("M0", "M0 of arterial blood (x, y, z)")
                .maybe<Gridded>("mask", "voxels to quantify, those not 0; all when nothing is wired")
                .maybe<Array>("T1", "T1 of tissue [s] (x, y, z)")
                .out<ParameterMaps>("maps", "CBF, ATT, ... with standard errors, quality and status")
                .out<Image>("signal", "differences over M0 of blood, as fitted")
                .set(Setting{"T1", "T1 of tissue where no map is wired", 1.33, 0.1, 10}.in("s"))
                .set(Setting{"partition", "partition coefficient of water", 0.9, 0.1, 2}.in("mL/g"))
                .run(quantify)
                .validate(adapt_asl_quantify));
  flow::NodeType pure{
      .title = "Partial volumes",
      .does = "Blood flow of pure grey and white matter, by linear regression over a window",
      .from = "Asllani et al., MRM 60:1362 (2008)",
      .help =
          "Every voxel is a sum of tissues in known fractions whose signals are constant over the window. The signals "
          "of pure tissue are quantified with T1 1.33 s and 0.98 mL/g (grey) and 0.83 s and 0.82 mL/g (white); with a "
          "T1 map, the rates 1 / T1 of the tissues are separated from it in the same way.",
      .version = 2,
      .tags = {"arterial spin labelling", "partial volume", "grey matter", "white matter"}};
  for (auto& s : asl_quantify_settings()) pure.settings.push_back(std::move(s));
  nodes.add("asl.partial_volume",
            std::move(pure)
                .in<Image>("difference", "control - label (x, y, z, delay) of asl.differences", {.min_rank = 4})
                .in<Gridded>("M0", "M0 of arterial blood (x, y, z)")
                .maybe<Gridded>("mask", "voxels to use; all when nothing is wired")
                .maybe<Array>("GM", "fraction of grey matter (x, y, z)")
                .maybe<Array>("WM", "fraction of white matter (x, y, z)")
                .maybe<Array>("CSF", "fraction of CSF (x, y, z)")
                .maybe<Array>("T1", "T1 of the mixtures [s] (x, y, z): that of each tissue is separated from it")
                .out<ParameterMaps>("maps", "CBF_GM, CBF_WM, ATT_GM, ...; none when it is off", {.required = false})
                .set({"on", "do it", true})
                .set([] {
                  auto s = Setting::numbers("radius", "voxels of the window either side, along x, y and z", {2, 2, 0});
                  s.lower = 0, s.upper = 50;
                  return s;
                }())
                .set({"least", "fraction below which a voxel has no value of a tissue", 0.05, 0.0, 1})
                .run(partial_volume)
                .validate(adapt_asl_quantify));
}

}  // namespace larmor::nodes
