// SPDX-License-Identifier: Apache-2.0
#pragma once
// Posterior of the bi-exponential IVIM model by nodes in D and D_star; the amplitudes are integrated in closed form.
//
// At one node the signal is S0 (e1 + f u) with e1 = exp(-b D), u = exp(-b D_star) - e1: linear in S0 and S0 f. With
// Gaussian noise the likelihood is a Gaussian in them, so that given the node
//   f is Gaussian about f^ = (S0 f)^ / S0^ with variance s^2 = sigma^2 |e1 + f^ u|^2 / (S0^2 det),
//   cut off by its prior, and the evidence is exp(-SSE / 2 sigma^2) / (S0 sqrt(det)) times the share of that Gaussian
//   inside,
// where det is that of the Gram matrix of (e1, u). The ratio is Gaussian to the order (sigma / S0)^2. A known S0 leaves
// f alone, exactly: f^ = u (y - S0 e1) / (S0 |u|^2).
#include <larmor/core/simd/lane.hpp>
#include <larmor/perfusion/ivim/kernels/posterior_kernel.hpp>

namespace larmor::ivim {
inline namespace LARMOR_ISA_NAMESPACE {

using simd::LaneTraits;
using simd::select;

/// exp(x^2) erfc(x) for x >= 0, relative error 7e-8: a polynomial in (x - 2.5) / (x + 2.5) over 1 + 2 x.
template <class T>
LARMOR_INLINE T scaled_erfc(T x) {
  constexpr double c[] = {1.264838180237799,      -0.12235746577389302,   -0.099024241658082393,
                          0.15764429480764167,    -0.10297053835628515,   0.032677570070455679,
                          0.00094675963040004654, -0.0041802466303116539, 0.00046333752052875316,
                          0.00040548891916576777, -6.3917866021419471e-05};
  constexpr int n = sizeof c / sizeof c[0];
  const T far = x + T(2.5), slope = T(1.0) + x + x, quotient = T(1.0) / (far * slope);
  const T t = (x - T(2.5)) * slope * quotient;
  T s(c[n - 1]);
  simd::static_for<n - 1>([&](auto i) LARMOR_LAMBDA { s = simd::fma(s, t, T(c[n - 2 - i])); });
  return s * far * quotient;
}

/// A standard Gaussian cut to [low, high]: the share inside, the mean and the variance of what is inside.
template <class T>
struct CutGaussian {
  T share, mean, variance;
};
template <class T>
LARMOR_INLINE CutGaussian<T> cut_gaussian(T low, T high) {
  const T zero(0.0), one(1.0), root_half(0.70710678118654752), inverse_root_2pi(0.39894228040143268);
  const T far(38.0);
  low = simd::min(simd::max(low, -far), far), high = simd::min(simd::max(high, -far), far);
  // In the tail that both ends lie in, or over the middle, the difference of two small numbers is the share.
  const auto flip = low + high < zero;
  const T a = select(flip, -high, low), b = select(flip, -low, high);  // a <= b, a + b >= 0
  const T density_a = simd::exp(T(-0.5) * a * a) * inverse_root_2pi;
  const T density_b = simd::exp(T(-0.5) * b * b) * inverse_root_2pi;
  // Upper tails: Q(x) = density(x) sqrt(pi / 2) erfcx(x / sqrt 2).
  const T root_half_pi(1.2533141373155003);
  const T tail_a = density_a * root_half_pi * scaled_erfc(simd::abs(a) * root_half);
  const T tail_b = density_b * root_half_pi * scaled_erfc(b * root_half);
  const T share = simd::max(select(a < zero, one - tail_a, tail_a) - tail_b, T(1e-300));
  const T inverse = one / share;
  T mean = (density_a - density_b) * inverse;
  const T variance = one + (a * density_a - b * density_b) * inverse - mean * mean;
  mean = select(flip, -mean, mean);
  // So far out that the share underflows, everything sits at the nearer end.
  const auto gone = a > T(26.0);
  return {share, select(gone, select(flip, -a, a), mean), select(gone, zero, simd::max(variance, zero))};
}

/// The same with one end: to [low, infinity).
template <class T>
LARMOR_INLINE CutGaussian<T> cut_below(T low) {
  const T zero(0.0), one(1.0), root_half(0.70710678118654752), inverse_root_2pi(0.39894228040143268);
  low = simd::min(simd::max(low, T(-38.0)), T(38.0));
  const T density = simd::exp(T(-0.5) * low * low) * inverse_root_2pi;
  const T tail = density * T(1.2533141373155003) * scaled_erfc(simd::abs(low) * root_half);
  const T share = simd::max(select(low < zero, one - tail, tail), T(1e-300)), inverse = one / share;
  const T mean = density * inverse, variance = one + low * mean - mean * mean;
  const auto gone = low > T(26.0);
  return {share, select(gone, low, mean), select(gone, zero, simd::max(variance, zero))};
}

template <class T>
void posterior(const PosteriorRun& r) {
  constexpr int L = LaneTraits<T>::size;
  const int K = r.n_samples;
  const T zero(0.0), one(1.0);
  T* e1 = reinterpret_cast<T*>(r.work);  // (n_D, K) weighted
  T* e2 = e1 + r.n_D * K;                // (n_D_star, K)
  T* sums1 = e2 + r.n_D_star * K;        // (n_D, 2): y e1, e1 e1
  T* sums2 = sums1 + 2 * r.n_D;          // (n_D_star, 2)
  T* row = sums2 + 2 * r.n_D_star;       // (n_D_star, 5): half the misfit over the noise, S0, f S0, E12, 1 / det
  for (int v = 0; v < r.n; v += L) {
    const auto read = [&](const double* p) LARMOR_LAMBDA { return simd::load<T>(p + v); };
    const auto sample = [&](const double* p, int k)
                            LARMOR_LAMBDA { return simd::load<T>(p + static_cast<int64_t>(k) * r.stride + v); };
    const T sigma = read(r.sigma), half_precision = T(0.5) / (sigma * sigma);
    const T D_low = read(r.D_low), D_step = (read(r.D_high) - D_low) * T(1.0 / r.n_D);
    const T star_low = read(r.D_star_low), star_step = (read(r.D_star_high) - star_low) * T(1.0 / r.n_D_star);
    const auto star_at = [&](int j) LARMOR_LAMBDA {
      const T s = star_low + star_step * T(j + 0.5);
      return r.log_D_star ? T(simd::exp(s)) : s;
    };
    T* star_nodes = row + 5 * r.n_D_star;  // (n_D_star)
    for (int j = 0; j < r.n_D_star; ++j) star_nodes[j] = star_at(j);
    T yy = zero;
    for (int i = 0; i < 2 * r.n_D; ++i) sums1[i] = zero;
    for (int j = 0; j < 2 * r.n_D_star; ++j) sums2[j] = zero;
    for (int k = 0; k < K; ++k) {
      const T y = sample(r.y, k), w = sample(r.weight, k), b(r.b[k]);
      yy += w * y * y;
      // Nodes are equally spaced, so each is the one before times a constant.
      T e = simd::exp(-b * (D_low + T(0.5) * D_step));
      const T ratio = simd::exp(-b * D_step);
      for (int i = 0; i < r.n_D; ++i, e = e * ratio) {
        const T we = w * e;
        e1[i * K + k] = we;
        sums1[2 * i] += y * we, sums1[2 * i + 1] += e * we;
      }
      for (int j = 0; j < r.n_D_star; ++j) {
        const T g = simd::exp(-b * star_nodes[j]);
        e2[j * K + k] = g;
        sums2[2 * j] += y * w * g, sums2[2 * j + 1] += w * g * g;
      }
    }
    T total = zero, least(1e300), first[4], second[4], edge[4];
    for (int m = 0; m < 4; ++m) first[m] = second[m] = edge[m] = zero;
    const T D_middle = D_low + D_step * T(0.5 * r.n_D);
    const T star_middle = star_at(r.n_D_star / 2), f_middle(0.5 * (r.f_low + r.f_high));
    for (int j = 0; j < r.n_D_star; ++j) star_nodes[j] = star_nodes[j] - star_middle;
    const T S0_middle = r.S0_known ? read(r.S0) : sample(r.y, 0);
    for (int i = 0; i < r.n_D; ++i) {
      const T Y1 = sums1[2 * i], E11 = sums1[2 * i + 1];
      T least_here = least;
      for (int j = 0; j < r.n_D_star; ++j) {
        T E12 = zero;
        for (int k = 0; k < K; ++k) E12 += e1[i * K + k] * e2[j * K + k];
        const T Yu = sums2[2 * j] - Y1, E1u = E12 - E11, Euu = sums2[2 * j + 1] - E12 - E12 + E11;
        T sse, S0, part, inverse;
        if (r.S0_known) {
          S0 = read(r.S0), inverse = one / simd::max(Euu, T(1e-300));
          const T r1 = Yu - S0 * E1u;
          part = r1 * inverse;
          sse = yy - T(2.0) * S0 * Y1 + S0 * S0 * E11 - r1 * part;
        } else {
          inverse = one / simd::max(E11 * Euu - E1u * E1u, T(1e-300));
          S0 = simd::max((Y1 * Euu - Yu * E1u) * inverse, T(1e-12) * simd::abs(Y1) + T(1e-300));
          part = (Yu * E11 - Y1 * E1u) * inverse;
          sse = yy - S0 * Y1 - part * Yu;
        }
        const T exponent = sse * half_precision;
        T* node = row + 5 * j;
        node[0] = exponent, node[1] = S0, node[2] = part, node[3] = E12, node[4] = inverse;
        least_here = simd::min(least_here, exponent);
      }
      const T fade = simd::exp(least_here - least);  // what was summed, relative to the new least
      least = least_here;
      total = total * fade;
      for (int m = 0; m < 4; ++m) first[m] = first[m] * fade, second[m] = second[m] * fade, edge[m] = edge[m] * fade;
      const T D = D_low + D_step * T(i + 0.5) - D_middle;
      T row_total = zero;
      for (int j = 0; j < r.n_D_star; ++j) {
        const T* node = row + 5 * j;
        const T above = node[0] - least;
        // Nodes below exp(-12) of the best lie 5 sds off and more; all of them together hold a part in 1e5.
        if (simd::all(above > T(12.0))) continue;
        const T S0 = node[1], part = node[2], E12 = node[3];
        const T E1u = E12 - E11, Euu = sums2[2 * j + 1] - E12 - E12 + E11;
        // One division for 1 / S0 and 1 / |S0 (e1 + f u)|^2.
        const T S0E1u = S0 * E1u, S0v_u = S0E1u + part * Euu;
        const T vv = simd::max(S0 * S0 * E11 + part * (S0E1u + S0v_u), T(1e-300));  // S0^2 |v|^2, v = e1 + f u
        const T quotient = one / (S0 * vv), inverse_S0 = quotient * vv, f = part * inverse_S0;
        const T root = simd::sqrt(node[4]) * inverse_S0;  // 1 / (S0 sqrt(det)); known S0: 1 / (S0 |u|)
        // s^2 = sigma^2 |v|^2 / (S0^2 det): the root of |v|^2 is wanted only where the prior cuts.
        const T ss = sigma * sigma * root * root * (r.S0_known ? one : T(vv * inverse_S0 * inverse_S0));
        T w = simd::exp(-above) * root, shift = zero, variance = ss;
        const T low = f - T(r.f_low), high = T(r.f_high) - f,
                reach = T(25.0) * ss;  // beyond 5 sds the end cuts 3e-7 off
        const bool by_low = simd::any((low < zero) | (low * low < reach)),
                   by_high = simd::any((high < zero) | (high * high < reach));
        if (by_low | by_high) {
          const T s = simd::sqrt(ss), inverse_s = one / s;
          CutGaussian<T> cut;
          if (by_low & by_high) {
            cut = cut_gaussian<T>(-low * inverse_s, high * inverse_s);
          } else if (by_low) {
            cut = cut_below<T>(-low * inverse_s);
          } else {
            cut = cut_below<T>(-high * inverse_s);
            cut.mean = -cut.mean;
          }
          w = w * cut.share, shift = s * cut.mean, variance = ss * cut.variance;
        }
        const T f_mean = f + shift - f_middle;
        row_total += w;
        first[1] += w * f_mean, second[1] += w * (f_mean * f_mean + variance);
        const T star = star_nodes[j];
        first[3] += w * star, second[3] += w * star * star;
        if (!r.S0_known) {
          // Given f, S0 is (v y) / |v|^2 with v = e1 + f u: to first order S0^ - (S0^2 / |v|^2) (E1u + f Euu) / S0
          // shift.
          const T inverse_norm = quotient * S0 * S0 * S0, slope = S0v_u * inverse_norm;
          const T S0_mean = S0 - slope * shift - S0_middle;
          first[0] += w * S0_mean;
          second[0] += w * (S0_mean * S0_mean + slope * slope * variance + sigma * sigma * inverse_norm);
        }
        if (j == 0) edge[2] += w;
        if (j == r.n_D_star - 1) edge[3] += w;
      }
      total += row_total;
      first[2] += row_total * D, second[2] += row_total * D * D;
      if (i == 0) edge[0] += row_total;
      if (i == r.n_D - 1) edge[1] += row_total;
    }
    const T inverse = one / total, middle[4]{S0_middle, f_middle, D_middle, star_middle};
    for (int m = 0; m < 4; ++m) {
      const T mean = first[m] * inverse;
      simd::store(r.mean[m] + v, middle[m] + mean);
      simd::store(r.sd[m] + v, simd::sqrt(simd::max(second[m] * inverse - mean * mean, zero)));
    }
    for (int m = 0; m < 4; ++m) simd::store(r.edge[m] + v, edge[m] * inverse);
  }
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::ivim
