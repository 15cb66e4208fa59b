// SPDX-License-Identifier: Apache-2.0
#pragma once
// The variable-flip-angle fits of some voxels side by side: packs on the CPU, one voxel a thread in CUDA.
#include <larmor/core/simd/lane.hpp>
#include <larmor/perfusion/dce/kernels/spgr_lanes.hpp>
#include <larmor/perfusion/dce/kernels/vfa_kernel.hpp>

namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {
namespace vfa {

using simd::LaneTraits;

// FitStatus values (fit/status.hpp pulls the standard library, which has no place in these objects).
constexpr double converged = 1, no_signal = 3, bad_data = 4, not_converged = 5, singular = 6, out_of_range = 7;
constexpr double R1_least = 1.0 / 60;  // [1/s] a T1 of a minute: the data do not bend at all

// --- the linear method, in f32 ---------------------------------------------------------------------------------------

/// What the linear method needs of a flip angle; 1 - cos has all digits, as a difference would not.
template <class F>
struct Turn {
  F sine, cosine, one_less_cosine, cotangent, half_tangent;
};
/// Of an angle in (0, pi): sin and cos of a quarter by their series (the next terms are below 2e-9 at 0.79), doubled.
template <class F>
LARMOR_INLINE Turn<F> turn(F angle) {
  const F x = angle * F(0.25f), xx = x * x, one(1.0f), two(2.0f);
  F s = F(1.0f / 362880);
  const float sines[] = {-1.0f / 5040, 1.0f / 120, -1.0f / 6, 1.0f};
  for (float term : sines) s = simd::fma(s, xx, F(term));
  s = s * x;
  F c = F(-1.0f / 3628800);
  const float cosines[] = {1.0f / 40320, -1.0f / 720, 1.0f / 24, -0.5f, 1.0f};
  for (float term : cosines) c = simd::fma(c, xx, F(term));
  const F half_s = two * s * c, half_c = one - two * s * s;
  const F sine = two * half_s * half_c, less = two * half_s * half_s;
  return {sine, one - less, less, (one - less) / sine, half_s / half_c};
}

/// Straight line through x = S / tan and z = S tan(FA / 2): z = (1 - E1) (M0 - x). It is the line y = E1 x + M0 (1 -
/// E1) of y = S / sin = x + z, with the small slope 1 - E1 itself instead of E1 near 1, so that f32 is enough for T1.
///
/// Signals are divided by the largest of their voxel. `turns` holds one a volume.
template <class F>
LARMOR_INLINE void linear(const VfaRun& run, size_t at, const Turn<F>* turns) {
  using M = typename LaneTraits<F>::mask;
  const F one(1.0f), zero(0.0f), two(2.0f), TR(static_cast<float>(run.TR[0])), nan(__builtin_nanf(""));
  const int n = run.n_volumes;
  const F inverse_n(1.0f / static_cast<float>(n));
  F S[vfa_max_volumes], x[vfa_max_volumes], z[vfa_max_volumes];
  F largest(zero), poison(zero), S_mean(zero), x_mean(zero), z_mean(zero);
  for (int i = 0; i < n; ++i) {
    S[i] = simd::load<F>(run.signal[i] + at);
    largest = simd::max(largest, simd::abs(S[i])), poison += S[i] - S[i];
  }
  const F scale = one / largest;
  for (int i = 0; i < n; ++i) {
    S[i] = S[i] * scale, x[i] = S[i] * turns[i].cotangent, z[i] = S[i] * turns[i].half_tangent;
    S_mean += S[i], x_mean += x[i], z_mean += z[i];
  }
  S_mean *= inverse_n, x_mean *= inverse_n, z_mean *= inverse_n;
  F SST(zero), Sxx(zero), Sxz(zero);
  for (int i = 0; i < n; ++i) {
    const F dx = x[i] - x_mean, dS = S[i] - S_mean;
    Sxx += dx * dx, Sxz += dx * (z[i] - z_mean), SST += dS * dS;
  }
  const F inverse_Sxx = one / Sxx, less = -Sxz * inverse_Sxx;  // 1 - E1
  const F inverse_less = one / less, M0 = z_mean * inverse_less + x_mean;
  const M possible = (less > zero) & (less < one) & (M0 > zero);
  const F rate = spgr::any_rate_of(less, zero);  // TR / T1 = -log(1 - less)

  // Weights of the samples in the estimate (its derivative where the model holds), d(E1)/dS and d(M0)/dS.
  // The line is not the least-squares estimate of S, so the residual loses n - 4 + tr(J^T J D D^T) degrees of
  // freedom.
  F SSE(zero), EE(zero), EM(zero), MM(zero), jEE(zero), jEM(zero), jMM(zero);
  for (int i = 0; i < n; ++i) {
    const Turn<F>& t = turns[i];
    const F q = t.one_less_cosine + t.cosine * less;                                                   // 1 - cos E1
    const F inverse_q = one / q, g = t.sine * inverse_q, weight = q * (t.cotangent + t.half_tangent);  // q / sin
    const F dE = (x[i] - x_mean) * weight * inverse_Sxx;
    const F dM = (weight * inverse_n + (M0 - x_mean) * dE) * inverse_less;
    const F j_M = g * less, j_E = -M0 * g * t.one_less_cosine * inverse_q;
    const F r = S[i] - M0 * j_M;
    SSE += r * r;
    EE += dE * dE, EM += dE * dM, MM += dM * dM;
    jEE += j_E * j_E, jEM += j_E * j_M, jMM += j_M * j_M;
  }
  const F freedom = F(static_cast<float>(n - 4)) + jEE * EE + two * jEM * EM + jMM * MM;
  const F variance = SSE / freedom, T1 = TR / rate;

  F status = simd::select(possible, F(static_cast<float>(converged)), F(static_cast<float>(out_of_range)));
  status = simd::select(largest > zero, status, F(static_cast<float>(no_signal)));
  status = simd::select(poison == zero, status, F(static_cast<float>(bad_data)));
  const M good = status == F(static_cast<float>(converged));
  const M spare = good & (F(static_cast<float>(n)) > two);  // degrees of freedom left
  simd::store(run.T1 + at, simd::select(good, T1, nan));
  simd::store(run.M0 + at, simd::select(good, M0 * largest, nan));
  simd::store(run.T1_se + at, simd::select(spare, T1 * T1 / (TR * (one - less)) * simd::sqrt(variance * EE), nan));
  simd::store(run.M0_se + at, simd::select(spare, simd::sqrt(variance * MM) * largest, nan));
  simd::store(run.R2 + at, simd::select(good, one - SSE / SST, nan));
  simd::store(run.status + at, status);
}

/// Every voxel of a run, one pack after another.
template <class F>
void run_linear(const VfaRun& run) {
  Turn<F> turns[vfa_max_volumes];
  for (size_t at = 0; at < run.n; at += LaneTraits<F>::size) {
    if (run.B1 || at == 0)
      for (int i = 0; i < run.n_volumes; ++i) {
        const F FA(static_cast<float>(run.FA[i]));
        turns[i] = turn(run.B1 ? FA * simd::load<F>(run.B1 + at) : FA);
      }
    linear(run, at, turns);
  }
}

// --- the nonlinear method, in double: 1 - E1 is a few thousandths, so f32 would keep 4 digits ------------------------

/// sin and cos of [0, pi] by their series at a quarter of the angle (the next terms are < 1e-17 at 0.79), doubled
/// twice.
template <class T>
LARMOR_INLINE void sin_cos(T a, T& s, T& c) {
  const T x = a * T(0.25), xx = x * x;
  T p = T(1.0 / 355687428096000.0);
  const double sines[] = {-1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0,
                          -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0,        1.0};
  for (double term : sines) p = simd::fma(p, xx, T(term));
  T q = T(1.0 / 20922789888000.0);
  const double cosines[] = {
      -1.0 / 87178291200.0, 1.0 / 479001600.0, -1.0 / 3628800.0, 1.0 / 40320.0, -1.0 / 720.0, 1.0 / 24.0, -0.5, 1.0};
  for (double term : cosines) q = simd::fma(q, xx, T(term));
  s = x * p, c = q;
  for (int i = 0; i < 2; ++i) {
    const T s2 = T(2.0) * s * c;
    c = T(1.0) - T(2.0) * s * s, s = s2;
  }
}

/// What the fit needs of a pack of voxels.
template <class T>
struct Voxels {
  int n;
  T S[vfa_max_volumes], sine[vfa_max_volumes], cosine[vfa_max_volumes], inverse_sine[vfa_max_volumes];
  T SS, SST;  // sum of squares, and about the mean
  /// `turn`: work out the angles, which without a B1 map are the same for every pack.
  LARMOR_INLINE void read(const VfaRun& run, size_t at, bool turn) {
    n = run.n_volumes;
    SS = T(0.0);
    T mean(0.0);
    for (int i = 0; i < n; ++i) {
      S[i] = simd::load_wide<T>(run.signal[i] + at);
      SS += S[i] * S[i], mean += S[i];
      if (turn) {
        sin_cos(T(run.FA[i]) * (run.B1 ? simd::load_wide<T>(run.B1 + at) : T(1.0)), sine[i], cosine[i]);
        inverse_sine[i] = T(1.0) / sine[i];
      }
    }
    mean *= T(1.0 / n);
    SST = T(0.0);
    for (int i = 0; i < n; ++i) SST += (S[i] - mean) * (S[i] - mean);
  }
};

/// E1 of the straight line y = E1 x + M0 (1 - E1) through y = S / sin, x = S / tan, unweighted.
template <class T>
LARMOR_INLINE T line_E1(const Voxels<T>& v) {
  T x_mean(0.0), y_mean(0.0), Sxx(0.0), Sxy(0.0);
  T y[vfa_max_volumes], x[vfa_max_volumes];
  for (int i = 0; i < v.n; ++i) {
    y[i] = v.S[i] * v.inverse_sine[i], x[i] = y[i] * v.cosine[i];
    x_mean += x[i], y_mean += y[i];
  }
  x_mean *= T(1.0 / v.n), y_mean *= T(1.0 / v.n);
  for (int i = 0; i < v.n; ++i) {
    const T dx = x[i] - x_mean;
    Sxx += dx * dx, Sxy += dx * (y[i] - y_mean);
  }
  return Sxy / Sxx;
}

template <class T>
LARMOR_INLINE void write(const VfaRun& run, size_t at, const Voxels<T>& v, T status, T T1, T T1_se, T M0, T M0_se,
                         T SSE) {
  using M = typename LaneTraits<T>::mask;
  const T nan(__builtin_nan(""));
  status = simd::select(v.SS > T(0.0), status, T(no_signal));
  status = simd::select(simd::is_finite(v.SS), status, T(bad_data));
  const M good = status == T(converged);
  const M spare = good & (T(double(v.n)) > T(2.0));  // degrees of freedom left
  simd::store_narrow<T>(run.T1 + at, simd::select(good, T1, nan));
  simd::store_narrow<T>(run.M0 + at, simd::select(good, M0, nan));
  simd::store_narrow<T>(run.T1_se + at, simd::select(spare, T1_se, nan));
  simd::store_narrow<T>(run.M0_se + at, simd::select(spare, M0_se, nan));
  simd::store_narrow<T>(run.R2 + at, simd::select(good, T(1.0) - SSE / v.SST, nan));
  simd::store_narrow<T>(run.status + at, status);
}

/// Residual of the best M0 for a rate R1, and the Gauss-Newton step of R1 with M0 projected out (Kaufman).
template <class T>
struct Step {
  T SSE, M0, step, gg, gd, dd;  // g = dS/dM0, d = dg/dR1
};
template <class T>
LARMOR_INLINE Step<T> project(const Voxels<T>& v, const VfaRun& run, bool same_TR, T R1) {
  T g[vfa_max_volumes], d[vfa_max_volumes];
  T Sg(0.0), gg(0.0), gd(0.0), dd(0.0);
  T e(0.0), one_minus_e(0.0);
  for (int i = 0; i < v.n; ++i) {
    const T TR(run.TR[i]);
    if (i == 0 || !same_TR) e = simd::exp(-TR * R1), one_minus_e = T(1.0) - e;
    const T inverse = T(1.0) / (T(1.0) - v.cosine[i] * e);
    g[i] = v.sine[i] * one_minus_e * inverse;
    d[i] = v.sine[i] * (T(1.0) - v.cosine[i]) * TR * e * inverse * inverse;
    Sg += v.S[i] * g[i], gg += g[i] * g[i], gd += g[i] * d[i], dd += d[i] * d[i];
  }
  const T M0 = Sg / gg, along = gd / gg;
  T SSE(0.0), jr(0.0), jj(0.0);
  for (int i = 0; i < v.n; ++i) {
    const T r = v.S[i] - M0 * g[i], j = M0 * (d[i] - g[i] * along);
    SSE += r * r, jr += j * r, jj += j * j;
  }
  return {SSE, M0, jr / jj, gg, gd, dd};
}

/// What the repetition times of a run say.
struct Repetition {
  bool same;
  double mean, most;
};
LARMOR_HD Repetition repetition(const VfaRun& run) {
  Repetition r{true, 0, 0};
  for (int i = 0; i < run.n_volumes; ++i) {
    r.same = r.same && run.TR[i] == run.TR[0];
    r.mean += run.TR[i] / run.n_volumes;
    if (run.TR[i] > r.most) r.most = run.TR[i];
  }
  return r;
}

template <class T>
LARMOR_INLINE void nonlinear(const VfaRun& run, const Repetition& TR, size_t at, const Voxels<T>& v) {
  using M = typename LaneTraits<T>::mask;
  const T zero(0.0), one(1.0);
  const T R1_most(20.0 / TR.most);  // E1 = 2e-9: the signal is M0 sin FA, whatever R1
  const T E1 = line_E1(v);
  const M sensible = (E1 > zero) & (E1 < one);
  T R1 = simd::select(sensible, -simd::log(simd::select(sensible, E1, T(0.5))) / T(TR.mean), one);
  R1 = simd::min(simd::max(R1, T(0.02)), R1_most);
  Step<T> now = project(v, run, TR.same, R1);
  if (!simd::all(sensible) || !TR.same) {  // no line to start from: the best of a coarse search
    for (double guess = 0.1; guess < 60; guess *= 2.5) {
      const Step<T> other = project(v, run, TR.same, T(guess));
      const M better = other.SSE < now.SSE;
      R1 = simd::select(better, T(guess), R1);
      now.SSE = simd::select(better, other.SSE, now.SSE);
    }
    now = project(v, run, TR.same, R1);
  }
  T step = now.step;
  M active = simd::is_finite(v.SS) & (v.SS > zero);
  const T slack = v.SS * T(1e-15);  // rounding of a residual of 0
  for (int k = 0; k < 60 && simd::any(active); ++k) {
    step = simd::min(simd::max(step, T(-0.7) * R1), T(2.0) * R1);
    const T tried_R1 = simd::min(simd::max(R1 + step, T(0.5 * R1_least)), R1_most);
    const M small = simd::abs(tried_R1 - R1) <= T(1e-10) * R1;
    const Step<T> tried = project(v, run, TR.same, tried_R1);
    const M better = active & (tried.SSE <= now.SSE + slack);
    R1 = simd::select(better, tried_R1, R1);
    now.SSE = simd::select(better, tried.SSE, now.SSE), now.M0 = simd::select(better, tried.M0, now.M0);
    now.gg = simd::select(better, tried.gg, now.gg), now.gd = simd::select(better, tried.gd, now.gd);
    now.dd = simd::select(better, tried.dd, now.dd);
    step = simd::select(better, tried.step, step * T(0.25));
    active = active & !small;
  }
  const T M0 = now.M0, det = now.gg * now.dd - now.gd * now.gd;
  const T variance = now.SSE / T(v.n > 2 ? v.n - 2.0 : 1.0);
  const T R1_se = simd::sqrt(variance * now.gg / det) / M0, T1 = one / R1;
  T status = simd::select(active, T(not_converged), T(converged));
  status = simd::select(det > T(1e-13) * now.gg * now.dd, status, T(singular));
  const M inside = (R1 > T(R1_least)) & (R1 < R1_most), positive = M0 > zero;
  status = simd::select(inside & positive, status, T(out_of_range));
  write(run, at, v, status, T1, T1 * T1 * R1_se, M0, simd::sqrt(variance * now.dd / det), now.SSE);
}

/// Every voxel of a run, one pack after another.
template <class T>
void run_nonlinear(const VfaRun& run) {
  Voxels<T> v;
  const Repetition TR = repetition(run);
  for (size_t at = 0; at < run.n; at += LaneTraits<T>::size) {
    v.read(run, at, run.B1 || at == 0);
    nonlinear(run, TR, at, v);
  }
}

}  // namespace vfa
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dce
