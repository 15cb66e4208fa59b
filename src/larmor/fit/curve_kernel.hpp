// SPDX-License-Identifier: Apache-2.0
#pragma once
// From data to parameters for one tile of voxels whose signal is a formula of a few parameters at given samples
// (b-values, delays, echo times): start from the best candidate, Levenberg-Marquardt with lane refill, uncertainties.
// Over lanes on the CPU; the same steps for one voxel a thread in CUDA.
//
// A model is a struct:
//   static constexpr int n_params, n_design, n_covariates
//   template <class S, class T> static S signal(const double* design, const T* covariates, const S* params)
// and, where a hand-written gradient pays,
//   template <class T> static T gradient(const double* design, const T* covariates, const T* params, T* gradient)
// which gives the signal too. A test holds the two equal.
#include <larmor/fit/curve_types.hpp>
#include <larmor/fit/lm_lanes.hpp>

namespace larmor::fit {
inline namespace LARMOR_ISA_NAMESPACE {

using simd::Dual;
using simd::LaneTraits;

template <class M, class T>
concept HasGradient = requires(const double* x, const T* c, const T* p, T* g) {
  M::gradient(x, c, p, g);
};

/// Signal and its gradient by the parameters.
template <class M, class T>
LARMOR_INLINE T signal_and_gradient(const double* design, const T* covariates, const T* p, T* g) {
  constexpr int N = M::n_params;
  if constexpr (HasGradient<M, T>) {
    return M::gradient(design, covariates, p, g);
  } else {
    Dual<T, N> q[N];
    for (int i = 0; i < N; ++i) q[i] = Dual<T, N>::variable(p[i], i);
    const Dual<T, N> s = M::template signal<Dual<T, N>, T>(design, covariates, q);
    for (int i = 0; i < N; ++i) g[i] = s.d[i];
    return s.v;
  }
}

/// data(k): sample k of every lane.
template <class M, class T, class Data>
LARMOR_INLINE void curve_equations(const CurveTile& t, const T* covariates, const T* p, const Data& data,
                                   NormalEquations<T, M::n_params>& e) {
  constexpr int N = M::n_params;
  for (int i = 0; i < triangle<N>; ++i) e.jtj[i] = T(0.0);
  for (int i = 0; i < N; ++i) e.jtr[i] = T(0.0);
  e.sse = T(0.0);
  for (int k = 0; k < t.n_samples; ++k) {
    T g[N];
    T r = data(k) - signal_and_gradient<M, T>(t.design + k * M::n_design, covariates, p, g);
    if (t.root_weight) {
      const T w(t.root_weight[k]);
      r = r * w;
      for (int i = 0; i < N; ++i) g[i] = g[i] * w;
    }
    e.sse += r * r;
    for (int i = 0; i < N; ++i) {
      e.jtr[i] += r * g[i];
      for (int j = 0; j <= i; ++j) e.jtj[packed(i, j)] += g[i] * g[j];
    }
  }
}

/// Index of the best candidate of each lane and the amplitude that fits it. y: first sample, `stride` apart.
template <class F>
LARMOR_HD void best_candidate(const Candidates& c, int n_samples, const float* y, int64_t stride, F& index,
                              F& amplitude) {
  using simd::select;
  constexpr int block = 8;
  index = F(0.0f), amplitude = F(1.0f);
  F best(-3e38f);
  const F zero(0.0f);
  for (int first = 0; first < c.n; first += block) {
    const float* curves = c.curves + static_cast<int64_t>(first) * n_samples;
    F sum[block];
    simd::static_for<block>([&](auto i) LARMOR_LAMBDA { sum[i] = F(0.0f); });
    for (int k = 0; k < n_samples; ++k) {
      const F v = simd::load<F>(y + static_cast<int64_t>(k) * stride);
      simd::static_for<block>([&](auto i) LARMOR_LAMBDA { sum[i] += v * F(curves[k * block + i]); });
    }
    for (int i = 0; i < block && first + i < c.n; ++i) {
      const F norm(c.norm[first + i]);
      F score = c.scale >= 0 ? sum[i] * sum[i] : sum[i] - norm;
      // Of candidates that would need a negative amplitude the least bad comes first.
      if (c.nonnegative) score = select(sum[i] < zero, -score, score);
      const auto better = score > best;
      best = select(better, score, best);
      index = select(better, F(static_cast<float>(first + i)), index);
      if (c.scale >= 0) amplitude = select(better, sum[i] * norm, amplitude);
    }
  }
}

/// Parameters to start from, inside the bounds by a little: on a bound a neighbour may have no gradient.
template <class M>
LARMOR_HD void curve_start(const CurveTile& t, int candidate, double amplitude, double* p) {
  const LmOptions& o = *t.options;
  const Candidates& c = *t.candidates;
  for (int i = 0; i < M::n_params; ++i) {
    p[i] = c.params[static_cast<int64_t>(candidate) * M::n_params + i];
    if (c.scale >= 0 && (i == c.scale || (c.scale_too >> i & 1u))) p[i] *= amplitude;
    const double inset = o.fixed[i] ? 0.0 : 10 * o.floor[i];
    const double low = o.lower[i] + inset, high = o.upper[i] - inset;
    if (!(p[i] >= low)) p[i] = low;
    if (!(p[i] <= high)) p[i] = high > low ? high : 0.5 * (o.lower[i] + o.upper[i]);
    if (o.fixed[i]) p[i] = o.lower[i];
  }
}

/// What screening says of a voxel with these sums: data that are 0 everywhere hold nothing to fit.
LARMOR_HD uint8_t screened_curve(double squares, bool covariates_known) {
  if (!(squares - squares == 0) || !covariates_known) return code(FitStatus::bad_data);
  return code(squares > 0 ? FitStatus::not_converged : FitStatus::no_signal);
}

/// Sum of squares about the weighted mean, for R2.
LARMOR_HD double about_mean(double weights, double sum, double squares) {
  const double sst = squares - sum * sum / weights;
  return sst > 0 ? sst : 0;
}

#if !defined(__CUDACC__)
template <class M, class T, class F>
void fit_curve_tile(const CurveTile& t) {
  constexpr int N = M::n_params, L = LaneTraits<T>::size, LF = LaneTraits<F>::size, NJ = triangle<N>;
  constexpr int NC = M::n_covariates > 0 ? M::n_covariates : 1;
  alignas(64) double point[N][curve_tile], jtj[NJ][curve_tile], sse[curve_tile], sst[curve_tile];

  double weights = 0;
  for (int k = 0; k < t.n_samples; ++k) weights += t.root_weight ? t.root_weight[k] * t.root_weight[k] : 1.0;
  for (int v = 0; v < t.n; ++v) {
    double sum = 0, squares = 0;
    for (int k = 0; k < t.n_samples; ++k) {
      const double y = t.y[static_cast<int64_t>(k) * t.stride + v];
      const double w = t.root_weight ? t.root_weight[k] * t.root_weight[k] : 1.0;
      sum += w * y, squares += w * y * y;
    }
    bool known = true;
    for (int c = 0; c < M::n_covariates; ++c) known = known && simd::is_finite(t.covariate[c][v]);
    t.status[v] = screened_curve(squares, known);
    t.iterations[v] = 0;
    sst[v] = about_mean(weights, sum, squares);
  }
  for (int v = 0; v < t.n; v += LF) {
    F index, amplitude;
    best_candidate<F>(*t.candidates, t.n_samples, t.y + v, t.stride, index, amplitude);
    for (int l = 0; l < LF && v + l < t.n; ++l) {
      if (t.status[v + l] != code(FitStatus::not_converged)) continue;
      double p[N];
      curve_start<M>(t, static_cast<int>(simd::lane(index, l)), simd::lane(amplitude, l), p);
      for (int i = 0; i < N; ++i) point[i][v + l] = p[i];
    }
  }

  LaneJob<N> job{t.n, t.n_samples, t.y, t.stride, t.status, t.iterations, {}, {}, sse, t.frames};
  for (int i = 0; i < N; ++i) job.point[i] = point[i];
  for (int i = 0; i < NJ; ++i) job.jtj[i] = jtj[i];
  T covariates[NC];
  for (int c = 0; c < NC; ++c) covariates[c] = T(1.0);
  run_lanes<N, T>(
      job, *t.options,
      [&](const T* p, const T* y, NormalEquations<T, N>& e) LARMOR_LAMBDA {
        curve_equations<M, T>(
            t, covariates, p, [y](int k) LARMOR_LAMBDA { return y[k]; }, e);
      },
      [&](int l, int v) LARMOR_LAMBDA {
        for (int c = 0; c < M::n_covariates; ++c)
          simd::set_lane(covariates[c], l, static_cast<double>(t.covariate[c][v]));
      });

  int n_free = 0;
  for (int i = 0; i < N; ++i) n_free += !t.options->fixed[i];
  for (int v = 0; v < t.n; v += L) {
    T p[N], j[NJ], error[N], bound;
    for (int i = 0; i < N; ++i) p[i] = simd::load<T>(point[i] + v);
    for (int i = 0; i < NJ; ++i) j[i] = simd::load<T>(jtj[i] + v);
    NormalEquations<T, N> unused{};
    const T s = simd::load<T>(sse + v) - add_prior<T, N>(*t.options, p, unused);
    const double freedom = t.n_samples - n_free;
    // With a prior the noise is given; without, it is what the residuals show (nothing when they have no freedom).
    const T noise = t.options->use_prior ? T(t.options->sigma2) : s * T(1.0 / freedom);
    free_errors<T, N>(*t.options, p, j, noise, error, &bound);
    T residual_sd, R2, AICc;
    goodness<T>(s, simd::load<T>(sst + v), t.n_samples, n_free, residual_sd, R2, AICc);
    T good(0.0);
    for (int l = 0; l < L && v + l < t.n; ++l) {
      if (t.status[v + l] == unfinished) t.status[v + l] = code(FitStatus::not_converged);
      if (t.status[v + l] != code(FitStatus::converged)) continue;
      simd::set_lane(good, l, 1.0);
      if (simd::lane(bound, l) != 0) t.status[v + l] = code(FitStatus::at_bound);
    }
    const auto mask = good > T(0.0);
    const T nan = T(0.0) / T(0.0);
    for (int i = 0; i < N; ++i) {
      simd::store_narrow(t.values + i * t.stride + v, simd::select(mask, p[i], nan));
      simd::store_narrow(t.errors + i * t.stride + v, simd::select(mask, error[i], nan));
    }
    simd::store_narrow(t.residual_sd + v, simd::select(mask, residual_sd, nan));
    simd::store_narrow(t.R2 + v, simd::select(mask, R2, nan));
    simd::store_narrow(t.AICc + v, simd::select(mask, AICc, nan));
  }
}

template <class M>
void curve_signal(const double* design, int n_samples, const double* covariates, const double* params, double* signal,
                  double* jacobian) {
  double g[M::n_params];
  for (int k = 0; k < n_samples; ++k) {
    const double s = signal_and_gradient<M, double>(design + k * M::n_design, covariates, params, g);
    if (signal) signal[k] = s;
    if (jacobian)
      for (int i = 0; i < M::n_params; ++i) jacobian[k * M::n_params + i] = g[i];
  }
}
#else
/// One voxel a thread; pointers in device memory.
template <class M>
__global__ void fit_curve_voxels(const CurveTile tile, const LmOptions options, const Candidates candidates) {
  constexpr int N = M::n_params, NC = M::n_covariates > 0 ? M::n_covariates : 1;
  const int v = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (v >= tile.n) return;
  CurveTile t = tile;
  t.options = &options, t.candidates = &candidates;
  const auto data = [&](int k) { return static_cast<double>(t.y[static_cast<int64_t>(k) * t.stride + v]); };
  double weights = 0, sum = 0, squares = 0, covariates[NC];
  for (int k = 0; k < t.n_samples; ++k) {
    const double w = t.root_weight ? t.root_weight[k] * t.root_weight[k] : 1.0;
    weights += w, sum += w * data(k), squares += w * data(k) * data(k);
  }
  bool known = true;
  for (int c = 0; c < M::n_covariates; ++c)
    covariates[c] = t.covariate[c][v], known = known && simd::is_finite(covariates[c]);
  uint8_t status = screened_curve(squares, known);
  LmState<double, N> state;
  bool converged = false;
  if (status == code(FitStatus::not_converged)) {
    float index, amplitude;
    best_candidate<float>(candidates, t.n_samples, t.y + v, t.stride, index, amplitude);
    double p[N];
    curve_start<M>(t, static_cast<int>(index), amplitude, p);
    lm_begin<double, N>(state, p);
    for (bool done = false; !done;) {
      NormalEquations<double, N> e;
      curve_equations<M, double>(t, covariates, state.next, data, e);
      add_prior<double, N>(options, state.next, e);
      lm_advance<double, N>(state, e, options, done, converged);
    }
  }
  t.iterations[v] =
      status == code(FitStatus::not_converged) ? static_cast<uint8_t>(simd::min(state.iterations, 255.0)) : 0;
  double error[N], bound = 0, residual_sd = 0, R2 = 0, AICc = 0;
  if (converged) {
    int n_free = 0;
    for (int i = 0; i < N; ++i) n_free += !options.fixed[i];
    NormalEquations<double, N> unused{};
    const double sse = state.at.sse - add_prior<double, N>(options, state.p, unused);
    free_errors<double, N>(options, state.p, state.at.jtj,
                           options.use_prior ? options.sigma2 : sse / (t.n_samples - n_free), error, &bound);
    goodness<double>(sse, about_mean(weights, sum, squares), t.n_samples, n_free, residual_sd, R2, AICc);
    status = code(bound != 0 ? FitStatus::at_bound : FitStatus::converged);
  }
  t.status[v] = status;
  const float nan = __int_as_float(0x7fc00000);
  for (int i = 0; i < N; ++i) {
    t.values[static_cast<int64_t>(i) * t.stride + v] = converged ? static_cast<float>(state.p[i]) : nan;
    t.errors[static_cast<int64_t>(i) * t.stride + v] = converged ? static_cast<float>(error[i]) : nan;
  }
  t.residual_sd[v] = converged ? static_cast<float>(residual_sd) : nan;
  t.R2[v] = converged ? static_cast<float>(R2) : nan;
  t.AICc[v] = converged ? static_cast<float>(AICc) : nan;
}

/// options and candidates are host structures whose pointers, like those of the tile, lead to device memory.
template <class M>
void launch_curves(const CurveTile& tile, const LmOptions& options, const Candidates& candidates) {
  constexpr int threads = 128;
  const int blocks = (tile.n + threads - 1) / threads;
  // clang-format off
  fit_curve_voxels<M><<<blocks, threads>>>(tile, options, candidates);  // clang-format 14 breaks the brackets
  // clang-format on
}
#endif

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::fit
