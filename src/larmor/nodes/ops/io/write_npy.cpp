// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {
namespace {

void write_npy(flow::Ports& io) {
  const std::string path = io.setting("path");
  write_npy_file(path, io.in<Array>("array"), io.provenance());
  io.out("file") = path;
}

}  // namespace

void register_io_write_npy(flow::NodeTypes& nodes) {
  nodes.add("io.write_npy",
            flow::NodeType{.title = "Write NumPy array",
                           .does = "Writes an array for NumPy",
                           .from = "NumPy Enhancement Proposal 1",
                           .help = "Names of the axes and the graph that made it are in <file>.json beside it.",
                           .effect = true,
                           .tags = {"npy", "numpy", "save", "export"}}
                .in<Array>("array", "the array")
                .out<std::string>("file", "name of the file")
                .set(flow::Setting::save("path", "the file", "out.npy", {"npy"}))
                .run(write_npy));
}

}  // namespace larmor::nodes
