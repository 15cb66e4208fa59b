// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <larmor/core/units.hpp>
#include <larmor/io/figure.hpp>
#include <larmor/io/report.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <set>

#include "dce_outputs.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

using io::Figure;
using io::Series;

std::string percent(std::int64_t part, std::int64_t all) {
  return all ? fmt::format("{:.1f}", 100.0 * static_cast<double>(part) / static_cast<double>(all)) : "-";
}

class Report {
 public:
  Report(const DceJob& job, const dce::PipelineResult& result, const Config& config, const DceSummary& summary)
      : job_(job),
        result_(result),
        config_(config),
        summary_(summary),
        engine_(config.text("output.units") == "engine"),
        html_(config.has("output.title") ? config.text("output.title") : "DCE perfusion", subtitle(job, result)) {
    underlay_ = make_underlay();
  }

  void write(const std::filesystem::path& path) {
    opening();
    parameters();
    uncertainty();
    input();
    curves();
    quality();
    if (!job_.options.concentration) T1();
    if (job_.options.descriptors) uptake();
    settings();
    references();
    html_.write(path);
  }

 private:
  static std::string subtitle(const DceJob& job, const dce::PipelineResult& result) {
    const auto* dynamic = job.source("dynamic series");
    std::vector<std::string> titles;
    for (const auto& m : result.fit.models) titles.push_back(dce::models().get(m).title);
    return fmt::format("{}: {}", dynamic ? std::filesystem::path(dynamic->path).filename().string() : "",
                       fmt::join(titles, ", "));
  }

  // Picture below the maps: the mean of the frames before contrast, or of all where there is no signal.
  Array make_underlay() const {
    const auto& d = job_.data.dynamic;
    const auto g = d.grid();
    Array out(DType::f32, {g[0], g[1], g[2]});
    const bool signal = !job_.options.concentration;
    const std::int64_t first = signal ? result_.baseline_first : 0;
    const std::int64_t last = signal ? std::max<std::int64_t>(result_.baseline_last, first + 1) : d.volumes();
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
    const auto k = static_cast<float>(units::factor(m.unit, written_unit(m, engine_)));
    for (float& x : out.span<float>()) x *= k;
    return out;
  }

  std::string ortho(const Array& values, const std::string& label, const std::string& unit,
                    io::ColourScale scale) const {
    io::MapView view;
    view.label = label, view.unit = unit, view.scale = std::move(scale);
    view.underlay = &underlay_;
    view.at = centre_;
    return io::svg_ortho(values, result_.maps.reference.affine, view);
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
    if (!result_.maps.has(name)) return;
    const auto& m = result_.maps.get(name);
    const std::string unit = written_unit(m, engine_);
    const Array values = shown(m, m.values);
    if (summarise(m, engine_).n == 0) {
      html_.note(fmt::format("{}: no voxel has a value.", m.title));
      return;
    }
    const auto s = summarise(m, engine_);
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
    for (const auto& f : result_.fit.fits)
      for (const auto& p : f.params) add(p.name);
    for (const auto& m : result_.fit.models)
      for (const auto& d : dce::models().get(m).derived) add(d.name);
    return names;
  }

  void opening() {
    const auto names = parameter_names();
    std::vector<io::Tile> tiles;
    const double part =
        summary_.masked ? static_cast<double>(summary_.usable) / static_cast<double>(summary_.masked) : 0;
    tiles.push_back({percent(summary_.usable, summary_.masked), "%", "of the mask fitted",
                     part > 0.95  ? io::Tile::Mood::good
                     : part > 0.7 ? io::Tile::Mood::warning
                                  : io::Tile::Mood::bad});
    for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 2); ++i)
      for (const auto& m : summary_.maps)
        if (m.name == names[i])
          tiles.push_back({short_number(m.median), m.unit == "1" ? "" : m.unit, "median " + names[i]});
    const bool mega = summary_.voxels_per_second >= 1e6;
    tiles.push_back({fmt::format("{:.3g}", summary_.voxels_per_second / (mega ? 1e6 : 1e3)),
                     mega ? "M voxels/s" : "k voxels/s", "speed of the fit"});
    tiles.push_back({fmt::format("{:.1f}", summary_.total_seconds), "s", "from files to maps"});
    html_.tiles(tiles);
    const auto& d = job_.data.dynamic;
    const auto g = d.grid();
    const auto mm = d.affine.spacing();
    html_.key_values(
        {{"Series",
          fmt::format("{} x {} x {} voxels of {} x {} x {} mm ({}), {} frames from {} to {} s", g[0], g[1], g[2],
                      short_number(mm[0]), short_number(mm[1]), short_number(mm[2]), d.affine.orientation(),
                      d.volumes(), short_number(d.times.front()), short_number(d.times.back()))},
         {"Mask", fmt::format("{} ({} voxels)", job_.mask_from, with_commas(summary_.masked))},
         {"T10", job_.options.concentration ? "not needed: the series is concentration" : job_.t1_from},
         {"Arterial input", fmt::format("{}, haematocrit {}", job_.aif_from, short_number(job_.options.input.Hct))},
         {"Model", fmt::format("{}, {}{}", fmt::join(result_.fit.models, ", "), config_.text("fit.fitter"),
                               job_.options.fit.fit_delay ? ", delay fitted" : "")}});
    const auto failed = summary_.masked - summary_.usable;
    if (failed > 0)
      html_.warning(fmt::format("{} of {} voxels of the mask have no value ({} %); section \"Quality\" says why.",
                                with_commas(failed), with_commas(summary_.masked), percent(failed, summary_.masked)));
    const auto bound = summary_.by_status[static_cast<std::size_t>(fit::FitStatus::at_bound)];
    if (10 * bound > summary_.usable)
      html_.warning(
          fmt::format("{} % of the fitted voxels have a parameter on its bound: the model may be too rich for the "
                      "data, or a bound too tight.",
                      percent(bound, summary_.usable)));
  }

  void parameters() {
    html_.section("Maps",
                  "Three orthogonal slices through the same voxel, over the series before contrast. Voxels without a "
                  "value show the picture below.");
    const auto names = parameter_names();
    // The slices go through the middle of what was fitted, the same for all maps.
    if (!names.empty() && result_.maps.has(names[0])) centre_ = io::centre_voxel(result_.maps.get(names[0]).values);
    for (const auto& n : names) show(n, n == "Ktrans" || n == "Fp" || n == "PS" || n == "Fb" ? "inferno" : "viridis");
    distributions();
    if (result_.fit.models.size() > 1) show_selection();
  }

  void show_selection() {
    const auto& m = result_.maps.get("model_index");
    html_.heading("Selected model");
    io::Table t{.columns = {"index", "model", "voxels", "%"}, .rows = {}, .source = {}};
    for (std::size_t i = 0; i < result_.fit.models.size(); ++i) {
      const auto n = std::count(m.values.span<float>().begin(), m.values.span<float>().end(), static_cast<float>(i));
      t.rows.push_back({std::to_string(i), result_.fit.models[i], with_commas(n), percent(n, summary_.usable)});
    }
    html_.table(t, "Voxels by the model of least AICc");
    html_.figure({ortho(m.values, "model", "", {"viridis", {0, static_cast<double>(result_.fit.models.size() - 1)}}),
                  "Index of the selected model.", ""});
  }

  void uncertainty() {
    io::Table t{.columns = {"parameter", "unit", "median", "median SE", "median SE / value", "voxels with SE"},
                .rows = {},
                .source = {}};
    std::vector<Figure> figures;
    for (const auto& name : parameter_names()) {
      if (!result_.maps.has(name)) continue;
      const auto& m = result_.maps.get(name);
      if (m.standard_error.empty()) continue;
      std::vector<float> ratio;
      const auto value = m.values.span<float>(), se = m.standard_error.span<float>();
      for (std::size_t v = 0; v < value.size(); ++v)
        if (std::isfinite(se[v]) && value[v] != 0) ratio.push_back(se[v] / std::abs(value[v]));
      if (ratio.empty()) continue;
      ParameterMap errors = m;
      errors.values = m.standard_error;
      const auto s = summarise(errors, engine_);
      const auto middle = ratio.begin() + static_cast<std::ptrdiff_t>(ratio.size() / 2);
      std::nth_element(ratio.begin(), middle, ratio.end());
      t.rows.push_back({name, s.unit, short_number(summarise(m, engine_).median), short_number(s.median),
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
    html_.section("Arterial input", fmt::format("Source: {}. The bolus arrives at {} s in the mean tissue curve.",
                                                job_.aif_from, short_number(result_.arrival)));
    std::vector<Series> curves;
    const auto& a = result_.inputs[0];
    curves.push_back({.label = "arterial plasma",
                      .x = a.times,
                      .y = a.values,
                      .error = {},
                      .draw = a.size() < 100 ? Series::Draw::both : Series::Draw::line,
                      .colour = {}});
    if (result_.inputs.size() > 1)
      curves.push_back({.label = "venous plasma",
                        .x = result_.inputs[1].times,
                        .y = result_.inputs[1].values,
                        .error = {},
                        .draw = Series::Draw::line,
                        .colour = {}});
    io::Plot p;
    p.x_label = "time", p.x_unit = "s", p.y_label = "concentration", p.y_unit = "mM", p.y_from_zero = true;
    p.title = "Plasma concentration";
    io::Plot q = p;
    q.title = "Mean of the mask";
    q.markers = {{.at = result_.arrival, .label = "arrival"}};
    const Series tissue{.label = "mean tissue",
                        .x = job_.data.dynamic.times,
                        .y = result_.mean_tissue,
                        .error = {},
                        .draw = Series::Draw::both,
                        .colour = {}};
    html_.figures(
        {{io::svg_curves(p, curves), "Input of the fit.", ""},
         {io::svg_curves(q, std::span(&tissue, 1)), "Mean tissue concentration, for comparison of the arrival.", ""}},
        2);
    if (result_.detection) detected();
  }

  void detected() {
    const auto& d = *result_.detection;
    html_.paragraph(fmt::format("{} voxels chosen automatically from {} candidates in {} clusters.", d.voxels.size(),
                                d.n_candidates, d.n_clusters));
    const auto g = job_.data.dynamic.grid();
    Array score(DType::f32, {g[0], g[1], g[2]});
    auto out = score.span<float>();
    std::fill(out.begin(), out.end(), std::nanf(""));
    for (const auto v : d.voxels) out[static_cast<std::size_t>(v)] = d.score[static_cast<std::size_t>(v)];
    io::MapView view;
    view.label = "score", view.scale = {"inferno", io::robust_range(score.span<float>(), 0, 100)},
    view.underlay = &underlay_;
    html_.figure({io::svg_ortho(score, result_.maps.reference.affine, view), "Voxels taken as artery.", ""});
  }

  struct Example {
    std::int64_t voxel;
    std::string title;
  };

  std::vector<Example> examples() const {
    std::vector<Example> out;
    const auto names = parameter_names();
    const auto values = result_.maps.get(names[0]).values.span<float>();
    const auto status = result_.maps.status.span<std::uint8_t>();
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
      const auto R2 = result_.maps.get("R2").values.span<float>();
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
    const auto c = result_.concentration.span<float>();
    const auto n = static_cast<std::size_t>(job_.data.dynamic.voxels());
    std::vector<double> y;
    for (std::size_t t = 0; t < job_.data.dynamic.times.size(); ++t)
      y.push_back(static_cast<double>(c[t * n + static_cast<std::size_t>(voxel)]));
    return y;
  }

  std::string values_of(std::int64_t voxel) const {
    std::string s;
    for (const auto& name : parameter_names()) {
      const auto& m = result_.maps.get(name);
      const std::string unit = written_unit(m, engine_);
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
    const auto& times = job_.data.dynamic.times;
    const auto g = job_.data.dynamic.grid();
    std::vector<Figure> figures;
    for (const auto& e : examples()) {
      const auto y = data_of(e.voxel);
      const auto fitted = dce::fitted_curve(result_.maps, result_.inputs, times, e.voxel);
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
          static_cast<fit::FitStatus>(result_.maps.status.span<std::uint8_t>()[static_cast<std::size_t>(e.voxel)]);
      std::string text = fmt::format("Voxel ({}, {}, {}), {}. ", i, j, k, fit::to_string(status));
      text += good ? fmt::format("{}; R2 = {:.3f}.", values_of(e.voxel),
                                 static_cast<double>(
                                     result_.maps.get("R2").values.span<float>()[static_cast<std::size_t>(e.voxel)]))
                   : std::string(fit::explain(status));
      figures.push_back({picture, text, e.title});
    }
    html_.figures(figures, 2);
  }

  void quality() {
    html_.section("Quality", "What became of every voxel of the mask, and how well the model describes the data.");
    io::Table t{.columns = {"status", "code", "voxels", "% of the mask", "meaning"}, .rows = {}, .source = {}};
    for (int i = 1; i < fit::n_fit_status; ++i) {
      const auto n = summary_.by_status[static_cast<std::size_t>(i)];
      if (n == 0 && i > 2) continue;
      const auto s = static_cast<fit::FitStatus>(i);
      t.rows.push_back({std::string(fit::to_string(s)), std::to_string(i), with_commas(n), percent(n, summary_.masked),
                        std::string(fit::explain(s))});
    }
    html_.table(t, "Failed voxels are NaN in every map; status.nii.gz holds the codes.");
    if (summary_.by_status[1] == summary_.masked)
      html_.paragraph("Every voxel of the mask converged inside all bounds.");
    else
      status_map();
    show("R2", "viridis");
    show("residual_sd", "viridis");
    distributions();
  }

  void status_map() {
    Array status = result_.maps.status.cast(DType::f32).clone();
    for (float& x : status.span<float>())
      if (x == 0) x = std::nanf("");
    html_.figure(
        {ortho(status, "status", "", {"turbo", {1, fit::n_fit_status - 1}}), "Status of the fit by code.", ""});
  }

  void T1() {
    if (!result_.maps.has("T10")) return;
    html_.section("T1 before contrast", job_.t1_from);
    show("T10", "turbo");
    show("M0", "grey");
    distributions();
  }

  void uptake() {
    html_.section("Uptake", "Description of the curves without a model, from the arrival of the bolus.");
    for (const char* n : {"iAUC60", "peak", "TTP", "wash_in"}) show(n, "viridis");
    distributions();
  }

  void settings() {
    html_.section("Settings and timing");
    io::Table t{.columns = {"stage", "seconds", "%"}, .rows = {}, .source = {}};
    for (const auto& [name, s] : summary_.seconds)
      t.rows.push_back(
          {name, fmt::format("{:.3f}", s), fmt::format("{:.1f}", 100 * s / std::max(summary_.total_seconds, 1e-9))});
    html_.table(t, "Time by stage");
    if (!job_.notes.empty()) {
      html_.heading("What was taken from where");
      for (const auto& n : job_.notes) html_.note(n);
    }
    io::Table f{.columns = {"role", "file", "chosen by"}, .rows = {}, .source = {}};
    for (const auto& s : job_.sources) f.rows.push_back({s.role, s.path, s.found});
    html_.table(f, "Input files");
    html_.details("Configuration as given", config_.yaml());
    std::string all;
    for (const auto& [key, value] : config_.in_use()) all += fmt::format("{} = {}\n", key, value);
    html_.details("Every setting in use", all);
    html_.details("Provenance (also in every NIfTI file)", summary_.provenance);
  }

  void references() {
    html_.section("References");
    std::set<std::string> seen;
    const auto cite = [&](const std::string& what, const std::string& source) {
      if (!source.empty() && seen.insert(what).second) list_.push_back({what, source});
    };
    for (const auto& m : result_.fit.models) cite(dce::models().get(m).title, dce::models().get(m).source);
    const auto& fitter = dce::fitters().get(config_.text("fit.fitter"));
    cite(fitter.title, fitter.source);
    if (job_.options.input.source == dce::AifSource::model)
      cite(dce::aif_models().get(job_.options.input.model).title,
           dce::aif_models().get(job_.options.input.model).source);
    if (!job_.options.concentration) {
      if (!job_.data.t1_series.data.empty())
        cite(dce::t1_methods().get(job_.options.t1_method).title, dce::t1_methods().get(job_.options.t1_method).source);
      cite("Spoiled gradient echo", "Haase et al., JMR 67:258 (1986)");
    }
    cite("Names and units", "OSIPI CAPLEX: Dickie et al., MRM 91:1761 (2024)");
    if (result_.fit.models.size() > 1) cite("Model selection", "Hurvich and Tsai, Biometrika 76:297 (1989)");
    html_.key_values(list_);
  }

  const DceJob& job_;
  const dce::PipelineResult& result_;
  const Config& config_;
  const DceSummary& summary_;
  bool engine_;
  io::HtmlReport html_;
  Array underlay_;
  std::optional<std::array<std::int64_t, 3>> centre_;
  io::KeyValues list_;
  std::vector<Figure> histograms_;
};

}  // namespace

void write_dce_report(const std::filesystem::path& path, const DceJob& job, const dce::PipelineResult& result,
                      const Config& config, const DceSummary& summary) {
  Report(job, result, config, summary).write(path);
}

}  // namespace larmor::cli
