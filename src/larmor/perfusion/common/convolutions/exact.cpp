// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/common/convolution.hpp>
#include <larmor/perfusion/common/convolution_steps.hpp>
#include <limits>

namespace larmor::perfusion {
namespace {

// Weights of the ends of a segment of length h for x = rate h, with v the place inside it:
//   start = int_0^1 (1 - v) exp(-x (1 - v)) dv = (1 - (1 + x) exp(-x)) / x^2
//   end   = int_0^1      v  exp(-x (1 - v)) dv = (x - 1 + exp(-x)) / x^2
struct Weights {
  double decay, start, end;
};
Weights weights(double x) {
  const double decay = std::exp(-x);
  if (x >= 1) return {decay, (1 - (1 + x) * decay) / (x * x), (x - 1 + decay) / (x * x)};
  // Below 1 the closed form loses digits as 1 / x^2: end = sum (-x)^n / (n + 2)!, 18 terms leave 1e-19 of it at x = 1.
  double term = 0.5, end = 0.5;
  for (int n = 1; n < 18; ++n) end += term *= -x / (n + 2);
  const double mean = x > 0 ? -std::expm1(-x) / x : 1.0;
  return {decay, mean - end, end};
}

}  // namespace

void convolve_exp(std::span<const double> times, std::span<const double> input, double rate, std::span<const double> at,
                  std::span<double> out) {
  check_convolution(times, input, rate, at, out);
  double known_h = -1;  // a uniform grid has one step: its weights are computed once
  Weights w{};
  convolve_by_steps(times, input, at, out, std::numeric_limits<double>::infinity(),
                    [&](double g, double from, double to, double h) {
                      if (h != known_h) w = weights(rate * h), known_h = h;
                      return w.decay * g + h * (w.start * from + w.end * to);
                    });
}

void register_exact(Convolutions& all) {
  all.add(
      "convolution.exact",
      {.title = "Exact: piecewise-linear input x exponential",
       .source = "Flouri, Lesnic & Sourbron, MRM 76:998 (2016), appendix: recursive convolution with an exponential",
       .accuracy = "exact up to rounding for an input that is linear between its samples, on any time grid",
       .any_grid = true,
       .convolve = convolve_exp});
}

}  // namespace larmor::perfusion
