// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/picture.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {
namespace {

void write_png(flow::Ports& io) {
  const std::string path = io.setting("path");
  write_png_file(path, io.in<io::Picture>("picture"), io.provenance());
  io.out("file") = path;
}

}  // namespace

void register_io_write_png(flow::NodeTypes& nodes) {
  nodes.add("io.write_png", flow::NodeType{.title = "Write picture",
                                           .does = "Writes a PNG picture",
                                           .from = "ISO/IEC 15948",
                                           .help = "The graph that made it is in a text of the file.",
                                           .effect = true,
                                           .tags = {"png", "save", "export"}}
                                .in<io::Picture>("picture", "8-bit grey, RGB or RGBA")
                                .out<std::string>("file", "name of the file")
                                .set(flow::Setting::save("path", "the file", "out.png", {"png"}))
                                .run(write_png));
}

}  // namespace larmor::nodes
