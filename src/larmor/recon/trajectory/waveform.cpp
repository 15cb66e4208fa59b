// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/recon/trajectory/waveform.hpp>

namespace larmor::recon {

double dot(const Vec3& a, const Vec3& b) { return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]; }
double norm(const Vec3& v) { return std::sqrt(dot(v, v)); }
Vec3 operator+(const Vec3& a, const Vec3& b) { return {a[0] + b[0], a[1] + b[1], a[2] + b[2]}; }
Vec3 operator-(const Vec3& a, const Vec3& b) { return {a[0] - b[0], a[1] - b[1], a[2] - b[2]}; }
Vec3 operator*(double s, const Vec3& v) { return {s * v[0], s * v[1], s * v[2]}; }

Vec3 Waveform::moment0() const {
  Vec3 sum{};
  for (std::size_t i = 1; i < g.size(); ++i) sum = sum + 0.5 * raster * (g[i - 1] + g[i]);
  return sum;
}

Vec3 Waveform::moment1() const {
  Vec3 sum{};
  for (std::size_t i = 1; i < g.size(); ++i) {
    const double t = static_cast<double>(i - 1) * raster;
    // Integral of (a + (b - a) x) (t + x raster) raster dx over 0..1
    const Vec3 mean = 0.5 * (g[i - 1] + g[i]), lean = (1.0 / 6) * g[i - 1] + (1.0 / 3) * g[i];
    sum = sum + raster * (t * mean + raster * lean);
  }
  return sum;
}

double Waveform::max_gradient() const {
  double most = 0;
  for (const auto& v : g) most = std::max(most, norm(v));
  return most;
}

double Waveform::max_slew() const {
  double most = 0;
  for (std::size_t i = 1; i < g.size(); ++i) most = std::max(most, norm(g[i] - g[i - 1]) / raster);
  return most;
}

Positions::Positions(const Waveform& waveform, const Vec3& start) : waveform_(&waveform) {
  k_.reserve(waveform.g.size() + 1);
  k_.push_back(start);
  for (std::size_t i = 1; i < waveform.g.size(); ++i)
    k_.push_back(k_.back() + 0.5 * waveform.raster * waveform.gamma * (waveform.g[i - 1] + waveform.g[i]));
}

Vec3 Positions::at(double t) const {
  const auto& w = *waveform_;
  const double place = t / w.raster;
  if (!(place > 0)) return k_.front();
  const auto i = static_cast<std::size_t>(place);
  if (i + 1 >= k_.size()) return k_.back();
  const double x = place - static_cast<double>(i);
  return k_[i] + w.gamma * w.raster * x * (w.g[i] + 0.5 * x * (w.g[i + 1] - w.g[i]));
}

}  // namespace larmor::recon
