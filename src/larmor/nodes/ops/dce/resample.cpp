// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>

namespace larmor::nodes {
namespace {

void resample(flow::Ports& io) {
  const Aif in = io.in<Aif>("in");
  std::vector<double> times;
  if (io.has("times")) {
    times = io.in<std::vector<double>>("times");
  } else {
    const double step = io.setting("step"), first = in.times.front(), last = in.times.back();
    if ((last - first) / step > 1e7)
      throw Error(Errc::range, fmt::format("{:.3g} samples of {} s", (last - first) / step, step),
                  "give a longer step");
    for (std::size_t i = 0; first + static_cast<double>(i) * step <= last + 1e-9 * step; ++i)
      times.push_back(first + static_cast<double>(i) * step);
  }
  io.out("out") = dce::resampled(in, times);
}

}  // namespace

void register_dce_resample(flow::NodeTypes& nodes) {
  nodes.add(
      "dce.resample",
      flow::NodeType{.title = "Resample a curve",
                     .does = "An input curve at other times",
                     .from = "Fritsch and Carlson, SIAM J Numer Anal 17:238 (1980)",
                     .help = "Monotone cubic interpolation: no overshoot between samples. 0 before the first, the "
                             "last value held after the last.",
                     .tags = {"AIF", "interpolate", "DCE"}}
          .in<Aif>("in", "concentration [mM]")
          .maybe<std::vector<double>>("times", "wanted times [s]; else every step")
          .out<Aif>("out", "at those times")
          .set(flow::Setting{"step", "time between samples", 1.0, 1e-3, 600}.in("s"))
          .run(resample));
}

}  // namespace larmor::nodes
