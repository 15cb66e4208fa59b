// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/nd/noise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/nodes/axes.hpp>

namespace larmor::nodes {
namespace {

void add_noise(flow::Ports& io) {
  const auto in = io.in<Gridded>("in");
  double sd = io.setting("sd");
  if (io.setting("relative")) {
    const bool complex = in.data.dtype() == DType::c64 || in.data.dtype() == DType::c128;
    // Peak as the root of the largest squared magnitude: the norm of each element alone.
    const Array size = complex ? nd::reduce(nd::Reduction::norm, in.data.reshaped({1, in.data.size()}, {"x", "y"}),
                                            std::vector<int>{0})
                               : in.data;
    sd *= *nd::reduce(nd::Reduction::maximum, size, {}, {.nan = nd::NaN::omit}).cast(DType::f64).data<double>();
  }
  const auto kind = io.setting("kind").str() == "rician" ? nd::Noise::rician : nd::Noise::gaussian;
  io.out("out") = in.with(
      nd::add_noise(in.data, kind, sd, static_cast<std::uint64_t>(std::int64_t(io.setting("seed"))), &io.cancel()));
  io.out("sd") = sd;
}

void noise(flow::Ports& io) {
  Shape shape;
  Axes axes;
  static const char* const names[] = {"x", "y", "z", "t"};
  for (const double n : io.setting("size").numbers()) {
    if (n < 1 || n > 1e9 || axes.size() > 3)
      throw Error(Errc::range, fmt::format("an axis of {:g} elements", n),
                  "give one to four whole numbers of 1 or more");
    shape.push_back(static_cast<std::int64_t>(n)), axes.emplace_back(names[axes.size()]);
  }
  const std::string kind = io.setting("kind");
  const auto seed = static_cast<std::uint64_t>(std::int64_t(io.setting("seed")));
  const DType type = kind == "complex" ? DType::c64 : DType::f32;
  io.out("out") = kind == "uniform" ? nd::uniform(type, shape, axes, seed, &io.cancel())
                                    : nd::add_noise(Array(type, shape, axes), nd::Noise::gaussian, io.setting("sd"),
                                                    seed, &io.cancel());
}

}  // namespace

/// phantom.add_noise and phantom.noise.
void register_phantom_noise(flow::NodeTypes& nodes) {
  const std::string help = "The same seed gives the same numbers on every machine and for every number of threads.";
  nodes.add("phantom.add_noise",
            flow::NodeType{.title = "Add noise",
                           .does = "Adds Gaussian or Rician noise",
                           .from = "Gudbjartsson and Patz, MRM 34:910 (1995), for Rician noise",
                           .help = "Gaussian: in every real number, and in both parts of complex ones. Rician: "
                                   "$|a + n_1 + i n_2|$, as in magnitude images. " +
                                   help,
                           .tags = {"SNR", "gaussian", "rician", "random", "simulation"}}
                .in<Gridded>("in", "real or complex array")
                .out<Gridded>("out", "the same shape")
                .out<double>("sd", "standard deviation used")
                .set(flow::Setting::choice("kind", "distribution", "gaussian", {"gaussian", "rician"}))
                .set({"sd", "standard deviation", 0.05, 0.0})
                .set({"relative", "the standard deviation counts in parts of the largest magnitude", false})
                .set({"seed", "another seed gives other numbers", 1, 0})
                .run(add_noise));
  nodes.add("phantom.noise",
            flow::NodeType{.title = "Noise",
                           .does = "Makes random numbers",
                           .help = help,
                           .tags = {"random", "gaussian", "normal", "uniform"}}
                .out<Array>("out", "f32, or c64 for complex")
                .set(flow::Setting::numbers("size", "elements along x, y, z, t", {128, 128}))
                .set(flow::Setting::choice("kind", "distribution", "gaussian", {"gaussian", "complex", "uniform"}))
                .set({"sd", "standard deviation of gaussian, and of each part of complex", 1.0, 0.0})
                .set({"seed", "another seed gives other numbers", 1, 0})
                .run(noise));
}

}  // namespace larmor::nodes
