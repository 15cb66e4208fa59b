// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/registry.hpp>
#include <span>
#include <string>

namespace larmor::perfusion {

/// g(t) = integral from times[0] to t of input(s) exp(-rate (t - s)) ds, for rate >= 0 [1/s].
///
/// times   (M >= 1) [s], strictly increasing, any spacing, starting anywhere
/// input   (M) linear between its samples, 0 before the first, its last value held after the last
/// at      (N) [s], not decreasing, any other grid; out (N) written, 0 up to times[0]
/// Errors  Errc::shape, Errc::range (times not increasing, a negative rate; a method that needs a uniform grid and has
///         none)
using ConvolveExp = std::function<void(std::span<const double> times, std::span<const double> input, double rate,
                                       std::span<const double> at, std::span<double> out)>;

struct ConvolutionMethod {
  std::string title, source;
  std::string accuracy;  // one sentence
  bool any_grid = true;  // false: uniform grids only
  ConvolveExp convolve;
};
using Convolutions = Registry<ConvolutionMethod>;
/// convolution.exact (piecewise-linear input x exponential), convolution.fft, convolution.trapezoid
const Convolutions& convolutions();

/// The exact one, on its own.
void convolve_exp(std::span<const double> times, std::span<const double> input, double rate, std::span<const double> at,
                  std::span<double> out);

}  // namespace larmor::perfusion
