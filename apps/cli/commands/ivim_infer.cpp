// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/io/file.hpp>
#include <larmor/nn/weights.hpp>
#include <larmor/nodes/ivim_ports.hpp>
#include <larmor/nodes/maps_report.hpp>
#include <larmor/perfusion/ivim/network_data.hpp>
#include <larmor/perfusion/ivim/network_flags.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "ivim_series.hpp"
#include "print_json.hpp"
#include "text_table.hpp"
#include "write_maps.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  const auto weights = nn::read_weights(call.text("WEIGHTS"));
  ivim::EstimateOptions o;
  try {
    o.network = std::make_shared<const ivim::VoxelNetwork>(weights);
  } catch (Error& e) {
    throw e.at(call.text("WEIGHTS"));
  }
  const IvimSeries series = read_ivim_series(call, call.text("SIGNALS"));
  if (call.given("--noise")) o.noise_sd = call.number("--noise");
  auto signals = series.signals();
  signals.data = signals.data.to(call.device);
  const auto e = estimate("ivim.network", signals, o, console_progress(call.quiet), &Cancel::interrupt());
  const auto maps = nodes::maps_of(e, series.image, "ivim.network", signals);
  const std::string out = call.text("--out");
  io::OutputFolder folder(out);
  write_maps(maps, {.folder = folder.path(),
                    .provenance = provenance_json("larmor ivim infer",
                                                  {{"weights", fmt::format("\"{}\"", nn::sha256_of(weights))},
                                                   {"kind", fmt::format("\"{}\"", to_string(o.network->kind))}},
                                                  {{"signals", call.text("SIGNALS")}}),
                    .model = fmt::format("ivim.network ({}), ivim.biexponential", to_string(o.network->kind)),
                    .sources = {call.text("SIGNALS"), call.text("WEIGHTS")}});
  folder.commit();
  const auto counts = nodes::count_voxels(maps.status);
  std::int64_t untrained = 0;
  for (const auto f : e.flags) untrained += (f & ivim::untrained_noise) != 0;
  if (untrained > 0 && !call.quiet)
    fmt::print(stderr,
               "warning: the noise over S0 of {} voxels is beyond what the network was trained for ({:g} to {:g}): "
               "their sds are not right; larmor ivim train --noise or --data\n",
               with_commas(untrained), o.network->noise_low, o.network->noise_high);
  if (call.json) {
    nlohmann::ordered_json names = nlohmann::ordered_json::array();
    for (const auto& m : maps.maps) names.push_back(m.name);
    const nlohmann::ordered_json told{{"folder", out},
                                      {"kind", to_string(o.network->kind)},
                                      {"maps", names},
                                      {"voxels", counts.voxels},
                                      {"without_signal", counts.masked - counts.usable},
                                      {"untrained_noise", untrained}};
    print_json(told);
    return 0;
  }
  fmt::print("{}  D, f, D_star{}  ({} voxels, {} without signal)\n", out,
             o.network->kind == ivim::NetworkKind::posterior ? " with sds" : "", with_commas(counts.voxels),
             with_commas(counts.masked - counts.usable));
  return 0;
}

}  // namespace

void register_ivim_infer(Commands& commands) {
  commands.add({.name = "ivim infer",
                .does = "Maps of D, f and D* by a trained network of voxels, with sds where it gives them",
                .in = {{.name = "SIGNALS", .what = "4-D series (x, y, z, b)"},
                       {.name = "WEIGHTS", .what = "of larmor ivim train"}},
                .opt = {Option{.name = "--b",
                               .what = "b-value of every volume; default: the .bval file or the sidecar [s/mm2]",
                               .kind = Kind::number,
                               .lower = 0,
                               .upper = 1e5}
                            .many(),
                        file("--mask", "voxels to look at, those not 0"),
                        number("--noise",
                               "standard deviation of the noise of one volume, in units of the data; default: "
                               "from the residuals of a fit"),
                        folder("--out", "folder of the maps").output().as("-o").need()},
                .refs = {"Barbieri et al., Magn. Reson. Med. 83:312 (2020)"},
                .examples = {"larmor ivim infer dwi.nii.gz ivim.safetensors -o maps"},
                .more = "The same as larmor ivim with fit.method: network and fit.weights, which writes a report too.",
                .run = run});
}

}  // namespace larmor::cli
