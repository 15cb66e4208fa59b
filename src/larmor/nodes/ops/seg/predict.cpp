// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/seg/predict.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const auto image = io.in<Image>("image");
  const std::string file = io.setting("model");
  const seg::Segmenter segmenter = file.empty() ? seg::Segmenter() : seg::Segmenter(file);
  seg::PredictOptions options;
  options.mirror = io.setting("mirror");
  options.plane = io.setting("plane");
  options.largest = io.setting("largest");
  const auto s = segmenter.predict(image, options, &io.cancel());
  io::Table flags;
  flags.columns = {"flag", "serious", "what"};
  for (const auto& f : s.flags) {
    flags.rows.push_back({f.id, f.serious ? "1" : "0", f.what});
    if (f.serious) io.warn(f.id + ": " + f.what);
  }
  io.out("labels") = s.labels;
  io.out("probabilities") = s.probabilities;
  io.out("uncertainty") = s.uncertainty;
  io.out("flags") = flags;
  io.log("model " + s.model);
}

}  // namespace

void register_seg_predict(flow::NodeTypes& nodes) {
  nodes.add(
      "seg.predict",
      flow::NodeType{
          .title = "Segment by a network",
          .does = "Labels, probabilities and uncertainty of a crop by a trained network",
          .from = "Isensee et al., Nat. Methods 18:203 (2021)",
          .help = "The image is turned to R, A, S, resampled to the spacing of training and normalised robustly; the "
                  "result comes back on its own grid. The uncertainty is the entropy of the probabilities over its "
                  "largest value, $$u = -\\sum_c p_c \\ln p_c / \\ln n$$",
          .tags = {"hippocampus", "U-Net", "label", "deep learning"}}
          .in<Image>("image", "T1-weighted crop (x, y, z) [a.u.]")
          .out<Image>("labels", "u8: 0 background, 1 anterior, 2 posterior")
          .out<Image>("probabilities", "(x, y, z, class) [1]")
          .out<Image>("uncertainty", "0 to 1 [1]")
          .out<io::Table>("flags", "what a person should look at")
          .set(flow::Setting::open("model", "weights of larmor seg train; the shipped model when empty",
                                   {"safetensors"}))
          .set({"mirror", "mean over the mirror images that training knew", true})
          .set({"plane", "parts two labels by one plane where the raters of training did", true})
          .set({"largest", "keep the largest connected piece only", true})
          .run(compute));
}

}  // namespace larmor::nodes
