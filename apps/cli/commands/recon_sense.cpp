// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/nodes/values/image.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "recon_job.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  require_array_files(call, {"OUT", "--error", "--g"});
  const ReconJob job = read_kspace(call);
  const auto maps = read_maps(call, job);
  const auto out = run_operation_of(call, "recon.sense", {{"in", job.kspace}, {"maps", maps}},
                                    {{"axes", job.axes},
                                     {"axis", job.coil_axis},
                                     {"factors", call.given("--factors") ? call.text("--factors") : std::string()},
                                     {"l2", call.number("--l2")}});
  nlohmann::ordered_json told;
  write_image(call, out.at("out"), told);
  const Array g = flow::ValueTraits<Array>::from(out.at("g")).contiguous_copy();
  double sum = 0, most = 0, n = 0;
  for (const float v : g.span<float>())
    if (v > 0) sum += static_cast<double>(v), most = std::max(most, static_cast<double>(v)), n += 1;
  if (n > 0) told["g_mean"] = sum / n, told["g_max"] = most;
  if (n > 0 && !call.json) fmt::print("noise factor g: mean {:.2f}, largest {:.2f}\n", sum / n, most);
  if (call.given("--g")) write_result(call, "--g", out.at("g"), told);
  if (const auto reference = reference_of(call, job, maps)) tell_error(call, out.at("out"), *reference, told);
  print_told(call, told);
  return 0;
}

}  // namespace

void register_recon_sense(Commands& commands) {
  auto options = kspace_options();
  for (auto more : {maps_options(), image_options()}) options.insert(options.end(), more.begin(), more.end());
  options.push_back(text("--factors", "acceleration, like: y=3; default: found out"));
  options.push_back(number("--l2", "regularisation, against the squared sensitivities [1]", 0, 0, 1e6));
  options.push_back(file("--g", "write the noise factor").output());
  commands.add({.name = "recon sense",
                .does = "Image of regularly undersampled Cartesian k-space, by the sensitivities of coils",
                .in = {{.name = "KSPACE", .what = "k-space of coils, 0 where nothing was measured: .cfl, .npy, .h5"}},
                .out = {{.name = "OUT", .what = "complex image: .nii.gz, .npy, .cfl"}},
                .opt = options,
                .refs = {"Pruessmann et al., MRM 42:952 (1999)", "Uecker et al., MRM 71:990 (2014)"},
                .examples = {"larmor recon sense kspace.cfl image.npy --undersample y=3 --g g.npy --error error.npy"},
                .run = run});
}

}  // namespace larmor::cli
