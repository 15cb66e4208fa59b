// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/write.hpp>

namespace larmor::nodes {
namespace {

void write_report(flow::Ports& io) {
  const std::string path = io.setting("path");
  write_report_file(path, io.in<Page>("report"), io.provenance());
  io.out("file") = path;
}

}  // namespace

void register_io_write_report(flow::NodeTypes& nodes) {
  nodes.add("io.write_report", flow::NodeType{.title = "Write report",
                                              .does = "Writes a report as one HTML file",
                                              .help = "The graph that made it is in a meta line of the page.",
                                              .effect = true,
                                              .tags = {"html", "save", "export"}}
                                   .in<Page>("report", "the page")
                                   .out<std::string>("file", "name of the file")
                                   .set(flow::Setting::save("path", "the file", "report.html", {"html"}))
                                   .run(write_report));
}

}  // namespace larmor::nodes
