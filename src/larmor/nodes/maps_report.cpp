// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/nodes/map_files.hpp>
#include <larmor/nodes/maps_report.hpp>
#include <larmor/nodes/number_text.hpp>
#include <set>

namespace larmor::nodes {
namespace {

io::Range window(const Array& values, bool from_zero) {
  const auto all = values.span<float>();
  auto r = io::robust_range(all, 2, 98);
  // A map of one value, but for rounding, has no spread to show: its colours begin at 0, as a quantity's do, and a map
  // of zeros ends at 1.
  const auto known = std::find_if(all.begin(), all.end(), [](float v) { return std::isfinite(v); });
  if (known != all.end() && *known >= 0 && std::all_of(known, all.end(), [&](float v) {
        return std::abs(v - *known) <= 1e-4f * *known || !std::isfinite(v);
      }))
    return {0, *known > 0 ? 1.25 * static_cast<double>(*known) : 1.0};
  if (from_zero && r.lo > 0 && r.lo < 0.7 * r.hi) r.lo = 0;
  return r;
}

std::string bare(const std::string& unit) { return unit == "1" ? "" : unit; }

}  // namespace

VoxelCounts count_voxels(const Array& status) {
  VoxelCounts c;
  for (const auto code : status.span<const std::uint8_t>()) ++c.by_status.at(code);
  c.voxels = status.size();
  c.masked = c.voxels - c.by_status[0];
  c.usable = c.by_status[1] + c.by_status[2];
  return c;
}

std::string MapsPage::percent(std::int64_t part, std::int64_t all) {
  return all ? fmt::format("{:.1f}", 100.0 * static_cast<double>(part) / static_cast<double>(all)) : "-";
}

Array mean_picture(const Image& d, std::int64_t first, std::int64_t last) {
  const auto g = d.grid();
  Array out(DType::f32, {g[0], g[1], g[2]});
  auto sum = out.span<float>();
  for (std::int64_t t = first; t < last; ++t) {
    const Array f = d.data.slice(3, t).cast(DType::f32).contiguous_copy();
    const auto values = f.span<float>();
    for (std::size_t v = 0; v < sum.size(); ++v)
      if (std::isfinite(values[v])) sum[v] += values[v] / static_cast<float>(last - first);
  }
  return out;
}

MapsPage::MapsPage(const MapsReport& data, Array underlay, std::vector<std::string> names, std::vector<std::string> hot)
    : d_(data),
      names_(std::move(names)),
      hot_(std::move(hot)),
      counts_(count_voxels(data.maps.status)),
      html_(data.title, data.subtitle),
      underlay_(std::move(underlay)) {}

Array MapsPage::shown(const ParameterMap& m, const Array& values) const {
  Array out = values.clone();
  const auto k = static_cast<float>(units::factor(m.unit, written_unit(m, d_.engine_units)));
  for (float& x : out.span<float>()) x *= k;
  return out;
}

std::string MapsPage::ortho(const Array& values, const std::string& label, const std::string& unit,
                            io::ColourScale scale) const {
  io::MapView view;
  view.label = label, view.unit = unit, view.scale = std::move(scale);
  view.underlay = &underlay_;
  view.at = centre_;
  return io::svg_ortho(values, d_.maps.reference.affine, view);
}

std::string MapsPage::histogram(const Array& values, const std::string& label, const std::string& unit) const {
  io::Plot p;
  p.x_label = label, p.x_unit = unit, p.y_label = "voxels";
  p.height = 300;
  return io::svg_histogram(p, values.span<float>());
}

void MapsPage::show(const std::string& name, const char* colours) {
  if (!d_.maps.has(name)) return;
  const auto& m = d_.maps.get(name);
  const std::string unit = written_unit(m, d_.engine_units);
  const Array values = shown(m, m.values);
  if (summarise(m, d_.engine_units).n == 0) {
    html_.note(fmt::format("{}: no voxel has a value.", m.title));
    return;
  }
  const auto s = summarise(m, d_.engine_units);
  html_.heading(fmt::format("{} ({})", m.title, m.name));
  html_.figure({ortho(values, io::typeset(m.symbol), bare(unit), {colours, window(values, true)}),
                fmt::format("Median {} (5 to 95 %: {} to {}){} in {} voxels. Colours span the 2nd to 98th percentile.",
                            short_number(s.median), short_number(s.p5), short_number(s.p95),
                            unit == "1" ? "" : " " + unit, with_commas(static_cast<long long>(s.n))),
                ""});
  histograms_.push_back(
      {histogram(values, io::typeset(m.symbol), bare(unit)), "", fmt::format("{}, {}", m.name, m.title)});
}

void MapsPage::distributions() {
  if (histograms_.empty()) return;
  html_.heading("Distributions");
  html_.figures(histograms_, 2);
  histograms_.clear();
}

void MapsPage::opening(const io::KeyValues& facts) {
  std::vector<io::Tile> tiles;
  const double part = counts_.masked ? static_cast<double>(counts_.usable) / static_cast<double>(counts_.masked) : 0;
  tiles.push_back({percent(counts_.usable, counts_.masked), "%", "of the mask fitted",
                   part > 0.95  ? io::Tile::Mood::good
                   : part > 0.7 ? io::Tile::Mood::warning
                                : io::Tile::Mood::bad});
  for (std::size_t i = 0; i < std::min<std::size_t>(names_.size(), 2); ++i)
    if (d_.maps.has(names_[i])) {
      const auto m = summarise(d_.maps.get(names_[i]), d_.engine_units);
      tiles.push_back({short_number(m.median), m.unit == "1" ? "" : m.unit, "median " + names_[i]});
    }
  if (d_.voxels_per_second > 0) {
    const bool mega = d_.voxels_per_second >= 1e6;
    tiles.push_back({fmt::format("{:.3g}", d_.voxels_per_second / (mega ? 1e6 : 1e3)),
                     mega ? "M voxels/s" : "k voxels/s", "speed of the fit"});
  }
  if (d_.total_seconds > 0) tiles.push_back({fmt::format("{:.1f}", d_.total_seconds), "s", "from files to maps"});
  html_.tiles(tiles);
  html_.key_values(facts);
  const auto failed = counts_.masked - counts_.usable;
  if (failed > 0)
    html_.warning(fmt::format("{} of {} voxels of the mask have no value ({} %); section \"Quality\" says why.",
                              with_commas(failed), with_commas(counts_.masked), percent(failed, counts_.masked)));
  const auto bound = counts_.by_status[static_cast<std::size_t>(fit::FitStatus::at_bound)];
  if (10 * bound > counts_.usable)
    html_.warning(
        fmt::format("{} % of the fitted voxels have a parameter on its bound: the model may be too rich for the "
                    "data, or a bound too tight.",
                    percent(bound, counts_.usable)));
}

void MapsPage::parameters(const std::string& lead) {
  html_.section("Maps", lead);
  // The slices go through the middle of what was fitted, the same for all maps.
  if (!names_.empty() && d_.maps.has(names_[0])) centre_ = io::centre_voxel(d_.maps.get(names_[0]).values);
  for (const auto& n : names_) show(n, std::find(hot_.begin(), hot_.end(), n) != hot_.end() ? "inferno" : "viridis");
  distributions();
}

void MapsPage::uncertainty(const std::string& lead) {
  io::Table t{.columns = {"parameter", "unit", "median", "median SE", "median SE / value", "voxels with SE"},
              .rows = {},
              .source = {}};
  std::vector<io::Figure> figures;
  for (const auto& name : names_) {
    if (!d_.maps.has(name)) continue;
    const auto& m = d_.maps.get(name);
    if (m.standard_error.empty()) continue;
    std::vector<float> ratio;
    const auto value = m.values.span<float>(), se = m.standard_error.span<float>();
    for (std::size_t v = 0; v < value.size(); ++v)
      if (std::isfinite(se[v]) && value[v] != 0) ratio.push_back(se[v] / std::abs(value[v]));
    if (ratio.empty()) continue;
    ParameterMap errors = m;
    errors.values = m.standard_error;
    const auto s = summarise(errors, d_.engine_units);
    const auto middle = ratio.begin() + static_cast<std::ptrdiff_t>(ratio.size() / 2);
    std::nth_element(ratio.begin(), middle, ratio.end());
    t.rows.push_back({name, s.unit, short_number(summarise(m, d_.engine_units).median), short_number(s.median),
                      fmt::format("{:.1f} %", 100.0 * static_cast<double>(*middle)),
                      with_commas(static_cast<long long>(s.n))});
    const Array shown_se = shown(m, m.standard_error);
    figures.push_back(
        {ortho(shown_se, "SE " + io::typeset(m.symbol), bare(s.unit), {"viridis", window(shown_se, true)}),
         fmt::format("Standard error of {}{}.", name, s.unit == "1" ? "" : fmt::format(" [{}]", s.unit)), ""});
  }
  if (t.rows.empty()) return;
  html_.section("Uncertainty", lead);
  html_.table(t);
  html_.figures(figures, 2);
}

void MapsPage::quality() {
  html_.section("Quality", "What became of every voxel of the mask, and how well the model describes the data.");
  io::Table t{.columns = {"status", "code", "voxels", "% of the mask", "meaning"}, .rows = {}, .source = {}};
  for (int i = 1; i < fit::n_fit_status; ++i) {
    const auto n = counts_.by_status[static_cast<std::size_t>(i)];
    if (n == 0 && i > 2) continue;
    const auto s = static_cast<fit::FitStatus>(i);
    t.rows.push_back({std::string(fit::to_string(s)), std::to_string(i), with_commas(n), percent(n, counts_.masked),
                      std::string(fit::explain(s))});
  }
  html_.table(t, "Failed voxels are NaN in every map; status.nii.gz holds the codes.");
  if (counts_.by_status[1] == counts_.masked)
    html_.paragraph("Every voxel of the mask converged inside all bounds.");
  else
    status_map();
  show("R2", "viridis");
  show("residual_sd", "viridis");
  distributions();
}

void MapsPage::status_map() {
  Array status = d_.maps.status.cast(DType::f32).clone();
  for (float& x : status.span<float>())
    if (x == 0) x = std::nanf("");
  html_.figure({ortho(status, "status", "", {"turbo", {1, fit::n_fit_status - 1}}), "Status of the fit by code.", ""});
}

void MapsPage::more_maps(const std::string& title, const std::string& lead, const std::vector<std::string>& names,
                         const char* colours) {
  if (std::none_of(names.begin(), names.end(), [&](const auto& n) { return d_.maps.has(n); })) return;
  html_.section(title, lead);
  for (const auto& n : names) show(n, colours);
  distributions();
}

void MapsPage::settings() {
  if (d_.seconds.empty() && d_.notes.empty() && d_.files.rows.empty() && d_.details.empty()) return;
  html_.section("Settings and timing");
  io::Table t{.columns = {"stage", "seconds", "%"}, .rows = {}, .source = {}};
  for (const auto& [name, s] : d_.seconds)
    t.rows.push_back(
        {name, fmt::format("{:.3f}", s), fmt::format("{:.1f}", 100 * s / std::max(d_.total_seconds, 1e-9))});
  if (!t.rows.empty()) html_.table(t, "Time by stage");
  if (!d_.notes.empty()) {
    html_.heading("What was taken from where");
    for (const auto& n : d_.notes) html_.note(n);
  }
  if (!d_.files.rows.empty()) html_.table(d_.files, "Input files");
  for (const auto& [title, text] : d_.details) html_.details(title, text);
}

void MapsPage::references(const io::KeyValues& first, const io::KeyValues& last) {
  html_.section("References");
  std::set<std::string> seen;
  io::KeyValues list;
  for (const auto* some : {&first, &d_.references, &last})
    for (const auto& [what, source] : *some)
      if (!source.empty() && seen.insert(what).second) list.emplace_back(what, source);
  html_.key_values(list);
}

}  // namespace larmor::nodes
