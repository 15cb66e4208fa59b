// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/axes.hpp>
#include <larmor/recon/coils/compress.hpp>
#include <larmor/recon/coils/noise.hpp>

namespace larmor::nodes {
namespace {

void whiten(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const auto noise = io.in<Array>("noise");
  const std::string axis = io.setting("axis");
  const auto covariance = recon::noise_covariance(noise, need_axis(noise, axis));
  io.out("out") =
      in.with(recon::mix_coils(in.data, need_axis(in.data, axis), recon::whitening(covariance), &io.cancel()));
  const auto n = static_cast<std::int64_t>(covariance.rows);
  io.out("covariance") = Array::from<std::complex<double>>(covariance.data, {n, n}, {"coil", "coil2"});
}

void compress(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const int coil = need_axis(in.data, io.setting("axis")), n = int(io.setting("coils"));
  double kept = 0;
  if (io.setting("method").str() == "geometric") {
    const auto r =
        recon::geometric_compression(in.data, coil, need_axis(in.data, io.setting("readout")), n, &io.cancel());
    io.out("out") = in.with(r.kspace);
    kept = r.energy;
  } else {
    const auto r = recon::svd_compression(in.data, coil, n);
    io.out("out") = in.with(recon::mix_coils(in.data, coil, r.matrix, &io.cancel()));
    kept = r.energy[static_cast<std::size_t>(n - 1)];
  }
  io.out("kept") = kept;
  io.log(fmt::format("{} virtual coils of {} hold {:.3f} % of the energy", n, in.data.extent(coil), 100 * kept));
}

}  // namespace

/// recon.prewhiten and recon.compress_coils.
void register_recon_noise(flow::NodeTypes& nodes) {
  nodes.add("recon.prewhiten",
            flow::NodeType{.title = "Whiten noise",
                           .does = "Mixes coils so that their noise is uncorrelated and of variance 1",
                           .from = "Pruessmann et al., MRM 46:638 (2001)",
                           .help = "With the covariance $\\Psi = L L^H$ of the noise, $L^{-1}$ of the coils.",
                           .tags = {"noise", "covariance", "prewhitening", "parallel imaging"}}
                .in<Gridded>("in", "data of coils, complex")
                .in<Array>("noise", "samples without signal, of the same coils")
                .out<Gridded>("out", "data of as many virtual coils")
                .out<Array>("covariance", "of the noise before, (coil, coil2), c128")
                .set({"axis", "axis of the coils", "coil"})
                .validate([](flow::Form& form) { offer_axes(form, "in", "axis"); })
                .run(whiten));
  nodes.add(
      "recon.compress_coils",
      flow::NodeType{.title = "Compress coils",
                     .does = "Makes few virtual coils that hold nearly what all coils do",
                     .from = "Zhang et al., MRM 69:571 (2013); Huang et al., Magn. Reson. Imaging 26:133 (2008)",
                     .help = "svd: one mixture for all samples. geometric: one for each place along an axis that was "
                             "sampled in full, aligned from place to place; it keeps more with fewer coils.",
                     .tags = {"channels", "SVD", "GCC", "parallel imaging"}}
          .in<Gridded>("in", "k-space, complex, centred along the readout")
          .out<Gridded>("out", "k-space of the virtual coils")
          .out<double>("kept", "part of the energy that they hold")
          .set({"coils", "virtual coils", 6, 1, 4096})
          .set(flow::Setting::choice("method", "one mixture, or one for each place", "svd", {"svd", "geometric"}))
          .set({"readout", "axis that was sampled in full (geometric)", "x"})
          .set({"axis", "axis of the coils", "coil"})
          .validate([](flow::Form& form) {
            offer_axes(form, "in", "axis"), offer_axes(form, "in", "readout");
            if (form.setting("method").str() != "geometric") form.hide("readout");
          })
          .run(compress));
}

}  // namespace larmor::nodes
