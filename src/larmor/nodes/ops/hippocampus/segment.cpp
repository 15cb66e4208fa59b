// SPDX-License-Identifier: Apache-2.0
#include <larmor/clinic/labels.hpp>
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/hippocampus.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

void segment(flow::Ports& io) {
  const Image image = io.in<Image>("image");
  Segmented out;
  if (io.has("labels")) {
    const Image given = io.in<Image>("labels");
    out = {.labels = clinic::labels_on(image, given),
           .probabilities = {},
           .notes = {},
           .segmenter = "labels given by the operator",
           .automatic = false};
  } else {
    out = segment_image(image, io.setting("model").str(), io.setting("mirror"), &io.cancel());
  }
  io.out("segmentation") = out;
  io.out("labels") = out.labels;
  for (const auto& n : out.notes) io.warn(n.what);
}

}  // namespace

void register_hippocampus_segment(flow::NodeTypes& nodes) {
  nodes.add(
      "hippocampus.segment",
      flow::NodeType{
          .title = "Segment a hippocampus",
          .does = "Finds the anterior and posterior hippocampus in a crop, by a trained network or from labels that "
                  "are given",
          .from = "Ronneberger et al., MICCAI 2015 (U-Net); see the model card",
          .help =
              "With labels wired (corrected by hand, say) no network runs: they are brought to the grid of the image. "
              "The border of anterior and posterior is found voxel by voxel and not by one plane, as seg.predict does: "
              "with a plane both volumes would move by whole slices.",
          .tags = {"unet", "network", "labels", "volumetry"}}
          .in<Image>("image", "crop around one hippocampus (x, y, z)")
          .maybe<Image>("labels", "labels instead of the network's: 0, 1 anterior, 2 posterior; on any grid")
          .out<Segmented>("segmentation", "labels, probabilities, what to look at")
          .out<Image>("labels", "0 background, 1 anterior, 2 posterior, on the grid of the image")
          .set(flow::Setting::open("model", "weights; empty: the model that comes with Larmor", {"safetensors"})
                   .or_none())
          .set({"mirror", "mean over mirrored images: a little better, several times the work", true})
          .run(segment));
}

}  // namespace larmor::nodes
