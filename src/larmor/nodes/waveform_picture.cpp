// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/io/figure.hpp>
#include <larmor/nodes/waveform_picture.hpp>

namespace larmor::nodes {
namespace {

std::string capital(std::string text) {
  if (!text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::vector<io::Series> series_of(const Curve& c) {
  std::vector<io::Series> out;
  for (std::size_t i = 0; i < c.y.size(); ++i) {
    io::Series s{.label = i < c.series.size() ? c.series[i] : std::string(), .x = c.x, .y = c.y[i]};
    s.dashed = s.label == "limit";
    if (s.dashed) s.colour = "#888888";
    out.push_back(s);
    if (!s.dashed) continue;
    s.label.clear();
    for (double& v : s.y) v = -v;
    out.push_back(std::move(s));
  }
  return out;
}

}  // namespace

std::string waveform_svg(const std::vector<Curve>& curves) {
  constexpr int width = 760, height = 240, gap = 8;
  const auto n = static_cast<int>(curves.size());
  const int whole = n * (height + gap);
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "color=\"#24292f\" font-family=\"sans-serif\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
      width, whole);
  for (int i = 0; i < n; ++i) {
    const Curve& c = curves[static_cast<std::size_t>(i)];
    const io::Plot plot{.x_label = capital(c.x_label),
                        .x_unit = c.x_unit,
                        .y_label = capital(c.label),
                        .y_unit = c.unit,
                        .width = width,
                        .height = height};
    out += fmt::format("<svg y=\"{}\" width=\"{}\" height=\"{}\">\n{}\n</svg>\n", i * (height + gap), width, height,
                       io::svg_curves(plot, series_of(c)));
  }
  return out + "</svg>\n";
}

}  // namespace larmor::nodes
