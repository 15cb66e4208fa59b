// SPDX-License-Identifier: Apache-2.0
#include "seg_evaluation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/figure.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/report.hpp>
#include <nlohmann/json.hpp>

#include "seg_page.hpp"

namespace larmor::cli {
namespace {

struct Metric {
  const char *id, *title, *unit;
  double (*of)(const seg::Overlap&);
};
constexpr Metric all_metrics[] = {
    {"dice", "Dice", "", [](const seg::Overlap& o) { return o.dice; }},
    {"jaccard", "Jaccard", "", [](const seg::Overlap& o) { return o.jaccard; }},
    {"nsd", "Surface Dice (NSD)", "", [](const seg::Overlap& o) { return o.nsd; }},
    {"hd95", "HD95", "mm", [](const seg::Overlap& o) { return o.hd95; }},
    {"assd", "Mean surface distance", "mm", [](const seg::Overlap& o) { return o.assd; }},
    {"abs_volume_error", "Volume error, absolute", "%", [](const seg::Overlap& o) { return std::abs(o.volume_error); }},
    {"volume_error", "Volume error", "%", [](const seg::Overlap& o) { return o.volume_error; }}};

nlohmann::json number(double v) { return std::isfinite(v) ? nlohmann::json(v) : nlohmann::json(nullptr); }
std::string text(double v, int digits = 4) { return std::isfinite(v) ? fmt::format("{:.{}f}", v, digits) : "-"; }

}  // namespace

std::vector<std::string> write_evaluation(const Evaluation& e, const std::filesystem::path& folder) {
  std::vector<const Measured*> good;
  std::vector<std::string> persons, lines;
  io::Table failures;
  failures.columns = {"case", "why"};
  for (const auto& m : e.cases) {
    if (!m.failure.empty()) {
      failures.rows.push_back({m.files.name, m.failure});
      continue;
    }
    good.push_back(&m);
    persons.push_back(m.files.person);
  }
  using nlohmann::json;
  json root{{"model", e.model},
            {"cases", e.cases.size()},
            {"failures", failures.rows.size()},
            {"nsd_tolerance_mm", e.tolerance},
            {"bootstrap", {{"over", "persons"}, {"draws", e.draws}, {"level", 0.95}, {"seed", e.seed}}}};
  for (const auto& f : failures.rows) root["failed"].push_back({{"case", f[0]}, {"why", f[1]}});

  io::HtmlReport report("Evaluation of a segmenter", e.model);
  io::Table summary, agreement, cases;
  summary.columns = {"metric", "label", "mean", "median", "95 % interval of the mean", "worst"};
  agreement.columns = {"label", "bias [mm3]", "limits of agreement [mm3]", "median |error| [%]", "ICC(A,1)"};
  cases.columns = {"name", "person", "fold", "seconds", "uncertainty", "flags", "failure"};
  for (const auto& n : e.names) {
    for (const auto& m : all_metrics) cases.columns.push_back(n + "_" + m.id);
    cases.columns.push_back(n + "_found_mm3"), cases.columns.push_back(n + "_true_mm3");
  }
  for (const auto& m : e.cases) {
    std::vector<std::string> row{m.files.name,
                                 m.files.person,
                                 std::to_string(m.files.fold),
                                 fmt::format("{:.3f}", m.seconds),
                                 std::isfinite(m.uncertainty) ? fmt::format("{:.4f}", m.uncertainty) : "",
                                 fmt::format("{}", fmt::join(m.flags, " ")),
                                 m.failure};
    for (std::size_t l = 0; l < e.names.size(); ++l) {
      for (const auto& k : all_metrics)
        row.push_back(m.failure.empty() ? fmt::format("{:.6g}", k.of(m.labels[l])) : "");
      row.push_back(m.failure.empty() ? fmt::format("{:.2f}", m.found_mm3[l]) : "");
      row.push_back(m.failure.empty() ? fmt::format("{:.2f}", m.true_mm3[l]) : "");
    }
    cases.rows.push_back(std::move(row));
  }
  io::write_table(folder / "cases.csv", cases);
  if (good.empty())
    throw Error(Errc::format,
                fmt::format("none of {} cases could be measured; the first: {}", e.cases.size(), failures.rows[0][1]));

  for (std::size_t l = 0; l < e.names.size(); ++l) {
    auto& of_label = root["labels"][e.names[l]];
    for (const auto& k : all_metrics) {
      std::vector<double> v;
      for (const auto* m : good) v.push_back(k.of(m->labels[l]));
      const auto interval = seg::bootstrap(
          persons,
          [&](std::span<const std::size_t> drawn) {
            std::vector<double> some;
            for (const auto i : drawn) some.push_back(v[i]);
            return seg::mean(some);
          },
          e.seed, e.draws);
      const bool low_is_bad = k.id[0] == 'd' || k.id[0] == 'j' || k.id[0] == 'n';
      const double median = seg::percentile(v, 50), worst = seg::percentile(v, low_is_bad ? 0 : 100);
      of_label[k.id] = {
          {"mean", number(interval.value)},       {"median", number(median)}, {"lower", number(interval.lower)},
          {"upper", number(interval.upper)},      {"worst", number(worst)},   {"p5", number(seg::percentile(v, 5))},
          {"p95", number(seg::percentile(v, 95))}};
      summary.rows.push_back({std::string(k.title) + (*k.unit ? fmt::format(" [{}]", k.unit) : ""), e.names[l],
                              text(interval.value), text(median),
                              fmt::format("{} to {}", text(interval.lower), text(interval.upper)), text(worst)});
    }
    std::vector<double> found, truth, error;
    for (const auto* m : good) {
      found.push_back(m->found_mm3[l]), truth.push_back(m->true_mm3[l]);
      error.push_back(std::abs(m->labels[l].volume_error));
    }
    if (good.size() < 2) continue;
    const auto loa = seg::limits_of_agreement(found, truth);
    const auto icc = seg::bootstrap(
        persons,
        [&](std::span<const std::size_t> drawn) {
          std::vector<double> a, b;
          for (const auto i : drawn) a.push_back(found[i]), b.push_back(truth[i]);
          return seg::icc_a1(a, b);
        },
        e.seed, e.draws);
    of_label["volume"] = {{"bias_mm3", loa.bias},           {"lower_mm3", loa.lower},
                          {"upper_mm3", loa.upper},         {"icc_a1", number(icc.value)},
                          {"icc_lower", number(icc.lower)}, {"icc_upper", number(icc.upper)}};
    agreement.rows.push_back(
        {e.names[l], text(loa.bias, 1), fmt::format("{} to {}", text(loa.lower, 0), text(loa.upper, 0)),
         text(seg::percentile(error, 50), 2),
         fmt::format("{} ({} to {})", text(icc.value, 3), text(icc.lower, 3), text(icc.upper, 3))});
  }
  std::vector<double> unsure;
  for (const auto* m : good)
    if (std::isfinite(m->uncertainty)) unsure.push_back(m->uncertainty);
  if (!unsure.empty())
    root["uncertainty"] = {{"median", seg::percentile(unsure, 50)}, {"largest", seg::percentile(unsure, 100)}};
  io::write_text(folder / "metrics.json", root.dump(2, ' ', false, json::error_handler_t::replace) + "\n");

  const auto& merged = root["labels"][e.names.back()];
  const auto show = [&](const char* metric, const char* what) {
    const auto& v = merged[metric][what];
    return v.is_null() ? std::string("-") : fmt::format("{:.3f}", v.get<double>());
  };
  report.tiles({{show("dice", "mean"), "", "Dice, merged"},
                {show("nsd", "mean"), "", fmt::format("NSD at {} mm", e.tolerance)},
                {show("abs_volume_error", "median"), "%", "median volume error"},
                {std::to_string(good.size()), "", "cases measured"},
                {std::to_string(failures.rows.size()), "", "failures",
                 failures.rows.empty() ? io::Tile::Mood::good : io::Tile::Mood::bad}});
  report.section("Agreement")
      .table(summary, "Intervals: bootstrap over persons")
      .table(agreement, "Volumes: found minus true");
  if (!failures.rows.empty()) report.section("Failures").table(failures);
  io::Series points{.draw = io::Series::Draw::points}, line{.label = "equal", .dashed = true};
  io::Series differences{.draw = io::Series::Draw::points};
  for (const auto* m : good) {
    const double t = m->true_mm3.back(), f = m->found_mm3.back();
    points.x.push_back(t), points.y.push_back(f);
    differences.x.push_back((t + f) / 2), differences.y.push_back(f - t);
  }
  const auto [lowest, highest] = std::minmax_element(points.x.begin(), points.x.end());
  line.x = {*lowest, *highest}, line.y = line.x;
  const std::vector<io::Series> against{points, line}, apart{differences};
  std::vector<float> dice;
  for (const auto* m : good) dice.push_back(static_cast<float>(m->labels.back().dice));
  io::Plot bland{.x_label = "Mean of both", .x_unit = "mm3", .y_label = "Found - true", .y_unit = "mm3"};
  if (root["labels"][e.names.back()].contains("volume")) {
    const auto& v = root["labels"][e.names.back()]["volume"];
    bland.markers = {{v["bias_mm3"].get<double>(), "bias", false},
                     {v["lower_mm3"].get<double>(), "bias - 1.96 sd", false},
                     {v["upper_mm3"].get<double>(), "bias + 1.96 sd", false}};
    // The limits may lie beyond every point.
    const auto [least, most] = std::minmax_element(differences.y.begin(), differences.y.end());
    const double low = std::min(*least, bland.markers[1].at), high = std::max(*most, bland.markers[2].at),
                 margin = 0.05 * std::max(high - low, 1.0);
    bland.y_range = io::Range{low - margin, high + margin};
  }
  report.section("Pictures")
      .figures(
          {{io::svg_curves({.x_label = "True volume", .x_unit = "mm3", .y_label = "Found", .y_unit = "mm3"}, against),
            "All labels together", "Volumes"},
           {io::svg_curves(bland, apart), "All labels together; Bland and Altman", "Agreement of volumes"},
           {io::svg_histogram({.x_label = "Dice", .y_label = "Cases"}, dice), "All labels together",
            "Dice of every case"}});
  std::stable_sort(good.begin(), good.end(),
                   [](const auto* a, const auto* b) { return a->labels.back().dice < b->labels.back().dice; });
  std::vector<io::Figure> worst;
  for (std::size_t i = 0; i < std::min<std::size_t>(good.size(), 6); ++i) {
    const auto* m = good[i];
    worst.push_back(
        {fmt::format("<img alt=\"{}\" style=\"max-width:100%;image-rendering:pixelated\" src=\"{}\">",
                     io::escape_html(m->files.name), io::png_uri(overlay_picture(m->sample, m->picture, 3))),
         fmt::format("Dice {:.3f}, HD95 {} mm, volume {:+.1f} %. White: true, colour: found", m->labels.back().dice,
                     text(m->labels.back().hd95, 1), m->labels.back().volume_error),
         m->files.name});
  }
  report.section("Worst cases").figures(worst);
  report.write(folder / "evaluation.html");

  for (std::size_t l = 0; l < e.names.size(); ++l) {
    const auto& j = root["labels"][e.names[l]];
    const auto mean = [&](const char* id, int digits) {
      return j[id]["mean"].is_null() ? std::string("-") : fmt::format("{:.{}f}", j[id]["mean"].get<double>(), digits);
    };
    lines.push_back(fmt::format(
        "{:<12} Dice {} ({} to {})  NSD {}  HD95 {} mm  ASSD {} mm  volume error {} % (median, absolute)  ICC {}",
        e.names[l], mean("dice", 4), text(j["dice"]["lower"].is_null() ? NAN : j["dice"]["lower"].get<double>()),
        text(j["dice"]["upper"].is_null() ? NAN : j["dice"]["upper"].get<double>()), mean("nsd", 4), mean("hd95", 2),
        mean("assd", 3),
        j["abs_volume_error"]["median"].is_null()
            ? "-"
            : fmt::format("{:.2f}", j["abs_volume_error"]["median"].get<double>()),
        j.contains("volume") && !j["volume"]["icc_a1"].is_null()
            ? fmt::format("{:.4f}", j["volume"]["icc_a1"].get<double>())
            : "-"));
  }
  return lines;
}

}  // namespace larmor::cli
