// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/sidecar.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

void write_image(flow::Ports& io) {
  const std::string path = io.setting("path");
  write_image_file(path, io.in<Gridded>("image").image(), io.setting("description"), io.provenance());
  io.out("file") = path;
}

}  // namespace

void register_io_write_image(flow::NodeTypes& nodes) {
  nodes.add("io.write_image",
            flow::NodeType{.title = "Write image",
                           .does = "Writes a NIfTI image and its sidecar, with the graph that made it in both",
                           .from = "NIfTI-1 and NIfTI-2; BIDS 1.9",
                           .help = "An array without geometry gets voxels of 1 mm. The file appears whole or not at "
                                   "all. larmor graph from FILE gives the graph back.",
                           .effect = true,
                           .tags = {"nifti", "nii", "save", "export"}}
                .in<Gridded>("image", "the image or array", {.max_rank = 7})
                .out<std::string>("file", "name of the file")
                .set(flow::Setting::save("path", "the file", "out.nii.gz", {"nii.gz", "nii"}))
                .set({"description", "what it is, for header and sidecar (79 characters in the header)", ""})
                .run(write_image));
}

}  // namespace larmor::nodes
