// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/axes.hpp>
#include <larmor/recon/coil_combine.hpp>

namespace larmor::nodes {
namespace {

void rss(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  io.out("out") = in.with(recon::root_sum_of_squares(in.data, need_axis(in.data, io.setting("axis")), &io.cancel()));
}

void combine(flow::Ports& io) {
  const auto in = io.in<Gridded>("in"), maps = io.in<Gridded>("maps");
  const std::string axis = io.setting("axis");
  need_axis(in.data, axis), need_axis(maps.data, axis);
  io.out("out") = place_of(in, maps).with(recon::combine(in.data, maps.data, axis, &io.cancel()));
}

void adaptive(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const int axis = need_axis(in.data, io.setting("axis"));
  const auto result = recon::combine_adaptive(
      in.data, axis,
      {.block = int(io.setting("block")),
       .space = io.setting("volume") ? 3 : 2,
       .phase = io.setting("phase").str() == "block_mean" ? recon::AdaptivePhase::block_mean
                                                          : recon::AdaptivePhase::strongest_coil,
       .cancel = &io.cancel(),
       .progress = io.progress()});
  io.out("out") = in.with(result.image);
  io.out("maps") = in.with(result.sensitivities);
}

}  // namespace

/// recon.rss, recon.coil_combine and recon.adaptive_combine.
void register_recon_coil_combine(flow::NodeTypes& nodes) {
  const flow::Setting axis{"axis", "axis of the coils", "coil"};
  const std::vector<std::string> tags{"coil combination", "parallel imaging", "channels"};
  nodes.add(
      "recon.rss",
      flow::NodeType{.title = "Root of sum of squares",
                     .does = "Combines the images of coils to a magnitude",
                     .from = "Roemer et al., MRM 16:192 (1990)",
                     .help = "$$m = \\sqrt{\\textstyle\\sum_c |s_c|^2}$$ Noise becomes positive where there is no "
                             "signal.",
                     .tags = tags}
          .in<Gridded>("in", "images of coils, real or complex")
          .out<Gridded>("out", "magnitude, without the axis of the coils")
          .set(axis)
          .validate([](flow::Form& form) { offer_axes(form, "in", "axis"); })
          .run(rss));
  nodes.add("recon.coil_combine",
            flow::NodeType{.title = "Combine coils by sensitivities",
                           .does = "Combines the images of coils whose sensitivities are known",
                           .from = "Roemer et al., MRM 16:192 (1990)",
                           .help = "$$m = \\sum_c c_c^* s_c / \\sum_c |c_c|^2$$ 0 where all sensitivities are 0.",
                           .tags = tags}
                .in<Gridded>("in", "complex images of coils")
                .in<Gridded>("maps", "sensitivities")
                .out<Gridded>("out", "complex image")
                .set(axis)
                .run(combine));
  nodes.add(
      "recon.adaptive_combine",
      flow::NodeType{.title = "Adaptive coil combination",
                     .does = "Combines the images of coils by what each block of voxels says of the sensitivities",
                     .from = "Walsh et al., MRM 43:682 (2000); Inati et al., ISMRM 2013, 2672",
                     .help = "In a block around every voxel the eigenvector of the largest eigenvalue of the "
                             "correlation of the coils stands for their sensitivities. The phase is that of the "
                             "coil that receives most.",
                     .tags = tags}
          .in<Gridded>("in", "complex images of coils; space in the first axes beside the coils")
          .out<Gridded>("out", "complex image")
          .out<Gridded>("maps", "relative sensitivities, of norm 1 in every voxel")
          .set(axis)
          .set(flow::Setting{"block", "width of the block, odd", 7, 1, 31}.by(2).in("voxels"))
          .set({"volume", "blocks in three dimensions, else in each plane of the first two", false})
          .set(flow::Setting::choice("phase", "that of the coil that receives most, or the mean of each block (Inati)",
                                     "strongest_coil", {"strongest_coil", "block_mean"}))
          .validate([](flow::Form& form) { offer_axes(form, "in", "axis"); })
          .run(adaptive));
}

}  // namespace larmor::nodes
