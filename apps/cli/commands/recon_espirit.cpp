// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "recon_job.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  require_array_files(call, {"OUT", "--eigenvalues"});
  const flow::Value kspace = named_kspace(call);
  const std::string axes = kspace_axes(call, kspace);
  const auto out = run_operation_of(call, "recon.espirit", {{"in", kspace}},
                                    {{"axes", axes},
                                     {"axis", call.text("--coil-axis")},
                                     {"calibration", kspace_calibration(call, kspace, axes)},
                                     {"kernel", call.integer("--kernel")},
                                     {"threshold", call.number("--threshold")},
                                     {"maps", call.integer("--sets")},
                                     {"crop", call.number("--crop")},
                                     {"soft_crop", call.flag("--soft-crop")}});
  nlohmann::ordered_json told;
  write_result(call, "OUT", out.at("maps"), told);
  if (call.given("--eigenvalues")) write_result(call, "--eigenvalues", out.at("eigenvalues"), told);
  print_told(call, told);
  return 0;
}

}  // namespace

void register_recon_espirit(Commands& commands) {
  commands.add(
      {.name = "recon espirit",
       .does = "Sensitivities of coils from the middle of k-space",
       .in = {{.name = "KSPACE", .what = "k-space of coils, the middle sampled in full: .cfl, .npy, .h5"}},
       .out = {{.name = "OUT", .what = "sensitivities: .npy, .cfl"}},
       .opt = {text("--rename", "names of the axes, in the file's order: coil, y, x; default: those in the file"),
               text("--axes", "axes of space; default: x, y, or those of x, y, z with more than one element"),
               text("--coil-axis", "axis of the coils", "coil"),
               integer("--calibration", "samples of the middle along each axis; fewer where fewer were measured", 24, 2,
                       1024),
               integer("--kernel", "width of the windows", 6, 1, 32),
               number("--threshold", "singular values below this part of the largest are noise [1]", 0.02, 0, 0.999),
               integer("--sets", "sets of sensitivities", 1, 1, 16),
               number("--crop", "eigenvalues below are background [1]", 0.8, 0, 0.999),
               flag("--soft-crop", "fade over crop +- 0.1"), file("--eigenvalues", "write the eigenvalues").output()},
       .refs = {"Uecker et al., MRM 71:990 (2014)"},
       .examples = {"larmor recon espirit brain.cfl maps.cfl"},
       .run = run});
}

}  // namespace larmor::cli
