// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstddef>
#include <span>

namespace larmor::perfusion {

/// What every method asks of its arguments. Errors   Errc::shape, Errc::range
void check_convolution(std::span<const double> times, std::span<const double> input, double rate,
                       std::span<const double> at, std::span<const double> out);

/// Runs g(t + h) = step(g(t), input(t), input(t + h), h) from sample to sample and, from the last sample before each
/// output time, once more to that time: so the outputs need not lie on the grid of the input.
///
/// max_tail_step [s] longest step after the last sample, where the input is held
template <class Step>
void convolve_by_steps(std::span<const double> times, std::span<const double> input, std::span<const double> at,
                       std::span<double> out, double max_tail_step, Step&& step) {
  const std::size_t last = times.size() - 1;
  std::size_t i = 0;  // g holds the response at `now`, in the segment that starts at sample i
  double now = times[0];
  double g = 0;
  for (std::size_t j = 0; j < at.size(); ++j) {
    if (at[j] <= times[0]) {
      out[j] = 0;
      continue;
    }
    while (i < last && times[i + 1] <= at[j]) {
      g = step(g, input[i], input[i + 1], times[i + 1] - times[i]);
      now = times[++i];
    }
    if (i == last) {
      while (at[j] - now > max_tail_step) g = step(g, input[last], input[last], max_tail_step), now += max_tail_step;
      out[j] = at[j] > now ? step(g, input[last], input[last], at[j] - now) : g;
    } else if (at[j] > now) {
      const double part = (at[j] - now) / (times[i + 1] - now);
      out[j] = step(g, input[i], input[i] + part * (input[i + 1] - input[i]), at[j] - now);
    } else {
      out[j] = g;
    }
  }
}

}  // namespace larmor::perfusion
