// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/io/cfl.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {

/// io.read_cfl and io.write_cfl.
void register_io_cfl(flow::NodeTypes& nodes) {
  const std::string axes =
      "Axes are x, y, z, coil, map, te, coeff, coeff2, iter, cshift, t, t2, level, slice, avg, "
      "batch, in this order; those of one element are left out.";
  nodes.add("io.read_cfl", flow::NodeType{.title = "Read BART array",
                                          .does = "Reads a complex array of BART, NAME.cfl beside NAME.hdr",
                                          .from = "BART toolbox, mrirecon.github.io/bart",
                                          .help = axes,
                                          .tags = {"cfl", "bart", "k-space", "load", "open"}}
                               .out<Array>("array", "the array, c64")
                               .set(flow::Setting::open("path", "either file", {"cfl", "hdr"}))
                               .run([](flow::Ports& io) { io.out("array") = io::read_cfl(io.setting("path").str()); }));
  nodes.add("io.write_cfl", flow::NodeType{.title = "Write BART array",
                                           .does = "Writes a complex array for BART, NAME.cfl beside NAME.hdr",
                                           .from = "BART toolbox, mrirecon.github.io/bart",
                                           .help = axes,
                                           .effect = true,
                                           .tags = {"cfl", "bart", "k-space", "save", "export"}}
                                .in<Array>("array", "the array; real numbers become complex")
                                .out<std::string>("file", "name of the file")
                                .set(flow::Setting::save("path", "the file", "out.cfl", {"cfl"}))
                                .run([](flow::Ports& io) {
                                  const std::string path = io.setting("path");
                                  write_cfl_file(path, io.in<Array>("array"), io.provenance());
                                  io.out("file") = path;
                                }));
}

}  // namespace larmor::nodes
