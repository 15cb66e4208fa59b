// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/ivim_ports.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/perfusion/ivim/average.hpp>

namespace larmor::nodes {
namespace {

using flow::Setting;

void compute(flow::Ports& io) {
  const DiffusionSeries s = diffusion_series_in(io);
  const std::string how = io.setting("how").str();
  const auto a = ivim::average_b(s.image.data, s.b,
                                 how == "mean"        ? ivim::Average::mean
                                 : how == "geometric" ? ivim::Average::geometric
                                                      : ivim::Average::none,
                                 io.setting("tolerance"));
  Image out = s.image;
  out.data = a.signal;
  out.times.clear();
  out.meta.erase("DiffusionBValue");
  out.meta["bValues"] = a.b;
  if (how != "none") out.meta["Averages"] = a.counts;
  io.out("signal") = out;
}

}  // namespace

void register_ivim_average(flow::NodeTypes& nodes) {
  nodes.add(
      "ivim.average",
      flow::NodeType{
          .title = "Average b-values",
          .does = "One volume a b-value: the mean of repeats, the powder average or the trace of directions",
          .help = "`mean` averages volumes of one b-value, repeats and directions alike; `geometric` takes the mean "
                  "of the logarithms of directions, whose decay is that of the mean diffusivity (a third of the "
                  "trace). The result is sorted by b and says how many volumes each one holds, which fits use as "
                  "weights.",
          .tags = {"intravoxel incoherent motion", "powder average", "trace", "repeats"}}
          .in<Gridded>("signal", "signal (x, y, z, b)", {.min_rank = 4})
          .out<Image>("signal", "one volume a b-value, rising (x, y, z, b)")
          .set(Setting::choice("how", "volumes of one b-value", "none", {"none", "mean", "geometric"}))
          .set(Setting{"tolerance", "b-values that are one", 1.0, 0, 1000}.in("s/mm2"))
          .set(b_values_setting())
          .validate(ask_for_b_values)
          .run(compute));
}

}  // namespace larmor::nodes
