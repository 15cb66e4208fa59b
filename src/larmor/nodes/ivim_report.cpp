// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/nodes/ivim_ports.hpp>
#include <larmor/nodes/ivim_report.hpp>
#include <larmor/nodes/number_text.hpp>
#include <larmor/nodes/protocol.hpp>

namespace larmor::nodes {
namespace {

std::string text_of(const Metadata& meta, const char* key) {
  const auto it = meta.find(key);
  const auto* text = it == meta.end() ? nullptr : std::get_if<std::string>(&it->second);
  return text ? *text : std::string();
}

std::vector<std::string> names_in(const ParameterMaps& maps) {
  // What is asked for first; the signal level last.
  std::vector<std::string> names;
  for (const char* n : {"f", "D", "D_star"})
    if (maps.has(n)) names.emplace_back(n);
  for (const auto& m : maps.maps)
    if (m.name != "R2" && m.name != "residual_sd" && m.name != "flags" && m.name != "S0" && m.name != "D_blood" &&
        std::find(names.begin(), names.end(), m.name) == names.end())
      names.push_back(m.name);
  if (maps.has("S0")) names.emplace_back("S0");
  return names;
}

Array lowest_b(const IvimReport& d) {
  const auto at = std::min_element(d.b.begin(), d.b.end()) - d.b.begin();
  return mean_picture(d.series, at, at + 1);
}

void flags(MapsPage& page, const ParameterMaps& maps) {
  if (!maps.has("flags")) return;
  std::array<std::int64_t, 4> counts{};
  std::int64_t n = 0;
  for (const float x : maps.get("flags").values.span<const float>()) {
    if (!std::isfinite(x)) continue;
    ++n;
    for (std::size_t bit = 0; bit < counts.size(); ++bit) counts[bit] += (static_cast<int>(x) >> bit) & 1;
  }
  io::Table t{.columns = {"flag", "voxels", "%", "meaning"}, .rows = {}, .source = {}};
  constexpr const char* meaning[] = {"the data say next to nothing of D*: its posterior is nearly the prior",
                                     "the data say next to nothing of D", "S0 is under 5 noise sd",
                                     "the noise over S0 is beyond what the network was trained for: its sds are not "
                                     "right"};
  for (std::size_t bit = 0; bit < counts.size(); ++bit)
    t.rows.push_back(
        {std::to_string(1 << bit), with_commas(counts[bit]), MapsPage::percent(counts[bit], n), meaning[bit]});
  page.html().section("Flags", "Voxels whose values are to be read with care.");
  page.html().table(t);
}

}  // namespace

io::HtmlReport ivim_report(const IvimReport& d) {
  const std::string method = text_of(d.maps.meta, "Method");
  const auto* models =
      d.maps.meta.count("Models") ? std::get_if<std::vector<std::string>>(&d.maps.meta.at("Models")) : nullptr;
  const std::string model = models && !models->empty() ? models->at(0) : "ivim.biexponential";
  const auto noise = meta_numbers(d.maps.meta, "NoiseSd");
  MapsPage page(d, lowest_b(d), names_in(d.maps), {"f"});
  const auto g = d.series.grid();
  const auto mm = d.series.affine.spacing();
  std::vector<std::string> b;
  for (const double x : d.b) b.push_back(short_number(x));
  if (b.size() > 24) b = {fmt::format("{} values from {} to {}", b.size(), b.front(), b.back())};
  io::KeyValues facts{
      {"Series",
       fmt::format("{} x {} x {} voxels of {} x {} x {} mm ({}), {} volumes", g[0], g[1], g[2], short_number(mm[0]),
                   short_number(mm[1]), short_number(mm[2]), d.series.affine.orientation(), d.series.volumes())},
      {"b-values", fmt::format("{} s/mm2{}{}", fmt::join(b, ", "), d.b_from.empty() ? "" : ", from ", d.b_from)},
      {"Mask", fmt::format("{}{}{} voxels{}", d.mask_from, d.mask_from.empty() ? "" : " (",
                           with_commas(page.counts().masked), d.mask_from.empty() ? "" : ")")},
      {"Method", fmt::format("{}, {}", method, model)}};
  if (!noise.empty()) facts.emplace_back("Noise", fmt::format("{} (sd of one volume)", short_number(noise[0])));
  page.opening(facts);
  page.parameters(
      "Three orthogonal slices through the same voxel, over the volume of the lowest b. Voxels without a value show "
      "the "
      "picture below.");
  page.uncertainty(method == "ivim.posterior" || method == "ivim.network"
                       ? "Standard deviations of the posterior: how far the truth may be from the value, given the "
                         "signals, the noise and the prior."
                       : "Standard errors come from the Jacobian at the solution and the residual (Cramer-Rao). A "
                         "parameter on a bound has none.");
  const Array data = d.series.data.cast(DType::f32).contiguous_copy();
  const auto n = static_cast<std::size_t>(d.series.voxels());
  std::vector<std::size_t> order(d.b.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](auto i, auto k) { return d.b[i] < d.b[k]; });
  VoxelCurves view{.x = "b",
                   .x_unit = "s/mm2",
                   .y = "S",
                   .y_unit = "",
                   .lead = "Measured signal (points), model (line) and, below, the residual, in single voxels.",
                   .at = {},
                   .measured = {},
                   .fitted = {}};
  for (const auto i : order) view.at.push_back(d.b[i]);
  view.measured = [&](std::int64_t voxel) {
    std::vector<double> y;
    for (const auto i : order) y.push_back(data.data<float>()[i * n + static_cast<std::size_t>(voxel)]);
    return y;
  };
  view.fitted = [&](std::int64_t voxel) {
    auto y = ivim_signal(d.maps, d.b, voxel);
    if (y.empty()) return y;
    std::vector<double> sorted;
    for (const auto i : order) sorted.push_back(y[i]);
    return sorted;
  };
  if (ivim::models().get(model).design.size() == 1 && !view.at.empty()) {
    for (int i = 0; i <= 100; ++i) view.line_at.push_back(view.at.back() * (i / 100.0) * (i / 100.0));
    view.line = [&](std::int64_t voxel) { return ivim_signal(d.maps, view.line_at, voxel); };
  }
  page.curves(view);
  flags(page, d.maps);
  page.quality();
  page.settings();
  io::KeyValues first{{ivim::models().get(model).title, ivim::models().get(model).source}};
  if (!method.empty()) first.emplace_back(ivim::methods().get(method).title, ivim::methods().get(method).source);
  page.references(first);
  return std::move(page.html());
}

}  // namespace larmor::nodes
