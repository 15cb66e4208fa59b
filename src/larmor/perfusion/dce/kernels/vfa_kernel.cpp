// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set. Double precision: 1 - E1 is a few thousandths, so f32 would keep 4 digits.
#include <larmor/core/simd/lane.hpp>
#include <larmor/perfusion/dce/kernels/vfa_kernel.hpp>

namespace simd = larmor::simd;
using P = simd::Pack<double>;
using M = simd::Mask<double>;
using larmor::dce::vfa_max_volumes;
using larmor::dce::VfaRun;

namespace {

// FitStatus values (fit/status.hpp pulls the standard library, which has no place in these objects).
constexpr double converged = 1, no_signal = 3, bad_data = 4, not_converged = 5, singular = 6, out_of_range = 7;
constexpr double R1_least = 1.0 / 60;  // [1/s] a T1 of a minute: the data do not bend at all

typedef float half_vec __attribute__((vector_size(LARMOR_VECTOR_BYTES / 2)));
LARMOR_INLINE P load_float(const float* p) {
  half_vec h;
  memcpy(&h, p, sizeof h);
  return P(__builtin_convertvector(h, P::vec));
}
LARMOR_INLINE void store_float(float* p, P x) {
  const half_vec h = __builtin_convertvector(x.v, half_vec);
  memcpy(p, &h, sizeof h);
}

/// sin and cos of [0, pi] by their series at a quarter of the angle (the next terms are < 1e-17 at 0.79), doubled
/// twice.
LARMOR_INLINE void sin_cos(P a, P& s, P& c) {
  const P x = a * P(0.25), xx = x * x;
  P p = P(1.0 / 355687428096000.0);
  const double sines[] = {-1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0,
                          -1.0 / 5040.0,          1.0 / 120.0,        -1.0 / 6.0,        1.0};
  for (double term : sines) p = simd::fma(p, xx, P(term));
  P q = P(1.0 / 20922789888000.0);
  const double cosines[] = {
      -1.0 / 87178291200.0, 1.0 / 479001600.0, -1.0 / 3628800.0, 1.0 / 40320.0, -1.0 / 720.0, 1.0 / 24.0, -0.5, 1.0};
  for (double term : cosines) q = simd::fma(q, xx, P(term));
  s = x * p, c = q;
  for (int i = 0; i < 2; ++i) {
    const P s2 = P(2.0) * s * c;
    c = P(1.0) - P(2.0) * s * s, s = s2;
  }
}

/// What both fits need of a pack of voxels.
struct Voxels {
  int n;
  P S[vfa_max_volumes], sine[vfa_max_volumes], cosine[vfa_max_volumes], inverse_sine[vfa_max_volumes];
  P SS, SST;  // sum of squares, and about the mean
  LARMOR_INLINE void read(const VfaRun& run, size_t at) {
    n = run.n_volumes;
    SS = P(0.0);
    P mean(0.0);
    for (int i = 0; i < n; ++i) {
      S[i] = load_float(run.signal[i] + at);
      SS += S[i] * S[i], mean += S[i];
      if (run.B1 || at == 0) {  // without a B1 map the angles are those of the first pack
        sin_cos(P(run.FA[i]) * (run.B1 ? load_float(run.B1 + at) : P(1.0)), sine[i], cosine[i]);
        inverse_sine[i] = P(1.0) / sine[i];
      }
    }
    mean *= P(1.0 / n);
    SST = P(0.0);
    for (int i = 0; i < n; ++i) SST += (S[i] - mean) * (S[i] - mean);
  }
};

/// Straight line y = E1 x + M0 (1 - E1) through y = S / sin, x = S / tan, unweighted.
struct Line {
  P E1, M0, x_mean, Sxx;
};
LARMOR_INLINE Line line(const Voxels& v) {
  P x_mean(0.0), y_mean(0.0), Sxx(0.0), Sxy(0.0);
  P y[vfa_max_volumes], x[vfa_max_volumes];
  for (int i = 0; i < v.n; ++i) {
    y[i] = v.S[i] * v.inverse_sine[i], x[i] = y[i] * v.cosine[i];
    x_mean += x[i], y_mean += y[i];
  }
  x_mean *= P(1.0 / v.n), y_mean *= P(1.0 / v.n);
  for (int i = 0; i < v.n; ++i) {
    const P dx = x[i] - x_mean;
    Sxx += dx * dx, Sxy += dx * (y[i] - y_mean);
  }
  const P E1 = Sxy / Sxx;
  return {E1, (y_mean - E1 * x_mean) / (P(1.0) - E1), x_mean, Sxx};
}

LARMOR_INLINE void write(const VfaRun& run, size_t at, const Voxels& v, P status, P T1, P T1_se, P M0, P M0_se, P SSE) {
  const P nan(__builtin_nan(""));
  status = simd::select(v.SS > P(0.0), status, P(no_signal));
  status = simd::select(simd::is_finite(v.SS), status, P(bad_data));
  const M good = status == P(converged);
  const M spare = good & (P(double(v.n)) > P(2.0));  // degrees of freedom left
  store_float(run.T1 + at, simd::select(good, T1, nan));
  store_float(run.M0 + at, simd::select(good, M0, nan));
  store_float(run.T1_se + at, simd::select(spare, T1_se, nan));
  store_float(run.M0_se + at, simd::select(spare, M0_se, nan));
  store_float(run.R2 + at, simd::select(good, P(1.0) - SSE / v.SST, nan));
  store_float(run.status + at, status);
}

void linear(const VfaRun& run) {
  Voxels v;
  const P one(1.0), zero(0.0), TR(run.TR[0]);
  for (size_t at = 0; at < run.n; at += P::size) {
    v.read(run, at);
    const Line fit = line(v);
    const P E1 = fit.E1, M0 = fit.M0;
    const M possible = (E1 > zero) & (E1 < one) & (M0 > zero);
    const P T1 = -TR / simd::log(simd::select(possible, E1, P(0.5)));
    // Weights of the samples in the estimate (its derivative where the model holds), d(E1)/dS and d(M0)/dS.
    // The line is not the least-squares estimate of S, so the residual loses n - 4 + tr(J^T J D D^T) degrees of
    // freedom.
    P SSE = zero, EE = zero, EM = zero, MM = zero, jEE = zero, jEM = zero, jMM = zero;
    const P inverse_Sxx = one / fit.Sxx, inverse_1_E1 = one / (one - E1);
    for (int i = 0; i < v.n; ++i) {
      const P q = one - v.cosine[i] * E1, inverse_q = one / q, weight = q * v.inverse_sine[i];
      const P x = v.S[i] * v.inverse_sine[i] * v.cosine[i];
      const P dE = (x - fit.x_mean) * weight * inverse_Sxx;
      const P dM = (weight * P(1.0 / v.n) - fit.x_mean * dE + M0 * dE) * inverse_1_E1;
      const P j_M = v.sine[i] * (one - E1) * inverse_q,
              j_E = M0 * v.sine[i] * (v.cosine[i] - one) * inverse_q * inverse_q;
      const P r = v.S[i] - M0 * j_M;
      SSE += r * r;
      EE += dE * dE, EM += dE * dM, MM += dM * dM;
      jEE += j_E * j_E, jEM += j_E * j_M, jMM += j_M * j_M;
    }
    const P freedom = P(v.n - 4.0) + jEE * EE + P(2.0) * jEM * EM + jMM * MM;
    const P variance = SSE / freedom;
    write(run, at, v, simd::select(possible, P(converged), P(out_of_range)), T1,
          T1 * T1 / (TR * E1) * simd::sqrt(variance * EE), M0, simd::sqrt(variance * MM), SSE);
  }
}

/// Residual of the best M0 for a rate R1, and the Gauss-Newton step of R1 with M0 projected out (Kaufman).
struct Step {
  P SSE, M0, step, gg, gd, dd;  // g = dS/dM0, d = dg/dR1
};
LARMOR_INLINE Step project(const Voxels& v, const VfaRun& run, bool same_TR, P R1) {
  P g[vfa_max_volumes], d[vfa_max_volumes];
  P Sg(0.0), gg(0.0), gd(0.0), dd(0.0);
  P e(0.0), one_minus_e(0.0);
  for (int i = 0; i < v.n; ++i) {
    const P TR(run.TR[i]);
    if (i == 0 || !same_TR) e = simd::exp(-TR * R1), one_minus_e = P(1.0) - e;
    const P inverse = P(1.0) / (P(1.0) - v.cosine[i] * e);
    g[i] = v.sine[i] * one_minus_e * inverse;
    d[i] = v.sine[i] * (P(1.0) - v.cosine[i]) * TR * e * inverse * inverse;
    Sg += v.S[i] * g[i], gg += g[i] * g[i], gd += g[i] * d[i], dd += d[i] * d[i];
  }
  const P M0 = Sg / gg, along = gd / gg;
  P SSE(0.0), jr(0.0), jj(0.0);
  for (int i = 0; i < v.n; ++i) {
    const P r = v.S[i] - M0 * g[i], j = M0 * (d[i] - g[i] * along);
    SSE += r * r, jr += j * r, jj += j * j;
  }
  return {SSE, M0, jr / jj, gg, gd, dd};
}

void nonlinear(const VfaRun& run) {
  Voxels v;
  const P zero(0.0), one(1.0);
  bool same_TR = true;
  double TR_mean = 0, TR_most = 0;
  for (int i = 0; i < run.n_volumes; ++i) {
    same_TR = same_TR && run.TR[i] == run.TR[0];
    TR_mean += run.TR[i] / run.n_volumes;
    if (run.TR[i] > TR_most) TR_most = run.TR[i];
  }
  const P R1_most(20.0 / TR_most);  // E1 = 2e-9: the signal is M0 sin FA, whatever R1
  for (size_t at = 0; at < run.n; at += P::size) {
    v.read(run, at);
    const P E1 = line(v).E1;
    const M sensible = (E1 > zero) & (E1 < one);
    P R1 = simd::select(sensible, -simd::log(simd::select(sensible, E1, P(0.5))) / P(TR_mean), one);
    R1 = simd::min(simd::max(R1, P(0.02)), R1_most);
    Step now = project(v, run, same_TR, R1);
    if (!simd::all(sensible) || !same_TR) {  // no line to start from: the best of a coarse search
      for (double guess = 0.1; guess < 60; guess *= 2.5) {
        const Step other = project(v, run, same_TR, P(guess));
        const M better = other.SSE < now.SSE;
        R1 = simd::select(better, P(guess), R1);
        now.SSE = simd::select(better, other.SSE, now.SSE);
      }
      now = project(v, run, same_TR, R1);
    }
    P step = now.step;
    M active = simd::is_finite(v.SS) & (v.SS > zero);
    const P slack = v.SS * P(1e-15);  // rounding of a residual of 0
    for (int k = 0; k < 60 && simd::any(active); ++k) {
      step = simd::min(simd::max(step, P(-0.7) * R1), P(2.0) * R1);
      const P tried_R1 = simd::min(simd::max(R1 + step, P(0.5 * R1_least)), R1_most);
      const M small = simd::abs(tried_R1 - R1) <= P(1e-10) * R1;
      const Step tried = project(v, run, same_TR, tried_R1);
      const M better = active & (tried.SSE <= now.SSE + slack);
      R1 = simd::select(better, tried_R1, R1);
      now.SSE = simd::select(better, tried.SSE, now.SSE), now.M0 = simd::select(better, tried.M0, now.M0);
      now.gg = simd::select(better, tried.gg, now.gg), now.gd = simd::select(better, tried.gd, now.gd);
      now.dd = simd::select(better, tried.dd, now.dd);
      step = simd::select(better, tried.step, step * P(0.25));
      active = active & !small;
    }
    const P M0 = now.M0, det = now.gg * now.dd - now.gd * now.gd;
    const P variance = now.SSE / P(v.n > 2 ? v.n - 2.0 : 1.0);
    const P R1_se = simd::sqrt(variance * now.gg / det) / M0, T1 = one / R1;
    P status = simd::select(active, P(not_converged), P(converged));
    status = simd::select(det > P(1e-13) * now.gg * now.dd, status, P(singular));
    const M inside = (R1 > P(R1_least)) & (R1 < R1_most), positive = M0 > zero;
    status = simd::select(inside & positive, status, P(out_of_range));
    write(run, at, v, status, T1, T1 * T1 * R1_se, M0, simd::sqrt(variance * now.dd / det), now.SSE);
  }
}

}  // namespace

extern "C" void LARMOR_ISA_JOIN(larmor_vfa_linear_, LARMOR_ISA)(const VfaRun& run) { linear(run); }
extern "C" void LARMOR_ISA_JOIN(larmor_vfa_nonlinear_, LARMOR_ISA)(const VfaRun& run) { nonlinear(run); }
