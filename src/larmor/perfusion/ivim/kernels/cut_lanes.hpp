// SPDX-License-Identifier: Apache-2.0
#pragma once
// Standard Gaussians that a prior cuts off at one end or both, and weights exp(-x), over lanes.
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

/// exp(x) for x <= 0 within 1e-8, which is plenty for weights: the steps of simd::exp with half its polynomial.
template <class T>
LARMOR_INLINE T weight_polynomial(T r) {
  T p(1.0 / 5040.0);
  const double rest[] = {1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0};
  simd::static_for<7>([&](auto i) LARMOR_LAMBDA { p = simd::fma(p, r, T(rest[i])); });
  return p;
}
LARMOR_INLINE double weight_exp(double x) {
  x = simd::max(x, -700.0);
  const double shifter = 6755399441055744.0, biased = x * 1.4426950408889634 + shifter, n = biased - shifter;
  const double p = weight_polynomial(x - n * 0.69314718055994531);
  int64_t bits;
  memcpy(&bits, &biased, 8);
  bits = static_cast<int64_t>((static_cast<uint64_t>(bits) + 1023u) << 52);
  double two_n;
  memcpy(&two_n, &bits, 8);
  return p * two_n;
}
#if !defined(__CUDACC__)
LARMOR_INLINE simd::Pack<double> weight_exp(simd::Pack<double> x) {
  using P = simd::Pack<double>;
  using ivec = simd::VectorOf<double>::ivec;
  x = simd::max(x, P(-700.0));
  const P shifter(6755399441055744.0), biased = simd::fma(x, P(1.4426950408889634), shifter), n = biased - shifter;
  const P p = weight_polynomial(simd::fma(n, P(-0.69314718055994531), x));
  const ivec scale = (reinterpret_cast<ivec>(biased.v) + 1023) << 52;
  return p.v * reinterpret_cast<P::vec>(scale);
}
#endif

/// The same with one end: to [low, infinity), from the nearest of a table's places by their series, to 2e-5. The share
/// of low > 0 is that times exp(low^2 / 2): the weight of its node is by the misfit at the end of the prior.
template <class T>
LARMOR_INLINE CutGaussian<T> cut_below(const double* table, T low) {
  const T zero(0.0), one(1.0);
  const T x = simd::min(simd::max(low, T(cut_first)), T(cut_first + cut_step * (cut_places - 1)));
  const T place = simd::floor((x - T(cut_first)) * T(1.0 / cut_step) + T(0.5));
  T row[4];  // share, mean, and the share's first two derivatives
  simd::gather_row<4>(table, place, row);
  const T t = T(cut_first) + place * T(cut_step), d = x - t, h = row[1];
  // Of the mean h: h (h - t) and so on.
  const T g = h - t, first = h * g, second = first * g + h * (first - one);
  const T mean = h + d * (first + T(0.5) * d * second), share = row[0] + d * (row[2] + T(0.5) * d * row[3]);
  const auto gone = low > x;  // everything sits at the end
  return {share, select(gone, low, mean), select(gone, zero, simd::max(one + (x - mean) * mean, zero))};
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::ivim
