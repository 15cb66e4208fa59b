// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/figure.hpp>
#include <larmor/nodes/dce_report.hpp>
#include <larmor/nodes/number_text.hpp>
#include <larmor/nodes/protocol.hpp>

namespace larmor::nodes {
namespace {

using io::Series;

class Report {
 public:
  explicit Report(const DceReport& data)
      : d_(data),
        models_(dce::models_of(data.maps)),
        fitter_(text_of("Fitter")),
        fixed_delay_(data.maps.meta.count("FixedDelay") > 0),
        page_(data, underlay(), parameter_names(), {"Ktrans", "Fp", "PS", "Fb"}) {
    concentration_ = data.concentration.data.cast(DType::f32).contiguous_copy();
  }

  io::HtmlReport all() {
    opening();
    page_.parameters(
        "Three orthogonal slices through the same voxel, over the series before contrast. Voxels without a value show "
        "the picture below.");
    if (models_.size() > 1) show_selection();
    page_.uncertainty(
        "Standard errors come from the Jacobian at the solution and the residual (Cramer-Rao); those of derived "
        "quantities (kep, E, transit times) from them and their correlations (delta method). They are of the noise of "
        "the curve: errors of T1, the flip angle and the arterial input are not in them. A parameter on a bound has "
        "none, nor what is derived from it.");
    if (!d_.inputs.empty()) input();
    page_.curves({.x = "time",
                  .x_unit = "s",
                  .y = "C",
                  .y_unit = "mM",
                  .lead = "Measured concentration (points), fit (line) and, below, the residual, in single voxels.",
                  .at = d_.concentration.times,
                  .measured = [this](std::int64_t voxel) { return data_of(voxel); },
                  .fitted =
                      [this](std::int64_t voxel) {
                        return dce::fitted_curve(d_.maps, d_.inputs, d_.concentration.times, voxel);
                      }});
    page_.quality();
    T1();
    page_.more_maps("Uptake", "Description of the curves without a model, from the arrival of the bolus.",
                    {"iAUC60", "peak", "TTP", "wash_in"});
    page_.settings();
    references();
    return std::move(page_.html());
  }

 private:
  std::string text_of(const char* key) const {
    const auto it = d_.maps.meta.find(key);
    const auto* text = it == d_.maps.meta.end() ? nullptr : std::get_if<std::string>(&it->second);
    return text ? *text : std::string();
  }

  // Picture below the maps: the mean of the frames before contrast, or of all where there is no signal.
  Array underlay() const {
    const bool signal = !d_.dynamic.data.empty();
    const auto& d = signal ? d_.dynamic : d_.concentration;
    const std::int64_t first = signal ? d_.baseline_first : 0;
    return mean_picture(d, first,
                        signal ? std::clamp<std::int64_t>(d_.baseline_last, first + 1, d.volumes()) : d.volumes());
  }

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
    const auto& d = d_.concentration;
    const auto g = d.grid();
    const auto mm = d.affine.spacing();
    io::KeyValues facts{{"Series", fmt::format("{} x {} x {} voxels of {} x {} x {} mm ({}), {} frames from {} to {} s",
                                               g[0], g[1], g[2], short_number(mm[0]), short_number(mm[1]),
                                               short_number(mm[2]), d.affine.orientation(), d.volumes(),
                                               short_number(d.times.front()), short_number(d.times.back()))},
                        {"Mask", fmt::format("{}{}{} voxels{}", d_.mask_from, d_.mask_from.empty() ? "" : " (",
                                             with_commas(page_.counts().masked), d_.mask_from.empty() ? "" : ")")}};
    if (!d_.t1_from.empty()) facts.emplace_back("T10", d_.t1_from);
    if (!d_.aif_from.empty())
      facts.emplace_back("Arterial input", fmt::format("{}, haematocrit {}", d_.aif_from, short_number(d_.Hct)));
    facts.emplace_back(
        "Model", fmt::format("{}, {}{}", fmt::join(models_, ", "), fitter_, fixed_delay_ ? "" : ", delay fitted"));
    page_.opening(facts);
  }

  void show_selection() {
    const auto& m = d_.maps.get("model_index");
    page_.html().heading("Selected model");
    io::Table t{.columns = {"index", "model", "voxels", "%"}, .rows = {}, .source = {}};
    for (std::size_t i = 0; i < models_.size(); ++i) {
      const auto n = std::count(m.values.span<float>().begin(), m.values.span<float>().end(), static_cast<float>(i));
      t.rows.push_back({std::to_string(i), models_[i], with_commas(n), MapsPage::percent(n, page_.counts().usable)});
    }
    page_.html().table(t, "Voxels by the model of least AICc");
    page_.html().figure({page_.ortho(m.values, "model", "", {"viridis", {0, static_cast<double>(models_.size() - 1)}}),
                         "Index of the selected model.", ""});
  }

  void input() {
    page_.html().section(
        "Arterial input",
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
    page_.html().figures(
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
    page_.html().paragraph(fmt::format("{} voxels chosen automatically from {} candidates in {} clusters.", n,
                                       of("Candidates"), of("Clusters")));
    io::MapView view;
    view.label = "score", view.scale = {"inferno", io::robust_range(score.span<float>(), 0, 100)},
    view.underlay = &page_.underlay();
    page_.html().figure({io::svg_ortho(score, d_.maps.reference.affine, view), "Voxels taken as artery.", ""});
  }

  std::vector<double> data_of(std::int64_t voxel) const {
    const auto c = concentration_.span<const float>();
    const auto n = static_cast<std::size_t>(d_.concentration.voxels());
    std::vector<double> y;
    for (std::size_t t = 0; t < d_.concentration.times.size(); ++t)
      y.push_back(static_cast<double>(c[t * n + static_cast<std::size_t>(voxel)]));
    return y;
  }

  void T1() {
    if (!d_.maps.has("T10")) return;
    page_.html().section("T1 before contrast", d_.t1_from);
    page_.show("T10", "turbo");
    page_.show("M0", "grey");
    page_.distributions();
  }

  void references() {
    io::KeyValues first, last{{"Names and units", "OSIPI CAPLEX: Dickie et al., MRM 91:1761 (2024)"}};
    for (const auto& m : models_) first.emplace_back(dce::models().get(m).title, dce::models().get(m).source);
    if (!fitter_.empty()) first.emplace_back(dce::fitters().get(fitter_).title, dce::fitters().get(fitter_).source);
    if (models_.size() > 1) last.emplace_back("Model selection", "Hurvich and Tsai, Biometrika 76:297 (1989)");
    page_.references(first, last);
  }

  const DceReport& d_;
  std::vector<std::string> models_;
  std::string fitter_;
  bool fixed_delay_;
  MapsPage page_;
  Array concentration_;
};

}  // namespace

io::HtmlReport dce_report(const DceReport& data) { return Report(data).all(); }

}  // namespace larmor::nodes
