// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/common/convolution.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <larmor/perfusion/dsc/leakage.hpp>
#include <limits>
#include <numeric>

namespace larmor::dsc {

void register_leakages(LeakageMethods& registry);  // generated

const LeakageMethods& leakages() {
  static const LeakageMethods all = [] {
    LeakageMethods m("leakage correction", "larmor list leakages");
    register_leakages(m);
    return m;
  }();
  return all;
}

namespace {

using Curve = std::vector<double>;
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr std::size_t block = 512;

double dot(const Curve& a, const Curve& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

/// Takes the directions of `basis` (orthonormal) out of c.
void orthogonalise(Curve& c, const std::vector<Curve>& basis) {
  for (int twice = 0; twice < 2; ++twice)
    for (const Curve& b : basis) {
      const double along = dot(c, b);
      for (std::size_t t = 0; t < c.size(); ++t) c[t] -= along * b[t];
    }
}

Curve derivative(const Curve& y, std::span<const double> t) {
  const std::size_t n = y.size();
  Curve d(n, 0.0);
  for (std::size_t i = 1; i + 1 < n; ++i) d[i] = (y[i + 1] - y[i - 1]) / (t[i + 1] - t[i - 1]);
  return d;
}

/// Voxels whose last frames are within one noise sd of the baseline; when those are few (a second pass lifts all of
/// them), the half that is nearest to it for its area.
std::vector<std::size_t> reference_voxels(const dce::VoxelRows& rows, std::span<const std::uint8_t> mask,
                                          const LeakageOptions& o) {
  const auto first = static_cast<std::size_t>(o.baseline_first), last = static_cast<std::size_t>(o.baseline_last),
             n = rows.n_frames(), tail = static_cast<std::size_t>(o.tail);
  struct Voxel {
    std::size_t v;
    double tail, sd, share;
  };
  std::vector<Voxel> all;
  float one;
  for (std::size_t v = 0; v < rows.n_voxels(); ++v) {
    if (!mask.empty() && !mask[v]) continue;
    double sum = 0, squares = 0, end = 0, area = 0;
    for (std::size_t t = 0; t < n; ++t) {
      const double y = *rows.get(t, v, 1, &one);
      if (t >= first && t < last) sum += y, squares += y * y;
      if (t >= last) area += y;
      if (t + tail >= n) end += y / static_cast<double>(tail);
    }
    if (!std::isfinite(sum + area) || !(area > 0)) continue;
    const auto count = static_cast<double>(last - first);
    const double sd = std::sqrt(std::max(0.0, (squares - sum * sum / count) / std::max(1.0, count - 1)));
    all.push_back({v, std::abs(end - sum / count), sd, std::abs(end - sum / count) / area});
  }
  if (all.empty())
    throw Error(Errc::numeric, "no voxel has a bolus to take the reference curve from", "check mask and baseline");
  std::vector<std::size_t> chosen;
  for (const Voxel& x : all)
    if (x.tail <= x.sd) chosen.push_back(x.v);
  if (10 * chosen.size() < all.size()) {
    const auto half = all.begin() + std::ssize(all) / 2;
    std::nth_element(all.begin(), half, all.end(), [](const Voxel& a, const Voxel& b) { return a.share < b.share; });
    chosen.clear();
    for (auto x = all.begin(); x <= half && x != all.end(); ++x) chosen.push_back(x->v);
    std::sort(chosen.begin(), chosen.end());
  }
  return chosen;
}

void check(const dce::VoxelRows& rows, const LeakageOptions& o) {
  const auto n = static_cast<int>(rows.n_frames());
  if (o.baseline_first < 0 || o.baseline_last - o.baseline_first < 2 || o.baseline_last >= n)
    throw Error(Errc::range, fmt::format("baseline frames {} to {} of {}", o.baseline_first, o.baseline_last, n),
                "give at least two frames before the bolus");
  if (o.tail < 1 || o.tail > n - o.baseline_last)
    throw Error(Errc::range, fmt::format("a tail of {} frames of {} after the baseline", o.tail, n - o.baseline_last),
                "give at least 1, and no more than there are");
  if (o.shape_terms < 0 || o.shape_terms > 4)
    throw Error(Errc::range, fmt::format("{} shape terms", o.shape_terms), "give 0 to 4");
  if (!(o.significance >= 0))
    throw Error(Errc::range, fmt::format("a significance of {} standard errors", o.significance), "give 0 or more");
}

/// One pass with the mean of `chosen` as the reference. The corrected curves are written in the last one only.
void correct_by(const std::vector<std::size_t>& chosen, const dce::VoxelRows& rows, std::span<const double> times,
                std::span<const std::uint8_t> mask, const LeakageOptions& o, const LeakageMethod& method, bool last,
                Leakage& out, const Cancel* cancel) {
  const std::size_t n = rows.n_frames(), n_voxels = rows.n_voxels();
  out.n_reference = std::ssize(chosen);
  out.reference.assign(n, 0.0);
  float one;
  for (std::size_t t = 0; t < n; ++t)
    for (const auto v : chosen)
      out.reference[t] += static_cast<double>(*rows.get(t, v, 1, &one)) / static_cast<double>(chosen.size());

  const auto spread = [&](double time) {
    Curve c(n);
    perfusion::convolve_exp(times, out.reference, 1 / time, times, c);
    return c;
  };
  const Curve slope = derivative(out.reference, times);
  const Curve terms[] = {out.reference, slope, spread(8), derivative(slope, times), spread(3)};
  // The error of S0 lifts all frames alike, and what leaked lifts most of them: without a constant it would be taken
  // for leakage, with a standard error that knows nothing of it.
  std::vector<Curve> basis{Curve(n, 1 / std::sqrt(static_cast<double>(n)))};
  for (int k = 0; k <= o.shape_terms; ++k) {
    Curve c = terms[k];
    const double before = std::sqrt(dot(c, c));
    orthogonalise(c, basis);
    const double size = std::sqrt(dot(c, c));
    if (!(size > 1e-6 * before)) continue;
    for (double& x : c) x /= size;
    basis.push_back(std::move(c));
  }
  // Leaked amounts for the rates that are tried, and what of them the basis cannot imitate.
  struct Candidate {
    double kep, norm2;
    std::vector<float> leaked, own;
  };
  std::vector<Candidate> candidates;
  const int rates = method.backflow ? 16 : 1;
  for (int k = 0; k < rates; ++k) {
    // Above 2 1/min what leaked is back with the first pass, and looks like a longer transit.
    const double kep = k == 0 ? 0.0 : 1e-3 * std::pow(2 / 0.06, (k - 1.0) / (rates - 2.0));
    Curve leaked(n);
    perfusion::convolve_exp(times, out.reference, kep, times, leaked);
    Curve own = leaked;
    orthogonalise(own, basis);
    candidates.push_back({kep, dot(own, own), {leaked.begin(), leaked.end()}, {own.begin(), own.end()}});
  }

  out.K2.assign(n_voxels, nan), out.K2_se = out.K2;
  if (method.backflow) out.kep.assign(n_voxels, nan);
  out.status.assign(n_voxels, fit::FitStatus::outside);
  float* to = last ? out.corrected.data<float>() : nullptr;
  const double freedom = static_cast<double>(n) - static_cast<double>(basis.size()) - (method.backflow ? 2 : 1);
  std::vector<std::vector<float>> directions;
  for (const Curve& b : basis) directions.emplace_back(b.begin(), b.end());
  parallel_for(
      n_voxels, block,
      [&](std::size_t begin, std::size_t end) {
        std::vector<float> buffer(block), y(n * block), sum(block), rss(block), best(block), K2(block), worth(block);
        std::vector<std::size_t> which(block);
        for (std::size_t b = begin; b < end; b += block) {
          const std::size_t m = std::min(block, end - b);
          std::fill(rss.begin(), rss.end(), 0.0f), std::fill(best.begin(), best.end(), -1.0f);
          for (std::size_t t = 0; t < n; ++t) {
            const float* from = rows.get(t, b, m, buffer.data());
            for (std::size_t i = 0; i < m; ++i) y[t * block + i] = from[i], rss[i] += from[i] * from[i];
          }
          const auto project = [&](const std::vector<float>& direction) {
            std::fill(sum.begin(), sum.end(), 0.0f);
            for (std::size_t t = 0; t < n; ++t)
              for (std::size_t i = 0; i < m; ++i) sum[i] += direction[t] * y[t * block + i];
          };
          for (const auto& d : directions) {
            project(d);
            for (std::size_t i = 0; i < m; ++i) rss[i] -= sum[i] * sum[i];
          }
          for (std::size_t c = 0; c < candidates.size(); ++c) {
            project(candidates[c].own);
            const auto inverse = static_cast<float>(1 / candidates[c].norm2);
            for (std::size_t i = 0; i < m; ++i) {
              float explained = sum[i] * sum[i] * inverse;
              // What comes back has a rate of its own, which must be worth it: two standard errors.
              if (c == 0)
                worth[i] = 4 * (rss[i] - explained) / static_cast<float>(freedom);
              else
                explained -= worth[i];
              if (explained > best[i]) best[i] = explained, K2[i] = -sum[i] * inverse, which[i] = c;
            }
          }
          for (std::size_t i = 0; i < m; ++i) {
            const std::size_t v = b + i;
            const bool wanted = mask.empty() || mask[v], finite = std::isfinite(rss[i]);
            if (wanted && finite) {
              const Candidate& c = candidates[which[i]];
              const double variance = std::max(0.0, double(rss[i]) - double(best[i])) / freedom;
              out.status[v] = fit::FitStatus::converged;
              out.K2[v] = K2[i], out.K2_se[v] = static_cast<float>(std::sqrt(variance / c.norm2));
              if (method.backflow) out.kep[v] = static_cast<float>(c.kep);
              const float by = std::abs(K2[i]) >= o.significance * double(out.K2_se[v]) ? K2[i] : 0.0f;
              if (to)
                for (std::size_t t = 0; t < n; ++t) to[t * n_voxels + v] = y[t * block + i] + by * c.leaked[t];
            } else {
              if (wanted) out.status[v] = fit::FitStatus::bad_data;
              if (to)
                for (std::size_t t = 0; t < n; ++t) to[t * n_voxels + v] = y[t * block + i];
            }
          }
        }
      },
      cancel);
}

}  // namespace

Leakage correct_leakage(const Array& dR2, std::span<const double> times, std::span<const std::uint8_t> mask,
                        const LeakageOptions& o, const Cancel* cancel) {
  const dce::VoxelRows rows(dR2, "dR2");
  rows.check_times(times);
  rows.check_mask(mask);
  check(rows, o);
  const LeakageMethod& method = leakages().get(o.method);

  Leakage out;
  out.corrected = Array::uninitialised(DType::f32, dR2.shape(), dR2.axes());
  auto chosen = reference_voxels(rows, mask, o);
  // Noise hides weak leakage from the rule of the last frames, and a reference that leaks makes everything else look as
  // if it leaked the other way: those that leak against the reference leave it, twice.
  for (int round = 0; round < 2; ++round) {
    correct_by(chosen, rows, times, mask, o, method, false, out, cancel);
    std::vector<double> ratios;
    for (const auto v : chosen) ratios.push_back(static_cast<double>(out.K2[v]));
    std::nth_element(ratios.begin(), ratios.begin() + std::ssize(ratios) / 2, ratios.end());
    const double usual = ratios[ratios.size() / 2];
    std::vector<std::size_t> kept;
    for (const auto v : chosen)
      if (std::abs(static_cast<double>(out.K2[v]) - usual) <= 1.5 * static_cast<double>(out.K2_se[v]))
        kept.push_back(v);
    if (4 * kept.size() < chosen.size()) break;  // no better one: the standard errors are those of data without noise
    chosen = std::move(kept);
  }
  correct_by(chosen, rows, times, mask, o, method, true, out, cancel);
  return out;
}

}  // namespace larmor::dsc
