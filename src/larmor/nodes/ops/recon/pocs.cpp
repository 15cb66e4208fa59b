// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/recon/parallel/pocs.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string name = io.setting("axis");
  const int axis = need_axis(in.data, name);
  const auto axes = axes_in(in.data, io.setting("axes"));
  const std::int64_t m = in.data.extent(axis);
  const std::int64_t centre =
      io.setting("centre").given() ? std::int64_t(io.setting("centre")) : recon::find_centre(in.data, axis);
  const std::int64_t size = io.setting("size").given() ? std::int64_t(io.setting("size")) : 0;
  const auto sampled = recon::place_samples(m, centre, size);
  const double step = static_cast<double>(m) / static_cast<double>(sampled.n);
  const auto full =
      along(in, nd::pad(in.data, axis, sampled.begin, sampled.n - sampled.end, nd::Pad::constant, 0, &io.cancel()),
            name, static_cast<double>(m) / 2 - step * static_cast<double>(sampled.n / 2), step);
  const auto r = recon::pocs(full.data, axis, axes, sampled,
                             {.iterations = int(io.setting("iterations")),
                              .tolerance = io.setting("tolerance"),
                              .cancel = &io.cancel(),
                              .progress = io.progress()});
  io.out("out") = full.with(r.image);
  Curve change{.x = {}, .y = {r.change}, .x_label = "iteration", .x_unit = "1", .label = "change", .unit = "1"};
  for (std::size_t i = 0; i < r.change.size(); ++i) change.x.push_back(static_cast<double>(i + 1));
  io.out("change") = change;
  io.log(fmt::format("k = 0 at sample {} of {}; {} iterations, the last changed {:.1e}", centre, m, r.change.size(),
                     r.change.back()));
}

}  // namespace

void register_recon_pocs(flow::NodeTypes& nodes) {
  auto centre = flow::Setting{"centre", "sample where k = 0 lies; where the energy is largest when not set", 0, 0};
  centre.value = {};
  auto size = flow::Setting{"size", "samples of the full axis; the least symmetric number when not set", 0, 0};
  size.value = {};
  nodes.add("recon.pocs",
            flow::NodeType{
                .title = "Partial Fourier by projections",
                .does = "Fills the part of k-space that was not sampled by what a smooth phase makes of the rest",
                .from = "Haacke, Lindskog and Lin, J. Magn. Reson. 92:126 (1991)",
                .help = "In turn the image takes the phase of the symmetric middle, and k-space the samples that were "
                        "measured. Give the samples that are there; those that are missing are added.",
                .tags = {"partial Fourier", "partial echo", "half scan", "POCS"}}
                .in<Gridded>("in", "k-space, complex, without the missing samples; centred along the other axes")
                .out<Gridded>("out", "complex image")
                .out<Curve>("change", "of k-space in every iteration, relative")
                .set({"axis", "axis that was sampled in part", "x"})
                .set({"axes", "axes to transform, the one above among them", "x, y"})
                .set({"iterations", "at most", 20, 1, 10000})
                .set({"tolerance", "change at which to stop; 0: never", 1e-4, 0.0, 1.0})
                .set(std::move(centre).or_none())
                .set(std::move(size).or_none())
                .validate([](flow::Form& form) { offer_axes(form, "in", "axis"), offer_axes(form, "in", "axes"); })
                .run(compute));
}

}  // namespace larmor::nodes
