// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/nd/arrange.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/recon/homodyne.hpp>

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
  const auto full = along(
      in, nd::pad(in.data, axis, sampled.begin, sampled.n - sampled.end, nd::Pad::constant, 0, &io.cancel()), name,
      static_cast<double>(m) / 2 -
          static_cast<double>(m) / static_cast<double>(sampled.n) * static_cast<double>(sampled.n / 2),
      static_cast<double>(m) / static_cast<double>(sampled.n));
  io.out("out") = full.with(recon::homodyne(full.data, axis, axes, sampled, &io.cancel()));
  io.out("kspace") = full;
  io.out("centre") = static_cast<double>(centre);
  io.log(fmt::format("k = 0 at sample {} of {}: samples {} to {} of {}, {} on both sides", centre, m, sampled.begin,
                     sampled.end, sampled.n, sampled.overlap()));
}

}  // namespace

void register_recon_homodyne(flow::NodeTypes& nodes) {
  auto centre = flow::Setting{"centre", "sample where k = 0 lies; where the energy is largest when not set", 0, 0};
  centre.value = {};
  auto size = flow::Setting{"size", "samples of the full axis; the least symmetric number when not set", 0, 0};
  size.value = {};
  nodes.add("recon.homodyne",
            flow::NodeType{.title = "Homodyne partial Fourier",
                           .does = "Makes an image from k-space that was sampled on little more than one side",
                           .from = "Noll, Nishimura and Macovski, IEEE Trans. Med. Imaging 10:154 (1991)",
                           .help = "Samples without a partner count twice; the phase that the symmetric middle gives "
                                   "turns the image so that its real part is what was asked for. "
                                   "$$m = \\mathrm{Re}(e^{-i \\varphi} F^{-1} W k)$$ Give the samples that are there; "
                                   "those that are missing are added.",
                           .tags = {"partial Fourier", "partial echo", "half scan", "asymmetric echo"}}
                .in<Gridded>("in", "k-space, complex, without the missing samples; centred along the other axes")
                .out<Gridded>("out", "complex image: real values times the low-resolution phase")
                .out<Gridded>("kspace", "k-space of full size, 0 where nothing was sampled")
                .out<double>("centre", "sample where k = 0 lies")
                .set({"axis", "axis that was sampled in part", "x"})
                .set({"axes", "axes to transform, the one above among them", "x, y"})
                .set(std::move(centre).or_none())
                .set(std::move(size).or_none())
                .validate([](flow::Form& form) {
                  offer_axes(form, "in", "axis");
                  offer_axes(form, "in", "axes");
                })
                .run(compute));
}

}  // namespace larmor::nodes
