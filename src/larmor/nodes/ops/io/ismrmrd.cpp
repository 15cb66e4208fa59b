// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/io/ismrmrd.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/trajectory.hpp>

namespace larmor::nodes {
namespace {

void read(flow::Ports& io) {
  io::Mrd data = io::read_ismrmrd(io.setting("path").str(), &io.cancel());
  for (const auto& note : data.notes) io.warn(note);
  const Array none(DType::c64, {0}, {"sample"});
  io.out("kspace") = data.kspace.empty() ? none : data.kspace;
  if (data.traj)
    io.out("traj") = *data.traj;
  else
    io.outputs()["traj"] = flow::Value::record("trajectory", {});
  io.out("noise") = data.noise.empty() ? none : data.noise;
  io.out("calibration") = data.calibration.empty() ? none : data.calibration;
  io.outputs()["protocol"] = flow::value_of(data.protocol);
  io.out("header") = data.header;
}

void write(flow::Ports& io) {
  const std::string path = io.setting("path");
  io::Mrd data;
  data.kspace = io.in<Array>("kspace");
  if (io.has("traj")) data.traj = io.in<Trajectory>("traj");
  if (io.has("noise")) data.noise = io.in<Array>("noise");
  if (io.has("protocol")) data.protocol = flow::metadata_of(io.value("protocol"));
  io::write_ismrmrd(path, data);
  io.out("file") = path;
}

}  // namespace

/// io.read_ismrmrd and io.write_ismrmrd.
void register_io_ismrmrd(flow::NodeTypes& nodes) {
  const std::vector<std::string> tags{"ISMRMRD", "MRD", "HDF5", "raw data", "k-space", "h5"};
  nodes.add(
      "io.read_ismrmrd",
      flow::NodeType{
          .title = "Read ISMRMRD",
          .does = "Reads raw data of a scanner in ISMRMRD (MRD) format",
          .from = "Inati et al., MRM 77:411 (2017)",
          .help = "Readouts are sorted by their counters: Cartesian ones to k-space of full size with 0 where "
                  "nothing was measured, others to samples with their trajectory. Noise scans are samples by coil. "
                  "Ports of what is not in the file are empty.",
          .tags = tags}
          .out<Array>("kspace", "k-space (x, y[, z], coil, ...), or samples (sample, arm, coil, ...)")
          .out<Trajectory>("traj", "where the samples were taken [cycles/FOV]")
          .out<Array>("noise", "noise scans (sample, coil)")
          .out<Array>("calibration", "k-space of readouts that are only for calibration")
          .out<flow::Value>("protocol", "named facts, as BIDS names them")
          .out<std::string>("header", "the XML header")
          .set(flow::Setting::open("path", "the file", {"h5", "mrd", "hdf5"}))
          .run(read));
  nodes.add("io.write_ismrmrd",
            flow::NodeType{
                .title = "Write ISMRMRD",
                .does = "Writes k-space or samples as raw data in ISMRMRD (MRD) format",
                .from = "Inati et al., MRM 77:411 (2017)",
                .help = "Axes become counters: y or arm, z, slice, t, echo, phase, set, average. Lines that are 0 in "
                        "every coil are not written.",
                .effect = true,
                .tags = tags}
                .in<Array>("kspace", "k-space (x, y[, z], coil, ...), or samples (sample, arm, ...) with a trajectory")
                .maybe<Trajectory>("traj", "where the samples were taken")
                .maybe<Array>("noise", "samples without signal (sample, coil)")
                .maybe<flow::Value>("protocol", "named facts, as BIDS names them")
                .out<std::string>("file", "name of the file")
                .set(flow::Setting::save("path", "the file", "out.h5", {"h5", "mrd"}))
                .run(write));
}

}  // namespace larmor::nodes
