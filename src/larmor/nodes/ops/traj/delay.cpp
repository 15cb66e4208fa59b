// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/recon/trajectory/edit.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto traj = io.in<Trajectory>("trajectory");
  double dwell = 1e-6 * double(io.setting("dwell"));
  if (dwell == 0 && traj.times.size() > 1) dwell = traj.times[1] - traj.times[0];
  if (dwell == 0) throw Error(Errc::usage, "delay: the trajectory does not know its times", "set 'dwell' [us]");
  io.out("trajectory") = recon::delayed(traj, dwell,
                                        {1e-6 * double(io.setting("delay_x")), 1e-6 * double(io.setting("delay_y")),
                                         1e-6 * double(io.setting("delay_z"))});
}

}  // namespace

void register_traj_delay(flow::NodeTypes& nodes) {
  using flow::Setting;
  nodes.add(
      "traj.delay",
      flow::NodeType{
          .title = "Delay gradients",
          .does = "Moves a trajectory in time, each axis by its own delay, by parts of a sample",
          .from = "Peters et al., MRM 50:1 (2003)",
          .help = "A parabola through the nearest three samples, which is exact where the gradient changes linearly. "
                  "Operations that design trajectories have delays of their own, computed on the waveform.",
          .tags = {"trajectory", "timing", "shift", "eddy currents"}}
          .in<Trajectory>("trajectory", "positions, samples evenly in time")
          .out<Trajectory>("trajectory", "positions at t - delay")
          .set(Setting("delay_x", "how much later than intended the x gradient acts [us]", 0.0, -1e4, 1e4).in("us"))
          .set(Setting("delay_y", "the same of y [us]", 0.0, -1e4, 1e4).in("us"))
          .set(Setting("delay_z", "the same of z [us]", 0.0, -1e4, 1e4).in("us"))
          .set(Setting("dwell", "time between samples; 0: from the trajectory's times [us]", 0.0, 0.0, 1e4).in("us"))
          .run(compute));
}

}  // namespace larmor::nodes
