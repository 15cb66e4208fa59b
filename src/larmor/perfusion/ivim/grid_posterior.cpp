// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/grid_posterior.hpp>
#include <larmor/perfusion/ivim/kernels/posterior_kernel.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <larmor/perfusion/ivim/noise.hpp>
#include <larmor/perfusion/ivim/rician.hpp>
#include <limits>
#include <numbers>

namespace larmor::ivim {
namespace {

void check(const Prior& p, const PosteriorOptions& o, std::span<const double> b) {
  const auto range = [](const char* name, double low, double high, double least) {
    if (!(low >= least) || !(low < high) || !std::isfinite(high))
      throw Error(Errc::range, fmt::format("the prior of {} is {:g} to {:g}", name, low, high),
                  fmt::format("give a range above {:g}, the lower end first", least));
  };
  range("f", p.f_low, p.f_high, 0), range("D", p.D_low, p.D_high, 0);
  range("D_star", p.D_star_low, p.D_star_high, p.log_D_star ? 1e-9 : 0);
  if (p.f_high > 1) throw Error(Errc::range, fmt::format("the prior of f ends at {:g}", p.f_high), "give at most 1");
  for (const double v : b)
    if (!(v >= 0) || !std::isfinite(v))
      throw Error(Errc::range, fmt::format("a b-value of {}", v), "give b >= 0 [s/mm2]");
  if (o.n_D < 4 || o.n_D > max_D_nodes || o.n_D_star < 4 || o.n_D_star > max_D_star_nodes)
    throw Error(Errc::range, fmt::format("{} nodes in D and {} in D_star", o.n_D, o.n_D_star),
                fmt::format("give 4 to {} and 4 to {}", max_D_nodes, max_D_star_nodes));
  if (o.noise_sd && !(*o.noise_sd > 0))
    throw Error(Errc::range, fmt::format("a noise sd of {}", *o.noise_sd), "give a number above 0");
  if (!o.counts.empty() && o.counts.size() != b.size())
    throw Error(Errc::shape, fmt::format("{} counts for {} b-values", o.counts.size(), b.size()), "give one a sample");
  for (const double c : o.counts)
    if (!(c >= 1)) throw Error(Errc::range, fmt::format("a sample of {} volumes", c), "give 1 or more");
  if (o.S0 && !(*o.S0 > 0)) throw Error(Errc::range, fmt::format("S0 is {}", *o.S0), "give a number above 0");
}

/// Least squares inside the prior: where to look.
fit::CurveFit guide(const Array& data, std::span<const double> b, std::span<const std::uint8_t> mask,
                    const PosteriorOptions& o, const Cancel* cancel) {
  fit::CurveFitOptions options;
  options.max_iterations = 60;
  options.tolerance = 1e-3;  // a place and a width are all that is asked for
  const auto bound = [&](const char* name, double low, double high) {
    options.params[name].lower = low, options.params[name].upper = high;
  };
  bound("f", o.prior.f_low, o.prior.f_high), bound("D", o.prior.D_low, o.prior.D_high);
  bound("D_star", o.prior.D_star_low, o.prior.D_star_high);
  if (o.S0) options.params["S0"].fixed = *o.S0;
  options.scalar = o.scalar;
  options.weights = o.counts;
  return fit_curves(models().get("ivim.biexponential"), data, b, {}, mask, options, {}, cancel);
}

/// Range that the nodes of one parameter fill, inside that of the prior.
struct Range {
  double low = 0, high = 1;
  double width() const { return high - low; }
};
/// `half` to each side, cut where the prior ends.
Range about(double centre, double half, const Range& prior) {
  if (!std::isfinite(centre) || !std::isfinite(half)) return prior;
  half = std::max(half, 1e-4 * prior.width());
  centre = std::clamp(centre, prior.low, prior.high);
  return {std::max(centre - half, prior.low), std::min(centre + half, prior.high)};
}

/// What nodes over a range told of one parameter.
struct Told {
  double mean, sd, at_low, at_high;  // the last two: shares in the outermost nodes
};

/// Where the nodes of one voxel lie, round by round.
///
/// The ranges are right when the tails of the posterior are inside (or the prior ends there), and the nodes are no
/// further apart than 1.2 of its sd, for which the midpoint rule of a Gaussian is exact to 1e-5. A posterior that falls
/// between coarse nodes is found by raising the noise until they see it, and lowering it again as they close in.
struct Search {
  Range D, D_star;
  double noise = 1;  // times the true one
  double step = 0;   // by which the noise was last lowered; 0: not yet

  /// Looks at what a round told; false when it was the last.
  bool again(const Range& prior_D, const Range& prior_star, const PosteriorOptions& o, const Told& d, const Told& s) {
    const double step_D = D.width() / o.n_D, step_star = D_star.width() / o.n_D_star;
    bool wider = false;
    const auto widen = [&](Range& range, const Range& prior, const Told& told) {
      const bool low = range.low > prior.low && told.at_low > 1e-3,
                 high = range.high < prior.high && told.at_high > 1e-3;
      if (!low && !high) return;
      range = about(told.mean, 1.2 * range.width(), prior), wider = true;
    };
    widen(D, prior_D, d), widen(D_star, prior_star, s);
    if (wider) return true;
    if (!(1.2 * d.sd >= step_D) || !(1.2 * s.sd >= step_star)) {
      noise *= step > 0 ? step : 4;
      if (step > 0) step = std::sqrt(step);  // lowered by too much at once
      return noise < 1e9;
    }
    if (noise <= 1) return false;
    D = about(d.mean, 5 * d.sd, prior_D), D_star = about(s.mean, 5 * s.sd, prior_star);
    if (step == 0) step = 2;
    noise = std::max(1.0, noise / step);
    return true;
  }
};

/// Errors of D and D_star by the curvature at a point, whatever the bounds.
class Fisher {
 public:
  Fisher(std::span<const double> b, const PosteriorOptions& o)
      : b_(b), o_(o), signal_(b.size()), jacobian_(4 * b.size()) {}
  void errors(const double (&p)[4], double sigma, double& D, double& D_star) {
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

 private:
  std::span<const double> b_;
  const PosteriorOptions& o_;
  std::vector<double> signal_, jacobian_;
};

class Work {
 public:
  Work(const PosteriorOptions& o, std::size_t n_samples) : n_samples_(n_samples) {
    const auto nodes = static_cast<std::size_t>(o.n_D + o.n_D_star);
    const std::size_t doubles = 8 * (nodes * (n_samples + 2) + 6 * static_cast<std::size_t>(o.n_D_star));
    work_ = allocate(doubles * sizeof(double), Device::cpu());
    for (auto* field : {&y_, &weight_}) field->assign(n_samples * posterior_stride, 0.0);
    for (auto& field : fields_) field.assign(posterior_stride, 0.0);
  }
  PosteriorRun run(const PosteriorOptions& o, std::span<const double> b, int n) {
    PosteriorRun r{};
    r.n = n, r.stride = posterior_stride, r.n_samples = static_cast<int>(n_samples_);
    r.n_D = o.n_D, r.n_D_star = o.n_D_star;
    r.b = b.data(), r.y = y_.data(), r.weight = weight_.data(), r.sigma = at(0);
    r.D_low = at(1), r.D_high = at(2), r.D_star_low = at(3), r.D_star_high = at(4), r.S0 = at(5);
    r.f_low = o.prior.f_low, r.f_high = o.prior.f_high;
    r.log_D_star = o.prior.log_D_star, r.S0_known = o.S0.has_value();
    for (std::size_t m = 0; m < 4; ++m) r.mean[m] = at(6 + m), r.sd[m] = at(10 + m);
    for (std::size_t m = 0; m < 4; ++m) r.edge[m] = at(14 + m);
    r.work = reinterpret_cast<double*>(work_.get());
    return r;
  }
  double* at(std::size_t field) { return fields_[field].data(); }
  double* y(std::size_t sample) { return y_.data() + sample * posterior_stride; }
  double* weight(std::size_t sample) { return weight_.data() + sample * posterior_stride; }

 private:
  std::size_t n_samples_;
  std::shared_ptr<std::byte> work_;
  std::vector<double> y_, weight_, fields_[18];
};

}  // namespace

Posterior grid_posterior(const Array& data, std::span<const double> b, std::span<const std::uint8_t> mask,
                         const PosteriorOptions& options, const Progress& progress, const Cancel* cancel) {
  const Prior& prior = options.prior;
  check(prior, options, b);
  const Array packed = data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const fit::CurveFit start = guide(packed, b, mask, options, cancel);
  const std::size_t n_voxels = start.status.size(), n_samples = b.size();
  const double sigma = options.noise_sd ? *options.noise_sd : noise_from_residuals(start, n_samples);
  if (!(sigma > 0))
    throw Error(Errc::numeric, "the residuals are 0: the data have no noise",
                "give the noise sd, or fit by least squares");

  Posterior out;
  out.noise_sd = sigma;
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::size_t m = 0; m < 4; ++m) out.mean[m].assign(n_voxels, nan), out.sd[m].assign(n_voxels, nan);
  out.status = start.status;
  out.flags.assign(n_voxels, 0);

  std::vector<std::size_t> voxels;
  for (std::size_t v = 0; v < n_voxels; ++v)
    if (const auto s = start.status[v]; fit::usable(s) || s == fit::FitStatus::not_converged) voxels.push_back(v);

  const auto place_of_f = [&](std::size_t v) { return fit::usable(start.status[v]) ? start.values[1][v] : -1.0F; };
  // Neighbours in a pack shall meet the same end of the prior of f, or none.
  std::stable_sort(voxels.begin(), voxels.end(), [&](auto u, auto v) { return place_of_f(u) < place_of_f(v); });

  const auto b0 = static_cast<std::size_t>(std::min_element(b.begin(), b.end()) - b.begin());
  const auto kernel = options.scalar ? posterior_kernel_scalar() : posterior_kernel();
  const float* from = packed.data<float>();
  const auto star = [&](double D_star) { return prior.log_D_star ? std::log(D_star) : D_star; };
  const double star_low = star(prior.D_star_low), star_high = star(prior.D_star_high);
  const double prior_sd_D = (prior.D_high - prior.D_low) / std::sqrt(12.0);
  // sd of a value even in its logarithm between a and b: mean (b - a) / ln(b / a), mean square (b^2 - a^2) / (2 ln(b /
  // a)).
  const double log_ratio = std::log(prior.D_star_high / prior.D_star_low), width = prior.D_star_high - prior.D_star_low;
  const double prior_sd_star =
      prior.log_D_star
          ? std::sqrt(width * (prior.D_star_high + prior.D_star_low) / (2 * log_ratio) - std::pow(width / log_ratio, 2))
          : width / std::sqrt(12.0);

  const Range prior_D{prior.D_low, prior.D_high}, prior_star{star_low, star_high};
  std::vector<Search> search(voxels.size());
  parallel_for(voxels.size(), 1024, [&](std::size_t begin, std::size_t end) {
    Fisher fisher(b, options);
    for (std::size_t i = begin; i < end; ++i) {
      const std::size_t v = voxels[i];
      const double D_star = start.values[3][v];
      // The fit's errors go by its residual, of few degrees of freedom; the noise is known better.
      double error_D = start.standard_error[2][v] * sigma / start.residual_sd[v];
      double error_star = start.standard_error[3][v] * sigma / start.residual_sd[v];
      if (!std::isfinite(error_D) || !std::isfinite(error_star)) {  // something on its bound: as if it were free
        const double p[] = {start.values[0][v], start.values[1][v], start.values[2][v], D_star};
        fisher.errors(p, sigma, error_D, error_star);
      }
      search[i].D = about(start.values[2][v], 5.0 * error_D, prior_D);
      search[i].D_star = about(star(D_star), 5 * (prior.log_D_star ? error_star / D_star : error_star), prior_star);
    }
  });
  // Most posteriors lie where the fit says; the others are searched for.
  constexpr int rounds = 32;
  progress.begin("IVIM posterior", voxels.size());
  for (int round = 0; round < rounds && !voxels.empty(); ++round) {
    std::vector<std::uint8_t> again(voxels.size(), 0);
    const std::size_t n_tiles = (voxels.size() + posterior_tile - 1) / posterior_tile;
    parallel_for(
        n_tiles, std::clamp<std::size_t>(n_tiles / (8 * static_cast<std::size_t>(thread_count())), 1, 16),
        [&](std::size_t begin, std::size_t end) {
          Work work(options, n_samples);
          std::vector<double> params(4), signal(n_samples);
          for (std::size_t tile = begin; tile < end; ++tile) {
            if (cancel) cancel->check();
            const std::size_t first = tile * posterior_tile,
                              n = std::min<std::size_t>(posterior_tile, voxels.size() - first);
            const std::size_t padded = (n + 7) / 8 * 8;
            const PosteriorRun r = work.run(options, b, static_cast<int>(padded));
            for (std::size_t i = 0; i < padded; ++i) {
              const std::size_t v = voxels[first + std::min(i, n - 1)];
              const bool known = fit::usable(start.status[v]);
              for (std::size_t p = 0; p < 4; ++p) params[p] = start.values[p][v];
              if (known) curve_signal(models().get("ivim.biexponential"), b, params, {}, signal);
              for (std::size_t k = 0; k < n_samples; ++k) {
                double y = from[k * n_voxels + v], w = 1;
                if (options.magnitude) {
                  const auto m = magnitude_moments((known ? signal[k] : y) / sigma);
                  y -= m.mean * sigma - (known ? signal[k] : y);
                  w = 1 / m.variance;
                }
                if (!options.counts.empty()) w *= options.counts[k];
                work.y(k)[i] = y, work.weight(k)[i] = w;
              }
              const std::size_t at = first + std::min(i, n - 1);
              const Search& where = search[at];
              work.at(0)[i] = sigma * where.noise;
              work.at(1)[i] = where.D.low, work.at(2)[i] = where.D.high;
              work.at(3)[i] = where.D_star.low, work.at(4)[i] = where.D_star.high;
              work.at(5)[i] = options.S0.value_or(1.0);
            }
            kernel(r);
            for (std::size_t i = 0; i < n; ++i) {
              const std::size_t v = voxels[first + i];
              // In the logarithm, the nodes are spread in what D_star is told in: its sd over its mean.
              const double mean_star = r.mean[3][i], sd_star = prior.log_D_star ? r.sd[3][i] / mean_star : r.sd[3][i];
              again[first + i] = search[first + i].again(prior_D, prior_star, options,
                                                         {r.mean[2][i], r.sd[2][i], r.edge[0][i], r.edge[1][i]},
                                                         {star(mean_star), sd_star, r.edge[2][i], r.edge[3][i]});
              bool finite = true;
              for (std::size_t m = 0; m < 4; ++m) {
                out.mean[m][v] = static_cast<float>(r.mean[m][i]), out.sd[m][v] = static_cast<float>(r.sd[m][i]);
                finite = finite && std::isfinite(r.mean[m][i]) && std::isfinite(r.sd[m][i]);
              }
              out.status[v] = finite ? fit::FitStatus::converged : fit::FitStatus::singular;
              if (!finite)
                for (std::size_t m = 0; m < 4; ++m) out.mean[m][v] = out.sd[m][v] = nan;
              out.flags[v] = static_cast<std::uint8_t>((out.sd[3][v] > 0.7 * prior_sd_star ? prior_decides_D_star : 0) |
                                                       (out.sd[2][v] > 0.7 * prior_sd_D ? prior_decides_D : 0) |
                                                       (from[b0 * n_voxels + v] < 5 * sigma ? low_signal : 0));
            }
            if (round == 0) progress.add(n);
          }
        },
        cancel);
    std::size_t left = 0;
    for (std::size_t i = 0; i < voxels.size(); ++i)
      if (again[i]) voxels[left] = voxels[i], search[left] = search[i], ++left;
    voxels.resize(left), search.resize(left);
  }
  for (const std::size_t v : voxels) {  // never settled: no number is better than a doubtful one
    out.status[v] = fit::FitStatus::not_converged;
    for (std::size_t m = 0; m < 4; ++m) out.mean[m][v] = out.sd[m][v] = nan;
  }
  progress.end();
  return out;
}

}  // namespace larmor::ivim
