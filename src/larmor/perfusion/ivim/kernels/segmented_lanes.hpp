// SPDX-License-Identifier: Apache-2.0
#pragma once
// The segmented fit of the bi-exponential IVIM model, over lanes of voxels.
//
//   1  ln S = ln A - b D over the b-values at or above the threshold, weighted by S^2 (the noise of ln S goes as 1 /
//   S);
//      S0 is the mean at b = 0 and f = 1 - A / S0
//   2  D_star alone, from what A exp(-b D) leaves: the best of a few values, then Gauss-Newton
//
// Standard errors follow the data through both steps to first order, so the errors of S0, f and D reach D_star.
#include <larmor/core/simd/pair.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/perfusion/ivim/kernels/segmented_kernel.hpp>

namespace larmor::ivim {
inline namespace LARMOR_ISA_NAMESPACE {

using fit::FitStatus;
using simd::select;

/// ln x of floats in the normal range, within 2e-7: x = m 2^e, ln m = 2 artanh((m - 1) / (m + 1)) by its series.
template <class T>
LARMOR_INLINE T float_log(T x) {
  T e;
  const T m = simd::split_exponent(x, e), s = (m - T(1.0f)) / (m + T(1.0f)), ss = s * s;
  const T series = T(1.0f) + ss * (T(1.0f / 3) + ss * (T(0.2f) + ss * (T(1.0f / 7) + ss * T(1.0f / 9))));
  return e * T(0.69314718f) + T(2.0f) * s * series;
}

/// exp(-x b) for x b >= 0, no smaller than 1e-26: what is gone is gone, and subnormal numbers take a hundred cycles
/// each.
template <class T>
LARMOR_INLINE T decay(float b, T x) {
  return simd::exp(simd::max(T(-b) * x, T(-60.0f)));
}

/// The voxels from v on.
template <class T>
LARMOR_INLINE void segmented_at(const SegmentedRun& r, int64_t v) {
  const int K = r.n_samples;
  const T zero(0.0f), one(1.0f), nan = zero / zero;
  T y[segmented_max_samples], slow[segmented_max_samples];
  T squares = zero, S0 = zero;
  // Weighted line through ln S: sums of w, w x, w x x, w l, w x l.
  T w0 = zero, w1 = zero, w2 = zero, l0 = zero, l1 = zero;
  auto negative = one < zero;
  for (int k = 0; k < K; ++k) {
    const T s = simd::load<T>(r.y + static_cast<int64_t>(k) * r.stride + v), x(r.b[k]);
    y[k] = s;
    squares += s * s;
    if (r.part[k] == 1) S0 += s;
    if (r.part[k] == 2) {
      negative = negative | (s <= zero);
      const T w = s * s, l = float_log(simd::max(s, T(1e-30f)));
      w0 += w, w1 += w * x, w2 += w * x * x, l0 += w * l, l1 += w * x * l;
    }
  }
  S0 = S0 * T(1.0f / static_cast<float>(r.n_zero));
  const T mean_x = w1 / w0, spread = w2 - w1 * mean_x;  // sum of w (x - mean)^2
  const T D = (mean_x * l0 - l1) / spread;
  const T A = simd::exp(l0 / w0 + D * mean_x);
  const T f_free = one - A / S0;
  const T f = simd::min(simd::max(f_free, T(r.lower[1])), T(r.upper[1]));
  const T D_in = simd::min(simd::max(D, T(r.lower[2])), T(r.upper[2]));
  const T fast0 = S0 * f, slow0 = S0 * (one - f);
  for (int k = 0; k < K; ++k) slow[k] = slow0 * decay(r.b[k], D_in);

  // Misfit of every start less what they share: fast0^2 |E|^2 - 2 fast0 (y - slow) E, with E the same for all voxels.
  T star(r.starts[0]), least(3e38f);
  T rest[segmented_max_samples];
  for (int k = 0; k < K; ++k) rest[k] = y[k] - slow[k];
  for (int c = 0; c < segmented_starts; c += 4) {
    const float* e = r.fast + c * K;
    T sum[4] = {zero, zero, zero, zero};
    for (int k = 0; k < K; ++k) simd::static_for<4>([&](auto i) LARMOR_LAMBDA { sum[i] += rest[k] * T(e[i * K + k]); });
    simd::static_for<4>([&](auto i) LARMOR_LAMBDA {
      const T misfit = fast0 * (fast0 * T(r.fast_fast[c + i]) - sum[i] - sum[i]);
      star = select(misfit < least, T(r.starts[c + i]), star), least = select(misfit < least, misfit, least);
    });
  }
  T gg = zero, sse = zero;
  for (int step = 0; step < 4; ++step) {
    T gr = zero;
    gg = zero, sse = zero;
    for (int k = 0; k < K; ++k) {
      const T fast = fast0 * decay(r.b[k], star), g = fast * T(-r.b[k]), e = rest[k] - fast;
      gg += g * g, gr += g * e, sse += e * e;
    }
    if (step == 3) break;  // the start is within 15 %: three steps square that to rounding
    // Steps stay within a third: the grid is that dense.
    const T move = simd::min(simd::max(gr / simd::max(gg, T(1e-30f)), T(-0.33f) * star), T(0.33f) * star);
    star = simd::min(simd::max(star + move, T(r.lower[3])), T(r.upper[3]));
  }

  // First-order errors: d(parameter)/dy_k for every sample, and h, the derivative of the model by each parameter.
  const T inverse_slow0 = one / simd::max(slow0, T(1e-30f));
  for (int k = 0; k < K; ++k) rest[k] = decay(r.b[k], star);  // what is left is needed no more
  const auto model_derivatives = [&](int k, T* h) LARMOR_LAMBDA {
    const T minus_b(-r.b[k]), e_slow = slow[k] * inverse_slow0, e_fast = rest[k];
    h[0] = e_slow + f * (e_fast - e_slow), h[1] = S0 * (e_fast - e_slow);
    h[2] = slow[k] * minus_b, h[3] = fast0 * e_fast * minus_b;
  };
  T onto_star[3] = {zero, zero, zero};  // what a change of S0, f or D looks like as a change of D_star
  for (int k = 0; k < K; ++k) {
    T h[4];
    model_derivatives(k, h);
    for (int m = 0; m < 3; ++m) onto_star[m] += h[3] * h[m];
  }
  const T inverse_gg = one / gg;
  T dd[10], hh[10], trace = zero;  // sums of products over the samples, packed
  for (int m = 0; m < 10; ++m) dd[m] = hh[m] = zero;
  for (int k = 0; k < K; ++k) {
    const T x(r.b[k]);
    T h[4], d[4] = {zero, zero, zero, zero}, dlnA = zero;
    model_derivatives(k, h);
    if (r.part[k] == 1) d[0] = T(1.0f / static_cast<float>(r.n_zero));
    if (r.part[k] == 2) {  // d ln S = 1 / S, with weight S^2: S
      d[2] = -(x - mean_x) * y[k] / spread;
      dlnA = y[k] / w0 + d[2] * mean_x;
    }
    d[1] = (f_free - one) * (dlnA - d[0] / S0);
    d[3] = h[3];
    for (int m = 0; m < 3; ++m) d[3] -= onto_star[m] * d[m];
    d[3] = d[3] * inverse_gg;
    for (int m = 0; m < 4; ++m) {
      trace += h[m] * d[m];
      for (int j = 0; j <= m; ++j) dd[m * (m + 1) / 2 + j] += d[m] * d[j], hh[m * (m + 1) / 2 + j] += h[m] * h[j];
    }
  }
  // The residual is (1 - H) y with H = sum of h d^T. This is no least-squares fit, so the mean of its square is not
  // the usual K - 4 but the trace of (1 - H)^T (1 - H), noise variances.
  T freedom = T(static_cast<float>(K)) - trace - trace;
  for (int m = 0; m < 4; ++m)
    for (int j = 0; j <= m; ++j) freedom += dd[m * (m + 1) / 2 + j] * hh[m * (m + 1) / 2 + j] * T(j == m ? 1.0f : 2.0f);
  const T variance = K > 4 ? T(sse / freedom) : nan;
  const T var_S0 = dd[0], var_f = dd[2], var_D = dd[5], var_star = dd[9];
  const auto known = simd::is_finite(squares);
  const auto usable = known & (squares > zero) & !negative & (S0 > zero) & simd::is_finite(D) & simd::is_finite(star);
  const auto bound = (f_free <= T(r.lower[1])) | (f_free >= T(r.upper[1])) | (D <= T(r.lower[2])) |
                     (D >= T(r.upper[2])) | (star <= T(r.lower[3])) | (star >= T(r.upper[3]));
  const auto number = [](FitStatus s) LARMOR_LAMBDA { return T(static_cast<float>(s)); };
  T status = select(bound, number(FitStatus::at_bound), number(FitStatus::converged));
  status = select(usable, status, number(FitStatus::out_of_range));
  status = select(squares > zero, status, number(FitStatus::no_signal));
  status = select(known, status, number(FitStatus::bad_data));
  const auto put = [&](int m, T value, T var, T lower, T upper) LARMOR_LAMBDA {
    simd::store(r.value[m] + v, select(usable, value, nan));
    const auto inside = usable & (value > lower) & (value < upper);
    simd::store(r.error[m] + v, select(inside, T(simd::sqrt(var * variance)), nan));
  };
  put(0, S0, var_S0, T(r.lower[0]), T(r.upper[0]));
  put(1, f, var_f, T(r.lower[1]), T(r.upper[1]));
  put(2, D_in, var_D, T(r.lower[2]), T(r.upper[2]));
  put(3, star, var_star, T(r.lower[3]), T(r.upper[3]));
  simd::store(r.residual_sd + v, select(usable, T(simd::sqrt(variance)), nan));
  simd::store(r.status + v, status);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::ivim
