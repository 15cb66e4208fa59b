// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/picture.hpp>

namespace larmor::nodes {
namespace {

void read_png(flow::Ports& io) {
  const io::Picture picture = io::read_png(io.setting("path").str());
  io.out("picture") = picture;
  io.out("data") = flow::ValueTraits<io::Picture>::to(picture).field("data");
}

}  // namespace

void register_io_read_png(flow::NodeTypes& nodes) {
  nodes.add("io.read_png", flow::NodeType{.title = "Read picture",
                                          .does = "Reads a PNG picture",
                                          .from = "ISO/IEC 15948",
                                          .tags = {"png", "load", "open"}}
                               .out<io::Picture>("picture", "8-bit grey, RGB or RGBA")
                               .out<Array>("data", "the same as an array u8 (channel, x, y), rows from the top")
                               .set(flow::Setting::open("path", "the file", {"png"}))
                               .run(read_png));
}

}  // namespace larmor::nodes
