// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

void read_sidecar(flow::Ports& io) { io.out("facts") = flow::value_of(io::read_sidecar(io.setting("path").str())); }

}  // namespace

void register_io_read_sidecar(flow::NodeTypes& nodes) {
  auto type = flow::NodeType{.title = "Read sidecar",
                             .does = "Reads the facts about an image from the sidecars that apply to it",
                             .from = "BIDS 1.9, inheritance principle",
                             .tags = {"bids", "json", "metadata"}}
                  .out<flow::Value>("facts", "FlipAngle, RepetitionTime, ... in BIDS units")
                  .set(flow::Setting::open("path", "the image", {"nii", "nii.gz"}))
                  .run(read_sidecar);
  type.impure = true;  // which files apply shows only in their folders
  nodes.add("io.read_sidecar", std::move(type));
}

}  // namespace larmor::nodes
