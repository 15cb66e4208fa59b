// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/nd/window.hpp>
#include <numbers>

namespace larmor::nd {
namespace {

constexpr WindowInfo table[] = {
    {Window::rectangle, "rectangle", "1 inside the radius", "", 0},
    {Window::triangle, "triangle", "1 - u", "", 0},
    {Window::hann, "hann", "(1 + cos pi u) / 2", "", 0},
    {Window::hamming, "hamming", "0.54 + 0.46 cos pi u", "", 0},
    {Window::blackman, "blackman", "0.42 + 0.5 cos pi u + 0.08 cos 2 pi u", "", 0},
    {Window::cosine, "cosine", "cos(pi u / 2)", "", 0},
    {Window::tukey, "tukey", "flat, then half a cosine", "part that is tapered", 0.5},
    {Window::gaussian, "gaussian", "exp(-u^2 / 2p^2)", "standard deviation over the radius", 0.4},
    {Window::kaiser, "kaiser", "I0(p sqrt(1 - u^2)) / I0(p)", "beta", 6},
    {Window::fermi, "fermi", "1 / (1 + exp((u - 1) / p))", "width of the edge over the radius", 0.05}};

// The power series: all terms are positive, so nothing cancels.
double bessel_i0(double x) {
  double sum = 1, term = 1;
  for (int k = 1; k < 500 && term > 1e-17 * sum; ++k) {
    term *= x * x / (4.0 * k * k);
    sum += term;
  }
  return sum;
}

void require_parameter(Window window, double p) {
  const auto& w = table[static_cast<std::size_t>(window)];
  if (!*w.parameter) return;
  const double upper = window == Window::tukey ? 1 : 500;
  const bool zero_ok = window == Window::tukey || window == Window::kaiser;
  if (!(p >= 0 && p <= upper) || (!zero_ok && p == 0))
    throw Error(Errc::range, fmt::format("{} window: parameter ({}) is {:g}", w.name, w.parameter, p),
                fmt::format("give a number {} 0 and up to {:g}", zero_ok ? "from" : "above", upper));
}

}  // namespace

std::span<const WindowInfo> windows() { return table; }

const WindowInfo& window_called(const std::string& name) {
  std::vector<std::string> names;
  for (const auto& w : table) {
    if (w.name == name) return w;
    names.emplace_back(w.name);
  }
  throw unknown_name("window", name, names);
}

double window_at(Window window, double u, double p) {
  constexpr double pi = std::numbers::pi;
  u = std::abs(u);
  if (window == Window::gaussian) return std::exp(-u * u / (2 * p * p));
  if (window == Window::fermi) return (1 + std::exp(-1 / p)) / (1 + std::exp((u - 1) / p));
  if (u > 1) return 0;
  switch (window) {
    case Window::triangle:
      return 1 - u;
    case Window::hann:
      return 0.5 + 0.5 * std::cos(pi * u);
    case Window::hamming:
      return 0.54 + 0.46 * std::cos(pi * u);
    case Window::blackman:
      return 0.42 + 0.5 * std::cos(pi * u) + 0.08 * std::cos(2 * pi * u);
    case Window::cosine:
      return std::cos(pi * u / 2);
    case Window::tukey:
      return u <= 1 - p ? 1 : 0.5 + 0.5 * std::cos(pi * (u - 1 + p) / p);
    case Window::kaiser:
      return bessel_i0(p * std::sqrt(1 - u * u)) / bessel_i0(p);
    default:
      return 1;
  }
}

std::vector<double> window_weights(Window window, std::int64_t n, double parameter, double radius) {
  require_parameter(window, parameter);
  if (!(radius > 0)) throw Error(Errc::range, fmt::format("a window of radius {:g}", radius), "give a positive radius");
  std::vector<double> out(static_cast<std::size_t>(n));
  for (std::int64_t k = 0; k < n; ++k)
    out[static_cast<std::size_t>(k)] =
        n == 1 ? 1
               : window_at(window, static_cast<double>(k - n / 2) / (static_cast<double>(n) / 2 * radius), parameter);
  return out;
}

}  // namespace larmor::nd
