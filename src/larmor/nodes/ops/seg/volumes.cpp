// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/seg/volumetry.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto volumes = seg::label_volumes(io.in<Image>("labels"), int(io.setting("highest")));
  io::Table table;
  table.columns = {"label", "voxels", "mm3", "mL"};
  double total = 0;
  for (const auto& v : volumes) {
    table.rows.push_back({std::to_string(v.label), std::to_string(v.voxels), fmt::format("{:.6g}", v.mm3),
                          fmt::format("{:.6g}", v.mL())});
    total += v.mm3;
  }
  io.out("volumes") = table;
  io.out("total") = total;
}

}  // namespace

void register_seg_volumes(flow::NodeTypes& nodes) {
  nodes.add("seg.volumes", flow::NodeType{.title = "Volumes of labels",
                                          .does = "Voxels and volume of every label, from the affine",
                                          .tags = {"volumetry", "hippocampus", "size"}}
                               .in<Image>("labels", "whole numbers from 0 (x, y, z)")
                               .out<io::Table>("volumes", "label, voxels, mm3, mL")
                               .out<double>("total", "of all labels [mm3]")
                               .set({"highest", "largest label that may occur", 2, 1, 1000})
                               .run(compute));
}

}  // namespace larmor::nodes
