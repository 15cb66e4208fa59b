// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/io/bids.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

void read_image(flow::Ports& io) { io.out("image") = io::read_image(io.setting("path").str()); }

}  // namespace

void register_io_read_image(flow::NodeTypes& nodes) {
  nodes.add("io.read_image",
            flow::NodeType{.title = "Read image",
                           .does = "Reads a NIfTI image with its geometry, times and the facts of its sidecar",
                           .from = "NIfTI-1 and NIfTI-2; BIDS 1.9, inheritance principle",
                           .help = "Scale factors of the header are applied. Frame times come from the sidecar "
                                   "(FrameTimesStart, VolumeTiming), else from the header.",
                           .tags = {"nifti", "nii", "bids", "load", "open"}}
                .out<Image>("image", "the image (x, y, z) or (x, y, z, t)")
                .set(flow::Setting::open("path", "the file", {"nii", "nii.gz"}))
                .run(read_image));
}

}  // namespace larmor::nodes
