// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>
#include <larmor/perfusion/dsc/kernels/gamma_variate.hpp>

namespace larmor::dsc {
inline namespace LARMOR_ISA_NAMESPACE {

/// Logarithm of x > 0 and 1 / x. Packs: one quotient for both, and a series that ends at s^13, 2e-12 of the value.
template <class T>
LARMOR_INLINE T log_and_inverse(T x, T& inverse) {
  inverse = T(1.0) / x;
  return simd::log(x);
}
#if !defined(__CUDACC__)
LARMOR_INLINE simd::Pack<double> log_and_inverse(simd::Pack<double> x, simd::Pack<double>& inverse) {
  using P = simd::Pack<double>;
  using ivec = simd::VectorOf<double>::ivec;
  const ivec bits = (ivec)x.v, exponent = (bits - 0x3fe6a09e667f3bcdLL) >> 52;  // m in [sqrt(1/2), sqrt 2)
  const P m = (P::vec)(bits - (exponent << 52));
  const P e = P((P::vec)(exponent + 0x4338000000000000LL)) - P(6755399441055744.0);
  const P above = m + P(1.0), both = P(1.0) / (x * above);
  inverse = both * above;
  const P s = (m - P(1.0)) * (both * x), ss = s * s;
  P p = simd::fma(ss, P(2.0 / 13.0), P(2.0 / 11.0));
  p = simd::fma(p, ss, P(2.0 / 9.0));
  p = simd::fma(p, ss, P(2.0 / 7.0));
  p = simd::fma(p, ss, P(2.0 / 5.0));
  p = simd::fma(p, ss, P(2.0 / 3.0));
  return simd::fma(e, P(0.69314718055994530942), simd::fma(p * ss, s, s + s));
}
#endif

// With x = (t - t_peak) / width and z = skew x,
//
//   C = peak exp(L),  L = (ln(1 + z) - z) / skew^2,  0 where 1 + z <= 0,
//
// which is (t - t0)^alpha exp(-(t - t0) / beta) up to a factor, with alpha = 1 / skew^2, beta = skew width and t0 =
// t_peak - width / skew. Peak, place, width and skewness of the bolus hardly depend on each other, so the search needs
// half the steps that alpha, beta and t0 take along their common valley.
struct GammaVariate {
  static constexpr int n_params = 4, n_design = 1, n_covariates = 0;
  template <class T>
  struct At {
    T peak, t_peak, skew, inverse_width, inverse_skew, alpha;
    LARMOR_INLINE At(const T*, const T* p) : peak(p[0]), t_peak(p[1]), skew(p[3]) {
      const T both = T(1.0) / (p[2] * skew);
      inverse_width = both * skew, inverse_skew = both * p[2], alpha = inverse_skew * inverse_skew;
    }
    LARMOR_INLINE T gradient(const double* t, T* g) const {
      const T one(1.0), x = (T(t[0]) - t_peak) * inverse_width, since = simd::fma(skew, x, one);
      // At 1e-9 it is 0: alpha is 0.8 or more, and (1e-9)^0.8 = 6e-8 of the peak. There and before it has no slope.
      const auto before = since <= T(1e-9);
      const T u = simd::select(before, T(1e-9), since);
      T inverse;
      const T L = (log_and_inverse(u, inverse) + (one - u)) * alpha, whole = simd::exp(L), C = peak * whole;
      const T by_x = simd::select(before, T(0.0), C * x * inverse);  // less its sign
      const T by_place = by_x * inverse_width;
      g[0] = whole, g[1] = by_place, g[2] = by_place * x, g[3] = -(by_x * x + (C + C) * L) * inverse_skew;
      return C;
    }
  };
};

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dsc

LARMOR_CURVE_MODEL(larmor::dsc, gamma_variate, GammaVariate)

#if !defined(LARMOR_ISA_cuda)
namespace larmor::dsc {
inline namespace LARMOR_ISA_NAMESPACE {

/// Relative error < 3e-7: log m = 2 atanh(s) with |s| < 0.172 by its series to s^7.
template <class F>
LARMOR_INLINE F float_log(F x) {
  F e;
  const F m = simd::split_exponent(x, e), s = (m - F(1.0f)) / (m + F(1.0f)), ss = s * s;
  F p = simd::fma(ss, F(2.0f / 7), F(2.0f / 5));
  p = simd::fma(p, ss, F(2.0f / 3));
  return simd::fma(e, F(0.69314718f), simd::fma(p * ss, s, s + s));
}

template <class F>
LARMOR_INLINE void draw(const GammaVariateRun& r, int64_t v) {
  const F peak = simd::load<F>(r.params[0] + v), t_peak = simd::load<F>(r.params[1] + v),
          width = simd::load<F>(r.params[2] + v), skew = simd::load<F>(r.params[3] + v);
  const F alpha = F(1.0f) / (skew * skew), slope = skew / width;
  for (int k = 0; k < r.n_times; ++k) {
    const F z = (F(r.times[k]) - t_peak) * slope, since = z + F(1.0f);
    const auto before = since <= F(1e-9f);
    const F whole = simd::exp((float_log(simd::select(before, F(1e-9f), since)) - z) * alpha);
    simd::store(r.curves + k * r.n + v, peak * simd::select(before, F(0.0f), whole));
  }
}

}  // namespace LARMOR_ISA_NAMESPACE

void LARMOR_ISA_JOIN(draw_gamma_variates_, LARMOR_ISA)(const GammaVariateRun& r, int64_t begin, int64_t end) {
  using F = simd::Pack<float>;
  int64_t v = begin;
  for (; v + F::size <= end; v += F::size) draw<F>(r, v);
  for (; v < end; ++v) draw<float>(r, v);
}

}  // namespace larmor::dsc
#endif

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
#include <larmor/perfusion/dsc/first_pass.hpp>
namespace larmor::dsc {

void draw_gamma_variates_v3(const GammaVariateRun&, int64_t, int64_t);
void draw_gamma_variates_v4(const GammaVariateRun&, int64_t, int64_t);

GammaVariateKernel gamma_variate_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return draw_gamma_variates_v4;
  if (isa() == Isa::v3) return draw_gamma_variates_v3;
#endif
  return draw_gamma_variates_baseline;
}

const fit::CurveModel& gamma_variate() {
  static const fit::CurveModel model{
      .title = "gamma variate",
      .source = "Thompson et al., Circ. Res. 14:502 (1964); Madsen, Phys. Med. Biol. 37:1597 (1992)",
      // Skewness from 1 / sqrt(20) to 1 / sqrt(0.8): alpha from 20 to 0.8.
      .params = {{"peak", "mM", 0, 1e6, 1, "highest concentration"},
                 {"t_peak",
                  "s",
                  -15,
                  60,
                  6,
                  "time of the peak, from the arrival of the mean curve",
                  {1, 2.5, 4, 5.5, 7.5, 10, 13, 17}},
                 {"width", "s", 0.3, 30, 3, "its width: rise / sqrt(alpha)", {1.5, 2.5, 4, 6.5}},
                 {"skew", "1", 0.22361, 1.11803, 0.6, "1 / sqrt(alpha)", {0.35, 0.7}}},
      .scale = 0,
      .design = {"t [s]"},
      .kernels = curve_kernels_gamma_variate()};
  return model;
}

}  // namespace larmor::dsc
#endif
