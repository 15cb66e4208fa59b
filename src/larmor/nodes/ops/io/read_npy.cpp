// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {
namespace {

void read_npy(flow::Ports& io) {
  const std::string path = io.setting("path"), names = io.setting("axes"), order = io.setting("order");
  io.out("array") = read_npy_ordered(path, names, order);
}

}  // namespace

void register_io_read_npy(flow::NodeTypes& nodes) {
  nodes.add(
      "io.read_npy",
      flow::NodeType{.title = "Read NumPy array",
                     .does = "Reads an array that NumPy saved",
                     .from = "NumPy Enhancement Proposal 1, versions 1 to 3",
                     .help = "The axes come in the file's order: shape (a, b) in NumPy is (a, b) "
                             "here, whatever order the file is stored in. Names of axes come from the setting, or "
                             "from Axes in NAME.npy.json beside the file, which io.write_npy leaves there. NumPy's "
                             "last axis is mostly the fastest and here the first one is: with all of them the other "
                             "way round in the order, nothing is moved in memory.",
                     .tags = {"npy", "numpy", "load", "open"}}
          .out<Array>("array", "the array")
          .set(flow::Setting::open("path", "the file", {"npy"}))
          .set({"axes",
                "names of the axes, separated by spaces: coil z y x; empty: those beside the file, or x y z ...", ""})
          .set({"order", "axes in their new order, by those names: x, y, z, coil; empty: as in the file", ""})
          .run(read_npy));
}

}  // namespace larmor::nodes
