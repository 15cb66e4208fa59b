// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/io/figure.hpp>
#include <larmor/io/report.hpp>
#include <larmor/io/svg.hpp>
#include <limits>

namespace larmor::io {
namespace {

void include(Range& range, double v) {
  if (!std::isfinite(v)) return;
  range.lo = std::min(range.lo, v);
  range.hi = std::max(range.hi, v);
}

Range settled(Range found, const std::optional<Range>& wanted, double margin) {
  if (wanted && std::isfinite(wanted->lo) && std::isfinite(wanted->hi) && wanted->hi > wanted->lo) return *wanted;
  if (!(found.hi >= found.lo)) return {0, 1};  // nothing finite
  const double width = found.hi - found.lo;
  if (width == 0) {
    const double half = found.lo == 0 ? 1 : 0.1 * std::abs(found.lo);
    return {found.lo - half, found.hi + half};
  }
  // A range that begins at 0 or more keeps to that side of 0.
  const double lo = found.lo >= 0 && found.lo - margin * width < 0 ? 0 : found.lo - margin * width;
  return {found.lo == 0 ? 0 : lo, found.hi + margin * width};
}

constexpr Range nothing{std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity()};

struct LegendEntry {
  std::string label, colour;
  Series::Draw draw;
  bool dashed;
};

// Axes, grid, labels and legend around an inner drawing; maps data to the units of the inner drawing.
class Frame {
 public:
  Frame(const Plot& plot, Range x, Range y, const std::vector<LegendEntry>& legend, bool counts)
      : plot_(plot), x_(x), y_(y) {
    y_ticks_ = nice_ticks(y.lo, y.hi, std::max(2, plot.height / 55));
    if (counts) std::erase_if(y_ticks_, [](double t) { return t != std::floor(t); });
    const double y_step = y_ticks_.size() > 1 ? y_ticks_[1] - y_ticks_[0] : y.hi - y.lo;
    double widest = 0;
    for (const double t : y_ticks_) {
      y_texts_.push_back(counts ? svg::grouped(t) : tick_text(t, y_step));
      widest = std::max(widest, svg::text_width(y_texts_.back()));
    }
    left_ = widest + 12 + (plot.y_label.empty() && plot.y_unit.empty() ? 6 : 22);
    right_ = plot.width - 14.0;
    top_ = 10;
    body_ = svg::open(plot.width, plot.height, plot.title.empty() ? plot.y_label : plot.title);
    if (!plot.title.empty()) {
      body_ += svg::text(left_, top_ + 8, "start", plot.title, 13, "font-weight=\"600\"");
      top_ += 20;
    }
    draw_legend(legend);
    const bool tall_markers = std::any_of(plot.markers.begin(), plot.markers.end(),
                                          [](const Marker& m) { return m.vertical && !m.label.empty(); });
    if (tall_markers) top_ += 13;
    bottom_ = plot.height - (plot.x_label.empty() && plot.x_unit.empty() ? 24.0 : 42.0);
    draw_axes();
  }

  double X(double v) const { return (v - x_.lo) / (x_.hi - x_.lo) * width(); }
  double Y(double v) const { return (y_.hi - v) / (y_.hi - y_.lo) * height(); }
  double width() const { return right_ - left_; }
  double height() const { return bottom_ - top_; }

  /// `inner` in inner units is clipped to the plot's area; a nested svg clips without needing an id.
  std::string finish(const std::string& inner) {
    body_ +=
        fmt::format("<svg x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" overflow=\"hidden\">{}</svg>",
                    left_, top_, width(), height(), inner);
    draw_markers();
    return body_ + "</svg>";
  }

 private:
  void draw_legend(const std::vector<LegendEntry>& entries) {
    double x = left_, y = top_ + 4;
    bool any = false;
    for (const auto& e : entries) {
      const double w = 26 + svg::text_width(e.label) + 14;
      if (any && x + w > right_) x = left_, y += 17;
      const std::string stroke = fmt::format("stroke=\"{}\" stroke-width=\"2.2\"", e.colour);
      if (e.draw != Series::Draw::points)
        body_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}{}/>", x, y, x + 20, y,
                             stroke, e.dashed ? " stroke-dasharray=\"6 4\"" : "");
      if (e.draw == Series::Draw::points || e.draw == Series::Draw::both)
        body_ += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>", x + 10, y, e.colour);
      body_ += svg::text(x + 26, y + 4, "start", e.label);
      x += w;
      any = true;
    }
    if (any) top_ = y + 14;
  }

  void draw_axes() {
    for (std::size_t i = 0; i < y_ticks_.size(); ++i) {
      const double y = top_ + Y(y_ticks_[i]);
      body_ += svg::line(left_, y, right_, y, 0.12);
      body_ += svg::text(left_ - 7, y + 4, "end", y_texts_[i], 11.5, "fill-opacity=\"0.75\"");
    }
    const auto ticks = nice_ticks(x_.lo, x_.hi, std::max(2, plot_.width / 80));
    const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : x_.hi - x_.lo;
    for (const double t : ticks) {
      const double x = left_ + X(t);
      body_ += svg::line(x, top_, x, bottom_, 0.06) + svg::line(x, bottom_, x, bottom_ + 4, 0.6);
      body_ += svg::text(x, bottom_ + 17, "middle", tick_text(t, step), 11.5, "fill-opacity=\"0.75\"");
    }
    body_ += svg::line(left_, bottom_, right_, bottom_, 0.6) + svg::line(left_, top_, left_, bottom_, 0.6);
    if (y_.lo < 0 && y_.hi > 0) body_ += svg::line(left_, top_ + Y(0), right_, top_ + Y(0), 0.45);
    body_ += svg::text((left_ + right_) / 2, plot_.height - 6.0, "middle", svg::with_unit(plot_.x_label, plot_.x_unit),
                       12.5);
    const double middle = (top_ + bottom_) / 2;
    body_ += svg::text(13, middle, "middle", svg::with_unit(plot_.y_label, plot_.y_unit), 12.5,
                       fmt::format("transform=\"rotate(-90 13 {:.1f})\"", middle));
  }

  void draw_markers() {
    for (const auto& m : plot_.markers) {
      const Range& range = m.vertical ? x_ : y_;
      if (!(m.at >= range.lo && m.at <= range.hi)) continue;
      const double at = m.vertical ? left_ + X(m.at) : top_ + Y(m.at);
      const std::string dash = "stroke=\"currentColor\" stroke-opacity=\"0.65\" stroke-dasharray=\"4 3\"";
      if (m.vertical) {
        body_ += fmt::format("<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" {3}/>", at, top_ - 2,
                             bottom_, dash);
        const double half = svg::text_width(m.label, 10.5) / 2;
        body_ += svg::text(std::clamp(at, left_ + half, std::max(left_ + half, right_ - half)), top_ - 5, "middle",
                           m.label, 10.5, "fill-opacity=\"0.85\"");
      } else {
        body_ += fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>", left_, at, right_,
                             at, dash);
        body_ += svg::text(right_ - 2, at - 4, "end", m.label, 10.5, "fill-opacity=\"0.85\"");
      }
    }
  }

  const Plot& plot_;
  Range x_, y_;
  std::vector<double> y_ticks_;
  std::vector<std::string> y_texts_;
  double left_ = 0, right_ = 0, top_ = 0, bottom_ = 0;
  std::string body_;
};

std::string path_of(const Frame& frame, const Series& s) {
  // Off-scale values are held near the frame: browsers lose precision beyond some thousands of units.
  const auto y_of = [&](double v) { return std::clamp(frame.Y(v), -3000.0, 3000.0 + frame.height()); };
  const auto x_of = [&](double v) { return std::clamp(frame.X(v), -3000.0, 3000.0 + frame.width()); };
  std::string d;
  bool pen = false;
  double last_y = 0;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) {
      pen = false;
      continue;
    }
    const double x = x_of(s.x[i]), y = y_of(s.y[i]);
    if (pen && s.draw == Series::Draw::steps) d += fmt::format("L{:.1f} {:.1f}", x, last_y);
    d += fmt::format("{}{:.1f} {:.1f}", pen ? 'L' : 'M', x, y);
    pen = true, last_y = y;
  }
  return d;
}

std::string draw(const Frame& frame, const Series& s, const std::string& colour) {
  std::string out;
  if (s.draw != Series::Draw::points)
    if (const auto d = path_of(frame, s); !d.empty())
      out += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\"{}/>",
                         d, colour, s.dashed ? " stroke-dasharray=\"6 4\"" : "");
  const bool points = s.draw == Series::Draw::points || s.draw == Series::Draw::both;
  const double radius = s.x.size() > 150 ? 1.8 : 2.8;
  for (std::size_t i = 0; i < s.x.size(); ++i) {
    if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
    const double x = frame.X(s.x[i]), y = frame.Y(s.y[i]);
    if (!(std::abs(x) < 1e4 && std::abs(y) < 1e4)) continue;
    if (i < s.error.size() && s.error[i] > 0 && std::isfinite(s.error[i]))
      out += fmt::format(
          "<line x1=\"{0:.1f}\" y1=\"{1:.1f}\" x2=\"{0:.1f}\" y2=\"{2:.1f}\" stroke=\"{3}\" stroke-opacity=\"0.55\"/>",
          x, std::clamp(frame.Y(s.y[i] + s.error[i]), -3000., 3000.),
          std::clamp(frame.Y(s.y[i] - s.error[i]), -3000., 3000.), colour);
    if (points)
      out += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" fill=\"{}\" fill-opacity=\"0.8\"/>", x, y,
                         radius, colour);
  }
  return out;
}

}  // namespace

std::string svg_curves(const Plot& plot, std::span<const Series> series) {
  Range x = nothing, y = nothing;
  std::vector<LegendEntry> legend;
  std::vector<std::string> colours;
  for (const auto& s : series) {
    if (s.x.size() != s.y.size() || (!s.error.empty() && s.error.size() != s.y.size()))
      throw Error(Errc::shape, fmt::format("curve '{}' has {} x, {} y and {} error values", s.label, s.x.size(),
                                           s.y.size(), s.error.size()));
    for (std::size_t i = 0; i < s.x.size(); ++i) {
      if (!std::isfinite(s.x[i]) || !std::isfinite(s.y[i])) continue;
      include(x, s.x[i]);
      const double error = i < s.error.size() && std::isfinite(s.error[i]) ? s.error[i] : 0;
      include(y, s.y[i] - error), include(y, s.y[i] + error);
    }
    const auto next = svg::cycle[colours.size() % std::size(svg::cycle)];
    colours.push_back(s.colour.empty() ? std::string(next) : escape_html(s.colour));
    if (plot.legend && !s.label.empty()) legend.push_back({s.label, colours.back(), s.draw, s.dashed});
  }
  if (plot.y_from_zero) include(y, 0);
  Frame frame(plot, settled(x, plot.x_range, 0.01), settled(y, plot.y_range, 0.05), legend, false);
  std::string inner;
  // Points under lines, so that a fit is seen on its data.
  for (const bool lines : {false, true})
    for (std::size_t i = 0; i < series.size(); ++i)
      if ((series[i].draw != Series::Draw::points) == lines) inner += draw(frame, series[i], colours[i]);
  return frame.finish(inner);
}

std::string svg_histogram(const Plot& plot, std::span<const float> values, int bins) {
  // Of voxels the outermost only stretch the axis; of a few cases they are what is looked for.
  const double cut = values.size() < 1000 ? 0 : 0.5;
  const Range x = settled(nothing, plot.x_range ? plot.x_range : robust_range(values, cut, 100 - cut), 0);
  std::vector<float> inside;
  std::size_t finite = 0;
  for (const float v : values) {
    finite += std::isfinite(v);
    if (v >= x.lo && v <= x.hi) inside.push_back(v);
  }
  double median = std::nan("");
  if (!inside.empty()) {
    const auto quartile = [&](double q) {
      const auto at = inside.begin() + static_cast<std::ptrdiff_t>(q * static_cast<double>(inside.size() - 1));
      std::nth_element(inside.begin(), at, inside.end());
      return static_cast<double>(*at);
    };
    const double iqr = quartile(0.75) - quartile(0.25);
    if (bins <= 0) {
      const double width = 2 * iqr / std::cbrt(static_cast<double>(inside.size()));
      bins = width > 0 ? static_cast<int>(std::clamp(std::ceil((x.hi - x.lo) / width), 8.0, 80.0)) : 30;
    }
  }
  if (finite > 0) {
    std::vector<float> all;
    for (const float v : values)
      if (std::isfinite(v)) all.push_back(v);
    const auto at = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
    std::nth_element(all.begin(), at, all.end());
    median = *at;
    // Of an even number the mean of the two in the middle, as the tables beside the picture say it.
    if (all.size() % 2 == 0) median = (median + static_cast<double>(*std::max_element(all.begin(), at))) / 2;
  }
  bins = std::clamp(bins, 1, 500);
  std::vector<double> counts(static_cast<std::size_t>(bins));
  for (const float v : inside) {
    const auto bin = static_cast<std::size_t>((v - x.lo) / (x.hi - x.lo) * bins);
    ++counts[std::min(bin, counts.size() - 1)];
  }
  Plot framed = plot;
  if (std::isfinite(median)) {
    // The step of a thousandth of the range gives three digits that mean something.
    const double step = std::pow(10, std::floor(std::log10((x.hi - x.lo) / 100)));
    framed.markers.push_back({median, "median " + tick_text(median, step), true});
  }
  if (framed.y_label.empty()) framed.y_label = "Voxels";
  const double most = *std::max_element(counts.begin(), counts.end());
  Frame frame(framed, x, settled({0, std::max(1.0, most)}, plot.y_range, 0.05), {}, true);
  std::string inner;
  const double width = frame.width() / bins;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    const double y = frame.Y(counts[i]);
    inner += fmt::format(
        "<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\" fill=\"{}\" fill-opacity=\"0.8\"/>",
        static_cast<double>(i) * width + 0.4, y, std::max(0.6, width - 0.8), frame.height() - y, svg::cycle[0]);
  }
  return frame.finish(inner);
}

}  // namespace larmor::io
