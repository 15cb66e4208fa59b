// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/recon/nufft/gridding.hpp>

namespace larmor::nodes {
namespace {

recon::GridOptions options(const flow::Ports& io) {
  return {.window =
              io.setting("window").str() == "gaussian" ? recon::GridWindow::gaussian : recon::GridWindow::kaiser_bessel,
          .width = io.setting("width"),
          .oversampling = io.setting("oversampling"),
          .cancel = &io.cancel()};
}

flow::NodeType node(std::string title, std::string does, std::string help) {
  return flow::NodeType{
      .title = std::move(title),
      .does = std::move(does),
      .from =
          "Jackson et al., IEEE Trans. Med. Imaging 10:473 (1991); Beatty, Nishimura & Pauly, IEEE Trans. "
          "Med. Imaging 24:799 (2005)",
      .help = std::move(help),
      .tags = {"gridding", "non-cartesian", "Kaiser-Bessel", "interpolation"}}
      .in<Trajectory>("trajectory", "where samples were taken")
      .set(flow::Setting::choice("window", "Kaiser-Bessel, or a Gaussian cut at the width", "kaiser_bessel",
                                 {"kaiser_bessel", "gaussian"}))
      .set({"width", "cells of the grid that a sample reaches", 4.0, 1.0, 16.0})
      .set({"oversampling", "points of the grid a voxel", 1.5, 1.0, 4.0});
}

}  // namespace

/// recon.grid, recon.degrid, recon.rolloff and recon.rolloff_before.
void register_recon_gridding(flow::NodeTypes& nodes) {
  const std::string steps =
      "Grid, fourier.ifft with scaling none, roll-off: the classical reconstruction in its steps; roll-off before, "
      "fourier.fft, degrid: the way back. recon.nufft_adjoint does the same in one, better and faster.";
  nodes.add("recon.grid", node("Grid", "Carries samples to the points of a grid around them", steps)
                              .in<Array>("in", "samples, complex (sample, arm, ..., coil, slice ...)")
                              .maybe<Array>("dcf", "density compensation (sample, arm, ...)")
                              .out<Array>("out", "centred k-space on the grid (x, y[, z], coil, slice ...)")
                              .run([](flow::Ports& io) {
                                io.out("out") =
                                    recon::grid_samples(io.in<Trajectory>("trajectory"), io.in<Array>("in"),
                                                        io.has("dcf") ? io.in<Array>("dcf") : Array{}, options(io));
                              }));
  nodes.add("recon.degrid", node("Degrid", "Takes samples from the points of a grid around them", steps)
                                .in<Array>("in", "centred k-space on the grid (x, y[, z], coil, slice ...)")
                                .out<Array>("out", "samples (sample, arm, ..., coil, slice ...)")
                                .run([](flow::Ports& io) {
                                  io.out("out") = recon::degrid_samples(io.in<Trajectory>("trajectory"),
                                                                        io.in<Array>("in"), options(io));
                                }));
  nodes.add("recon.rolloff",
            node("Roll-off", "Takes the middle of a gridded image and divides by the transform of the window", steps)
                .in<Array>("in", "image on the grid (x, y[, z], coil, slice ...)")
                .out<Array>("out", "image of the trajectory's matrix")
                .run([](flow::Ports& io) {
                  io.out("out") = recon::rolloff(io.in<Trajectory>("trajectory"), io.in<Array>("in"), options(io));
                }));
  nodes.add("recon.rolloff_before",
            node("Roll-off before degridding",
                 "Divides an image by the transform of the window and puts zeros around it", steps)
                .in<Array>("in", "image of the trajectory's matrix (x, y[, z], coil, slice ...)")
                .out<Array>("out", "image on the grid")
                .run([](flow::Ports& io) {
                  io.out("out") =
                      recon::rolloff_before(io.in<Trajectory>("trajectory"), io.in<Array>("in"), options(io));
                }));
}

}  // namespace larmor::nodes
