// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/flow/node_type.hpp>
#include <larmor/recon/spikes.hpp>

namespace larmor::nodes {
namespace {

void compute(flow::Ports& io) {
  const Array in = io.in<Array>("in");
  const auto out = recon::despike(in, {.along = io.setting("along").str(),
                                       .across = io.setting("across").str(),
                                       .factor = io.setting("factor"),
                                       .reach = int(io.setting("reach")),
                                       .arms = int(io.setting("arms")),
                                       .cancel = &io.cancel()});
  if (!out.places.empty()) {
    std::string first;
    std::int64_t rest = out.places.front();
    for (int axis = 0; axis < in.rank(); ++axis) {
      first += fmt::format("{}{} {}", axis > 0 ? ", " : "", in.axes()[static_cast<std::size_t>(axis)],
                           rest % in.extent(axis));
      rest /= in.extent(axis);
    }
    // Magnitudes alone cannot single out more than a quarter: most of these are no numbers.
    if (2 * static_cast<std::int64_t>(out.places.size()) > in.size())
      throw Error(Errc::range,
                  fmt::format("despike: {} of {} samples are no finite numbers, or do not belong to the rest",
                              out.places.size(), in.size()),
                  "check how the file was written: too few are left to replace them");
    io.warn(fmt::format("{} of {} samples do not belong to the rest and were replaced; the first at {}",
                        out.places.size(), in.size(), first));
  }
  io.out("out") = out.data;
  io.out("count") = static_cast<double>(out.places.size());
}

}  // namespace

void register_recon_despike(flow::NodeTypes& nodes) {
  nodes.add(
      "recon.despike",
      flow::NodeType{
          .title = "Remove spikes",
          .does = "Replaces samples of k-space that do not belong to those around them",
          .from = "Foo et al., Med Phys 21:777 (1994)",
          .help = "A spike is a magnitude above a factor times the upper quartile of the samples around it, along the "
                  "readout and in neighbouring lines. A line through the good samples beside it takes its place. What "
                  "is not a number is replaced too. The node warns of how many there were and where.",
          .tags = {"k-space", "outliers", "sparks", "corrupt", "artefact"}}
          .in<Array>("in", "complex k-space, any axes")
          .out<Array>("out", "the same without spikes")
          .out<double>("count", "samples that were replaced")
          .set({"along", "axis of the readout", "sample"})
          .set({"across", "axis of neighbouring lines; one that is not there is left out", "arm"})
          .set({"factor", "times the upper quartile around it that a sample may have", 10.0, 1.1, 1e6})
          .set({"reach", "samples to each side that count as around", 6, 1, 1000})
          .set({"arms", "lines to each side that count as around", 2, 0, 1000})
          .run(compute));
}

}  // namespace larmor::nodes
