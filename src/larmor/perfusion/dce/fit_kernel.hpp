// SPDX-License-Identifier: Apache-2.0
#pragma once
// From data to parameters for one tile of voxels: screening, start from the dictionary, Levenberg-Marquardt with lane
// refill, uncertainties. Over lanes on the CPU; the same steps for one voxel a thread in CUDA.
#include <larmor/fit/status.hpp>
#include <larmor/perfusion/dce/evaluate.hpp>

namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {

using fit::FitStatus;
using fit::LmState;
using simd::LaneTraits;

LARMOR_HD constexpr uint8_t code(FitStatus s) { return static_cast<uint8_t>(s); }

/// What screening says of a voxel with these sums over n frames.
LARMOR_HD uint8_t screened(double sum, double squares, int n, double& sst) {
  sst = squares - sum * sum / n;
  if (!(squares - squares == 0)) return code(FitStatus::bad_data);
  // Constant data leave only rounding about the mean: n roundings of 1e-16 of the sum of squares.
  if (!(sst > 1e-13 * squares)) return code(FitStatus::no_signal);
  return code(FitStatus::not_converged);
}

/// Best dictionary entry of each lane: its index and the amplitudes of its curves (own units).
template <class F>
struct Match {
  F candidate, amplitude1, amplitude2;
};

/// y (n_out, stride), lanes side by side. `scratch` holds n_curves F.
template <class F>
LARMOR_HD Match<F> match(const Dictionary& d, int n_out, const float* y, int stride, F* scratch) {
  using simd::select;
  constexpr int block = 8;
  for (int c = 0; c < d.n_curves; c += block) {
    const float* curves = d.curves + static_cast<int64_t>(c) * n_out;
    F sum[block];
    static_for<block>([&](auto i) LARMOR_LAMBDA { sum[i] = F(0.0f); });
    for (int n = 0; n < n_out; ++n) {
      const F v = simd::load<F>(y + static_cast<int64_t>(n) * stride);
      static_for<block>([&](auto i) LARMOR_LAMBDA { sum[i] += v * F(curves[n * block + i]); });
    }
    for (int i = 0; i < block && c + i < d.n_curves; ++i) scratch[c + i] = sum[i];
  }
  Match<F> best{F(0.0f), F(0.0f), F(0.0f)};
  F best_score(-1.0f);
  const F zero(0.0f);
  for (int c = 0; c < d.n_candidates; ++c) {
    const F b1 = scratch[d.first[c]];
    F a1 = b1, a2 = zero, score;
    if (d.second[c] >= 0) {
      const F cosine(d.cosine[c]), inverse_sine(d.inverse_sine[c]);
      const F across = (scratch[d.second[c]] - cosine * b1) * inverse_sine;  // along the part of 2 that 1 has not
      a2 = across * inverse_sine;
      a1 = b1 - cosine * a2;
      score = b1 * b1 + across * across;
    } else {
      score = b1 * b1;
    }
    if (d.nonnegative) score = select((a1 < zero) | (a2 < zero), F(-0.5f), score);
    const auto better = score > best_score;
    best_score = select(better, score, best_score);
    best.candidate = select(better, F(static_cast<float>(c)), best.candidate);
    best.amplitude1 = select(better, a1 * F(d.first_norm[c]), best.amplitude1);
    best.amplitude2 = select(better, a2 * F(d.second_norm[c]), best.amplitude2);
  }
  return best;
}

/// Parameters to start from, inside the bounds by a little: on a bound a neighbour may have no gradient.
template <class M, bool Delay>
LARMOR_HD void start_point(const Tile& t, int candidate, double a1, double a2, double* p) {
  constexpr int NP = n_p<M, Delay>;
  const Dictionary& d = *t.dictionary;
  if (!(a1 > 0)) a1 = 0;
  if (!(a2 > 0)) a2 = 0;
  M::start(static_cast<double>(d.rate1[candidate]), static_cast<double>(d.rate2[candidate]),
           static_cast<double>(d.lag[candidate]), a1, a2, p);
  if constexpr (Delay) p[NP - 1] = d.delay[candidate];
  const fit::LmOptions& o = *t.options;
  for (int i = 0; i < NP; ++i) {
    if (t.start[i] == t.start[i]) p[i] = t.start[i];
    const double inset = o.fixed[i] ? 0.0 : 10 * o.floor[i];
    const double low = o.lower[i] + inset, high = o.upper[i] - inset;
    if (!(p[i] >= low)) p[i] = low;
    if (!(p[i] <= high)) p[i] = high > low ? high : 0.5 * (o.lower[i] + o.upper[i]);
    if (o.fixed[i]) p[i] = o.lower[i];
  }
}

/// Result of one lane into the tile, with standard errors.
template <class M, bool Delay, class T>
LARMOR_HD void finish(const Tile& t, const T* p, const T* jtj, const T* sse, T* error, T* bound) {
  constexpr int NP = n_p<M, Delay>;
  const fit::LmOptions& o = *t.options;
  using Mk = typename LaneTraits<T>::mask;
  Mk held[NP];
  T free(0.0);
  T at_bound(0.0);
  for (int i = 0; i < NP; ++i) {
    const Mk on = (p[i] <= T(o.lower[i])) | (p[i] >= T(o.upper[i]));
    const Mk fixed = o.fixed[i] ? T(0.0) == T(0.0) : T(0.0) < T(0.0);
    held[i] = on | fixed;
    free += simd::select(held[i], T(0.0), T(1.0));
    if (!o.fixed[i]) at_bound = simd::select(on, T(1.0), at_bound);
  }
  T variance[NP];
  fit::inverse_diagonal<T, NP>(jtj, held, variance);
  // With a prior the noise is given; without, it is what the residuals show.
  const T freedom = T(static_cast<double>(t.grid->n_out)) - free;
  const T noise = o.use_prior ? T(o.sigma2) : *sse / freedom;
  for (int i = 0; i < NP; ++i) error[i] = simd::sqrt(variance[i] * noise);
  *bound = at_bound;
}

#if !defined(__CUDACC__)
inline void screen_tile(const Tile& t) {
  constexpr int block = 16;  // voxels side by side: the compiler makes lanes of them
  for (int v = 0; v < t.n; v += block) {
    double sum[block] = {}, squares[block] = {};
    for (int n = 0; n < t.grid->n_out; ++n)
      for (int l = 0; l < block; ++l) {
        const double y = t.y[static_cast<int64_t>(n) * t.stride + v + l];
        sum[l] += y, squares[l] += y * y;
      }
    for (int l = 0; l < block && v + l < t.n; ++l) {
      t.status[v + l] = screened(sum[l], squares[l], t.grid->n_out, t.sst[v + l]);
      t.iterations[v + l] = 0;
    }
  }
}

template <class M, bool Delay, int MaxKinds, class T, class F>
void fit_tile_as(const Tile& t) {
  constexpr int NP = n_p<M, Delay>, L = LaneTraits<T>::size, LF = LaneTraits<F>::size, NJ = fit::triangle<NP>;
  const int n_out = t.grid->n_out;
  double* const frames = t.frames;
  alignas(64) double point[NP][tile_voxels], jtj[NJ][tile_voxels], sse[tile_voxels];

  screen_tile(t);
  for (int v = 0; v < t.n; v += LF) {
    const Match<F> m = match<F>(*t.dictionary, n_out, t.y + v, t.stride, reinterpret_cast<F*>(t.scratch));
    for (int l = 0; l < LF && v + l < t.n; ++l) {
      double p[NP];
      start_point<M, Delay>(t, static_cast<int>(simd::lane(m.candidate, l)), simd::lane(m.amplitude1, l),
                            simd::lane(m.amplitude2, l), p);
      for (int i = 0; i < NP; ++i) point[i][v + l] = p[i];
    }
  }

  // Lane refill: a lane that is done hands its voxel over and takes the next one, so lanes never wait for each other.
  LmState<T, NP> state;
  int voxel[L];
  int next = 0, active = 0;
  T* y = reinterpret_cast<T*>(frames);
  const auto refill = [&](int l) {
    while (next < t.n && t.status[next] != code(FitStatus::not_converged)) ++next;
    if (next == t.n) {
      voxel[l] = -1;
      return;
    }
    voxel[l] = next;
    for (int n = 0; n < n_out; ++n) frames[n * L + l] = t.y[static_cast<int64_t>(n) * t.stride + next];
    for (int i = 0; i < NP; ++i)
      simd::set_lane(state.p[i], l, point[i][next]), simd::set_lane(state.next[i], l, point[i][next]);
    simd::set_lane(state.lambda, l, 1e-4);
    simd::set_lane(state.iterations, l, 0.0);
    ++next, ++active;
  };
  {
    T zero[NP];
    for (int i = 0; i < NP; ++i) zero[i] = T(0.5 * (t.options->lower[i] + t.options->upper[i]));
    fit::lm_begin<T, NP>(state, zero);
    for (int n = 0; n < n_out; ++n) y[n] = T(0.0);
    for (int i = 0; i < NJ; ++i) state.at.jtj[i] = T(1.0);
    for (int i = 0; i < NP; ++i) state.at.jtr[i] = T(0.0);
    state.at.sse = T(0.0);
  }
  for (int l = 0; l < L; ++l) refill(l);
  while (active > 0) {
    fit::NormalEquations<T, NP> e;
    normal_equations<M, Delay, MaxKinds, T>(*t.grid, t.fixed_delay, state.next, y, e);
    fit::add_prior<T, NP>(*t.options, state.next, e);
    typename LaneTraits<T>::mask done, converged;
    fit::lm_advance<T, NP>(state, e, *t.options, done, converged);
    if (!simd::any(done)) continue;
    for (int l = 0; l < L; ++l) {
      if (voxel[l] < 0 || !simd::lane(done, l)) continue;
      const int v = voxel[l];
      for (int i = 0; i < NP; ++i) point[i][v] = simd::lane(state.p[i], l);
      for (int i = 0; i < NJ; ++i) jtj[i][v] = simd::lane(state.at.jtj[i], l);
      sse[v] = simd::lane(state.at.sse, l);
      const double used = simd::lane(state.iterations, l);
      t.iterations[v] = static_cast<uint8_t>(used < 255 ? used : 255);
      if (simd::lane(converged, l)) t.status[v] = code(FitStatus::converged);
      --active;
      refill(l);
    }
  }

  for (int v = 0; v < t.n; v += L) {
    T p[NP], j[NJ], error[NP], bound;
    const T s = simd::load<T>(sse + v);
    for (int i = 0; i < NP; ++i) p[i] = simd::load<T>(point[i] + v);
    for (int i = 0; i < NJ; ++i) j[i] = simd::load<T>(jtj[i] + v);
    fit::NormalEquations<T, NP> unused{};
    const T penalty = fit::add_prior<T, NP>(*t.options, p, unused);
    finish<M, Delay, T>(t, p, j, &s, error, &bound);
    for (int l = 0; l < L && v + l < t.n; ++l) {
      const bool good = t.status[v + l] == code(FitStatus::converged);
      t.sse[v + l] = sse[v + l] - simd::lane(penalty, l);
      if (good && simd::lane(bound, l) != 0) t.status[v + l] = code(FitStatus::at_bound);
      for (int i = 0; i < NP; ++i) {
        t.values[i * t.stride + v + l] = good ? static_cast<float>(simd::lane(p[i], l)) : __builtin_nanf("");
        t.errors[i * t.stride + v + l] = good ? static_cast<float>(simd::lane(error[i], l)) : __builtin_nanf("");
      }
    }
  }
}

/// Grids with few distinct steps get the version that makes the convolution weights once an evaluation.
inline constexpr int few_kinds = 4;
template <class M, bool Delay, class T, class F>
void fit_tile(const Tile& t) {
  if (t.grid->n_kinds <= few_kinds)
    fit_tile_as<M, Delay, few_kinds, T, F>(t);
  else
    fit_tile_as<M, Delay, 0, T, F>(t);
}
#endif

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dce
