// SPDX-License-Identifier: Apache-2.0
#pragma once
// From data to parameters for one tile of voxels: screening, start from the dictionary, Levenberg-Marquardt with lane
// refill, uncertainties. Over lanes on the CPU; the same steps for one voxel a thread in CUDA.
#include <larmor/fit/lm_lanes.hpp>
#include <larmor/perfusion/dce/evaluate.hpp>
#include <larmor/perfusion/dce/match.hpp>

namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {

using fit::code;
using fit::FitStatus;
using fit::unfinished;
using simd::LaneTraits;
using simd::load_wide;
using simd::store_narrow;

/// What screening says of a voxel with these sums over n frames.
LARMOR_HD uint8_t screened(double sum, double squares, int n, double& sst) {
  sst = squares - sum * sum / n;
  if (!(squares - squares == 0)) return code(FitStatus::bad_data);
  // Constant data leave only rounding about the mean: n roundings of 1e-16 of the sum of squares.
  if (!(sst > 1e-13 * squares)) return code(FitStatus::no_signal);
  return code(FitStatus::not_converged);
}

/// Parameters to start from, inside the bounds by a little: on a bound a neighbour may have no gradient.
template <class M, bool Delay>
LARMOR_HD void start_point(const Tile& t, int candidate, double a1, double a2, double beside, const float* projections,
                           int64_t stride, double* p) {
  constexpr int NP = n_p<M, Delay>;
  const Dictionary& d = *t.dictionary;
  if (!(a1 > 0)) a1 = 0;
  if (!(a2 > 0)) a2 = 0;
  double rate1 = d.rate1[candidate], rate2 = d.rate2[candidate];
  if (d.pairs) refine_pair(d, candidate, projections, stride, rate1, rate2, a1, a2);
  if (beside != 0) rate1 *= simd::exp(beside * d.log_step);
  M::start(rate1, rate2, static_cast<double>(d.lag[candidate]), a1, a2, p);
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

/// Standard errors of the parameters and of what is derived from them (delta method, sqrt(g^T C g) with the gradient g
/// and the covariance C of the free parameters), and whether a parameter is on its bound.
///
/// A derived quantity has no error where it depends on a parameter that is on its bound, on one that the data do not
/// determine, or on fixed ones only.
template <class M, bool Delay, class T>
LARMOR_HD void finish(const Tile& t, const T* p, const T* jtj, const T* sse, T* error, T* derived, T* bound) {
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

  constexpr int ND = count_derived<M>(), nm = M::n_params;
  if constexpr (ND > 0) {
    const T zero(0.0), nan = T(0.0) / T(0.0);
    T value[ND], gradient[ND * nm];
    derived_with_gradient<M>(p, value, gradient);
    for (int k = 0; k < ND; ++k) {
      T g[NP], x[NP], sum(0.0), unknown(0.0);
      for (int i = 0; i < NP; ++i) {
        g[i] = i < nm && !o.fixed[i] ? gradient[k * nm + i] : zero;
        unknown = simd::select((g[i] == zero) | (variance[i] > zero), unknown, T(1.0));
      }
      fit::solve_damped<T, NP>(jtj, g, zero, held, x);
      for (int i = 0; i < NP; ++i) sum += g[i] * x[i];
      derived[k] = simd::select((unknown == zero) & (sum > zero), T(simd::sqrt(sum * noise)), nan);
    }
  }
}

/// True for a model that is linear in its parameters: amplitudes of the input and its integral only.
template <class M>
constexpr bool is_linear() {
  for (const Term& t : M::terms)
    if (t.kind == Kind::exponential || t.lagged) return false;
  return true;
}

#if !defined(__CUDACC__)
/// Sums over the frames run over so many packs side by side: one alone waits for each addition.
template <class T>
inline constexpr int packs_at_once = LaneTraits<T>::size >= 8   ? 4
                                     : LaneTraits<T>::size >= 4 ? 2
                                                                : 1;
static_assert(tile_voxels % 32 == 0, "tiles hold whole groups of packs");

template <class T>
LARMOR_INLINE void screen_pack(const Tile& t, int v, T sum, T squares) {
  for (int l = 0; l < LaneTraits<T>::size; ++l) {
    t.status[v + l] = screened(simd::lane(sum, l), simd::lane(squares, l), t.grid->n_out, t.sst[v + l]);
    t.iterations[v + l] = 0;
  }
}

template <class T>
void screen_tile(const Tile& t) {
  constexpr int L = LaneTraits<T>::size, U = packs_at_once<T>;
  for (int v = 0; v < t.n; v += U * L) {
    T sum[U], squares[U];
    static_for<U>([&](auto u) LARMOR_LAMBDA { sum[u] = squares[u] = T(0.0); });
    for (int n = 0; n < t.grid->n_out; ++n)
      static_for<U>([&](auto u) LARMOR_LAMBDA {
        const T y = load_wide<T>(t.y + n * t.y_stride + v + u * L);
        sum[u] += y, squares[u] += y * y;
      });
    for (int u = 0; u < U; ++u) screen_pack<T>(t, v + u * L, sum[u], squares[u]);
  }
}

/// What is known of a voxel when its fit ends, a structure of arrays over the tile.
template <int NP>
struct TileState {
  alignas(64) double point[NP][tile_voxels];
  alignas(64) double jtj[fit::triangle<NP>][tile_voxels];
  alignas(64) double sse[tile_voxels];
};

/// Closed form for a linear model: one pass over the data. Voxels whose solution leaves the bounds stay not_converged
/// for the iteration.
template <class M, class T>
void fit_linear_tile(const Tile& t, TileState<M::n_params>& state) {
  constexpr int NP = M::n_params, NQ = n_q<M, false>, L = LaneTraits<T>::size, NJ = fit::triangle<NP>;
  const TimeGrid& g = *t.grid;
  double p[NP], q[NQ], dq[NQ * NP], gram[NJ] = {}, basis_p[NP];
  for (int i = 0; i < NP; ++i) p[i] = 1;
  coefficients_with_gradient<M, false>(p, q, dq);
  double* columns = t.frames;  // (n_out, NP)
  run_basis<M, false, 0, Weights::exact>(g, q, 0.0, 0.0, [&](int n, const double* basis, const double*, const double*) {
    for (int j = 0; j < NP; ++j) {
      double s = 0;
      for (int k = 0; k < NQ; ++k) s += basis[k] * dq[k * NP + j];
      basis_p[j] = s, columns[n * NP + j] = s;
    }
    for (int i = 0; i < NP; ++i)
      for (int j = 0; j <= i; ++j) gram[packed(i, j)] += basis_p[i] * basis_p[j];
  });
  T lane_gram[NJ];
  for (int i = 0; i < NJ; ++i) lane_gram[i] = T(gram[i]);
  typename LaneTraits<T>::mask none[NP];
  for (int i = 0; i < NP; ++i) none[i] = T(0.0) < T(0.0);

  // Whole rows, some frames at a time, into sums that stay in the first cache level: the data are read once and in
  // order, wherever they are.
  struct Sums {
    T sum, squares, projection[NP];
  };
  constexpr int rows = 4, n_packs = tile_voxels / L;
  alignas(64) Sums sums[n_packs];
  const auto add = [&](auto many, int n, Sums& s, const float* y) LARMOR_LAMBDA {
    static_for<many>([&](auto r) LARMOR_LAMBDA {
      const T value = load_wide<T>(y + r * t.y_stride);
      s.sum += value, s.squares += value * value;
      static_for<NP>([&](auto i) LARMOR_LAMBDA { s.projection[i] += value * T(columns[(n + r) * NP + i]); });
    });
  };
  for (Sums& s : sums) {
    s.sum = s.squares = T(0.0);
    for (int i = 0; i < NP; ++i) s.projection[i] = T(0.0);
  }
  const int used = (t.n + L - 1) / L;
  int n = 0;
  for (; n + rows <= g.n_out; n += rows)
    for (int k = 0; k < used; ++k) add(simd::Index<rows>{}, n, sums[k], t.y + n * t.y_stride + k * L);
  for (; n < g.n_out; ++n)
    for (int k = 0; k < used; ++k) add(simd::Index<1>{}, n, sums[k], t.y + n * t.y_stride + k * L);

  for (int k = 0; k < used; ++k) {
    const int at = k * L;
    const Sums& s = sums[k];
    screen_pack<T>(t, at, s.sum, s.squares);
    T x[NP], sse = s.squares;
    fit::solve_damped<T, NP>(lane_gram, s.projection, T(0.0), none, x);
    auto inside = T(0.0) == T(0.0);
    for (int i = 0; i < NP; ++i) {
      sse -= x[i] * s.projection[i];
      inside = inside & (x[i] > T(t.options->lower[i])) & (x[i] < T(t.options->upper[i]));
      simd::store(state.point[i] + at, x[i]);
    }
    for (int i = 0; i < NJ; ++i) simd::store(state.jtj[i] + at, lane_gram[i]);
    simd::store(state.sse + at, simd::max(sse, T(0.0)));
    const unsigned good = simd::bits(inside);
    for (int l = 0; l < L; ++l) {
      if (t.status[at + l] == code(FitStatus::not_converged) && (good >> l & 1))
        t.status[at + l] = code(FitStatus::converged);
      t.iterations[at + l] = 1;
    }
  }
}

template <class M, bool Delay, int MaxKinds, class T, class F>
void fit_tile_as(const Tile& t) {
  constexpr int NP = n_p<M, Delay>, L = LaneTraits<T>::size, LF = LaneTraits<F>::size, NJ = fit::triangle<NP>;
  constexpr int ND = count_derived<M>();
  const int n_out = t.grid->n_out;
  TileState<NP> state_of;
  auto& [point, jtj, sse] = state_of;

  bool closed_form = false;
  if constexpr (is_linear<M>() && !Delay) {
    closed_form = !t.options->use_prior;
    for (int i = 0; i < NP; ++i) closed_form = closed_form && !t.options->fixed[i];
    if (closed_form) fit_linear_tile<M, T>(t, state_of);
  }
  if (!closed_form) screen_tile<T>(t);

  for (int v = 0; v < t.n; v += LF) {
    if (closed_form) {
      bool wanted = false;
      for (int l = 0; l < LF && v + l < t.n; ++l) wanted = wanted || t.status[v + l] == code(FitStatus::not_converged);
      if (!wanted) continue;
    }
    const Match<F> m = match<F>(*t.dictionary, n_out, t.y + v, t.y_stride, reinterpret_cast<F*>(t.scratch));
    for (int l = 0; l < LF && v + l < t.n; ++l) {
      if (t.status[v + l] != code(FitStatus::not_converged)) continue;
      double p[NP];
      start_point<M, Delay>(t, static_cast<int>(simd::lane(m.candidate, l)), simd::lane(m.amplitude1, l),
                            simd::lane(m.amplitude2, l), simd::lane(m.beside, l), t.scratch + l, LF, p);
      for (int i = 0; i < NP; ++i) point[i][v + l] = p[i];
    }
  }

  fit::LaneJob<NP> job{.n = t.n,
                       .n_samples = n_out,
                       .y = t.y,
                       .stride = t.y_stride,
                       .status = t.status,
                       .iterations = t.iterations,
                       .point = {},
                       .jtj = {},
                       .sse = sse,
                       .frames = t.frames};
  for (int i = 0; i < NP; ++i) job.point[i] = point[i];
  for (int i = 0; i < NJ; ++i) job.jtj[i] = jtj[i];
  fit::run_lanes<NP, T>(
      job, *t.options,
      [&](const T* p, const T* y, fit::NormalEquations<T, NP>& e) LARMOR_LAMBDA {
        normal_equations<M, Delay, MaxKinds, T>(
            *t.grid, t.fixed_delay, p, [y](int n) LARMOR_LAMBDA { return y[n]; }, e);
      },
      [](int, int) {});

  int n_free = 0;
  for (int i = 0; i < NP; ++i) n_free += !t.options->fixed[i];
  for (int v = 0; v < t.n; v += L) {
    T p[NP], j[NJ], error[NP], derived[ND + 1], bound;
    for (int i = 0; i < NP; ++i) p[i] = simd::load<T>(point[i] + v);
    for (int i = 0; i < NJ; ++i) j[i] = simd::load<T>(jtj[i] + v);
    fit::NormalEquations<T, NP> unused{};
    const T s = simd::load<T>(sse + v) - fit::add_prior<T, NP>(*t.options, p, unused);
    finish<M, Delay, T>(t, p, j, &s, error, derived, &bound);
    T residual_sd, R2, AICc;
    fit::goodness<T>(s, simd::load<T>(t.sst + v), n_out, n_free, residual_sd, R2, AICc);
    T good(0.0);
    for (int l = 0; l < L; ++l) {
      if (t.status[v + l] == unfinished) t.status[v + l] = code(FitStatus::not_converged);
      if (t.status[v + l] != code(FitStatus::converged)) continue;
      simd::set_lane(good, l, 1.0);
      if (simd::lane(bound, l) != 0) t.status[v + l] = code(FitStatus::at_bound);
    }
    const auto mask = good > T(0.0);
    const T nan = T(0.0) / T(0.0);
    for (int i = 0; i < NP; ++i) {
      store_narrow(t.values + i * t.stride + v, simd::select(mask, p[i], nan));
      store_narrow(t.errors + i * t.stride + v, simd::select(mask, error[i], nan));
    }
    for (int i = 0; i < ND; ++i) store_narrow(t.derived + i * t.stride + v, simd::select(mask, derived[i], nan));
    store_narrow(t.residual_sd + v, simd::select(mask, residual_sd, nan));
    store_narrow(t.R2 + v, simd::select(mask, R2, nan));
    store_narrow(t.AICc + v, simd::select(mask, AICc, nan));
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
