// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/files.hpp>

namespace larmor::nodes {
namespace {

void write_json(flow::Ports& io) {
  const std::string path = io.setting("path");
  write_file(path, io.value("value"), io.provenance());
  io.out("file") = path;
}

}  // namespace

void register_io_write_json(flow::NodeTypes& nodes) {
  nodes.add("io.write_json",
            flow::NodeType{
                .title = "Write JSON",
                .does = "Writes any value as JSON",
                .from = "RFC 8259",
                .help = "The graph that made it is the field Provenance; a value that is no record is put below Value.",
                .effect = true,
                .tags = {"json", "save", "export"}}
                .in<flow::Value>("value", "any value; arrays of up to 16 million numbers")
                .out<std::string>("file", "name of the file")
                .set(flow::Setting::save("path", "the file", "out.json", {"json"}))
                .run(write_json));
}

}  // namespace larmor::nodes
