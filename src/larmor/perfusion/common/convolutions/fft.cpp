// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/fft.hpp>
#include <larmor/perfusion/common/convolution.hpp>
#include <larmor/perfusion/common/convolution_steps.hpp>
#include <vector>

namespace larmor::perfusion {
namespace {

using Complex = std::complex<double>;

// Sampling times come from files and sums of TR: their rounding is not a change of the spacing.
constexpr double spacing_tolerance = 1e-6;
constexpr double most_samples = 1 << 22;  // beyond this an output time is a mistake, not a measurement

double uniform_step(std::span<const double> times) {
  if (times.size() < 2)
    throw Error(Errc::range, "convolution.fft: an input of 1 sample has no spacing",
                "give at least 2 samples, or use convolution.exact");
  const double step = (times.back() - times.front()) / static_cast<double>(times.size() - 1);
  for (std::size_t i = 1; i < times.size(); ++i)
    if (const double h = times[i] - times[i - 1]; std::abs(h - step) > spacing_tolerance * step)
      throw Error(
          Errc::range,
          fmt::format("convolution.fft needs a uniform grid: sample {} comes {} s after the last, the mean is {} s", i,
                      h, step),
          "use convolution.exact, which takes any grid, or resample the input");
  return step;
}

// Both curves in one transform: a is the real part, b the imaginary one of z, and the product of their spectra follows
// from the symmetry of Z.
std::vector<double> product_of(const std::vector<double>& a, const std::vector<double>& b, std::size_t n) {
  Array z = Array::of<Complex>({static_cast<std::int64_t>(n)});
  for (std::size_t i = 0; i < a.size(); ++i) z.span<Complex>()[i] = {a[i], b[i]};
  const Array Z = fft(z, {0});
  Array Y = Array::of<Complex>({static_cast<std::int64_t>(n)});
  const auto spectrum = Z.span<Complex>();
  for (std::size_t k = 0; k < n; ++k) {
    const Complex p = spectrum[k], m = std::conj(spectrum[(n - k) % n]);
    Y.span<Complex>()[k] = (p + m) * (p - m) / Complex(0, 4);
  }
  const Array y = ifft(Y, {0});
  std::vector<double> out(a.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = y.span<Complex>()[i].real();
  return out;
}

void convolve(std::span<const double> times, std::span<const double> input, double rate, std::span<const double> at,
              std::span<double> out) {
  check_convolution(times, input, rate, at, out);
  const double step = uniform_step(times), first = times.front();
  const double last = at.empty() ? times.back() : std::max(times.back(), at.back());
  const double samples = std::ceil((last - first) / step * (1 - 1e-12)) + 2;
  if (samples > most_samples)
    throw Error(Errc::range,
                fmt::format("convolution.fft: the output ends at {} s, {:.0f} samples of {} s after the input begins",
                            last, samples, step),
                fmt::format("stay below {:.0f} samples, or use convolution.exact", most_samples));
  const auto n = static_cast<std::size_t>(samples);
  std::vector<double> c(n), kernel(n);
  for (std::size_t i = 0; i < n; ++i) {
    c[i] = i < input.size() ? input[i] : input.back();
    kernel[i] = std::exp(-rate * step * static_cast<double>(i));
  }
  // Twice the length, so that the end does not wrap round into the beginning.
  std::size_t padded = 1;
  while (padded < 2 * n) padded *= 2;
  std::vector<double> g = product_of(c, kernel, padded);
  // The plain sum counts both ends of the integral in full: the trapezoid rule takes half of each.
  for (std::size_t i = 0; i < n; ++i) g[i] = i == 0 ? 0 : step * (g[i] - 0.5 * (c[0] * kernel[i] + c[i]));
  for (std::size_t j = 0; j < at.size(); ++j) {
    if (at[j] <= first) {
      out[j] = 0;
      continue;
    }
    const double place = (at[j] - first) / step;
    const auto i = std::min(static_cast<std::size_t>(place), n - 2);
    const double part = std::clamp(place - static_cast<double>(i), 0.0, 1.0);
    out[j] = g[i] + part * (g[i + 1] - g[i]);
  }
}

}  // namespace

void register_fft(Convolutions& all) {
  all.add("convolution.fft",
          {.title = "FFT of the sampled curves",
           .source = "Press et al., Numerical Recipes, 3rd ed., section 13.1 (2007)",
           .accuracy = "error of order (rate x sampling interval)^2; uniform grids only, linear between grid points",
           .any_grid = false,
           .convolve = convolve});
}

}  // namespace larmor::perfusion
