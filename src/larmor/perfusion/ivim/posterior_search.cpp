// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/perfusion/ivim/model.hpp>
#include <larmor/perfusion/ivim/posterior_search.hpp>

namespace larmor::ivim {

Range about(double centre, double half, const Range& prior, double more) {
  if (!std::isfinite(centre) || !std::isfinite(half)) return prior;
  half = std::max(half, 1e-4 * prior.width());
  centre = std::clamp(centre, prior.low, prior.high);
  return {std::max(centre - half, prior.low), std::min(centre + more * half, prior.high)};
}

bool Search::again(const Range& prior_D, const Range& prior_star, const PosteriorOptions& o, const Told& d,
                   const Told& s) {
  const double step_D = D.width() / o.n_D, step_star = D_star.width() / o.n_D_star;
  bool wider = false;
  const auto widen = [&](Range& range, const Range& prior, const Told& told) {
    constexpr double edge = 1e-3;
    const bool low = range.low > prior.low && told.at_low > edge, high = range.high < prior.high && told.at_high > edge;
    if (!low && !high) return;
    // Further where it reaches beyond; the other side keeps what the posterior has there.
    const double more = 0.6 * range.width(), keep = (o.box + 1) * told.sd;
    range = {std::max(prior.low, low ? range.low - more : std::max(range.low, told.mean - keep)),
             std::min(prior.high, high ? range.high + more : std::min(range.high, told.mean + keep))};
    if (range.width() > 0.7 * prior.width()) range = prior;
    wider = true;
  };
  widen(D, prior_D, d), widen(D_star, prior_star, s);
  if (wider) return true;
  // Steps of 2 sds are still right to a percent: enough for one with tails too long for its nodes.
  const double enough = ++rounds > 8 ? 2.0 : 1.2;
  if (!(enough * d.sd >= step_D) || !(enough * s.sd >= step_star)) {
    if (step > 0 && d.sd >= 0.35 * step_D && s.sd >= 0.35 * step_star) {
      // It has been followed from more noise and is seen, so the nodes can go there.
      D = about(d.mean, o.box * std::max(d.sd, 0.5 * step_D), prior_D);
      D_star = about(s.mean, o.box * std::max(s.sd, 0.5 * step_star), prior_star);
      return true;
    }
    noise *= step > 0 ? step : 4;
    if (step > 0) step = std::sqrt(step);  // lowered by too much at once
    return noise < 1e9;
  }
  if (noise <= 1) return false;
  D = about(d.mean, o.box * d.sd, prior_D), D_star = about(s.mean, o.box * s.sd, prior_star);
  if (step == 0) step = 2;
  noise = std::max(1.0, noise / step);
  return true;
}

Fisher::Fisher(std::span<const double> b, const PosteriorOptions& o)
    : b_(b), o_(o), signal_(b.size()), jacobian_(4 * b.size()) {}

void Fisher::errors(const double (&p)[4], double sigma, double& D, double& D_star) {
  D = D_star = std::nan("");
  for (const double x : p)
    if (!std::isfinite(x)) return;
  curve_signal(models().get("ivim.biexponential"), b_, p, {}, signal_, jacobian_);
  const double scale[] = {std::max(p[0], 1e-30), 1, 1e-3, 1e-2};
  double m[4][4]{};
  for (std::size_t k = 0; k < b_.size(); ++k)
    for (std::size_t i = 0; i < 4; ++i)
      for (std::size_t j = 0; j < 4; ++j)
        m[i][j] += (o_.counts.empty() ? 1.0 : o_.counts[k]) * jacobian_[4 * k + i] * jacobian_[4 * k + j] * scale[i] *
                   scale[j];
  // S0 and f are eliminated one after the other; what is left is 2 x 2.
  for (std::size_t e = o_.S0 ? 1 : 0; e < 2; ++e) {
    if (!(m[e][e] > 0)) return;
    for (std::size_t i = e + 1; i < 4; ++i)
      for (std::size_t j = e + 1; j < 4; ++j) m[i][j] -= m[i][e] * m[e][j] / m[e][e];
  }
  const double det = m[2][2] * m[3][3] - m[2][3] * m[2][3];
  if (!(det > 0)) return;
  D = sigma * scale[2] * std::sqrt(m[3][3] / det), D_star = sigma * scale[3] * std::sqrt(m[2][2] / det);
}

}  // namespace larmor::ivim
