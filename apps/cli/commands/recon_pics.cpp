// SPDX-License-Identifier: Apache-2.0
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "recon_job.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  require_array_files(call, {"OUT", "--error", "--kspace"});
  const ReconJob job = read_kspace(call);
  const auto maps = read_maps(call, job);
  const auto solve = [&](const flow::Value& kspace) {
    return run_operation_of(call, "recon.pics", {{"in", kspace}, {"maps", maps}},
                            {{"axes", job.axes},
                             {"axis", job.coil_axis},
                             {"solver", call.text("--solver")},
                             {"iterations", call.integer("--iterations")},
                             {"tolerance", call.number("--tolerance")},
                             {"l2", call.number("--l2")},
                             {"wavelet", call.number("--wavelet")},
                             {"tv", call.number("--tv")},
                             {"low_rank", call.number("--low-rank")},
                             {"across", call.text("--across")}});
  };
  const auto out = solve(job.kspace);
  nlohmann::ordered_json told;
  write_image(call, out.at("out"), told);
  if (call.given("--kspace")) write_result(call, "--kspace", out.at("kspace"), told);
  // Of k-space that is not complete to begin with a plain transform is no reference.
  if (call.given("--undersample"))
    tell_error(call, out.at("out"), complete(job) ? *reference_of(call, job, maps) : solve(job.full).at("out"), told);
  print_told(call, told);
  return 0;
}

}  // namespace

void register_recon_pics(Commands& commands) {
  auto options = kspace_options();
  for (auto more : {maps_options(), image_options()}) options.insert(options.end(), more.begin(), more.end());
  for (const auto& option :
       {text("--solver", "least squares (cg, lsqr, lsmr), or with penalties (fista, admm)", "cg").one_of([] {
          return std::vector<std::string>{"cg", "lsqr", "lsmr", "fista", "admm"};
        }),
        integer("--iterations", "at most", 30, 0, 100000),
        number("--tolerance", "residual at which to stop; 0: never [1]", 1e-4, 0, 1),
        number("--l2", "weight of the squared image, over the largest eigenvalue of the operator [1]", 0, 0, 1e6),
        number("--wavelet", "weight of wavelet coefficients, over the largest voxel of the adjoint's image [1]", 0, 0,
               1e6),
        number("--tv", "weight of the total variation, over the same [1]", 0, 0, 1e6),
        number("--low-rank", "weight of singular values of blocks, over the same [1]", 0, 0, 1e6),
        text("--across", "axis along which blocks have low rank", "t"),
        file("--kspace", "write k-space of coils, too: what was measured, and what the image has for the rest")
            .output()})
    options.push_back(option);
  commands.add(
      {.name = "recon pics",
       .does = "Image of Cartesian k-space of coils, sampled in any way, by iteration",
       .in = {{.name = "KSPACE", .what = "k-space of coils, 0 where nothing was measured: .cfl, .npy, .h5"}},
       .out = {{.name = "OUT", .what = "complex image: .nii.gz, .npy, .cfl"}},
       .opt = options,
       .refs = {"Pruessmann et al., MRM 46:638 (2001)", "Lustig et al., MRM 58:1182 (2007)"},
       .examples = {"larmor recon pics kspace.cfl image.npy --undersample y=3 --random --solver fista --wavelet 0.002",
                    "larmor recon pics brain.cfl image.npy --solver fista --wavelet 0.002 --kspace complete.cfl"},
       .run = run});
}

}  // namespace larmor::cli
