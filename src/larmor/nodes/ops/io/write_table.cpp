// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {
namespace {

void write_table(flow::Ports& io) {
  const std::string path = io.setting("path");
  write_table_file(path, io.value("table"), io.provenance());
  io.out("file") = path;
}

}  // namespace

void register_io_write_table(flow::NodeTypes& nodes) {
  nodes.add("io.write_table", flow::NodeType{.title = "Write table",
                                             .does = "Writes a table, a curve or numbers as CSV or TSV",
                                             .from = "RFC 4180",
                                             .help = "The graph that made it is in a comment line (#) at the top.",
                                             .effect = true,
                                             .tags = {"csv", "tsv", "save", "export"}}
                                  .in<flow::Value>("table", "a table, a curve, or numbers")
                                  .out<std::string>("file", "name of the file")
                                  .set(flow::Setting::save("path", "the file", "out.csv", {"csv", "tsv"}))
                                  .run(write_table));
}

}  // namespace larmor::nodes
