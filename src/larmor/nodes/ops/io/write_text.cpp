// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/io/file.hpp>

namespace larmor::nodes {
namespace {

void write_text(flow::Ports& io) {
  const std::string path = io.setting("path");
  io::write_text(path, io.in<std::string>("text"));
  io.out("file") = path;
}

}  // namespace

void register_io_write_text(flow::NodeTypes& nodes) {
  nodes.add(
      "io.write_text",
      flow::NodeType{
          .title = "Write text", .does = "Writes a text file", .effect = true, .tags = {"txt", "md", "save", "export"}}
          .in<std::string>("text", "the text")
          .out<std::string>("file", "name of the file")
          .set(flow::Setting::save("path", "the file", "out.txt", {"txt", "md"}))
          .run(write_text));
}

}  // namespace larmor::nodes
