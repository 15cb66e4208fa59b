// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/nodes/dsc_report.hpp>
#include <larmor/nodes/number_text.hpp>
#include <larmor/nodes/protocol.hpp>

namespace larmor::nodes {
namespace {

using io::Series;

std::string text_of(const Metadata& meta, const char* key) {
  const auto it = meta.find(key);
  const auto* text = it == meta.end() ? nullptr : std::get_if<std::string>(&it->second);
  return text ? *text : std::string();
}

Array underlay(const DscReport& d) {
  const bool signal = !d.dynamic.data.empty();
  const auto& s = signal ? d.dynamic : d.concentration;
  const std::int64_t first = signal ? d.baseline_first : 0;
  return mean_picture(s, first,
                      signal ? std::clamp<std::int64_t>(d.baseline_last, first + 1, s.volumes()) : s.volumes());
}

std::vector<std::string> names_in(const ParameterMaps& maps) {
  std::vector<std::string> names;
  for (const char* n : {"CBF", "CBV", "MTT", "Tmax", "delay", "shape"})
    if (maps.has(n)) names.emplace_back(n);
  return names;
}

class Report {
 public:
  explicit Report(const DscReport& d)
      : d_(d),
        method_(text_of(d.maps.meta, "Method")),
        correction_(text_of(d.maps.meta, "Correction")),
        page_(d, underlay(d), names_in(d.maps), {"CBF"}),
        concentration_(d.concentration.data.cast(DType::f32).contiguous_copy()) {}

  io::HtmlReport all() {
    opening();
    page_.parameters(
        "Three orthogonal slices through the same voxel, over the signal before the bolus. Voxels without a value show "
        "the picture below.");
    page_.uncertainty(
        "Standard errors from the residual of the curve and the error of its baseline, to first order. Voxels whose "
        "transit time is beyond what the data can tell have none.");
    input();
    curves();
    page_.more_maps("Reference", "Flow and volume over the median of the reference region.", {"rCBF", "rCBV"});
    page_.more_maps(
        "Leakage",
        "K2 of the leakage correction: above 0 where T1 effects of what leaked win, below 0 where T2* effects "
        "do.",
        {"K2"}, "turbo");
    page_.more_maps("Times", "First moment of tissue less input, and time to the peak of the curve.",
                    {"first_moment", "TTP"}, "turbo");
    page_.quality();
    page_.more_maps("Signal", "Contrast-to-noise ratio of dR2*, and the signal before the bolus.", {"CNR", "S0"},
                    "grey");
    page_.settings();
    references();
    return std::move(page_.html());
  }

 private:
  void opening() {
    const auto& d = d_.concentration;
    const auto g = d.grid();
    const auto mm = d.affine.spacing();
    io::KeyValues facts{
        {"Series",
         fmt::format("{} x {} x {} voxels of {} x {} x {} mm ({}), {} frames from {} to {} s", g[0], g[1], g[2],
                     short_number(mm[0]), short_number(mm[1]), short_number(mm[2]), d.affine.orientation(), d.volumes(),
                     short_number(d.times.front()), short_number(d.times.back()))},
        {"Mask", fmt::format("{}{}{} voxels{}", d_.mask_from, d_.mask_from.empty() ? "" : " (",
                             with_commas(page_.counts().masked), d_.mask_from.empty() ? "" : ")")},
        {"Method", fmt::format("{}{}", method_, correction_ == "none" ? "" : ", peaks corrected for " + correction_)}};
    if (d_.TE > 0) facts.emplace_back("Echo time", fmt::format("{} ms", short_number(1e3 * d_.TE)));
    if (!d_.aif_from.empty()) facts.emplace_back("Arterial input", d_.aif_from);
    page_.opening(facts);
    std::vector<float> CNR;
    if (d_.maps.has("CNR")) {
      const auto values = d_.maps.get("CNR").values.span<const float>();
      CNR.assign(values.begin(), values.end());
    }
    const auto q =
        dsc::quality(d_.input, d_.deepest, d_.TE, d_.arrival, CNR, d_.maps.status.span<const std::uint8_t>());
    for (const auto& w : q.warnings) page_.html().warning(w);
    page_.html().paragraph(
        fmt::format("Artery: arrival at {} s, {} s wide at half its height, {} frames from a tenth of it to the peak, "
                    "{:.0f} % of the "
                    "signal lost. Median contrast-to-noise ratio of the tissue: {}.",
                    short_number(q.arrival), short_number(q.input_width), q.frames_on_rise, 100 * q.input_drop,
                    short_number(q.CNR)));
  }

  void input() {
    page_.html().section("Arterial input",
                         fmt::format("Source: {}. The bolus arrives at {} s.",
                                     d_.aif_from.empty() ? d_.input.source : d_.aif_from, short_number(d_.arrival)));
    const Series artery{.label = "artery",
                        .x = d_.input.times,
                        .y = d_.input.values,
                        .error = {},
                        .draw = Series::Draw::both,
                        .colour = {}};
    const Series tissue{.label = "mean tissue",
                        .x = d_.concentration.times,
                        .y = dsc::mean_curve(concentration_, masked()),
                        .error = {},
                        .draw = Series::Draw::both,
                        .colour = {}};
    io::Plot p;
    p.x_label = "time", p.x_unit = "s", p.y_label = "concentration", p.y_unit = "mM", p.y_from_zero = true;
    p.title = "Whole blood";
    p.markers = {{.at = d_.arrival, .label = "arrival"}};
    io::Plot q = p;
    q.title = "Mean of the tissue";
    page_.html().figures(
        {{io::svg_curves(p, std::span(&artery, 1)), "Arterial input.", ""},
         {io::svg_curves(q, std::span(&tissue, 1)), "Mean curve of the voxels that have a value.", ""}},
        2);
    if (d_.detected.data.empty()) return;
    const auto& score = d_.detected.data;
    const auto values = score.span<const float>();
    const auto n = std::count_if(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
    page_.html().paragraph(fmt::format("{} voxels chosen automatically.", n));
    io::MapView view;
    view.label = "score", view.scale = {"inferno", io::robust_range(score.span<float>(), 0, 100)},
    view.underlay = &page_.underlay();
    page_.html().figure({io::svg_ortho(score, d_.maps.reference.affine, view), "Voxels taken as artery.", ""});
  }

  std::vector<std::uint8_t> masked() const {
    std::vector<std::uint8_t> out;
    for (const auto s : d_.maps.status.span<const std::uint8_t>())
      out.push_back(fit::usable(static_cast<fit::FitStatus>(s)));
    return std::any_of(out.begin(), out.end(), [](auto x) { return x; }) ? out : std::vector<std::uint8_t>{};
  }

  void curves() {
    VoxelCurves view{.x = "time",
                     .x_unit = "s",
                     .y = "C",
                     .y_unit = "mM",
                     .lead =
                         "Measured concentration (points) and what the residue makes of the input (line), in single "
                         "voxels. The line is the model of the correction or of the fit.",
                     .at = d_.concentration.times,
                     .measured = {},
                     .fitted = {}};
    const auto n = static_cast<std::size_t>(d_.concentration.voxels());
    view.measured = [this, n](std::int64_t voxel) {
      std::vector<double> y;
      for (std::size_t t = 0; t < d_.concentration.times.size(); ++t)
        y.push_back(static_cast<double>(concentration_.data<float>()[t * n + static_cast<std::size_t>(voxel)]));
      return y;
    };
    view.fitted = [this](std::int64_t voxel) {
      return dsc::fitted_curve(d_.maps, d_.input, d_.concentration.times, voxel);
    };
    page_.curves(view);
  }

  void references() {
    io::KeyValues first;
    if (!method_.empty())
      first.emplace_back(dsc::deconvolutions().get(method_).title, dsc::deconvolutions().get(method_).source);
    if (!correction_.empty() && correction_ != "none")
      first.emplace_back(dsc::residues().get(correction_).title, dsc::residues().get(correction_).source);
    page_.references(first, {{"Names and units", "OSIPI CAPLEX: Dickie et al., MRM 91:1761 (2024)"}});
  }

  const DscReport& d_;
  std::string method_, correction_;
  MapsPage page_;
  Array concentration_;
};

}  // namespace

io::HtmlReport dsc_report(const DscReport& data) { return Report(data).all(); }

}  // namespace larmor::nodes
