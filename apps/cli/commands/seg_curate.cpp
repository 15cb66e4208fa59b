// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/progress.hpp>
#include <larmor/io/figure.hpp>
#include <larmor/io/nifti.hpp>
#include <larmor/io/report.hpp>
#include <larmor/io/table.hpp>
#include <larmor/seg/curate.hpp>
#include <larmor/seg/folds.hpp>
#include <larmor/seg/preprocess.hpp>
#include <map>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "seg_page.hpp"

namespace larmor::cli {
namespace fs = std::filesystem;
namespace {

std::string ids_of(const seg::CaseFacts& f) {
  std::vector<std::string> ids;
  for (const auto& c : f.complaints) ids.push_back(c.id);
  return fmt::format("{}", fmt::join(ids, " "));
}

io::Table facts_table(const std::vector<seg::CaseFacts>& facts, int highest) {
  io::Table t;
  t.columns = {"name",  "person", "clean", "complaints", "nx",     "ny",     "nz",
               "dx_mm", "dy_mm",  "dz_mm", "lowest",     "median", "highest"};
  for (int l = 1; l <= highest; ++l) t.columns.push_back(fmt::format("label_{}_mm3", l));
  t.columns.push_back("why");
  for (const auto& f : facts) {
    std::vector<std::string> row{f.files.name, f.person, f.clean() ? "1" : "0", ids_of(f)};
    for (const auto n : f.size) row.push_back(std::to_string(n));
    for (const double s : f.spacing) row.push_back(fmt::format("{:.4g}", s));
    for (const double v : {f.lowest, f.median, f.highest}) row.push_back(fmt::format("{:.6g}", v));
    for (std::size_t l = 0; l < static_cast<std::size_t>(highest); ++l)
      row.push_back(l < f.mm3.size() ? fmt::format("{:.1f}", f.mm3[l]) : "");
    std::vector<std::string> why;
    for (const auto& c : f.complaints) why.push_back(c.what);
    row.push_back(fmt::format("{}", fmt::join(why, "; ")));
    t.rows.push_back(std::move(row));
  }
  return t;
}

io::Figure slices_of(const seg::CaseFacts& f, int highest) {
  const auto image = io::read_nifti(f.files.image), label = io::read_nifti(f.files.label);
  nn::TrainSample s;
  auto ready = seg::prepare(image);
  s.labels = seg::prepare_labels(label, ready, highest);
  s.size = ready.size, s.image = std::move(ready.values);
  const auto picture = overlay_picture(s, s.labels, 3);
  return {fmt::format("<img alt=\"{}\" style=\"max-width:100%;image-rendering:pixelated\" src=\"{}\">",
                      io::escape_html(f.files.name), io::png_uri(picture)),
          fmt::format("{} mm3", fmt::join(f.mm3, " + ")), f.files.name};
}

void write_report(const fs::path& path, const std::vector<seg::CaseFacts>& facts, int highest, int n_folds,
                  const std::map<std::string, int>& folds) {
  io::HtmlReport report("Curation of labelled images", fmt::format("{} cases", facts.size()));
  const auto clean =
      static_cast<std::size_t>(std::count_if(facts.begin(), facts.end(), [](const auto& f) { return f.clean(); }));
  std::map<std::string, int> counts;
  std::map<std::string, int> persons;
  for (const auto& f : facts) {
    for (const auto& c : f.complaints) ++counts[c.id];
    if (f.clean()) ++persons[f.person];
  }
  report.tiles({{std::to_string(clean), "", "clean", io::Tile::Mood::good},
                {std::to_string(facts.size() - clean), "", "left out",
                 clean == facts.size() ? io::Tile::Mood::neutral : io::Tile::Mood::warning},
                {std::to_string(persons.size()), "", "persons"},
                {std::to_string(n_folds), "", "folds"}});
  io::Table why, out;
  why.columns = {"rule", "cases"};
  for (const auto& [id, n] : counts) why.rows.push_back({id, std::to_string(n)});
  out.columns = {"case", "why"};
  for (const auto& f : facts)
    for (const auto& c : f.complaints) out.rows.push_back({f.files.name, c.id + ": " + c.what});
  if (!out.rows.empty())
    report.section("Left out").table(why, "How often each rule was broken").table(out, "Every complaint");
  std::vector<float> total, first, high;
  io::Table per_fold;
  per_fold.columns = {"fold", "persons", "images"};
  std::map<int, std::pair<std::map<std::string, int>, int>> in_fold;
  for (const auto& f : facts) {
    if (!f.clean()) continue;
    double sum = 0;
    for (const double v : f.mm3) sum += v;
    total.push_back(static_cast<float>(sum)), first.push_back(static_cast<float>(f.mm3[0] / sum));
    if (f.highest > 0) high.push_back(static_cast<float>(std::log10(f.highest)));
    auto& k = in_fold[folds.at(f.files.name)];
    ++k.first[f.person], ++k.second;
  }
  for (const auto& [fold, k] : in_fold)
    per_fold.rows.push_back({std::to_string(fold), std::to_string(k.first.size()), std::to_string(k.second)});
  if (!total.empty()) {
    report.section("Clean cases")
        .figures({{io::svg_histogram({.x_label = "Volume", .x_unit = "mm3", .y_label = "Cases"}, total),
                   "All labels together", "Volume"},
                  {io::svg_histogram({.x_label = "Share", .y_label = "Cases"}, first), "Label 1 of all labels",
                   "Share of label 1"},
                  {io::svg_histogram({.x_label = "log10 of the highest value", .y_label = "Cases"}, high),
                   "Why images are normalised one by one", "Intensity"}})
        .table(per_fold, "Folds; no person is in two of them");
    std::vector<const seg::CaseFacts*> order;
    for (const auto& f : facts)
      if (f.clean()) order.push_back(&f);
    std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
      double x = 0, y = 0;
      for (const double v : a->mm3) x += v;
      for (const double v : b->mm3) y += v;
      return x < y;
    });
    std::vector<io::Figure> pictures;
    const std::size_t n = order.size();
    for (const std::size_t i : {std::size_t{0}, n / 4, n / 2, n - 1 - n / 4, n - 1})
      if (pictures.size() < n) pictures.push_back(slices_of(*order[i], highest));
    report
        .section(
            "Slices",
            "From the smallest to the largest: axial, coronal and sagittal, the patient's right (front) on the left.")
        .figures(pictures);
  }
  report.section("All cases").table(facts_table(facts, highest));
  report.write(path);
}

int run(const Call& call) {
  const fs::path data = call.text("DIR"), out = call.text("--out");
  const fs::path images = call.given("--images") ? fs::path(call.text("--images")) : data / "images";
  const fs::path labels = call.given("--labels") ? fs::path(call.text("--labels")) : data / "labels";
  seg::CurateOptions options;
  options.highest_label = call.integer("--classes") - 1;
  options.outlier = call.number("--outlier");
  options.persons = call.text("--persons");
  const auto facts = seg::curate(
      seg::find_cases(images, labels), [](const fs::path& p) { return io::read_nifti(p); }, options,
      console_progress(call.quiet), &Cancel::interrupt());
  std::vector<std::string> persons;
  for (const auto& f : facts)
    if (f.clean()) persons.push_back(f.person);
  // First, so that it is there when nothing is left to make folds of.
  io::write_table(out / "cases.csv", facts_table(facts, options.highest_label));
  for (const auto& f : facts)
    for (const auto& c : f.complaints)
      if (!call.quiet) fmt::print(stderr, "{}: {}: {}\n", f.files.name, c.id, c.what);
  if (persons.empty())
    throw Error(Errc::format,
                fmt::format("none of {} cases is clean; the first: {}", facts.size(), facts[0].complaints[0].what),
                fmt::format("{} says what is wrong with each; images go in images/ and labels of the same name in "
                            "labels/",
                            (out / "cases.csv").string()));
  const int n_folds = call.integer("--folds");
  const auto folds = seg::person_folds(persons, n_folds, static_cast<std::uint64_t>(call.integer("--seed")));
  std::map<std::string, int> fold_of;
  io::Table list;
  list.columns = {"name", "person", "fold", "image", "label"};
  for (const auto& f : facts) {
    if (!f.clean()) continue;
    const int fold = folds[list.rows.size()];
    fold_of[f.files.name] = fold;
    list.rows.push_back({f.files.name, f.person, std::to_string(fold),
                         fs::absolute(f.files.image).lexically_normal().string(),
                         fs::absolute(f.files.label).lexically_normal().string()});
  }
  io::write_table(out / "clean.csv", list);
  write_report(out / "curation.html", facts, options.highest_label, n_folds, fold_of);
  std::map<std::string, int> distinct;
  for (const auto& p : persons) ++distinct[p];
  if (call.json) {
    print_json({{"list", (out / "clean.csv").string()},
                {"cases", facts.size()},
                {"clean", persons.size()},
                {"persons", distinct.size()},
                {"folds", n_folds}});
    return 0;
  }
  fmt::print("{}  {} of {} cases clean, {} persons, {} folds\n", (out / "clean.csv").string(), persons.size(),
             facts.size(), distinct.size(), n_folds);
  return 0;
}

}  // namespace

void register_seg_curate(Commands& commands) {
  commands.add(
      {.name = "seg curate",
       .does = "Finds labelled images that must not be trained on, and lists the others with folds",
       .in = {{.name = "DIR", .what = "folder with images/ and labels/", .kind = Kind::folder}},
       .opt = {folder("--out", "folder of clean.csv, cases.csv and curation.html").output().as("-o").need(),
               folder("--images", "instead of DIR/images"), folder("--labels", "instead of DIR/labels"),
               integer("--classes", "labels with the background", 3, 2, 64),
               text("--persons", "who is in a file: pairs (2k - 1 and 2k are one person) or file (everybody another)",
                    "pairs")
                   .one_of([] {
                     return std::vector<std::string>{"pairs", "file"};
                   }),
               integer("--folds", "parts for cross-validation; no person is in two", 5, 2, 100),
               integer("--seed", "of the folds", 1, 0, 1000000),
               number("--outlier", "robust deviations beyond which a volume is foreign [1]", 6, 2, 100)},
       .refs = {"Iglewicz and Hoaglin, How to Detect and Handle Outliers, ASQC (1993)"},
       .examples = {"larmor seg curate hippocampus -o curated"},
       .run = run});
}

}  // namespace larmor::cli
