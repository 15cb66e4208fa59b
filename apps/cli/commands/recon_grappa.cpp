// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "recon_job.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  require_array_files(call, {"OUT", "--error", "--kspace", "--g"});
  const ReconJob job = read_kspace(call);
  const auto out = run_operation_of(call, "recon.grappa", {{"in", job.kspace}},
                                    {{"axes", job.axes},
                                     {"axis", job.coil_axis},
                                     {"lines", call.integer("--lines")},
                                     {"width", call.integer("--width")},
                                     {"l2", call.number("--l2")}});
  const auto combined = [&](const flow::Value& kspace) {
    const auto images = run_operation_of(call, "fourier.ifft", {{"in", kspace}}, {{"axes", job.axes}}).at("out");
    return run_operation_of(call, "recon.rss", {{"in", images}}, {{"axis", job.coil_axis}}).at("out");
  };
  const auto image = combined(out.at("out"));
  nlohmann::ordered_json told;
  write_image(call, image, told);
  if (call.given("--kspace")) write_result(call, "--kspace", out.at("out"), told);
  if (call.given("--g")) write_result(call, "--g", out.at("g"), told);
  if (call.given("--undersample")) tell_error(call, image, combined(job.full), told);
  print_told(call, told);
  return 0;
}

}  // namespace

void register_recon_grappa(Commands& commands) {
  auto options = kspace_options();
  const auto more = image_options();
  options.insert(options.end(), more.begin(), more.end());
  options.push_back(integer("--lines", "measured neighbours along an undersampled axis, even", 4, 2, 8));
  options.push_back(integer("--width", "of the kernel along other axes, odd", 5, 1, 15));
  options.push_back(number("--l2", "regularisation, over the mean energy of calibration samples [1]", 1e-4, 0, 1));
  options.push_back(file("--kspace", "write k-space, too").output());
  options.push_back(file("--g", "write the noise factor").output());
  commands.add({.name = "recon grappa",
                .does = "Fills missing samples of k-space from their neighbours, and combines the coils",
                .in = {{.name = "KSPACE", .what = "k-space of coils, 0 where nothing was measured: .cfl, .npy, .h5"}},
                .out = {{.name = "OUT", .what = "magnitude image: .nii.gz, .npy, .cfl"}},
                .opt = options,
                .refs = {"Griswold et al., MRM 47:1202 (2002)", "Breuer et al., MRM 62:739 (2009)"},
                .examples = {"larmor recon grappa kspace.cfl image.npy --undersample y=2 --calibration 24"},
                .run = run});
}

}  // namespace larmor::cli
