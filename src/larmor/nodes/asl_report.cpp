// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <larmor/nodes/asl_report.hpp>
#include <larmor/nodes/number_text.hpp>

namespace larmor::nodes {
namespace {

constexpr double shown = 6;  // mL/100g/min a mm3/(g s)

std::string model_of(const ParameterMaps& maps) {
  const std::string id = asl::fact_text(maps.meta, "Models");
  if (id.empty())
    throw Error(Errc::usage, "no quantification of ASL has made these maps", "wire those of asl.quantify");
  return id;
}

double number_of(const Metadata& meta, const char* key, double otherwise) {
  const auto v = asl::fact_numbers(meta, key);
  return v.empty() ? otherwise : v[0];
}

std::vector<std::string> names_in(const ParameterMaps& maps) {
  std::vector<std::string> names;
  for (const char* n : {"CBF", "ATT", "aBV", "ATT_a", "sigma", "CBF_GM", "CBF_WM", "ATT_GM", "ATT_WM"})
    if (maps.has(n)) names.emplace_back(n);
  return names;
}

}  // namespace

io::Table quality_table(const asl::Quality& q) {
  io::Table t{.columns = {"figure", "value", "unit", "meaning"}, .rows = {}, .source = {}};
  const auto add = [&](const char* name, double value, const char* unit, const char* what) {
    t.rows.push_back({name, std::isfinite(value) ? short_number(value) : "not known", unit, what});
  };
  add("mean_GM", q.mean_GM * shown, "mL/min/100g", "mean CBF where grey matter is more than 70 %");
  add("mean_WM", q.mean_WM * shown, "mL/min/100g", "mean CBF where white matter is more than 70 %");
  add("GM_WM_ratio", q.ratio, "1", "of the two");
  add("spatial_CoV", q.spatial_CoV, "1", "sd over mean of CBF in grey matter, or in the mask");
  add("negative_GM", q.negative_GM, "1", "grey-matter voxels below 0");
  add("structure", q.structure, "1", "correlation with 2.5 GM + WM");
  add("dispersion", q.dispersion, "mL/min/100g", "pooled variance over the mean of grey matter");
  add("QEI", q.QEI, "1", "quality evaluation index, 0 to 1");
  return t;
}

std::vector<double> asl_curve(const ParameterMaps& maps, const asl::NotedTimings& timings, double T1, double partition,
                              std::span<const double> times, std::int64_t voxel) {
  const std::string id = model_of(maps);
  if (!asl::models().has(id)) return {};
  const auto& model = asl::models().get(id);
  std::vector<double> params;
  for (const auto& p : model.params) {
    const Array values = maps.get(p.name).values.contiguous_copy();
    params.push_back(static_cast<double>(values.data<float>()[voxel]));
    if (!std::isfinite(params.back())) return {};
  }
  const auto g = maps.status.shape();
  const auto slice = static_cast<std::size_t>(voxel / (g.at(0) * g.at(1)));
  const auto& slices = timings.protocol.slice_times;
  std::vector<asl::Sample> at;
  for (const double t : times) {
    asl::Sample s = timings.samples.at(0);
    s.time = t;
    at.push_back(s);
  }
  return asl::signal(model, at, params,
                     {.T1_tissue = T1,
                      .T1_blood = timings.protocol.T1_blood,
                      .slice_delay = slices.empty() ? 0 : slices.at(slice),
                      .partition = partition});
}

io::HtmlReport asl_report(const AslReport& d) {
  const std::string id = model_of(d.maps);
  const bool kinetic = asl::models().has(id);
  const auto timings = asl::noted_timings(d.signal.meta);
  const double T1 = number_of(d.maps.meta, "TissueT1", 1.33), partition = number_of(d.maps.meta, "Partition", 0.9);
  const Image& under = d.series.data.empty() ? d.signal : d.series;
  MapsPage page(d, mean_picture(under, 0, under.volumes()), names_in(d.maps), {"CBF", "CBF_GM", "CBF_WM"});

  const auto g = d.signal.grid();
  const auto mm = d.signal.affine.spacing();
  std::vector<std::string> delays, durations;
  for (const auto& s : timings.samples) delays.push_back(short_number(s.time)), durations.push_back(short_number(s.LD));
  if (std::adjacent_find(durations.begin(), durations.end(), std::not_equal_to<>()) == durations.end())
    durations.resize(1);
  const auto& labelling = asl::labellings().get(timings.protocol.labelling);
  io::KeyValues facts{
      {"Series", fmt::format("{} x {} x {} voxels of {} x {} x {} mm ({}){}", g[0], g[1], g[2], short_number(mm[0]),
                             short_number(mm[1]), short_number(mm[2]), d.signal.affine.orientation(),
                             d.series.data.empty() ? "" : fmt::format(", {} volumes", d.series.volumes()))},
      {"Labelling", fmt::format("{}, {} s, efficiency {}", labelling.title, fmt::join(durations, ", "),
                                short_number(timings.samples[0].efficiency))},
      {"Signal times", fmt::format("{} s after the start of labelling{}", fmt::join(delays, ", "),
                                   timings.protocol.slice_times.empty() ? "" : ", later slice by slice")},
      {"Mask", fmt::format("{}{}{} voxels{}", d.mask_from, d.mask_from.empty() ? "" : " (",
                           with_commas(page.counts().masked), d.mask_from.empty() ? "" : ")")},
      {"Model", kinetic ? asl::models().get(id).title : id}};
  if (!d.M0_from.empty()) facts.emplace_back("M0", d.M0_from);
  page.opening(facts);
  page.parameters(
      "Three orthogonal slices through the same voxel, over the mean of the series. Voxels without a value show the "
      "picture below.");
  page.uncertainty(
      kinetic ? "Standard errors come from the Jacobian at the solution and the residual (Cramer-Rao); "
                "errors of M0, T1 and the labelling efficiency are not in them. A parameter on a bound has none."
              : "Standard errors are those of the mean difference over its repeats; errors of M0, T1, the "
                "labelling efficiency and of label that has not arrived are not in them.");
  if (timings.samples.size() > 1 && kinetic) {
    const Array data = d.signal.data.cast(DType::f32).contiguous_copy();
    const auto n = static_cast<std::size_t>(d.signal.voxels());
    std::vector<std::size_t> order(timings.samples.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](auto i, auto k) { return timings.samples[i].time < timings.samples[k].time; });
    VoxelCurves view{.x = "time",
                     .x_unit = "s",
                     .y = "difference / M0 of blood",
                     .y_unit = "",
                     .lead = "Difference signal (points), model and, below, the residual, in single voxels.",
                     .at = {},
                     .measured = {},
                     .fitted = {}};
    for (const auto i : order) view.at.push_back(timings.samples[i].time);
    view.measured = [&](std::int64_t voxel) {
      std::vector<double> y;
      for (const auto i : order)
        y.push_back(static_cast<double>(data.data<float>()[i * n + static_cast<std::size_t>(voxel)]));
      return y;
    };
    view.fitted = [&](std::int64_t voxel) {
      std::vector<double> y;
      for (const auto i : order) {
        asl::NotedTimings one = timings;
        one.samples = {timings.samples[i]};
        const std::vector<double> at{timings.samples[i].time};
        const auto value = asl_curve(d.maps, one, T1, partition, at, voxel);
        if (value.empty()) return value;
        y.push_back(value[0]);
      }
      return y;
    };
    // A line between the samples has a meaning where all have one bolus.
    if (durations.size() == 1) {
      const double first = timings.samples[0].LD > view.at.front() ? 0 : view.at.front() - timings.samples[0].LD;
      for (int i = 0; i <= 120; ++i) view.line_at.push_back(first + (view.at.back() - first) * i / 120);
      view.line = [&](std::int64_t voxel) { return asl_curve(d.maps, timings, T1, partition, view.line_at, voxel); };
    }
    page.curves(view);
  }
  if (!d.quality.rows.empty()) {
    page.html().section("Quality of the map", "Figures of the whole CBF map.");
    page.html().table(d.quality);
  }
  if (!d.differences.rows.empty()) {
    const auto lost = std::count_if(d.differences.rows.begin(), d.differences.rows.end(),
                                    [](const auto& row) { return row.back() == "no"; });
    page.html().section("Differences",
                        fmt::format("{} difference images, {} left out as outliers.", d.differences.rows.size(), lost));
    page.html().table(d.differences);
  }
  page.quality();
  page.more_maps("M0", "Equilibrium magnetisation of arterial blood.", {"M0_blood"}, "grey");
  page.settings();
  io::KeyValues first{{labelling.title, labelling.source}};
  if (kinetic)
    first.emplace_back(asl::models().get(id).title, asl::models().get(id).source);
  else
    first.emplace_back("Formula of one delay", "Alsop et al., MRM 73:102 (2015)");
  page.references(first, {{"Names and units", "OSIPI ASL lexicon: Suzuki et al., MRM 91:1743 (2024)"}});
  return std::move(page.html());
}

}  // namespace larmor::nodes
