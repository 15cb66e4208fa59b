// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/figure.hpp>
#include <larmor/io/report.hpp>
#include <larmor/nodes/sim_ports.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/sequence.hpp>

namespace larmor::nodes {
namespace {

/// Corners of one row against time; a jump is two points of one time.
struct Row {
  std::string name, unit;
  std::vector<double> t, v;
  void add(double time, double value) { t.push_back(time), v.push_back(value); }
};

struct Diagram {
  Row B1{"B1", "uT", {}, {}}, phase{"phase", "deg", {}, {}};
  std::vector<Row> g{{"Gx", "mT/m", {}, {}}, {"Gy", "mT/m", {}, {}}, {"Gz", "mT/m", {}, {}}};
  Row adc{"ADC", "", {}, {}};
  double from, to;
};

Diagram diagram_of(const Sequence& s, double from, double to) {
  Diagram d;
  d.from = from, d.to = to;
  double start = 0;
  for (const auto& b : s.blocks) {
    const double end = start + b.duration;
    if (end >= from && start <= to) {
      if (b.rf) {
        const auto& rf = *b.rf;
        const double first = start + rf.sample_time(0);
        d.B1.add(first, 0);
        // A pulse of thousands of samples is drawn by every few of them.
        const std::size_t n = rf.magnitude.size(), step = std::max<std::size_t>(1, n / 400);
        for (std::size_t i = 0; i < n; i = i + step < n || i + 1 == n ? i + step : n - 1) {
          const double t = start + rf.sample_time(i);
          d.B1.add(t, 1e6 * rf.magnitude[i]);
          const double p = rf.phase[i] + rf.phase_offset +
                           2 * std::numbers::pi * rf.frequency_offset * (rf.sample_time(i) - rf.delay);
          d.phase.add(t, std::remainder(p, 2 * std::numbers::pi) / degree);
        }
        d.B1.add(start + rf.duration(), 0);
        d.phase.add(start + rf.duration(), std::numeric_limits<double>::quiet_NaN());
      }
      for (std::size_t a = 0; a < 3; ++a) {
        if (!b.g[a]) continue;
        const auto corners = b.g[a]->corners();
        d.g[a].add(start + corners.front().time, 0);
        const std::size_t n = corners.size(), step = std::max<std::size_t>(1, n / 1000);
        for (std::size_t i = 0; i < n; i = i + step < n || i + 1 == n ? i + step : n - 1)
          d.g[a].add(start + corners[i].time, 1e3 * corners[i].value);
        d.g[a].add(start + corners.back().time, 0);
      }
      if (b.adc) {
        const double a = start + b.adc->delay, e = start + b.adc->duration();
        d.adc.add(a, 0), d.adc.add(a, 1), d.adc.add(e, 1), d.adc.add(e, 0);
      }
    }
    start = end;
  }
  return d;
}

/// All rows on the times of all, linear between, so that one curve holds them.
Curve curve_of(const Diagram& d) {
  std::vector<const Row*> rows{&d.B1, &d.g[0], &d.g[1], &d.g[2], &d.adc};
  std::vector<double> times{d.from, d.to};
  for (const auto* r : rows)
    for (const double t : r->t)
      if (t >= d.from && t <= d.to) times.push_back(t);
  std::sort(times.begin(), times.end());
  times.erase(std::unique(times.begin(), times.end(), [](double a, double b) { return b - a < 1e-10; }), times.end());
  Curve c{.x = times, .y = {}, .label = "pulse sequence", .unit = "uT, mT/m"};
  for (const auto* r : rows) {
    std::vector<double> v;
    std::size_t at = 0;
    for (const double t : times) {
      while (at < r->t.size() && r->t[at] <= t + 1e-12) ++at;
      if (at == 0 || at == r->t.size()) {
        v.push_back(at == 0 || r->v.empty() ? 0 : r->v.back());
        continue;
      }
      const double dt = r->t[at] - r->t[at - 1];
      v.push_back(dt > 0 ? r->v[at - 1] + (r->v[at] - r->v[at - 1]) * (t - r->t[at - 1]) / dt : r->v[at]);
    }
    c.y.push_back(std::move(v));
    c.series.push_back(r->unit.empty() ? r->name : r->name + " [" + r->unit + "]");
  }
  return c;
}

std::string plot(const Row& row, const Diagram& d, bool last) {
  io::Series s{.draw = io::Series::Draw::line};
  s.x.push_back(1e3 * d.from), s.y.push_back(row.name == "phase" ? std::numeric_limits<double>::quiet_NaN() : 0);
  for (std::size_t i = 0; i < row.t.size(); ++i)
    if (row.t[i] >= d.from && row.t[i] <= d.to) s.x.push_back(1e3 * row.t[i]), s.y.push_back(row.v[i]);
  if (row.name != "phase") s.x.push_back(1e3 * d.to), s.y.push_back(0);
  io::Plot p{.x_label = last ? "time" : "", .x_unit = last ? "ms" : "", .y_label = row.name, .y_unit = row.unit};
  p.x_range = io::Range{1e3 * d.from, 1e3 * d.to};
  p.width = 900, p.height = 130, p.legend = false, p.y_from_zero = row.name != "phase";
  return io::svg_curves(p, std::span(&s, 1));
}

void compute(flow::Ports& io) {
  const auto s = io.in<Sequence>("sequence");
  s.check();
  const double whole = s.duration(), from = 1e-3 * double(io.setting("from"));
  const double to = double(io.setting("to")) > 0 ? std::min(1e-3 * double(io.setting("to")), whole) : whole;
  if (!(to > from))
    throw Error(
        Errc::range,
        fmt::format("a diagram from {:g} to {:g} ms of a sequence of {:g} ms", 1e3 * from, 1e3 * to, 1e3 * whole),
        "give a later end, or an earlier beginning");
  const Diagram d = diagram_of(s, from, to);
  io.out("curve") = curve_of(d);
  io::HtmlReport report("Pulse sequence", fmt::format("{} blocks, {:.4g} ms", s.blocks.size(), 1e3 * whole));
  std::vector<const Row*> rows{&d.B1, &d.phase, &d.g[0], &d.g[1], &d.g[2], &d.adc};
  for (const auto* r : rows) report.figure({.svg = plot(*r, d, r == &d.adc)});
  io.out("page") = Page{"Pulse sequence", report.html()};
}

}  // namespace

void register_sim_diagram(flow::NodeTypes& nodes) {
  nodes.add("sim.diagram", flow::NodeType{.title = "Sequence diagram",
                                          .does = "Draws a pulse sequence: pulses, gradients and samples against time",
                                          .tags = {"pulse sequence diagram", "timing", "plot", "waveform"}}
                               .in<Sequence>("sequence", "the sequence")
                               .out<Curve>("curve", "B1, Gx, Gy, Gz and ADC against time")
                               .out<Page>("page", "the diagram, row by row")
                               .set(flow::Setting{"from", "beginning", 0.0, 0.0, 1e9}.in("ms"))
                               .set(flow::Setting{"to", "end; 0: that of the sequence", 0.0, 0.0, 1e9}.in("ms"))
                               .run(compute));
}

}  // namespace larmor::nodes
