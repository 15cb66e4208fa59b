// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/axes.hpp>
#include <larmor/recon/coils/calibration.hpp>

namespace larmor::nodes {
namespace {

Axes space_of(const flow::Ports& io, const Array& a) {
  Axes out;
  for (const int i : axes_in(a, io.setting("axes"))) out.push_back(a.axes()[static_cast<std::size_t>(i)]);
  return out;
}

void espirit(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string coil = io.setting("axis");
  need_axis(in.data, coil);
  const auto r = recon::espirit(in.data, space_of(io, in.data), coil,
                                {.calibration = std::int64_t(io.setting("calibration")),
                                 .kernel = std::int64_t(io.setting("kernel")),
                                 .threshold = io.setting("threshold"),
                                 .maps = int(io.setting("maps")),
                                 .crop = io.setting("crop"),
                                 .soft_crop = io.setting("soft_crop"),
                                 .cancel = &io.cancel(),
                                 .progress = io.progress()});
  io.out("maps") = in.with(r.maps);
  io.out("eigenvalues") = in.with(r.eigenvalues);
}

void low_resolution(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const std::string coil = io.setting("axis");
  need_axis(in.data, coil);
  io.out("maps") = in.with(recon::low_resolution_maps(in.data, space_of(io, in.data), coil,
                                                      {.calibration = std::int64_t(io.setting("calibration")),
                                                       .threshold = io.setting("threshold"),
                                                       .cancel = &io.cancel()}));
}

}  // namespace

/// recon.espirit and recon.lowres_maps.
void register_recon_sensitivities(flow::NodeTypes& nodes) {
  const std::vector<std::string> tags{"sensitivities", "calibration", "coil maps", "parallel imaging", "ESPIRiT"};
  const auto offer = [](flow::Form& form) { offer_axes(form, "in", "axis"), offer_axes(form, "in", "axes"); };
  nodes.add("recon.espirit",
            flow::NodeType{
                .title = "Sensitivities (ESPIRiT)",
                .does = "Finds the sensitivities of coils in the middle of k-space",
                .from = "Uecker et al., MRM 71:990 (2014)",
                .help = "Windows of the calibration region, as rows of a matrix, span a subspace that all windows "
                        "of k-space lie in. In the image this is a small matrix in every voxel, whose eigenvectors to "
                        "eigenvalue 1 are the sensitivities. Voxels of smaller eigenvalues are background.",
                .tags = tags}
                .in<Gridded>("in", "k-space, complex, centred, the middle sampled in full")
                .out<Gridded>("maps", "sensitivities, of norm 1 over the coils, 0 in the background")
                .out<Gridded>("eigenvalues", "1 where sensitivities explain the data")
                .set({"axes", "axes of space, 2 or 3", "x, y"})
                .set({"axis", "axis of the coils", "coil"})
                .set({"calibration", "samples of the middle along each axis", 24, 2, 1024})
                .set({"kernel", "width of the windows", 6, 1, 32})
                .set({"threshold", "singular values below this part of the largest are noise", 0.02, 0.0, 1.0})
                .set({"maps", "sets of sensitivities", 1, 1, 16})
                .set({"crop", "eigenvalues below are background", 0.8, 0.0, 1.0})
                .set({"soft_crop", "fade over crop +- 0.1", false})
                .validate(offer)
                .run(espirit));
  nodes.add("recon.lowres_maps",
            flow::NodeType{.title = "Sensitivities (low resolution)",
                           .does = "Takes images of the middle of k-space for the sensitivities of coils",
                           .from = "McKenzie et al., MRM 47:529 (2002)",
                           .help = "The middle under a Hann window, transformed, over the root of the sum of squares.",
                           .tags = tags}
                .in<Gridded>("in", "k-space, complex, centred")
                .out<Gridded>("maps", "sensitivities, of norm 1 over the coils, 0 in the background")
                .set({"axes", "axes of space", "x, y"})
                .set({"axis", "axis of the coils", "coil"})
                .set({"calibration", "samples of the middle along each axis", 24, 2, 1024})
                .set({"threshold", "less than this part of the largest magnitude is background", 0.05, 0.0, 1.0})
                .validate(offer)
                .run(low_resolution));
}

}  // namespace larmor::nodes
