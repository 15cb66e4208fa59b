// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/io/nifti.hpp>
#include <larmor/io/table.hpp>
#include <larmor/seg/predict.hpp>
#include <larmor/seg/volumetry.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "text_table.hpp"
#include "write_maps.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  const seg::Segmenter segmenter = call.given("--model") ? seg::Segmenter(call.text("--model")) : seg::Segmenter();
  const Image image = io::read_nifti(call.text("IMAGE"));
  seg::PredictOptions options;
  options.mirror = !call.flag("--no-mirror");
  options.plane = !call.flag("--no-plane");
  options.largest = !call.flag("--all-pieces");
  const auto s = segmenter.predict(image, options, &Cancel::interrupt());
  const auto provenance = provenance_json("larmor seg predict", {{"model", fmt::format("\"{}\"", s.model)}},
                                          {{"image", call.text("IMAGE")}});
  io::write_nifti(call.text("OUT"), s.labels, {.description = "labels by " + s.model, .provenance = provenance});
  if (call.given("--probabilities"))
    io::write_nifti(call.text("--probabilities"), s.probabilities,
                    {.description = "probability of each class", .provenance = provenance});
  if (call.given("--uncertainty"))
    io::write_nifti(call.text("--uncertainty"), s.uncertainty,
                    {.description = "entropy, 0..1", .provenance = provenance});
  const auto volumes = seg::label_volumes(s.labels, static_cast<int>(s.classes.size()) - 1);
  if (call.json) {
    using json = nlohmann::ordered_json;
    json all = json::array(), flags = json::array();
    for (const auto& v : volumes)
      all.push_back(
          {{"structure", s.classes[static_cast<std::size_t>(v.label)]}, {"mm3", v.mm3}, {"voxels", v.voxels}});
    for (const auto& f : s.flags) flags.push_back({{"id", f.id}, {"what", f.what}, {"serious", f.serious}});
    print_json({{"model", s.model}, {"out", call.text("OUT")}, {"volumes", all}, {"flags", flags}});
    return 0;
  }
  double total = 0;
  for (const auto& v : volumes) {
    fmt::print("{:<12}{:>10.1f} mm3  {:>8} voxels\n", s.classes[static_cast<std::size_t>(v.label)], v.mm3,
               with_commas(v.voxels));
    total += v.mm3;
  }
  fmt::print("{:<12}{:>10.1f} mm3\n", "total", total);
  for (const auto& f : s.flags) fmt::print("{} {}: {}\n", f.serious ? "WARNING" : "note", f.id, f.what);
  return 0;
}

}  // namespace

void register_seg_predict(Commands& commands) {
  commands.add(
      {.name = "seg predict",
       .does = "Labels and volumes of a hippocampus crop by a trained network",
       .in = {{.name = "IMAGE", .what = "3-D T1-weighted crop, NIfTI"}},
       .out = {{.name = "OUT", .what = "labels, .nii or .nii.gz"}},
       .opt = {file("--model", "weights of larmor seg train; default: the shipped model"),
               file("--probabilities", "writes the probability of each class (x, y, z, class)").output(),
               file("--uncertainty", "writes the entropy of the probabilities over its largest value, 0..1").output(),
               flag("--no-mirror", "no mean over mirror images: half the time, a little less exact"),
               flag("--no-plane", "parts the labels voxel by voxel, not by one plane as the raters did"),
               flag("--all-pieces", "keeps pieces that do not touch the largest")},
       .examples = {"larmor seg predict crop.nii.gz labels.nii.gz --uncertainty entropy.nii.gz"},
       .run = run});
}

}  // namespace larmor::cli
