// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/nodes/axis_names.hpp>

namespace larmor::nodes {
namespace {

void read_npy(flow::Ports& io) {
  const Array array = io::read_npy(io.setting("path").str());
  io.out("array") = with_axis_names(array, io.setting("axes").str());
}

}  // namespace

void register_io_read_npy(flow::NodeTypes& nodes) {
  nodes.add("io.read_npy",
            flow::NodeType{.title = "Read NumPy array",
                           .does = "Reads an array that NumPy saved",
                           .from = "NumPy Enhancement Proposal 1, versions 1 to 3",
                           .help = "The axes come in the file's order: shape (a, b) in NumPy is (a, b) "
                                   "here, whatever order the file is stored in.",
                           .tags = {"npy", "numpy", "load", "open"}}
                .out<Array>("array", "the array")
                .set(flow::Setting::open("path", "the file", {"npy"}))
                .set({"axes", "names of the axes, separated by spaces: coil z y x; empty: x y z ...", ""})
                .run(read_npy));
}

}  // namespace larmor::nodes
