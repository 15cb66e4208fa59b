// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/curve_file.hpp>
#include <larmor/nodes/values/curve.hpp>

namespace larmor::nodes {
namespace {

void aif_file(flow::Ports& io) {
  io.out("aif") =
      read_curve(io.setting("path").str(), io.setting("time_unit").str() == "min" ? 60.0 : 1.0, io.setting("plasma"));
}

}  // namespace

void register_dce_aif_file(flow::NodeTypes& nodes) {
  using flow::Setting;
  nodes.add("dce.aif_file",
            flow::NodeType{.title = "Input from a file",
                           .does = "Reads a measured input curve from a table",
                           .help = "Columns: times (named time or t, else the first) and concentration [mM].",
                           .tags = {"AIF", "csv", "DCE"}}
                .out<Aif>("aif", "concentration [mM]")
                .set(Setting::open("path", "the table", {"csv", "tsv"}))
                .set(Setting::choice("time_unit", "unit of the times in the file", "s", {"s", "min"}))
                .set({"plasma", "the curve is plasma already, not whole blood", false})
                .run(aif_file));
}

}  // namespace larmor::nodes
