// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/nufft_ports.hpp>
#include <larmor/nodes/values/sequence.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/recon/trajectory/edit.hpp>
#include <sstream>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto sequence = io.in<Sequence>("sequence");
  std::vector<double> fov;
  for (const double mm : io.setting("fov").numbers()) fov.push_back(1e-3 * mm);
  if (fov.empty()) {
    const std::string* text = sequence.definition("FOV");
    if (!text) throw Error(Errc::usage, "the sequence does not say its field of view", "set 'fov' [mm]");
    std::istringstream numbers(*text);
    for (double v = 0; numbers >> v;) fov.push_back(v);
  }
  const auto matrix = voxels_of(io.setting("matrix").numbers(), "matrix");
  io.out("trajectory") = recon::sequence_trajectory(sequence, fov, matrix);
}

}  // namespace

void register_traj_from_sequence(flow::NodeTypes& nodes) {
  using flow::Setting;
  nodes.add(
      "traj.from_sequence",
      flow::NodeType{
          .title = "Trajectory of sequence",
          .does = "Gives where a pulse sequence samples k-space",
          .from = "Twieg, Med Phys 10:610 (1983)",
          .help =
              "k is the integral of the gradients since the last excitation, and a refocusing pulse turns its sign. "
              "A pulse that does not say what it is for refocuses from 120 degrees on and excites below. The "
              "field of view is that of the definition FOV [m] where it is not set.",
          .tags = {"pulseq", "seq", "k-space", "import"}}
          .in<Sequence>("sequence", "blocks with gradients and sampling")
          .out<Trajectory>("trajectory", "positions (sample, arm, d) [cycles/FOV]")
          .set(Setting::numbers("fov", "field of view of x, y(, z) [mm]; empty: that of the sequence", {}))
          .set(Setting::numbers("matrix", "size of the image; empty: as small as holds the samples", {}))
          .run(compute));
}

}  // namespace larmor::nodes
