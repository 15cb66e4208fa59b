// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/io/pulseq.hpp>
#include <larmor/nodes/values/sequence.hpp>

namespace larmor::nodes {
namespace {

void read_pulseq(flow::Ports& io) { io.out("sequence") = io::read_pulseq(io.setting("path").str()); }

}  // namespace

void register_io_read_pulseq(flow::NodeTypes& nodes) {
  nodes.add("io.read_pulseq",
            flow::NodeType{.title = "Read Pulseq sequence",
                           .does = "Reads a pulse sequence of blocks",
                           .from = "Layton et al., MRM 77:1544 (2017); Pulseq file format, versions 1.4 and 1.5",
                           .help = "Gradients come in T/m and pulses in T, with the gyromagnetic ratio of the proton. "
                                   "Triggers are left out.",
                           .tags = {"seq", "load", "open", "gradient", "pulse"}}
                .out<Sequence>("sequence", "blocks of gradients, pulses and sampling")
                .set(flow::Setting::open("path", "the file", {"seq"}))
                .run(read_pulseq));
}

}  // namespace larmor::nodes
