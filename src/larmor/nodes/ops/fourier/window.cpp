// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/nd/broadcast.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/window.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

// Weights over the chosen axes: a product of one window an axis, or one of the distance from the centre.
Array weights(const Array& in, const std::vector<int>& axes, const nd::WindowInfo& w, double p, double radius,
              bool radial) {
  Array out(DType::f64, {});
  *out.data<double>() = radial ? 0 : 1;
  for (const int axis : axes) {
    const std::int64_t n = in.extent(axis);
    std::vector<double> line = nd::window_weights(w.window, n, p, radius);
    if (radial)
      for (std::int64_t k = 0; k < n; ++k) {
        const double u = n == 1 ? 0 : static_cast<double>(k - n / 2) / (static_cast<double>(n) / 2 * radius);
        line[static_cast<std::size_t>(k)] = u * u;
      }
    const Array one = Array::from<double>(line, {n}, {in.axes()[static_cast<std::size_t>(axis)]});
    out = nd::apply(radial ? nd::Binary::add : nd::Binary::multiply, out, one);
  }
  if (radial)
    for (double& v : out.span<double>()) v = nd::window_at(w.window, std::sqrt(v), p);
  return out;
}

void compute(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  const auto& w = nd::window_called(io.setting("window"));
  const auto axes = axes_or_all(in.data, io.setting("axes"));
  const double p = io.setting("parameter").given() ? double(io.setting("parameter")) : w.usual;
  Array line = weights(in.data, axes, w, p, io.setting("radius"), io.setting("radial"));
  const DType work = nd::real_type(nd::arithmetic_type(std::span(&in.data, 1)));
  line = line.cast(work);
  io.out("out") = in.with(nd::apply(nd::Binary::multiply, in.data, line, &io.cancel()));
  io.out("weights") = line;
}

void adapt(flow::Form& form) {
  offer_axes(form, "in", "axes");
  const auto& w = nd::window_called(form.setting("window"));
  if (!*w.parameter) form.hide("parameter");
  form.change("parameter").what = std::string(w.parameter) + "; " + (*w.parameter ? std::to_string(w.usual) : "");
}

}  // namespace

void register_fourier_window(flow::NodeTypes& nodes) {
  std::vector<std::string> names;
  std::string help = "With $u$ the distance from the centre, index $\\lfloor n/2 \\rfloor$, over the radius:\n\n";
  for (const auto& w : nd::windows()) {
    names.emplace_back(w.name);
    help +=
        std::string("- ") + w.name + ": " + w.what + (*w.parameter ? std::string(", p: ") + w.parameter : "") + "\n";
  }
  auto parameter =
      flow::Setting{"parameter", "p of tukey, gaussian, kaiser and fermi; a usual one when not set", 0.0, 0.0};
  parameter.value = {};
  nodes.add("fourier.window",
            flow::NodeType{.title = "Window",
                           .does = "Weights axes with a window about their centre",
                           .from = "Harris, Proc. IEEE 66:51 (1978)",
                           .help = help,
                           .tags = {"apodise", "filter", "Gibbs", "k-space", "taper"}}
                .in<Gridded>("in", "array, as k-space with 0 in the middle")
                .out<Gridded>("out", "the same shape")
                .out<Array>("weights", "the window over its axes")
                .set(flow::Setting::choice("window", "shape of the window", "hann", names))
                .set({"axes", "axes to weight; all when empty", ""})
                .set(flow::Setting{"radius", "where u = 1, over half the axis", 1.0, 0.001, 10.0})
                .set(std::move(parameter).or_none())
                .set({"radial", "one window of the distance from the centre, else one an axis", false})
                .validate(adapt)
                .run(compute));
}

}  // namespace larmor::nodes
