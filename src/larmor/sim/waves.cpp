// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/sim/waves.hpp>
#include <numbers>

namespace larmor::sim {

GradientWave::GradientWave(const Gradient* gradient, double scale) {
  if (!gradient) return;
  for (const auto& c : gradient->corners()) {
    const double g = scale * c.value;
    double area = 0, moment = 0;
    if (!at_.empty()) {
      const At& last = at_.back();
      const double dt = c.time - last.t, slope = dt > 0 ? (g - last.g) / dt : 0;
      area = last.area + dt * (last.g + 0.5 * slope * dt);
      moment = last.moment + last.t * (area - last.area) + dt * dt * (0.5 * last.g + slope * dt / 3);
    }
    at_.push_back({c.time, g, area, moment});
    largest_ = std::max(largest_, std::abs(g));
  }
  if (largest_ == 0) at_.clear();
}

std::size_t GradientWave::piece(double t) const {
  const auto after = std::upper_bound(at_.begin(), at_.end(), t, [](double v, const At& a) { return v < a.t; });
  return static_cast<std::size_t>(after - at_.begin());
}

double GradientWave::value(double t) const {
  const std::size_t p = piece(t);
  if (p == 0 || p == at_.size()) return 0;
  const At &a = at_[p - 1], &b = at_[p];
  return b.t > a.t ? a.g + (b.g - a.g) * (t - a.t) / (b.t - a.t) : a.g;
}

double GradientWave::integral(double t) const {
  const std::size_t p = piece(t);
  if (p == 0) return 0;
  if (p == at_.size()) return at_.back().area;
  return at_[p - 1].area + 0.5 * (t - at_[p - 1].t) * (at_[p - 1].g + value(t));
}

double GradientWave::moment(double t) const {
  const std::size_t p = piece(t);
  if (p == 0) return 0;
  if (p == at_.size()) return at_.back().moment;
  const At &a = at_[p - 1], &b = at_[p];
  const double dt = t - a.t, slope = b.t > a.t ? (b.g - a.g) / (b.t - a.t) : 0;
  return a.moment + a.t * dt * (a.g + 0.5 * slope * dt) + dt * dt * (0.5 * a.g + slope * dt / 3);
}

double GradientWave::remaining_squared(double a, double b) const {
  if (at_.empty()) return 0;
  const double end = integral(b);
  std::vector<double> cuts{a};
  for (const auto& c : at_)
    if (c.t > a && c.t < b) cuts.push_back(c.t);
  cuts.push_back(b);
  // The integral is of degree 2 in each piece, its square of 4: three points of Gauss are exact.
  constexpr double place[3] = {-0.7745966692414834, 0, 0.7745966692414834}, weight[3] = {5.0 / 18, 8.0 / 18, 5.0 / 18};
  double sum = 0;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i)
    for (int q = 0; q < 3; ++q) {
      const double t = 0.5 * (cuts[i] + cuts[i + 1]) + 0.5 * place[q] * (cuts[i + 1] - cuts[i]);
      const double rest = end - integral(t);
      sum += weight[q] * (cuts[i + 1] - cuts[i]) * rest * rest;
    }
  return sum;
}

RfWave::RfWave(const Rf& rf, double scale) : begin_(rf.delay) {
  const double turn = 2 * std::numbers::pi;
  const std::size_t n = rf.magnitude.size();
  sum_.push_back(0);
  if (rf.times.empty()) {
    cell_ = rf.raster;
    const double x = std::numbers::pi * rf.frequency_offset * rf.raster;
    const double mean = x == 0 ? 1 : std::sin(x) / x;  // of the offset's phase over a cell
    for (std::size_t i = 0; i < n; ++i) {
      const double at = (static_cast<double>(i) + 0.5) * rf.raster;
      sum_.push_back(sum_.back() +
                     std::polar(scale * rf.magnitude[i] * mean * cell_, rf.phase[i] + turn * rf.frequency_offset * at));
    }
    return;
  }
  // Lines between corners (of the complex value), cut into cells of a microsecond or less.
  const double first = rf.times.front(), length = rf.times.back() - first;
  begin_ = rf.delay + first;
  const double about = std::clamp(length / 1e-6, 16.0, 1e6);
  const auto cells = static_cast<std::size_t>(std::ceil(about));
  cell_ = length > 0 ? length / static_cast<double>(cells) : 0;
  std::size_t piece = 1;
  for (std::size_t i = 0; i < cells && n > 1; ++i) {
    const double at = first + (static_cast<double>(i) + 0.5) * cell_;
    while (piece + 1 < n && rf.times[piece] < at) ++piece;
    const double part = (at - rf.times[piece - 1]) / (rf.times[piece] - rf.times[piece - 1]);
    const auto b1 = (1 - part) * std::polar(rf.magnitude[piece - 1], rf.phase[piece - 1]) +
                    part * std::polar(rf.magnitude[piece], rf.phase[piece]);
    sum_.push_back(sum_.back() + scale * cell_ * b1 * std::polar(1.0, turn * rf.frequency_offset * at));
  }
}

std::complex<double> RfWave::integral(double t) const {
  if (sum_.size() < 2 || cell_ <= 0) return 0;
  const double at = (t - begin_) / cell_;
  if (at <= 0) return 0;
  if (at >= static_cast<double>(sum_.size() - 1)) return sum_.back();
  const auto i = static_cast<std::size_t>(at);
  return sum_[i] + (at - static_cast<double>(i)) * (sum_[i + 1] - sum_[i]);
}

}  // namespace larmor::sim
