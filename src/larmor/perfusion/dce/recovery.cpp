// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/recovery.hpp>
#include <larmor/perfusion/dce/vfa.hpp>
#include <limits>
#include <numeric>
#include <set>

namespace larmor::dce {

struct RecoveryFit::Trial {
  double a, b, SSE, step;
};

RecoveryFit::RecoveryFit(std::span<const double> t) : t_(t.begin(), t.end()), order_(t.size()) {
  for (std::size_t i = 0; i < t_.size(); ++i)
    if (!(t_[i] >= 0 && std::isfinite(t_[i])))
      throw Error(Errc::range, fmt::format("T1 mapping: inversion time {} is {} s", i, t_[i]),
                  "give finite times of 0 or more [s]");
  const std::set<double> different(t_.begin(), t_.end());
  if (different.size() < 3)
    throw Error(Errc::range, fmt::format("T1 mapping: {} different inversion times", different.size()),
                "a recovery has 3 parameters: give at least 3 different times [s]");
  std::iota(order_.begin(), order_.end(), 0);
  std::sort(order_.begin(), order_.end(), [&](auto i, auto j) { return t_[i] < t_[j]; });
  // From a recovery over at a tenth of the closest times to one that is a straight line over all of them.
  double closest = std::numeric_limits<double>::infinity(), last = *different.begin();
  for (auto i = std::next(different.begin()); i != different.end(); last = *i++) closest = std::min(closest, *i - last);
  const double fastest = 10 / closest, slowest = 0.05 / (*different.rbegin() - *different.begin());
  constexpr int n = 64;
  for (int k = 0; k < n; ++k) {
    const double R = slowest * std::pow(fastest / slowest, double(k) / (n - 1));
    std::vector<double> shape;
    for (double x : t_) shape.push_back(std::exp(-R * (x - *different.begin())));
    const double mean = std::accumulate(shape.begin(), shape.end(), 0.0) / static_cast<double>(shape.size());
    double length = 0;
    for (double& x : shape) x -= mean, length += x * x;
    for (double& x : shape) x /= std::sqrt(length);
    rates_.push_back(R), shapes_.push_back(shape);
  }
}

RecoveryFit::Trial RecoveryFit::at(std::span<const double> S, double R) const {
  const auto n = static_cast<double>(t_.size());
  double e1 = 0, ee = 0, y1 = 0, ye = 0, d1 = 0, de = 0;  // d = d(exp)/dR / -1 = t exp
  std::vector<double> e(t_.size());
  for (std::size_t i = 0; i < t_.size(); ++i) {
    e[i] = std::exp(-R * t_[i]);
    e1 += e[i], y1 += S[i], d1 += t_[i] * e[i];
  }
  const double e_mean = e1 / n, y_mean = y1 / n, d_mean = d1 / n;
  for (std::size_t i = 0; i < t_.size(); ++i) {
    const double c = e[i] - e_mean;
    ee += c * c, ye += c * (S[i] - y_mean), de += c * (t_[i] * e[i] - d_mean);
  }
  const double b = ye / ee, a = y_mean - b * e_mean, along = de / ee;
  double SSE = 0, jr = 0, jj = 0;
  for (std::size_t i = 0; i < t_.size(); ++i) {
    const double r = S[i] - a - b * e[i], j = -b * (t_[i] * e[i] - d_mean - along * (e[i] - e_mean));
    SSE += r * r, jr += j * r, jj += j * j;
  }
  return {a, b, SSE, jr / jj};
}

Recovery RecoveryFit::operator()(std::span<const double> S, bool magnitude) const {
  using fit::FitStatus;
  const std::size_t n = t_.size();
  Recovery out;
  double SS = 0;
  for (double x : S) SS += x * x;
  if (!std::isfinite(SS)) return out.status = FitStatus::bad_data, out;
  if (!(SS > 0)) return out.status = FitStatus::no_signal, out;

  const double R_least = 0.2 * rates_.front(), R_most = 5 * rates_.back();
  // The null of a magnitude recovery is beside its smallest sample: up to two samples more or less are tried.
  std::size_t least = 0;
  for (std::size_t k = 0; k < n; ++k)
    if (S[order_[k]] < S[order_[least]]) least = k;
  // Each choice of signs is fitted to the end: next to the null two choices differ by less than a step of the grid.
  const std::size_t first = !magnitude  ? 0
                            : least > 1 ? least - 1
                                        : 0,
                    last = !magnitude ? 0 : std::min(n - 1, least + 2);
  bool found = false, done = false;
  Trial now{};
  for (std::size_t flips = first; flips <= last; ++flips) {
    std::vector<double> y(S.begin(), S.end());
    for (std::size_t k = 0; k < flips; ++k) y[order_[k]] = -y[order_[k]];
    const double mean = std::accumulate(y.begin(), y.end(), 0.0) / static_cast<double>(n);
    double SST = 0, most = 0, R = 0;
    for (double x : y) SST += (x - mean) * (x - mean);
    for (std::size_t k = 0; k < rates_.size(); ++k)
      if (const double along = -std::inner_product(y.begin(), y.end(), shapes_[k].begin(), 0.0); along > most)
        most = along, R = rates_[k];
    if (!(most > 0) || !(SST > 1e-20 * SS)) continue;  // constant, or falling towards its end
    Trial here = at(y, R);
    double step = here.step;
    bool settled = false;
    for (int k = 0; k < 100 && !settled; ++k) {
      const double tried_R = std::clamp(R + std::clamp(step, -0.6 * R, 1.5 * R), R_least, R_most);
      settled = std::abs(tried_R - R) <= 1e-11 * R;
      const Trial tried = at(y, tried_R);
      if (tried.SSE <= here.SSE + 1e-15 * SS)
        R = tried_R, here = tried, step = here.step;
      else
        step *= 0.3;
    }
    if (!found || here.SSE < now.SSE) now = here, out.R = R, out.SST = SST, done = settled;
    found = true;
  }
  if (!found) return out.status = FitStatus::out_of_range, out;
  out.a = now.a, out.b = now.b, out.SSE = now.SSE;
  if (!done) return out.status = FitStatus::not_converged, out;
  if (!(out.b < 0 && out.a > 0) || out.R <= 1.01 * R_least || out.R >= 0.99 * R_most)
    return out.status = FitStatus::out_of_range, out;

  std::array<std::array<double, 3>, 3> m{};
  for (double x : t_) {
    const double e = std::exp(-out.R * x), j[3] = {1, e, -out.b * x * e};
    for (int r = 0; r < 3; ++r)
      for (int c = 0; c < 3; ++c) m[r][c] += j[r] * j[c];
  }
  const auto minor = [&](int r, int c) {
    const int r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
    return m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1];
  };
  const double det = m[0][0] * minor(0, 0) + m[0][1] * minor(0, 1) + m[0][2] * minor(0, 2);
  if (!(det > 1e-14 * m[0][0] * m[1][1] * m[2][2])) return out.status = FitStatus::singular, out;
  const double variance = n > 3 ? out.SSE / static_cast<double>(n - 3) : std::numeric_limits<double>::quiet_NaN();
  for (int r = 0; r < 3; ++r)
    for (int c = 0; c < 3; ++c) out.covariance[r][c] = variance * minor(c, r) / det;
  return out;
}

T1Result recovery_map(const Array& signal, const T1Protocol& protocol, std::span<const std::uint8_t> mask,
                      const Progress& progress, const Cancel* cancel,
                      const std::function<RecoveryValues(const Recovery&)>& convert) {
  const VoxelRows rows(signal, "recovery series");
  require_volumes(rows, protocol.TI, "inversion time", 3);
  rows.check_mask(mask);
  const RecoveryFit fit(protocol.TI);
  T1Result out = empty_t1_result(rows.n_voxels());
  out.efficiency = out.T1;
  progress.begin("T1 map", rows.n_voxels());
  parallel_for(
      rows.n_voxels(), 256,
      [&](std::size_t begin, std::size_t end) {
        std::vector<double> S(rows.n_frames());
        for (std::size_t v = begin; v < end; ++v) {
          if (!mask.empty() && !mask[v]) continue;
          float one;
          for (std::size_t i = 0; i < S.size(); ++i) S[i] = *rows.get(i, v, 1, &one);
          Recovery r = fit(S, protocol.magnitude);
          if (usable(r.status)) {
            const RecoveryValues x = convert(r);
            if (x.T1 > 0 && x.M0 > 0) {
              out.T1[v] = static_cast<float>(x.T1), out.T1_se[v] = static_cast<float>(x.T1_se);
              out.M0[v] = static_cast<float>(x.M0), out.M0_se[v] = static_cast<float>(x.M0_se);
              out.efficiency[v] = static_cast<float>(x.efficiency);
              out.R2[v] = static_cast<float>(1 - r.SSE / r.SST);
            } else {
              r.status = fit::FitStatus::out_of_range;
            }
          }
          out.status[v] = r.status;
        }
        progress.add(end - begin);
      },
      cancel);
  progress.end();
  return out;
}

}  // namespace larmor::dce
