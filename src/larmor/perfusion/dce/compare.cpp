// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/units.hpp>
#include <larmor/perfusion/dce/compare.hpp>
#include <vector>

namespace larmor::dce {
namespace {

struct Usual {
  const char* name;
  const char* unit;
  Tolerance tolerance;
};
constexpr Usual usual[] = {{"Ktrans", "1/min", {0.005, 0.1}},
                           {"ve", "1", {0.05, 0}},
                           {"vp", "1", {0.025, 0}},
                           {"vb", "1", {0.025, 0}},
                           {"Fp", "mL/min/100mL", {5, 0.1}},
                           {"Fb", "mL/min/100mL", {5, 0.1}},
                           {"PS", "mL/min/100mL", {0.5, 0.1}},
                           {"delay", "s", {1, 0}},
                           {"T10", "s", {0.05, 0.05}},
                           {"T1", "s", {0.05, 0.05}}};

}  // namespace

Tolerance usual_tolerance(std::string_view quantity, const std::string& unit) {
  for (const auto& u : usual)
    if (quantity == u.name) {
      Tolerance t = u.tolerance;
      if (!unit.empty()) t.absolute *= units::factor(u.unit, unit);
      return t;
    }
  return {};
}

Comparison compare_map(std::span<const float> x, std::span<const float> y, const Tolerance& tolerance, double scale,
                       std::span<const std::uint8_t> mask) {
  if (x.size() != y.size())
    throw Error(Errc::shape, fmt::format("an estimate of {} voxels and a truth of {}", x.size(), y.size()),
                "compare maps of one object");
  if (!mask.empty() && mask.size() != y.size())
    throw Error(Errc::shape, fmt::format("the mask holds {} voxels, the map {}", mask.size(), y.size()),
                "give a mask on the grid of the maps");
  Comparison r;
  r.tolerance = tolerance;
  std::vector<double> size;
  double sum = 0, squares = 0;
  for (std::size_t v = 0; v < y.size(); ++v) {
    if (!std::isfinite(y[v]) || (!mask.empty() && !mask[v])) continue;
    if (!std::isfinite(x[v])) {
      ++r.missing;
      continue;
    }
    const double t = static_cast<double>(y[v]), error = scale * static_cast<double>(x[v]) - t;
    sum += error, squares += error * error, r.truth += t;
    size.push_back(std::abs(error));
    // Files hold float32: a value exactly on the border may be one rounding outside.
    r.within += std::abs(error) <= tolerance.absolute + tolerance.relative * std::abs(t) + 1e-6 * std::abs(t);
  }
  r.n = static_cast<std::int64_t>(size.size());
  if (r.n == 0) return r;
  const auto n = static_cast<double>(r.n);
  r.bias = sum / n;
  r.truth /= n;
  r.estimate = r.truth + r.bias;
  r.sd = std::sqrt(std::max(0.0, squares / n - r.bias * r.bias));
  std::sort(size.begin(), size.end());
  r.median = size[size.size() / 2];
  r.p95 = size[std::min(size.size() - 1, static_cast<std::size_t>(0.95 * n))];
  return r;
}

}  // namespace larmor::dce
