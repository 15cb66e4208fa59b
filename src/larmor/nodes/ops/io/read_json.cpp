// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {
namespace {

void read_json(flow::Ports& io) { io.out("value") = read_json_file(io.setting("path").str()); }

}  // namespace

void register_io_read_json(flow::NodeTypes& nodes) {
  nodes.add("io.read_json", flow::NodeType{.title = "Read JSON",
                                           .does = "Reads a JSON file: objects become records, arrays lists",
                                           .from = "RFC 8259",
                                           .tags = {"json", "sidecar", "bids", "load", "open"}}
                                .out<flow::Value>("value", "what the file holds")
                                .set(flow::Setting::open("path", "the file", {"json"}))
                                .run(read_json));
}

}  // namespace larmor::nodes
