// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/nodes/map_files.hpp>
#include <larmor/nodes/maps_report.hpp>
#include <larmor/nodes/number_text.hpp>

namespace larmor::nodes {

using io::Figure;
using io::Series;

std::vector<MapsPage::Example> MapsPage::examples() const {
  std::vector<Example> out;
  const auto values = d_.maps.get(names_[0]).values.span<float>();
  const auto status = d_.maps.status.span<std::uint8_t>();
  std::vector<std::int64_t> order;
  for (std::size_t v = 0; v < values.size(); ++v)
    if (std::isfinite(values[v])) order.push_back(static_cast<std::int64_t>(v));
  std::sort(order.begin(), order.end(),
            [&](auto a, auto b) { return values[static_cast<std::size_t>(a)] < values[static_cast<std::size_t>(b)]; });
  const auto at = [&](double part) {
    return order[static_cast<std::size_t>(part * static_cast<double>(order.size() - 1))];
  };
  if (!order.empty()) {
    out.push_back({at(0.1), fmt::format("Low {} (10th percentile)", names_[0])});
    out.push_back({at(0.5), fmt::format("Median {}", names_[0])});
    out.push_back({at(0.9), fmt::format("High {} (90th percentile)", names_[0])});
  }
  if (!order.empty() && d_.maps.has("R2")) {
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

std::string MapsPage::values_of(std::int64_t voxel) const {
  std::string s;
  for (const auto& name : names_) {
    if (!d_.maps.has(name)) continue;
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

void MapsPage::curves(const VoxelCurves& view) {
  html_.section("Fitted curves", view.lead);
  const auto& times = view.at;
  const auto g = d_.maps.reference.grid();
  std::vector<Figure> figures;
  for (const auto& e : examples()) {
    const auto y = view.measured(e.voxel);
    const auto fitted = view.fitted(e.voxel);
    const bool good = !fitted.empty();
    io::Plot p;
    p.x_label = view.x, p.x_unit = view.x_unit, p.y_label = view.y, p.y_unit = view.y_unit;
    p.height = 280;
    std::vector<Series> curves{
        {.label = "measured", .x = times, .y = y, .error = {}, .draw = Series::Draw::points, .colour = {}}};
    std::string picture;
    if (good) {
      curves.push_back({.label = "fit",
                        .x = view.line ? view.line_at : times,
                        .y = view.line ? view.line(e.voxel) : fitted,
                        .error = {},
                        .draw = Series::Draw::line,
                        .colour = {}});
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
    if (!good) {
      text += fit::explain(status);
    } else {
      text += values_of(e.voxel);
      if (d_.maps.has("R2"))
        text +=
            fmt::format("; R2 = {:.3f}",
                        static_cast<double>(d_.maps.get("R2").values.span<float>()[static_cast<std::size_t>(e.voxel)]));
      text += ".";
    }
    figures.push_back({picture, text, e.title});
  }
  html_.figures(figures, 2);
}

}  // namespace larmor::nodes
