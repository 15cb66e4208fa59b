// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/aif_models.hpp>

namespace larmor::dce {

void register_aif_models(AifModels&);  // generated from aifs/

const AifModels& aif_models() {
  static const AifModels all = [] {
    AifModels r("AIF", "larmor list aifs");
    register_aif_models(r);
    return r;
  }();
  return all;
}

Aif sample_aif(const AifModel& model, std::span<const double> times, double arrival, double Hct) {
  if (!std::isfinite(arrival))
    throw Error(Errc::range, fmt::format("AIF: a bolus arrival of {} s", arrival), "give a finite time [s]");
  if (!(Hct >= 0 && Hct < 1))
    throw Error(Errc::range, fmt::format("haematocrit is {}", Hct), "give a fraction from 0 to below 1");
  Aif out{.times = {times.begin(), times.end()},
          .values = std::vector<double>(times.size()),
          .plasma = true,
          .Hct = model.plasma ? 0.0 : Hct,
          .source = model.title};
  const double to_plasma = model.plasma ? 1.0 : 1.0 / (1.0 - Hct);
  for (std::size_t i = 0; i < times.size(); ++i) out.values[i] = to_plasma * model.value(times[i] - arrival);
  out.check();
  return out;
}

namespace {

enum class Peaks { flattened, kept };

/// Slopes of a cubic Hermite interpolant: of the parabola through three neighbours, limited to three times the smaller
/// secant slope (Hyman, SIAM J Sci Stat Comput 4:645 (1983)), which keeps monotone data monotone. At a local extremum
/// the slope is 0 (`flattened`: no overshoot at all) or limited in the same way (`kept`: a sampled smooth peak is not
/// cut); beside a flat baseline it is 0 in both.
std::vector<double> hermite_slopes(std::span<const double> t, std::span<const double> y, Peaks peaks) {
  const std::size_t n = t.size();
  std::vector<double> slope(n);
  const auto secant = [&](std::size_t i) { return (y[i + 1] - y[i]) / (t[i + 1] - t[i]); };
  if (n == 2) return {secant(0), secant(0)};
  const auto limited = [](double d, double left, double right) {
    const double most = 3 * std::min(std::abs(left), std::abs(right));
    return std::clamp(d, -most, most);
  };
  for (std::size_t i = 1; i + 1 < n; ++i) {
    const double h0 = t[i] - t[i - 1], h1 = t[i + 1] - t[i], s0 = secant(i - 1), s1 = secant(i);
    const double parabola = (h1 * s0 + h0 * s1) / (h0 + h1);
    slope[i] = s0 * s1 <= 0 && peaks == Peaks::flattened ? 0 : limited(parabola, s0, s1);
  }
  // Ends: the parabola through the three outer points, kept on the side of its secant.
  const auto end_slope = [&](double near, double far, double h_near, double h_far) {
    const double d = near + (near - far) * h_near / (h_near + h_far);
    return d * near <= 0 ? 0.0 : limited(d, near, near);
  };
  slope[0] = end_slope(secant(0), secant(1), t[1] - t[0], t[2] - t[1]);
  slope[n - 1] = end_slope(secant(n - 2), secant(n - 3), t[n - 1] - t[n - 2], t[n - 2] - t[n - 3]);
  return slope;
}

/// The interpolant at `at`, `before` ahead of the first sample, the last value behind the last.
std::vector<double> interpolate(const Aif& aif, std::span<const double> at, double before, Peaks peaks) {
  const auto& t = aif.times;
  const auto& y = aif.values;
  const auto slope = hermite_slopes(t, y, peaks);
  std::vector<double> out(at.size());
  for (std::size_t j = 0; j < at.size(); ++j) {
    const double x = at[j];
    if (x < t.front()) {
      out[j] = before;
    } else if (x >= t.back()) {
      out[j] = y.back();
    } else {
      const auto i = static_cast<std::size_t>(std::upper_bound(t.begin(), t.end(), x) - t.begin()) - 1;
      const double h = t[i + 1] - t[i], u = (x - t[i]) / h, v = 1 - u;
      out[j] =
          v * v * (1 + 2 * u) * y[i] + u * u * (1 + 2 * v) * y[i + 1] + h * u * v * (v * slope[i] - u * slope[i + 1]);
    }
  }
  return out;
}

}  // namespace

Aif shifted(const Aif& aif, double delay) {
  aif.check();
  if (!std::isfinite(delay)) throw Error(Errc::range, fmt::format("AIF: a delay of {} s", delay), "give a finite time");
  std::vector<double> at(aif.times);
  for (double& t : at) t -= delay;
  Aif out = aif;
  out.values = interpolate(aif, at, aif.values.front(), Peaks::kept);
  return out;
}

Aif resampled(const Aif& aif, std::span<const double> times) {
  aif.check();
  Aif out = aif;
  out.times.assign(times.begin(), times.end());
  out.values = interpolate(aif, times, 0.0, Peaks::flattened);
  out.check();
  return out;
}

}  // namespace larmor::dce
