// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/io/file.hpp>

namespace larmor::nodes {
namespace {

void read_text(flow::Ports& io) { io.out("text") = io::read_text(io.setting("path").str()); }

}  // namespace

void register_io_read_text(flow::NodeTypes& nodes) {
  nodes.add("io.read_text",
            flow::NodeType{.title = "Read text", .does = "Reads a text file", .tags = {"txt", "md", "load", "open"}}
                .out<std::string>("text", "its content")
                .set(flow::Setting::open("path", "the file", {"txt", "md"}))
                .run(read_text));
}

}  // namespace larmor::nodes
