// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/perfusion/common/convolution.hpp>
#include <larmor/perfusion/common/convolution_steps.hpp>

namespace larmor::perfusion {
namespace {

void convolve(std::span<const double> times, std::span<const double> input, double rate, std::span<const double> at,
              std::span<double> out) {
  check_convolution(times, input, rate, at, out);
  // After the last sample the rule goes on at the spacing it had: one long step would miss the decay.
  // Ten thousand steps are enough for any tail: the input is constant there.
  const std::size_t n = times.size();
  const double beyond = at.empty() ? 0 : (at.back() - times[n - 1]) / 1e4;
  const double tail = std::max(n > 1 ? times[n - 1] - times[n - 2] : beyond, std::max(beyond, 1e-300));
  convolve_by_steps(times, input, at, out, tail, [&](double g, double from, double to, double h) {
    const double decay = std::exp(-rate * h);
    return decay * g + 0.5 * h * (decay * from + to);
  });
}

}  // namespace

void register_trapezoid(Convolutions& all) {
  all.add("convolution.trapezoid", {.title = "Trapezoid rule",
                                    .source = "Press et al., Numerical Recipes, 3rd ed., section 4.1 (2007)",
                                    .accuracy = "error of order (rate x sampling interval)^2",
                                    .any_grid = true,
                                    .convolve = convolve});
}

}  // namespace larmor::perfusion
