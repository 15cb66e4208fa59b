// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/sequence.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {
namespace {

void write_pulseq(flow::Ports& io) {
  const std::string path = io.setting("path");
  write_pulseq_file(path, io.in<Sequence>("sequence"), io.provenance());
  io.out("file") = path;
}

}  // namespace

void register_io_write_pulseq(flow::NodeTypes& nodes) {
  nodes.add("io.write_pulseq",
            flow::NodeType{.title = "Write Pulseq sequence",
                           .does = "Writes a pulse sequence for scanners and simulators that read Pulseq",
                           .from = "Layton et al., MRM 77:1544 (2017); Pulseq file format, version 1.4",
                           .help = "Shapes are rounded to 1e-9 of their greatest value, and carry a checksum. Times of "
                                   "events must be whole microseconds, those of blocks whole block rasters. The graph "
                                   "that made it is in the definition Provenance.",
                           .effect = true,
                           .tags = {"seq", "save", "export", "gradient", "pulse"}}
                .in<Sequence>("sequence", "blocks of gradients, pulses and sampling")
                .out<std::string>("file", "name of the file")
                .set(flow::Setting::save("path", "the file", "out.seq", {"seq"}))
                .run(write_pulseq));
}

}  // namespace larmor::nodes
