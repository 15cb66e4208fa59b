// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/sequence.hpp>
#include <larmor/nodes/values/waveforms.hpp>
#include <larmor/recon/trajectory/edit.hpp>
#include <numbers>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  io.out("sequence") = recon::to_sequence(io.in<ArmWaveforms>("waveforms"),
                                          {.flip_angle = double(io.setting("FA")) * std::numbers::pi / 180,
                                           .pulse_duration = 1e-6 * double(io.setting("pulse")),
                                           .TR = 1e-3 * double(io.setting("TR"))});
}

}  // namespace

void register_traj_sequence(flow::NodeTypes& nodes) {
  using flow::Setting;
  nodes.add(
      "traj.sequence",
      flow::NodeType{
          .title = "Sequence of arms",
          .does = "Makes a pulse sequence of the gradients of a trajectory, one arm after the other",
          .help = "Each arm is a block of gradients and sampling (EPI: one a line), after a block pulse where the flip "
                  "angle is not 0. Corners of the gradients are the points of the raster; a few rasters of waiting let "
                  "the sampling begin on a whole microsecond. Where no number of them does (a dwell time of 5 us), "
                  "spirals are played by a part of a microsecond later, to about 0.003 cycles/FOV.",
          .tags = {"pulseq", "seq", "blocks", "simulate", "export"}}
          .in<ArmWaveforms>("waveforms", "gradients of all arms")
          .out<Sequence>("sequence", "blocks")
          .set(Setting("FA", "flip angle of a block pulse before each arm; 0: none [deg]", 0.0, 0.0, 180.0).in("deg"))
          .set(Setting("pulse", "its duration [us]", 500.0, 1.0, 100000.0).in("us"))
          .set(Setting("TR", "from arm to arm; 0: as short as can be [ms]", 0.0, 0.0, 1e5).in("ms"))
          .run(compute));
}

}  // namespace larmor::nodes
