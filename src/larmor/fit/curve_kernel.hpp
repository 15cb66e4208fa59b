// SPDX-License-Identifier: Apache-2.0
#pragma once
// From data to parameters for one tile of voxels whose signal is a formula of a few parameters at given samples
// (b-values, delays, echo times): start from the best candidate, Levenberg-Marquardt with lane refill, uncertainties.
// Over lanes on the CPU; the same steps for one voxel a thread in CUDA.
//
// A model is a struct:
//   static constexpr int n_params, n_design, n_covariates
//   template <class S, class T> static S signal(const double* design, const T* covariates, const S* params)
// or instead of the signal, where a hand-written gradient pays,
//   template <class T> static T gradient(const double* design, const T* covariates, const T* params, T* gradient)
// which gives the signal too, or in two parts, what depends on the voxel and its parameters only and what on the
// sample:
//   template <class T> struct At {
//     At(const T* covariates, const T* params);
//     T gradient(const double* design, T* gradient) const;
//   };
// With `static constexpr unsigned curved`, a bit for each second derivative that is not 0 by its packed index, the
// gradient takes `T* second` after it and writes those: the search then knows the Hessian.
#include <larmor/fit/curve_types.hpp>
#include <larmor/fit/lm_lanes.hpp>

namespace larmor::fit {
inline namespace LARMOR_ISA_NAMESPACE {

using simd::Dual;
using simd::LaneTraits;

template <class M>
concept IsCurved = requires {
  M::curved;
};
template <class M, class T>
struct EquationsOf {
  using type = NormalEquations<T, M::n_params>;
};
template <IsCurved M, class T>
struct EquationsOf<M, T> {
  using type = CurvedEquations<T, M::n_params>;
};
template <class M, class T>
using Equations = typename EquationsOf<M, T>::type;

template <class M, class T>
concept HasGradient = requires(const double* x, const T* c, const T* p, T* g) {
  M::gradient(x, c, p, g);
};
template <class M, class T>
concept HasAt = requires {
  typename M::template At<T>;
};
/// A model in one part, as if it were in two.
template <class M, class T>
struct WholeModel {
  const T *covariates, *p;
  LARMOR_INLINE WholeModel(const T* c, const T* params) : covariates(c), p(params) {}
  LARMOR_INLINE T gradient(const double* design, T* g) const {
    if constexpr (HasGradient<M, T>) {
      return M::gradient(design, covariates, p, g);
    } else {
      constexpr int N = M::n_params;
      Dual<T, N> q[N];
      for (int i = 0; i < N; ++i) q[i] = Dual<T, N>::variable(p[i], i);
      const Dual<T, N> s = M::template signal<Dual<T, N>, T>(design, covariates, q);
      for (int i = 0; i < N; ++i) g[i] = s.d[i];
      return s.v;
    }
  }
};
template <class M, class T>
struct AtOf {
  using type = WholeModel<M, T>;
};
template <class M, class T>
requires HasAt<M, T>
struct AtOf<M, T> {
  using type = typename M::template At<T>;
};

/// data(k): sample k of every lane.
template <class M, class T, class Data>
LARMOR_INLINE void curve_equations(const CurveTile& t, const T* covariates, const T* p, const Data& data,
                                   Equations<M, T>& e) {
  constexpr int N = M::n_params, NJ = triangle<N>;
  const typename AtOf<M, T>::type at(covariates, p);
  // Sums in variables of their own with constant indices, so that they stay in registers.
  T jtj[NJ], jtr[N], bend[NJ], sse(0.0);
  simd::static_for<NJ>([&](auto i) LARMOR_LAMBDA { jtj[i] = bend[i] = T(0.0); });
  simd::static_for<N>([&](auto i) LARMOR_LAMBDA { jtr[i] = T(0.0); });
  for (int k = 0; k < t.n_samples; ++k) {
    T g[N], second[NJ], r;
    if constexpr (IsCurved<M>)
      r = data(k) - at.gradient(t.design + k * M::n_design, g, second);
    else
      r = data(k) - at.gradient(t.design + k * M::n_design, g);
    T rw = r;  // times the weight
    if (t.root_weight) {
      const T w(t.root_weight[k]);
      r = r * w, rw = r * w;
      simd::static_for<N>([&](auto i) LARMOR_LAMBDA { g[i] = g[i] * w; });
    }
    sse += r * r;
    simd::static_for<N>([&](auto i) LARMOR_LAMBDA {
      jtr[i] += r * g[i];
      simd::static_for<i + 1>([&](auto j) LARMOR_LAMBDA { jtj[packed(i, j)] += g[i] * g[j]; });
    });
    if constexpr (IsCurved<M>)
      simd::static_for<NJ>([&](auto i) LARMOR_LAMBDA {
        if constexpr (M::curved >> i & 1u) bend[i] += rw * second[i];
      });
  }
  simd::static_for<NJ>([&](auto i) LARMOR_LAMBDA { e.jtj[i] = jtj[i]; });
  simd::static_for<N>([&](auto i) LARMOR_LAMBDA { e.jtr[i] = jtr[i]; });
  e.sse = sse;
  if constexpr (IsCurved<M>) simd::static_for<NJ>([&](auto i) LARMOR_LAMBDA { e.hessian[i] = jtj[i] - bend[i]; });
}

/// Index of the best candidate of each lane and the amplitude that fits it. y: first sample, `stride` apart.
///
/// The best of unit curves has the highest projection (of either sign where amplitudes may be negative; of those that
/// would need one they may not have, the least bad), the best of others the highest less half its squared norm.
template <class F>
LARMOR_HD void best_candidate(const Candidates& c, int n_samples, const float* y, int64_t stride, F& index,
                              F& amplitude) {
  using simd::select;
  constexpr int block = 8;
  index = F(0.0f), amplitude = F(1.0f);
  F best(-3e38f), projection(0.0f);
  for (int first = 0; first < c.n; first += block) {
    const float* curves = c.curves + static_cast<int64_t>(first) * n_samples;
    F sum[block];
    simd::static_for<block>([&](auto i) LARMOR_LAMBDA { sum[i] = F(0.0f); });
    for (int k = 0; k < n_samples; ++k) {
      const F v = simd::load<F>(y + static_cast<int64_t>(k) * stride);
      simd::static_for<block>([&](auto i) LARMOR_LAMBDA { sum[i] += v * F(curves[k * block + i]); });
    }
    simd::static_for<block>([&](auto i) LARMOR_LAMBDA {
      if (first + i >= c.n) return;
      const F score = c.scale < 0 ? sum[i] - F(c.norm[first + i]) : c.nonnegative ? sum[i] : simd::abs(sum[i]);
      const auto better = score > best;
      best = select(better, score, best), projection = select(better, sum[i], projection);
      index = select(better, F(static_cast<float>(first + i)), index);
    });
  }
  if (c.scale >= 0) amplitude = projection * simd::gather(c.norm, index, 1, 0);
}

/// The pair of curves with the best sum, and its amplitudes.
///
/// With projections a and b and overlap c the amplitudes are (a - c b) / (1 - c^2) and (b - c a) / (1 - c^2), and the
/// squares explained are their products with a and b; where one would be negative the other does it alone.
template <class F>
LARMOR_HD void best_pair(const Candidates& c, int n_samples, const float* y, int64_t stride, F* index, F* amplitude) {
  using simd::select;
  const F zero(0.0f), one(1.0f);
  F b[max_second_curves];
  for (int j = 0; j < c.n_second; ++j) {
    F sum = zero;
    for (int k = 0; k < n_samples; ++k)
      sum += simd::load<F>(y + static_cast<int64_t>(k) * stride) * F(c.second_curves[j * n_samples + k]);
    b[j] = sum;
  }
  F best(-1.0f), first = zero, second = zero;
  index[0] = index[1] = zero;
  for (int i = 0; i < c.n; ++i) {
    const float* curve = c.curves + static_cast<int64_t>(i / 8) * 8 * n_samples + i % 8;
    F a = zero;
    for (int k = 0; k < n_samples; ++k) a += simd::load<F>(y + static_cast<int64_t>(k) * stride) * F(curve[k * 8]);
    const F alone = simd::max(a, zero), alone2 = alone * alone;
    const float* overlap = c.overlap + static_cast<int64_t>(i) * c.n_second;
    F here(-1.0f), at = zero;  // the best partner of this curve
    for (int j = 0; j < c.n_second; ++j) {
      const F share(overlap[j]), u = a - share * b[j], v = b[j] - share * a, other = simd::max(b[j], zero);
      const F both = (u * a + v * b[j]) * F(1.0f / (1.0f - overlap[j] * overlap[j]));
      const F explained = select((u > zero) & (v > zero), both, simd::max(alone2, other * other));
      const auto better = explained > here;
      here = select(better, explained, here), at = select(better, F(static_cast<float>(j)), at);
    }
    const auto better = here > best;
    best = select(better, here, best), first = select(better, a, first);
    index[0] = select(better, F(static_cast<float>(i)), index[0]), index[1] = select(better, at, index[1]);
  }
  // The amplitudes of the pair that was chosen.
  F share = zero;
  for (int j = 0; j < c.n_second; ++j) second = select(index[1] == F(static_cast<float>(j)), b[j], second);
  share = simd::gather(c.overlap, index[0] * F(static_cast<float>(c.n_second)) + index[1], 1, 0);
  const F u = first - share * second, v = second - share * first, scale = one / (one - share * share);
  const auto both = (u > zero) & (v > zero);
  const auto mine = first > second;
  amplitude[0] =
      select(both, u * scale, select(mine, simd::max(first, zero), zero)) * simd::gather(c.norm, index[0], 1, 0);
  amplitude[1] = select(both, v * scale, select(mine, zero, simd::max(second, zero))) *
                 simd::gather(c.second_norm, index[1], 1, 0);
}

/// Where to begin: of one curve, or of two.
template <class F>
LARMOR_HD void find_start(const Candidates& c, int n_samples, const float* y, int64_t stride, F* index, F* amplitude) {
  if (c.n_second > 0) return best_pair<F>(c, n_samples, y, stride, index, amplitude);
  best_candidate<F>(c, n_samples, y, stride, index[0], amplitude[0]);
  index[1] = F(0.0f), amplitude[1] = F(0.0f);
}

/// Parameters to start from, inside the bounds by a little: on a bound a neighbour may have no gradient.
template <class M>
LARMOR_HD void curve_start(const CurveTile& t, const int* candidate, const double* amplitudes, double* p) {
  const LmOptions& o = *t.options;
  const Candidates& c = *t.candidates;
  const double amplitude = amplitudes[0];
  for (int i = 0; i < M::n_params; ++i) {
    p[i] = c.params[static_cast<int64_t>(candidate[0]) * M::n_params + i];
    if (c.n_second > 0 && (c.second_of >> i & 1u))
      p[i] = c.second_params[static_cast<int64_t>(candidate[1]) * M::n_params + i];
    if (c.n_second > 0 && i == c.second_scale) p[i] = amplitudes[1];
    if (c.scale >= 0 && (i == c.scale || (c.scale_too >> i & 1u))) p[i] *= amplitude;
    // An amplitude of two that came out as 0 says little of the other parameters of its curve, and a prior of its
    // logarithm would be steep there.
    const bool of_pair = c.n_second > 0 && (i == c.scale || i == c.second_scale);
    const double inset = o.fixed[i] ? 0.0 : (of_pair ? 100 : 10) * o.floor[i];
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
    F index[2], amplitude[2];
    find_start<F>(*t.candidates, t.n_samples, t.y + v, t.stride, index, amplitude);
    for (int l = 0; l < LF && v + l < t.n; ++l) {
      if (t.status[v + l] != code(FitStatus::not_converged)) continue;
      double p[N];
      const int from[]{static_cast<int>(simd::lane(index[0], l)), static_cast<int>(simd::lane(index[1], l))};
      const double amplitudes[]{simd::lane(amplitude[0], l), simd::lane(amplitude[1], l)};
      curve_start<M>(t, from, amplitudes, p);
      for (int i = 0; i < N; ++i) point[i][v + l] = p[i];
    }
  }

  LaneJob<N> job{t.n, t.n_samples, t.y, t.stride, t.status, t.iterations, {}, {}, sse, t.frames};
  for (int i = 0; i < N; ++i) job.point[i] = point[i];
  for (int i = 0; i < NJ; ++i) job.jtj[i] = jtj[i];
  T covariates[NC];
  for (int c = 0; c < NC; ++c) covariates[c] = T(1.0);
  run_lanes<N, T, Equations<M, T>>(
      job, *t.options,
      [&](const T* p, const T* y, Equations<M, T>& e) LARMOR_LAMBDA {
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
  constexpr int N = M::n_params;
  const typename AtOf<M, double>::type at(covariates, params);
  for (int k = 0; k < n_samples; ++k) {
    double g[N], s = 0;
    if constexpr (IsCurved<M>) {
      double second[triangle<N>];
      s = at.gradient(design + k * M::n_design, g, second);
    } else {
      s = at.gradient(design + k * M::n_design, g);
    }
    if (signal) signal[k] = s;
    if (jacobian)
      for (int i = 0; i < N; ++i) jacobian[k * N + i] = g[i];
  }
}
#endif

/// One voxel: what a thread of CUDA does. The pointers of the tile's options and candidates are not followed.
template <class M>
LARMOR_HD void fit_curve_voxel(const CurveTile& tile, const LmOptions& options, const Candidates& candidates, int v) {
  constexpr int N = M::n_params, NC = M::n_covariates > 0 ? M::n_covariates : 1;
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
  LmState<double, N, Equations<M, double>> state;
  bool converged = false;
  if (status == code(FitStatus::not_converged)) {
    float index[2], amplitude[2];
    find_start<float>(candidates, t.n_samples, t.y + v, t.stride, index, amplitude);
    const int from[]{static_cast<int>(index[0]), static_cast<int>(index[1])};
    const double amplitudes[]{amplitude[0], amplitude[1]};
    double p[N];
    curve_start<M>(t, from, amplitudes, p);
    lm_begin<double, N>(state, p);
    for (bool done = false; !done;) {
      Equations<M, double> e;
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
  const float nan = 0.0f / 0.0f;
  for (int i = 0; i < N; ++i) {
    t.values[static_cast<int64_t>(i) * t.stride + v] = converged ? static_cast<float>(state.p[i]) : nan;
    t.errors[static_cast<int64_t>(i) * t.stride + v] = converged ? static_cast<float>(error[i]) : nan;
  }
  t.residual_sd[v] = converged ? static_cast<float>(residual_sd) : nan;
  t.R2[v] = converged ? static_cast<float>(R2) : nan;
  t.AICc[v] = converged ? static_cast<float>(AICc) : nan;
}

#if !defined(__CUDACC__)
/// The threads of CUDA one after another, for tests on the CPU.
template <class M>
void fit_curve_threads(const CurveTile& t) {
  for (int v = 0; v < t.n; ++v) fit_curve_voxel<M>(t, *t.options, *t.candidates, v);
}
#else
template <class M>
__global__ void fit_curve_voxels(const CurveTile tile, const LmOptions options, const Candidates candidates) {
  const int v = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (v < tile.n) fit_curve_voxel<M>(tile, options, candidates, v);
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
