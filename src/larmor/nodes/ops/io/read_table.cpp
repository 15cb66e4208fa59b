// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/table.hpp>

namespace larmor::nodes {
namespace {

void read_table(flow::Ports& io) { io.out("table") = io::read_table(io.setting("path").str()); }

}  // namespace

void register_io_read_table(flow::NodeTypes& nodes) {
  nodes.add("io.read_table",
            flow::NodeType{.title = "Read table",
                           .does = "Reads a table of named columns from CSV or TSV",
                           .from = "RFC 4180",
                           .help = "A first line that is all numbers is data: the columns are then called c1, c2, ...",
                           .tags = {"csv", "tsv", "load", "open"}}
                .out<io::Table>("table", "columns and rows, as texts")
                .set(flow::Setting::open("path", "the file", {"csv", "tsv"}))
                .run(read_table));
}

}  // namespace larmor::nodes
