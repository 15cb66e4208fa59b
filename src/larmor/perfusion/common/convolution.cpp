// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/perfusion/common/convolution.hpp>
#include <larmor/perfusion/common/convolution_steps.hpp>

namespace larmor::perfusion {

void register_convolutions(Convolutions&);  // generated from convolutions/

const Convolutions& convolutions() {
  static const Convolutions all = [] {
    Convolutions r("convolution", "larmor list convolutions");
    register_convolutions(r);
    return r;
  }();
  return all;
}

void check_convolution(std::span<const double> times, std::span<const double> input, double rate,
                       std::span<const double> at, std::span<const double> out) {
  if (times.size() != input.size())
    throw Error(Errc::shape, fmt::format("convolution: {} times for {} input values", times.size(), input.size()),
                "give one time [s] for each value");
  if (times.empty()) throw Error(Errc::shape, "convolution: an input of 0 samples", "give at least 1 sample");
  if (at.size() != out.size())
    throw Error(Errc::shape, fmt::format("convolution: {} output times for {} output values", at.size(), out.size()),
                "give room for one value at each output time");
  if (!(rate >= 0) || !std::isfinite(rate))
    throw Error(Errc::range, fmt::format("convolution: a rate of {} 1/s", rate), "give a finite rate of 0 or more");
  for (std::size_t i = 0; i < times.size(); ++i)
    if (!std::isfinite(times[i]) || (i > 0 && !(times[i] > times[i - 1])))
      throw Error(Errc::range,
                  fmt::format("convolution: time {} s at sample {} does not follow {} s", times[i], i,
                              i > 0 ? times[i - 1] : -INFINITY),
                  "give finite, strictly increasing times [s]");
  for (std::size_t j = 0; j < at.size(); ++j)
    if (!std::isfinite(at[j]) || (j > 0 && !(at[j] >= at[j - 1])))
      throw Error(Errc::range,
                  fmt::format("convolution: output time {} s at position {} does not follow {} s", at[j], j,
                              j > 0 ? at[j - 1] : -INFINITY),
                  "give finite output times [s] in order");
}

}  // namespace larmor::perfusion
