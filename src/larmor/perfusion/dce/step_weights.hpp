// SPDX-License-Identifier: Apache-2.0
#pragma once
// Weights of one step of the convolution with an exponential, over lanes: exact for an input that is linear in the
// step, with every digit at any rate.
#include <larmor/core/simd/lane.hpp>

namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {

/// One step of length dt for a rate k, x = k dt, with the input c0 + (c1 - c0) s over it:
///   g1      = e g0 + j1 P + j0 Q,                P = dt (c0 - c1), Q = dt c1, e = exp(-x)
///   dg1/dk  = e dg0/dk - dt e g0 - dt (j2 P + j1 Q)
/// where J_m = integral over u in [0, 1] of u^m exp(-x u). An input read from a curve has a bend in the step too: the
/// parabola 6 s (1 - s) of the height that gives the step the curve's own area. It adds
///   (j1 - j2) R to g1 and -dt (j2 - j3) R to dg1/dk,   R = 6 area - 3 dt (c0 + c1).
template <class T>
struct StepWeights {
  T e, j0, j1, j2, j3;
};

/// Polynomial with coefficients c[0..N-1], of rising powers.
template <int N, class T>
LARMOR_INLINE T polynomial(const double (&c)[N], T x) {
  T s(c[N - 1]);
  simd::static_for<N - 1>([&](auto i) LARMOR_LAMBDA { s = simd::fma(s, x, T(c[N - 2 - i])); });
  return s;
}

/// How exact the weights of a step are. A fit to f32 data (rounded by 6e-8) makes them anew in every step of an uneven
/// grid, where polynomials of lower degree save a third; curves and even grids have them to the last digits of double.
enum class Weights { exact, for_f32 };

/// exp(-x) and the highest moment wanted (J3 with a bend, else J2) for a step well below the time constant,
/// 0 <= x <= 0.2: polynomials through the Chebyshev nodes. Relative errors at most 2e-15 and 1e-13, for_f32 5e-11 and
/// 3e-9.
template <bool Bend, Weights Digits, class T>
LARMOR_INLINE void short_step(T x, T& e, T& highest) {
  if constexpr (Digits == Weights::exact) {
    constexpr double ce[] = {0.9999999999999982,   -0.9999999999988649,    0.49999999988070665,
                             -0.1666666618866516,  0.041666572500474536,   -0.008332324057971964,
                             0.001382874309653542, -0.00017958110975863848};
    constexpr double c2[] = {0.33333333333330467,  -0.2499999999859634,   0.09999999887572568,  -0.02777774396900009,
                             0.005951895937676226, -0.001038082763708147, 0.0001410805650735975};
    constexpr double c3[] = {0.249999999999974,    -0.19999999998724788,   0.08333333231193059,   -0.023809493093641432,
                             0.005207892673051076, -0.0009226695598555086, 0.00012685691398831502};
    e = polynomial(ce, x);
    highest = Bend ? polynomial(c3, x) : polynomial(c2, x);
  } else {
    constexpr double ce[] = {0.9999999999601491,  -0.9999999856478118, 0.4999991610522835,
                             -0.1666486922215409, 0.04149191625625478, -0.007543005193713053};
    constexpr double c2[] = {0.333333332728562, -0.24999984871669537, 0.0999939296567562, -0.027692202130269853,
                             0.005455780135723572};
    constexpr double c3[] = {0.24999999946292223, -0.19999986564919475, 0.08332794220215381, -0.023733516533850526,
                             0.004767172130073577};
    e = polynomial(ce, x);
    highest = Bend ? polynomial(c3, x) : polynomial(c2, x);
  }
}
/// The same for x up to 1, of u = x - 1/2: relative errors at most 2e-14 and 2e-13, for_f32 2e-9 and 2e-8 (the moment
/// reaches the curve by a quarter of its error at most).
template <Weights Digits, class T>
LARMOR_INLINE T middle_exp(T u) {
  constexpr double exact[] = {0.6065306597126334,      -0.6065306597127935,     0.30326532985633003,
                              -0.10108844327263157,    0.025272110820293108,    -0.005054422451097203,
                              0.0008424037179333665,   -0.00012034076354815251, 1.5042704780600118e-05,
                              -1.6819117221508482e-06, 1.6801622538047183e-07};
  constexpr double short_one[] = {0.6065306592510031,    -0.6065306596613952,    0.30326538893991983,
                                  -0.10108844984369016,  0.025270929702212907,   -0.005054291048587345,
                                  0.0008499539479771553, -0.00012118171810016066};
  if constexpr (Digits == Weights::exact)
    return polynomial(exact, u);
  else
    return polynomial(short_one, u);
}
template <bool Bend, Weights Digits, class T>
LARMOR_INLINE T middle_moment(T u) {
  if constexpr (Digits == Weights::exact) {
    constexpr double c2[] = {0.23020284747155653,    -0.16815576540392121,    0.06609240189793639,
                             -0.01813111977216863,   0.003849137838454843,    -0.0006687411754183624,
                             9.850054720466993e-05,  -1.2604901239378602e-05, 1.4351465398071942e-06,
                             -1.4554467831494664e-07};
    constexpr double c3[] = {0.16815576540394273,   -0.13218480380608771,    0.05439335931306484,
                             -0.015396550699902587, 0.0033437059596845803,   -0.0005910142709522955,
                             8.823369194199072e-05, -1.1414190734312431e-05, 1.3113118520461847e-06,
                             -1.339768406034038e-07};
    return Bend ? polynomial(c3, u) : polynomial(c2, u);
  } else {
    constexpr double c2[] = {0.2302028474715309,   -0.16815578705431966,   0.06609240435139657,  -0.01813042720815646,
                             0.003849059350622468, -0.0006742757181575096, 9.912842375464219e-05};
    constexpr double c3[] = {0.16815576540391905,  -0.13218482341293147,   0.05439336155483316,  -0.015395923509867009,
                             0.003343634244298295, -0.0005960262963229437, 8.880739083462196e-05};
    return Bend ? polynomial(c3, u) : polynomial(c2, u);
  }
}

/// A rate of every lane, with what its steps share.
template <class T>
struct Rate {
  T k, inverse;    // the inverse may be infinite
  double highest;  // of the lanes
};
template <class T>
LARMOR_INLINE Rate<T> rate_of(T k) {
  return {k, T(1.0) / k, simd::highest(k)};
}

/// The moments below the highest, which `highest` is (J3 with a bend, else J2): J_(m-1) = (x J_m + e) / m, without
/// cancellation.
template <bool Bend, class T>
LARMOR_INLINE StepWeights<T> weights_below(T x, T e, T highest) {
  StepWeights<T> w{e, T(0.0), T(0.0), highest, T(0.0)};
  if constexpr (Bend) w.j3 = highest, w.j2 = (x * w.j3 + e) * T(1.0 / 3);
  w.j1 = (x * w.j2 + e) * T(0.5);
  w.j0 = x * w.j1 + e;
  return w;
}
/// Which of the steps below fits every lane: x = k dt up to 0.2, up to 1, up to 8, any.
enum class Length { short_one, middle, long_one, any };
template <Length length, bool Bend, Weights Digits, class T>
LARMOR_INLINE StepWeights<T> weights_of(const Rate<T>& rate, double dt, double inverse_dt) {
  const T x = rate.k * T(dt), one(1.0);
  if constexpr (length == Length::short_one) {
    T e, highest;
    short_step<Bend, Digits>(x, e, highest);
    return weights_below<Bend>(x, e, highest);
  } else if constexpr (length == Length::middle) {
    const T u = x - T(0.5);
    return weights_below<Bend>(x, middle_exp<Digits>(u), middle_moment<Bend, Digits>(u));
  } else {
    T e;
    if constexpr (length == Length::long_one) {  // the eighth power costs less than an exponential
      e = middle_exp<Digits>(x * T(0.125) - T(0.5));
      e *= e, e *= e, e *= e;
    } else {
      e = simd::exp(-x);
    }
    StepWeights<T> w = weights_below<Bend>(x, e, middle_moment<Bend, Digits>(simd::min(x, one) - T(0.5)));
    // Above 1 the recurrence the other way is the stable one.
    const auto large = x > one;
    const T inverse = rate.inverse * T(inverse_dt);
    const T k0 = (one - w.e) * inverse, k1 = (k0 - w.e) * inverse, k2 = (k1 + k1 - w.e) * inverse;
    w.j0 = simd::select(large, k0, w.j0), w.j1 = simd::select(large, k1, w.j1), w.j2 = simd::select(large, k2, w.j2);
    if constexpr (Bend) w.j3 = simd::select(large, (T(3.0) * k2 - w.e) * inverse, w.j3);
    return w;
  }
}
/// Weights of `n` steps, of which `longest` is the longest. Bend: j3 is wanted too. The steps do not wait for each
/// other here, as they would beside the recurrence that uses them.
template <bool Bend, Weights Digits, class T>
LARMOR_INLINE void step_weights(const Rate<T>& rate, const double* dt, const double* inverse_dt, int n, double longest,
                                StepWeights<T>* w) {
  const double most = rate.highest * longest;
  if (most < 0.2)
    for (int j = 0; j < n; ++j) w[j] = weights_of<Length::short_one, Bend, Digits>(rate, dt[j], inverse_dt[j]);
  else if (most <= 1)
    for (int j = 0; j < n; ++j) w[j] = weights_of<Length::middle, Bend, Digits>(rate, dt[j], inverse_dt[j]);
  else if (most <= 8 && Digits == Weights::for_f32)
    for (int j = 0; j < n; ++j) w[j] = weights_of<Length::long_one, Bend, Digits>(rate, dt[j], inverse_dt[j]);
  else
    for (int j = 0; j < n; ++j) w[j] = weights_of<Length::any, Bend, Digits>(rate, dt[j], inverse_dt[j]);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dce
