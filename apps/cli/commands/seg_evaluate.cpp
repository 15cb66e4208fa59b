// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <larmor/core/progress.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/seg/folds.hpp>
#include <larmor/seg/predict.hpp>
#include <larmor/seg/preprocess.hpp>
#include <larmor/seg/volumetry.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "seg_evaluation.hpp"

namespace larmor::cli {
namespace fs = std::filesystem;
namespace {

Array equal_to(const Array& labels, int label) {  // 0: any
  Array out = Array::of<bool>(labels.shape());
  const auto l = labels.span<std::uint8_t>();
  auto* o = out.data<bool>();
  for (std::size_t i = 0; i < l.size(); ++i) o[i] = label == 0 ? l[i] > 0 : l[i] == label;
  return out;
}

void measure(const Image& image, const Image& truth, const Image& found, int classes, double tolerance, Measured& out) {
  require_same_space(image, truth, "image", "label");
  const Array t = truth.data.cast(DType::u8).contiguous_copy(), f = found.data.cast(DType::u8).contiguous_copy();
  const auto spacing = truth.affine.spacing();
  const double voxel = seg::voxel_volume(truth.affine);
  seg::label_volumes(truth, classes - 1);  // refuses what is no label
  for (int l = 1; l <= classes; ++l) {
    const int label = l == classes ? 0 : l;
    out.labels.push_back(seg::overlap(equal_to(f, label), equal_to(t, label), spacing, tolerance));
    out.found_mm3.push_back(static_cast<double>(out.labels.back().found) * voxel);
    out.true_mm3.push_back(static_cast<double>(out.labels.back().truth) * voxel);
  }
  auto ready = seg::prepare(image);
  out.sample.labels = seg::prepare_labels(truth, ready, classes - 1);
  out.picture = seg::prepare_labels(found, ready, classes - 1);
  out.sample.size = ready.size, out.sample.image = std::move(ready.values);
}

int run(const Call& call) {
  auto cases = read_seg_list(call.text("LIST"));
  const std::string fold = call.text("--fold");
  if (fold != "all") std::erase_if(cases, [&](const auto& c) { return std::to_string(c.fold) != fold; });
  if (cases.empty())
    throw Error(Errc::usage, fmt::format("no case is in fold {}", fold), "see the column fold of " + call.text("LIST"));
  const bool cross = call.given("--training");
  std::vector<seg::Segmenter> segmenters;  // one a fold with --training
  const auto segmenter_of = [&](const SegCase& c) -> const seg::Segmenter& {
    if (!cross) {
      if (segmenters.empty())
        segmenters.push_back(call.given("--model") ? seg::Segmenter(call.text("--model")) : seg::Segmenter());
      return segmenters[0];
    }
    const auto i = static_cast<std::size_t>(c.fold);
    while (segmenters.size() <= i) {
      const auto folder = fs::path(call.text("--training")) / fmt::format("fold_{}", segmenters.size());
      const auto best = folder / "best.safetensors";
      segmenters.emplace_back(fs::exists(best) ? best : folder / "last.safetensors");
    }
    return segmenters[i];
  };
  Evaluation e;
  e.tolerance = call.number("--tolerance");
  seg::PredictOptions options;
  options.mirror = !call.flag("--no-mirror");
  options.plane = !call.flag("--no-plane");
  const auto progress = console_progress(call.quiet);
  progress.begin("segmenting", cases.size());
  for (const auto& c : cases) {
    Cancel::interrupt().check();
    Measured m;
    m.files = c;
    try {
      const Image image = io::read_nifti(c.image), truth = io::read_nifti(c.label);
      Image found;
      if (call.given("--predictions")) {
        found = io::read_nifti(fs::path(call.text("--predictions")) / (c.name + ".nii.gz"));
        if (e.names.empty()) e.names = {"label 1", "label 2"}, e.model = call.text("--predictions");
      } else {
        const auto& segmenter = segmenter_of(c);
        segmenter.load();  // not in the time of the first case
        const auto start = std::chrono::steady_clock::now();
        const auto s = segmenter.predict(image, options, &Cancel::interrupt());
        m.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        found = s.labels;
        m.uncertainty = s.mean_uncertainty;
        for (const auto& f : s.flags) m.flags.push_back(f.id);
        if (e.names.empty())
          e.names.assign(s.classes.begin() + 1, s.classes.end()),
              e.model = cross ? "cross-validation of " + call.text("--training") : s.model;
      }
      measure(image, truth, found, static_cast<int>(e.names.size()) + 1, e.tolerance, m);
    } catch (const Error& error) {
      if (error.code() == Errc::cancelled ||
          (error.code() == Errc::file && segmenters.empty() && !call.given("--predictions")))
        throw;
      m.failure = error.message();
    }
    e.cases.push_back(std::move(m));
    progress.add(1);
  }
  progress.end();
  if (e.names.empty()) throw Error(Errc::format, "no case could be segmented; the first: " + e.cases[0].failure);
  e.names.push_back("merged");
  const fs::path out = call.text("--out");
  const auto lines = write_evaluation(e, out);
  int failed = 0;
  for (const auto& m : e.cases) failed += !m.failure.empty();
  if (call.json) {
    nlohmann::ordered_json told{{"folder", out.string()}};
    told.update(nlohmann::ordered_json::parse(io::read_text(out / "metrics.json")));
    print_json(told);
    return failed > 0 ? 1 : 0;
  }
  for (const auto& line : lines) fmt::print("{}\n", line);
  fmt::print("{}  {} cases, {} failed\n", (out / "evaluation.html").string(), e.cases.size(), failed);
  return failed > 0 ? 1 : 0;
}

}  // namespace

void register_seg_evaluate(Commands& commands) {
  commands.add(
      {.name = "seg evaluate",
       .does = "Measures a segmenter against true labels: overlap, surfaces, volumes",
       .in = {{.name = "LIST", .what = "cases, clean.csv of larmor seg curate"}},
       .opt = {folder("--out", "folder of metrics.json, cases.csv and evaluation.html").output().as("-o").need(),
               file("--model", "weights; default: the shipped model"),
               folder("--training",
                      "folder of larmor seg train --fold all: every case by the network that did not see its fold"),
               folder("--predictions", "folder of label images, NAME.nii.gz, instead of a model"),
               text("--fold", "cases of one fold only", "all"),
               number("--tolerance", "of the surface Dice [mm]", 1, 0, 20),
               flag("--no-mirror", "no mean over mirror images"),
               flag("--no-plane", "parts the labels voxel by voxel, not by one plane as the raters did")},
       .refs = {"Taha and Hanbury, BMC Med. Imaging 15:29 (2015)", "Nikolov et al., JMIR 23:e26151 (2021)",
                "Bland and Altman, Lancet 327:307 (1986)", "McGraw and Wong, Psychol. Methods 1:30 (1996)"},
       .examples = {"larmor seg evaluate curated/clean.csv --training training -o evaluation"},
       .run = run});
}

}  // namespace larmor::cli
