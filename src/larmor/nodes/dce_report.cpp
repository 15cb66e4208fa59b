// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/io/figure.hpp>
#include <larmor/nodes/dce_report.hpp>
#include <larmor/nodes/map_files.hpp>
#include <larmor/nodes/number_text.hpp>
#include <larmor/nodes/protocol.hpp>
#include <set>

namespace larmor::nodes {
namespace {

using io::Figure;
using io::Series;

std::string percent(std::int64_t part, std::int64_t all) {
  return all ? fmt::format("{:.1f}", 100.0 * static_cast<double>(part) / static_cast<double>(all)) : "-";
}

class Report {
 public:
  explicit Report(const DceReport& data)
      : d_(data),
        models_(dce::models_of(data.maps)),
        counts_(count_voxels(data.maps.status)),
        fitter_(text_of("Fitter")),
        fixed_delay_(data.maps.meta.count("FixedDelay") > 0),
        html_(data.title, data.subtitle) {
    underlay_ = make_underlay();
    concentration_ = data.concentration.data.cast(DType::f32).contiguous_copy();
  }

  io::HtmlReport all() {
    opening();
    parameters();
    uncertainty();
    if (!d_.inputs.empty()) input();
    curves();
    quality();
    T1();
    uptake();
    settings();
    references();
    return std::move(html_);
  }

 private:
  std::string text_of(const char* key) const {
    const auto it = d_.maps.meta.find(key);
    const auto* text = it == d_.maps.meta.end() ? nullptr : std::get_if<std::string>(&it->second);
    return text ? *text : std::string();
  }

  // Picture below the maps: the mean of the frames before contrast, or of all where there is no signal.
  Array make_underlay() const {
    const bool signal = !d_.dynamic.data.empty();
    const auto& d = signal ? d_.dynamic : d_.concentration;
    const auto g = d.grid();
    Array out(DType::f32, {g[0], g[1], g[2]});
    const std::int64_t first = signal ? d_.baseline_first : 0;
    const std::int64_t last = signal ? std::clamp<std::int64_t>(d_.baseline_last, first + 1, d.volumes()) : d.volumes();
    auto sum = out.span<float>();
    for (std::int64_t t = first; t < last; ++t) {
      const Array f = d.data.slice(3, t).cast(DType::f32).contiguous_copy();
      const auto values = f.span<float>();
      for (std::size_t v = 0; v < sum.size(); ++v)
        if (std::isfinite(values[v])) sum[v] += values[v] / static_cast<float>(last - first);
    }
    return out;
  }

  Array shown(const ParameterMap& m, const Array& values) const {
    Array out = values.clone();
    const auto k = static_cast<float>(units::factor(m.unit, written_unit(m, d_.engine_units)));
    for (float& x : out.span<float>()) x *= k;
    return out;
  }

  std::string ortho(const Array& values, const std::string& label, const std::string& unit,
                    io::ColourScale scale) const {
    io::MapView view;
    view.label = label, view.unit = unit, view.scale = std::move(scale);
    view.underlay = &underlay_;
    view.at = centre_;
    return io::svg_ortho(values, d_.maps.reference.affine, view);
  }

  std::string histogram(const Array& values, const std::string& label, const std::string& unit) const {
    io::Plot p;
    p.x_label = label, p.x_unit = unit, p.y_label = "voxels";
    p.height = 300;
    return io::svg_histogram(p, values.span<float>());
  }

  static io::Range window(const Array& values, bool from_zero) {
    auto r = io::robust_range(values.span<float>(), 2, 98);
    if (from_zero && r.lo > 0 && r.lo < 0.7 * r.hi) r.lo = 0;
    return r;
  }

  // Map over the full width; its histogram waits for distributions().
  void show(const std::string& name, const char* colours) {
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
    html_.figure(
        {ortho(values, io::typeset(m.symbol), bare(unit), {colours, window(values, true)}),
         fmt::format("Median {} (5 to 95 %: {} to {}){} in {} voxels. Colours span the 2nd to 98th percentile.",
                     short_number(s.median), short_number(s.p5), short_number(s.p95), unit == "1" ? "" : " " + unit,
                     with_commas(static_cast<long long>(s.n))),
         ""});
    histograms_.push_back(
        {histogram(values, io::typeset(m.symbol), bare(unit)), "", fmt::format("{}, {}", m.name, m.title)});
  }

  // Histograms of what show() has shown since the last call.
  void distributions() {
    if (histograms_.empty()) return;
    html_.heading("Distributions");
    html_.figures(histograms_, 2);
    histograms_.clear();
  }

  static std::string bare(const std::string& unit) { return unit == "1" ? "" : unit; }

  std::vector<std::string> parameter_names() const {
    std::vector<std::string> names;
    const auto add = [&](const std::string& n) {
      if (std::find(names.begin(), names.end(), n) == names.end()) names.push_back(n);
    };
    for (const auto& m : models_)
      for (const auto& p : dce::models().get(m).params) add(p.name);
    if (!fixed_delay_) add("delay");
    for (const auto& m : models_)
      for (const auto& d : dce::models().get(m).derived) add(d.name);
    return names;
  }

  void opening() {
    const auto names = parameter_names();
    std::vector<io::Tile> tiles;
    const double part = counts_.masked ? static_cast<double>(counts_.usable) / static_cast<double>(counts_.masked) : 0;
    tiles.push_back({percent(counts_.usable, counts_.masked), "%", "of the mask fitted",
                     part > 0.95  ? io::Tile::Mood::good
                     : part > 0.7 ? io::Tile::Mood::warning
                                  : io::Tile::Mood::bad});
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 2); ++i)
      if (d_.maps.has(names[i])) {
        const auto m = summarise(d_.maps.get(names[i]), d_.engine_units);
        tiles.push_back({short_number(m.median), m.unit == "1" ? "" : m.unit, "median " + names[i]});
      }
    if (d_.voxels_per_second > 0) {
      const bool mega = d_.voxels_per_second >= 1e6;
      tiles.push_back({fmt::format("{:.3g}", d_.voxels_per_second / (mega ? 1e6 : 1e3)),
                       mega ? "M voxels/s" : "k voxels/s", "speed of the fit"});
    }
    if (d_.total_seconds > 0) tiles.push_back({fmt::format("{:.1f}", d_.total_seconds), "s", "from files to maps"});
    html_.tiles(tiles);
    const auto& d = d_.concentration;
    const auto g = d.grid();
    const auto mm = d.affine.spacing();
    io::KeyValues facts{{"Series", fmt::format("{} x {} x {} voxels of {} x {} x {} mm ({}), {} frames from {} to {} s",
                                               g[0], g[1], g[2], short_number(mm[0]), short_number(mm[1]),
                                               short_number(mm[2]), d.affine.orientation(), d.volumes(),
                                               short_number(d.times.front()), short_number(d.times.back()))},
                        {"Mask", fmt::format("{}{}{} voxels{}", d_.mask_from, d_.mask_from.empty() ? "" : " (",
                                             with_commas(counts_.masked), d_.mask_from.empty() ? "" : ")")}};
    if (!d_.t1_from.empty()) facts.emplace_back("T10", d_.t1_from);
    if (!d_.aif_from.empty())
      facts.emplace_back("Arterial input", fmt::format("{}, haematocrit {}", d_.aif_from, short_number(d_.Hct)));
    facts.emplace_back(
        "Model", fmt::format("{}, {}{}", fmt::join(models_, ", "), fitter_, fixed_delay_ ? "" : ", delay fitted"));
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

  void parameters() {
    html_.section("Maps",
                  "Three orthogonal slices through the same voxel, over the series before contrast. Voxels without a "
                  "value show the picture below.");
    const auto names = parameter_names();
    // The slices go through the middle of what was fitted, the same for all maps.
    if (!names.empty() && d_.maps.has(names[0])) centre_ = io::centre_voxel(d_.maps.get(names[0]).values);
    for (const auto& n : names) show(n, n == "Ktrans" || n == "Fp" || n == "PS" || n == "Fb" ? "inferno" : "viridis");
    distributions();
    if (models_.size() > 1) show_selection();
  }

  void show_selection() {
    const auto& m = d_.maps.get("model_index");
    html_.heading("Selected model");
    io::Table t{.columns = {"index", "model", "voxels", "%"}, .rows = {}, .source = {}};
    for (std::size_t i = 0; i < models_.size(); ++i) {
      const auto n = std::count(m.values.span<float>().begin(), m.values.span<float>().end(), static_cast<float>(i));
      t.rows.push_back({std::to_string(i), models_[i], with_commas(n), percent(n, counts_.usable)});
    }
    html_.table(t, "Voxels by the model of least AICc");
    html_.figure({ortho(m.values, "model", "", {"viridis", {0, static_cast<double>(models_.size() - 1)}}),
                  "Index of the selected model.", ""});
  }

  void uncertainty() {
    io::Table t{.columns = {"parameter", "unit", "median", "median SE", "median SE / value", "voxels with SE"},
                .rows = {},
                .source = {}};
    std::vector<Figure> figures;
    for (const auto& name : parameter_names()) {
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
    html_.section("Uncertainty",
                  "Standard errors come from the Jacobian at the solution and the residual (Cramer-Rao); those of "
                  "derived quantities (kep, E, transit times) from them and their correlations (delta method). They "
                  "are of the noise of the curve: errors of T1, the flip angle and the arterial input are not in "
                  "them. A parameter on a bound has none, nor what is derived from it.");
    html_.table(t);
    html_.figures(figures, 2);
  }

  void input() {
    html_.section("Arterial input",
                  fmt::format("Source: {}. The bolus arrives at {} s in the mean tissue curve.",
                              d_.aif_from.empty() ? d_.inputs[0].source : d_.aif_from, short_number(d_.arrival)));
    std::vector<Series> curves;
    const auto& a = d_.inputs[0];
    curves.push_back({.label = "arterial plasma",
                      .x = a.times,
                      .y = a.values,
                      .error = {},
                      .draw = a.size() < 100 ? Series::Draw::both : Series::Draw::line,
                      .colour = {}});
    if (d_.inputs.size() > 1)
      curves.push_back({.label = "venous plasma",
                        .x = d_.inputs[1].times,
                        .y = d_.inputs[1].values,
                        .error = {},
                        .draw = Series::Draw::line,
                        .colour = {}});
    io::Plot p;
    p.x_label = "time", p.x_unit = "s", p.y_label = "concentration", p.y_unit = "mM", p.y_from_zero = true;
    p.title = "Plasma concentration";
    io::Plot q = p;
    q.title = "Mean of the mask";
    q.markers = {{.at = d_.arrival, .label = "arrival"}};
    const Series tissue{.label = "mean tissue",
                        .x = d_.concentration.times,
                        .y = d_.mean_tissue,
                        .error = {},
                        .draw = Series::Draw::both,
                        .colour = {}};
    html_.figures(
        {{io::svg_curves(p, curves), "Input of the fit.", ""},
         {io::svg_curves(q, std::span(&tissue, 1)), "Mean tissue concentration, for comparison of the arrival.", ""}},
        2);
    if (d_.detected) detected();
  }

  void detected() {
    const auto& score = d_.detected->data;
    const auto values = score.span<const float>();
    const auto n = std::count_if(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
    const auto of = [&](const char* key) {
      const auto found = meta_numbers(d_.detected->meta, key);
      return found.empty() ? 0 : static_cast<std::int64_t>(found[0]);
    };
    html_.paragraph(fmt::format("{} voxels chosen automatically from {} candidates in {} clusters.", n,
                                of("Candidates"), of("Clusters")));
    io::MapView view;
    view.label = "score", view.scale = {"inferno", io::robust_range(score.span<float>(), 0, 100)},
    view.underlay = &underlay_;
    html_.figure({io::svg_ortho(score, d_.maps.reference.affine, view), "Voxels taken as artery.", ""});
  }

  struct Example {
    std::int64_t voxel;
    std::string title;
  };

  std::vector<Example> examples() const {
    std::vector<Example> out;
    const auto names = parameter_names();
    const auto values = d_.maps.get(names[0]).values.span<float>();
    const auto status = d_.maps.status.span<std::uint8_t>();
    std::vector<std::int64_t> order;
    for (std::size_t v = 0; v < values.size(); ++v)
      if (std::isfinite(values[v])) order.push_back(static_cast<std::int64_t>(v));
    std::sort(order.begin(), order.end(), [&](auto a, auto b) {
      return values[static_cast<std::size_t>(a)] < values[static_cast<std::size_t>(b)];
    });
    const auto at = [&](double part) {
      return order[static_cast<std::size_t>(part * static_cast<double>(order.size() - 1))];
    };
    if (!order.empty()) {
      out.push_back({at(0.1), fmt::format("Low {} (10th percentile)", names[0])});
      out.push_back({at(0.5), fmt::format("Median {}", names[0])});
      out.push_back({at(0.9), fmt::format("High {} (90th percentile)", names[0])});
      const auto R2 = d_.maps.get("R2").values.span<float>();
      const auto worst = *std::min_element(order.begin(), order.end(), [&](auto a, auto b) {
        const float x = R2[static_cast<std::size_t>(a)], y = R2[static_cast<std::size_t>(b)];
        return (std::isfinite(x) ? x : 2.0F) < (std::isfinite(y) ? y : 2.0F);
      });
      out.push_back({worst, "Worst R2"});
    }
    for (std::size_t v = 0; v < status.size(); ++v)
      if (const auto s = static_cast<fit::FitStatus>(status[v]); s != fit::FitStatus::outside && !fit::usable(s)) {
        out.push_back({static_cast<std::int64_t>(v), fmt::format("Without a value: {}", fit::to_string(s))});
        break;
      }
    return out;
  }

  std::vector<double> data_of(std::int64_t voxel) const {
    const auto c = concentration_.span<const float>();
    const auto n = static_cast<std::size_t>(d_.concentration.voxels());
    std::vector<double> y;
    for (std::size_t t = 0; t < d_.concentration.times.size(); ++t)
      y.push_back(static_cast<double>(c[t * n + static_cast<std::size_t>(voxel)]));
    return y;
  }

  std::string values_of(std::int64_t voxel) const {
    std::string s;
    for (const auto& name : parameter_names()) {
      const auto& m = d_.maps.get(name);
      const std::string unit = written_unit(m, d_.engine_units);
      const double k = units::factor(m.unit, unit);
      const double value = k * static_cast<double>(m.values.span<float>()[static_cast<std::size_t>(voxel)]);
      if (!std::isfinite(value)) continue;
      s += fmt::format("{}{} = {}", s.empty() ? "" : ", ", name, short_number(value));
      if (!m.standard_error.empty()) {
        const double se = k * static_cast<double>(m.standard_error.span<float>()[static_cast<std::size_t>(voxel)]);
        if (std::isfinite(se)) s += fmt::format(" \xC2\xB1 {:.2g}", se);
      }
      if (unit != "1") s += " " + unit;
    }
    return s;
  }

  void curves() {
    html_.section("Fitted curves",
                  "Measured concentration (points), fit (line) and, below, the residual, in single voxels.");
    const auto& times = d_.concentration.times;
    const auto g = d_.concentration.grid();
    std::vector<Figure> figures;
    for (const auto& e : examples()) {
      const auto y = data_of(e.voxel);
      const auto fitted = dce::fitted_curve(d_.maps, d_.inputs, times, e.voxel);
      const bool good = !fitted.empty();
      io::Plot p;
      p.x_label = "time", p.x_unit = "s", p.y_label = "C", p.y_unit = "mM";
      p.height = 280;
      std::vector<Series> curves{
          {.label = "measured", .x = times, .y = y, .error = {}, .draw = Series::Draw::points, .colour = {}}};
      std::string picture;
      if (good) {
        curves.push_back(
            {.label = "fit", .x = times, .y = fitted, .error = {}, .draw = Series::Draw::line, .colour = {}});
        std::vector<double> residual;
        for (std::size_t t = 0; t < y.size(); ++t) residual.push_back(y[t] - fitted[t]);
        io::Plot r = p;
        r.height = 150, r.legend = false, r.y_label = "residual";
        r.markers = {{.at = 0, .label = "", .vertical = false}};
        const Series points{
            .label = "", .x = times, .y = residual, .error = {}, .draw = Series::Draw::both, .colour = {}};
        picture = io::svg_curves(p, curves) + io::svg_curves(r, std::span(&points, 1));
      } else {
        picture = io::svg_curves(p, curves);
      }
      const auto i = e.voxel % g[0], j = e.voxel / g[0] % g[1], k = e.voxel / (g[0] * g[1]);
      const auto status =
          static_cast<fit::FitStatus>(d_.maps.status.span<std::uint8_t>()[static_cast<std::size_t>(e.voxel)]);
      std::string text = fmt::format("Voxel ({}, {}, {}), {}. ", i, j, k, fit::to_string(status));
      text += good ? fmt::format(
                         "{}; R2 = {:.3f}.", values_of(e.voxel),
                         static_cast<double>(d_.maps.get("R2").values.span<float>()[static_cast<std::size_t>(e.voxel)]))
                   : std::string(fit::explain(status));
      figures.push_back({picture, text, e.title});
    }
    html_.figures(figures, 2);
  }

  void quality() {
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

  void status_map() {
    Array status = d_.maps.status.cast(DType::f32).clone();
    for (float& x : status.span<float>())
      if (x == 0) x = std::nanf("");
    html_.figure(
        {ortho(status, "status", "", {"turbo", {1, fit::n_fit_status - 1}}), "Status of the fit by code.", ""});
  }

  void T1() {
    if (!d_.maps.has("T10")) return;
    html_.section("T1 before contrast", d_.t1_from);
    show("T10", "turbo");
    show("M0", "grey");
    distributions();
  }

  void uptake() {
    if (!d_.maps.has("iAUC60")) return;
    html_.section("Uptake", "Description of the curves without a model, from the arrival of the bolus.");
    for (const char* n : {"iAUC60", "peak", "TTP", "wash_in"}) show(n, "viridis");
    distributions();
  }

  void settings() {
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

  void references() {
    html_.section("References");
    std::set<std::string> seen;
    const auto cite = [&](const std::string& what, const std::string& source) {
      if (!source.empty() && seen.insert(what).second) list_.push_back({what, source});
    };
    for (const auto& m : models_) cite(dce::models().get(m).title, dce::models().get(m).source);
    if (!fitter_.empty()) cite(dce::fitters().get(fitter_).title, dce::fitters().get(fitter_).source);
    for (const auto& [what, source] : d_.references) cite(what, source);
    cite("Names and units", "OSIPI CAPLEX: Dickie et al., MRM 91:1761 (2024)");
    if (models_.size() > 1) cite("Model selection", "Hurvich and Tsai, Biometrika 76:297 (1989)");
    html_.key_values(list_);
  }

  const DceReport& d_;
  std::vector<std::string> models_;
  VoxelCounts counts_;
  std::string fitter_;
  bool fixed_delay_;
  io::HtmlReport html_;
  Array underlay_, concentration_;
  std::optional<std::array<std::int64_t, 3>> centre_;
  io::KeyValues list_;
  std::vector<Figure> histograms_;
};

}  // namespace

VoxelCounts count_voxels(const Array& status) {
  VoxelCounts c;
  for (const auto code : status.span<const std::uint8_t>()) ++c.by_status.at(code);
  c.voxels = status.size();
  c.masked = c.voxels - c.by_status[0];
  c.usable = c.by_status[1] + c.by_status[2];
  return c;
}

io::HtmlReport dce_report(const DceReport& data) { return Report(data).all(); }

}  // namespace larmor::nodes
