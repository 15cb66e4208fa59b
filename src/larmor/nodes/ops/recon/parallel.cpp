// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/nodes/axes.hpp>
#include <larmor/recon/parallel/grappa.hpp>
#include <larmor/recon/parallel/sense.hpp>

namespace larmor::nodes {
namespace {

Axes names_of(const Array& a, const std::vector<int>& axes) {
  Axes out;
  for (const int i : axes) out.push_back(a.axes()[static_cast<std::size_t>(i)]);
  return out;
}

void undersample(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  Axes axes;
  Shape shape;
  std::vector<std::int64_t> factors;
  for (const auto& item : axis_texts(in.data, io.setting("factors"))) {
    axes.push_back(item.name), shape.push_back(in.data.extent(item.axis)), factors.push_back(whole(item));
  }
  if (axes.empty()) throw Error(Errc::usage, "no axis to undersample", "set 'factors', like: y=3");
  const Array mask = recon::undersampling_mask(axes, shape, factors,
                                               {.calibration = std::int64_t(io.setting("calibration")),
                                                .random = io.setting("random"),
                                                .seed = static_cast<std::uint64_t>(std::int64_t(io.setting("seed")))});
  double sum = 0;
  for (const float v : mask.span<float>()) sum += static_cast<double>(v);
  const double kept = sum / static_cast<double>(mask.size());
  io.out("out") = in.with(nd::apply(nd::Binary::multiply, in.data, mask, &io.cancel()));
  io.out("mask") = mask;
  io.out("kept") = kept;
  io.log(fmt::format("{:.1f} % of the samples are left, 1 in {:.2f}", 100 * kept, 1 / kept));
}

void sense(flow::Ports& io) {
  const auto in = io.in<Gridded>("in"), maps = io.in<Gridded>("maps");
  const std::string coil = io.setting("axis");
  need_axis(in.data, coil);
  const Axes axes = names_of(in.data, axes_in(in.data, io.setting("axes")));
  recon::SenseOptions o{.l2 = io.setting("l2"), .cancel = &io.cancel(), .progress = io.progress()};
  if (const auto given = axis_texts(in.data, io.setting("factors")); !given.empty()) {
    o.factors.assign(axes.size(), 1);
    for (const auto& item : given) {
      const auto it = std::find(axes.begin(), axes.end(), item.name);
      if (it == axes.end()) throw Error(Errc::usage, "a factor for axis '" + item.name + "', which is not transformed");
      o.factors[static_cast<std::size_t>(it - axes.begin())] = whole(item);
    }
  }
  const auto r = recon::sense(in.data, maps.data, axes, coil, o);
  const auto& place = place_of(in, maps);
  io.out("out") = place.with(r.image);
  io.out("g") = place.with(r.g);
  std::string text;
  for (std::size_t a = 0; a < axes.size(); ++a)
    text += fmt::format("{}{} {}", a ? ", " : "", axes[a], r.lattice.factor[a]);
  io.log("acceleration: " + text);
}

void grappa(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string coil = io.setting("axis");
  need_axis(in.data, coil);
  const auto r = recon::grappa(in.data, names_of(in.data, axes_in(in.data, io.setting("axes"))), coil,
                               {.lines = int(io.setting("lines")),
                                .width = int(io.setting("width")),
                                .l2 = io.setting("l2"),
                                .cancel = &io.cancel(),
                                .progress = io.progress()});
  io.out("out") = in.with(r.kspace);
  if (r.g.empty()) io.warn("the samples beside the calibration region are no lattice: g is not known");
  io.out("g") = r.g.empty() ? Gridded{Array(DType::f32, {0}, {"x"})} : in.with(r.g);
  io.log(fmt::format("{} kernels, calibrated on {}", r.kernels, to_string(r.calibration.shape())));
}

}  // namespace

/// recon.undersample, recon.sense and recon.grappa.
void register_recon_parallel(flow::NodeTypes& nodes) {
  const std::vector<std::string> tags{"parallel imaging", "acceleration", "SENSE", "GRAPPA", "undersampling"};
  const auto offer = [](flow::Form& form) { offer_axes(form, "in", "axis"), offer_axes(form, "in", "axes"); };
  nodes.add("recon.undersample",
            flow::NodeType{.title = "Undersample k-space",
                           .does = "Sets samples of k-space to 0, as if they had not been measured",
                           .from = "random: Lustig, Donoho and Pauly, MRM 58:1182 (2007)",
                           .help = "Every n-th line through k = 0, or as many at random, dense in the middle.",
                           .tags = tags}
                .in<Gridded>("in", "k-space, centred")
                .out<Gridded>("out", "k-space, 0 where nothing is left")
                .out<Array>("mask", "1 where a sample is left, over the undersampled axes")
                .out<double>("kept", "part of the samples that is left")
                .set({"factors", "acceleration by axis, like: y=3", "y=2"})
                .set({"calibration", "width of the middle that stays", 0, 0, 65536})
                .set({"random", "lines at random instead of every n-th", false})
                .set({"seed", "of random lines", 1, 0, 1000000})
                .run(undersample));
  nodes.add("recon.sense",
            flow::NodeType{
                .title = "SENSE",
                .does = "Unfolds images of regularly undersampled k-space by the sensitivities of coils",
                .from = "Pruessmann et al., MRM 42:952 (1999)",
                .help = "$$m = (E^H E + \\lambda)^{-1} E^H a, \\qquad g_j = \\sqrt{[(E^H E)^{-1}]_{jj} [E^H E]_{jj}}$$ "
                        "for the voxels that fold onto one; E holds the sensitivities. Whiten the noise first.",
                .tags = tags}
                .in<Gridded>("in", "k-space of coils, full size with 0 where nothing was measured")
                .in<Gridded>("maps", "sensitivities, 0 in the background")
                .out<Gridded>("out", "complex image")
                .out<Gridded>("g", "noise above what the number of samples explains, 1 at least; 0 in the background")
                .set({"axes", "axes to transform", "x, y"})
                .set({"axis", "axis of the coils", "coil"})
                .set({"factors", "acceleration, like: y=3; found out when empty", ""})
                .set({"l2", "regularisation, against the squared sensitivities", 0.0, 0.0, 1e6})
                .validate(offer)
                .run(sense));
  nodes.add("recon.grappa",
            flow::NodeType{
                .title = "GRAPPA",
                .does = "Fills missing samples of k-space from their neighbours in all coils",
                .from = "Griswold et al., MRM 47:1202 (2002); noise: Breuer et al., MRM 62:739 (2009)",
                .help = "Weights of measured neighbours are learned in the middle, which must have been measured in "
                        "full, for each pattern of neighbours.",
                .tags = tags}
                .in<Gridded>("in", "k-space of coils, full size with 0 where nothing was measured")
                .out<Gridded>("out", "k-space of coils, all samples")
                .out<Gridded>("g", "noise of the combined image above what the number of samples explains")
                .set({"axes", "axes of k-space, 2 or 3", "x, y"})
                .set({"axis", "axis of the coils", "coil"})
                .set(flow::Setting{"lines", "measured neighbours along an undersampled axis", 4, 2, 8}.by(2))
                .set(flow::Setting{"width", "of the kernel along other axes", 5, 1, 15}.by(2))
                .set({"l2", "regularisation, over the mean energy of calibration samples", 1e-4, 0.0, 1.0})
                .validate(offer)
                .run(grappa));
}

}  // namespace larmor::nodes
