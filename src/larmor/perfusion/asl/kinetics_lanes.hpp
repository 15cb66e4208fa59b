// SPDX-License-Identifier: Apache-2.0
#pragma once
// The general kinetic model of arterial spin labelling over lanes. Included by the model files, which are compiled once
// for each instruction set and by CUDA.
//
// A sample is described by (design_of in model.hpp writes it)
//   [0] time [s] from the start of labelling to the readout of the first slice
//   [1] LD [s], length of the labelled bolus
//   [2] efficiency of the label [1], with what background suppression and readout pulses take of it
//   [3] time [s] of the first pulse of a Look-Locker readout
//   [4] its rate [1/s], -ln(cos FA) / interval; 0: no such readout
// and a voxel by T1 of its tissue [s], T1 of blood [s], how much later than the first slice it is read [s], and the
// partition coefficient [mL/g]. The signal is (control - label) / M0 of arterial blood.
#include <larmor/core/simd/dual.hpp>

namespace larmor::asl {
inline namespace LARMOR_ISA_NAMESPACE {

using simd::Dual;

inline constexpr int n_design = 5, n_covariates = 4;

/// (1 - exp(-x)) / x, the mean of exp(-x s) over 0 < s < 1; any sign of x.
template <class T, int N>
LARMOR_HD Dual<T, N> mean_decay(const Dual<T, N>& a) {
  using simd::exp, simd::select, simd::abs;
  const T x = a.v, one(1.0);
  // Below 1e-3 the difference loses digits and the series to x^4 (x^3 for the slope) has a remainder below 1e-14.
  const auto small = abs(x) < T(1e-3);
  const T divisor = select(small, one, x), decay = exp(-x);
  const T series = one + x * (T(-0.5) + x * (T(1.0 / 6) + x * (T(-1.0 / 24) + x * T(1.0 / 120))));
  const T slope_series = T(-0.5) + x * (T(1.0 / 3) + x * (T(-1.0 / 8) + x * T(1.0 / 30)));
  const T value = select(small, series, (one - decay) / divisor);
  return chain(a, value, select(small, slope_series, (decay - value) / divisor));
}

/// The smaller of two.
template <class T, int N>
LARMOR_HD Dual<T, N> smaller(const Dual<T, N>& a, const Dual<T, N>& b) {
  return a - max(a - b, 0.0);
}

/// What a sample and a voxel are, by name.
template <class T>
struct Label {
  T time, LD, efficiency, R1_blood, R1_tissue, per_partition, readout_start;
  double readout_rate;
  LARMOR_HD Label(const double* d, const T* c)
      : time(T(d[0]) + c[2]),
        LD(d[1]),
        efficiency(2 * d[2]),
        R1_blood(T(1.0) / c[1]),
        R1_tissue(T(1.0) / c[0]),
        per_partition(T(1e-3) / c[3]),
        readout_start(T(d[3]) + c[2]),
        readout_rate(d[4]) {}
  /// 1 / T1' = 1 / T1 + f / partition: with CBF in mm3/(g s), 1e-3 of it is mL/(g s).
  template <class S>
  LARMOR_HD S R1(const S& CBF) const {
    return S(R1_tissue) + CBF * S(per_partition);
  }
};

/// Label in tissue, Buxton et al. (1998), eqs. 3 and 5 (pulsed) and 4 and 6 (continuous) as one integral: what has
/// arrived between ATT and the end of the bolus, each part decayed with T1 of blood until it arrived (pulsed: since
/// the pulse; continuous: over its transit) and with T1' from then on.
///
/// A Look-Locker readout takes cos FA of the label in the tissue at every pulse, as a rate (Gunther et al., 2001).
template <bool pulsed, class S, class T>
LARMOR_HD S in_tissue(const Label<T>& l, const S& CBF, const S& ATT) {
  using simd::max;
  const S blood(l.R1_blood), R1 = l.R1(CBF);
  const S since = S(l.time) - ATT;                 // arrival to readout
  const S after = max(since - S(l.LD), 0.0);       // end of the bolus to readout
  const S arrived = max(since, 0.0) - after;       // length of what has arrived
  const S flow = CBF * S(l.efficiency * T(1e-3));  // 2 alpha f
  if (l.readout_rate == 0) {
    const S rate = pulsed ? R1 - blood : R1;
    const S travelled = pulsed ? ATT + arrived : ATT;
    return flow * exp(-(travelled * blood) - after * R1) * arrived * mean_decay(rate * arrived);
  }
  const T pulses(l.readout_rate);
  const S first = smaller(arrived, max(S(l.readout_start) - ATT, 0.0)), rest = arrived - first;
  const S faster = R1 + S(pulses);
  const S early = exp(-((pulsed ? ATT + first : ATT) * blood) - (after + rest) * R1 -
                      max(S(l.time - l.readout_start), 0.0) * S(pulses)) *
                  first * mean_decay((pulsed ? R1 - blood : R1) * first);
  const S late = exp(-((pulsed ? ATT + arrived : ATT) * blood) - after * faster) * rest *
                 mean_decay((pulsed ? faster - blood : faster) * rest);
  return flow * (early + late);
}

/// Standard normal distribution function.
template <class T>
LARMOR_HD T normal_below(T z) {
  using simd::exp, simd::select, simd::min, simd::abs;
  const T x = min(abs(z) * T(0.70710678118654752440), T(8.0));
  const T t = T(2.0) / (T(2.0) + x), w = (t - T(0.6)) * T(2.5);
  // ln(erfc(x) exp(x^2) / t) for 0 <= x <= 8 as a polynomial in w: Chebyshev interpolation of degree 16, error of erfc
  // 6e-13 of its value. Here and not outside: device code does not see arrays of the host.
  const double terms[] = {-5.3575976168889328e-01, 5.4856805845027701e-01,  1.1244143386283613e-02,
                          -2.6169820733892589e-02, -2.6227973396539814e-04, 2.9568448624170017e-03,
                          -3.3786941783766402e-04, -3.7153100598225400e-04, 1.2276586436709553e-04,
                          3.3203666332615123e-05,  -2.8042551061185819e-05, 1.2978671720246461e-06,
                          4.4064893556355412e-06,  -1.2067066421671878e-06, -4.0003312715146096e-07,
                          1.8278632214998165e-07,  8.4992909589116169e-09};
  T p(terms[16]);
  for (int i = 15; i >= 0; --i) p = p * w + T(terms[i]);
  const T tail = T(0.5) * t * exp(p - x * x);
  return select(z < T(0.0), tail, T(1.0) - tail);
}
template <class T, int N>
LARMOR_HD Dual<T, N> normal_below(const Dual<T, N>& z) {
  using simd::exp;
  return chain(z, normal_below(z.v), T(0.39894228040143267794) * exp(T(-0.5) * z.v * z.v));
}

/// Response at u after the centre of a Gaussian front of sd sigma of a compartment emptying at `rate` (any sign): the
/// integral over s < u of normal_below(s / sigma) exp(-rate (u - s)),
///
///   F = (below(u / sigma) - E) / rate,  E = exp(rate^2 sigma^2 / 2 - rate u) below(u / sigma - rate sigma)
///
/// Its derivatives are E by u, density - rate sigma E by sigma and (sigma density - (rate sigma^2 - u) E - F) / rate by
/// the rate: the densities of both terms are one.
template <class T, int N>
LARMOR_HD Dual<T, N> front(const Dual<T, N>& u, const Dual<T, N>& rate, const Dual<T, N>& sigma) {
  using simd::exp;
  const T z = u.v / sigma.v, rs = rate.v * sigma.v, inverse = T(1.0) / rate.v;
  const T E = exp(rs * (T(0.5) * rs) - rate.v * u.v) * normal_below(z - rs);
  const T density = T(0.39894228040143267794) * exp(T(-0.5) * z * z);
  Dual<T, N> r;
  r.v = (normal_below(z) - E) * inverse;
  const T by_sigma = density - rs * E, by_rate = (sigma.v * density - (rs * sigma.v - u.v) * E - r.v) * inverse;
  for (int i = 0; i < N; ++i) r.d[i] = E * u.d[i] + by_sigma * sigma.d[i] + by_rate * rate.d[i];
  return r;
}

/// The same tissue when transit times are normally distributed about ATT with sd sigma (Hrabe and Lewis, J Magn Reson
/// 167:49 (2004), with the decay of each path over its own time).
template <bool pulsed, class S, class T>
LARMOR_HD S in_tissue_dispersed(const Label<T>& l, const S& CBF, const S& ATT, const S& sigma) {
  using simd::select, simd::abs;
  const S blood(l.R1_blood), R1 = l.R1(CBF);
  const S flow = CBF * S(l.efficiency * T(1e-3)), time(l.time), LD(l.LD);
  if constexpr (pulsed) {
    S rate = R1 - blood;
    // At rate 0 the closed form is 0 / 0: 1e-6 of it is nothing beside 1 / T1.
    rate.v = select(abs(rate.v) < T(1e-6), T(1e-6), rate.v);
    const S u = time - ATT;
    return flow * exp(-(time * blood)) * (front(u, rate, sigma) - front(u - LD, rate, sigma));
  } else {
    // Mean over the paths of exp(-path / T1): a Gaussian times an exponential is a Gaussian about an earlier centre.
    const S early = sigma * sigma * blood, u = time - ATT + early;
    return flow * exp(-(blood * (ATT - S(0.5) * early))) * (front(u, R1, sigma) - front(u - LD, R1, sigma));
  }
}

/// Label in arteries that fill aBV of the voxel and pass it, and then in its tissue, Chappell et al. (2010). The edges
/// of the bolus are spread by 0.1 s in both: sharp ones would leave the arrival in arteries without a gradient and fits
/// at the kinks of tissue, and vessels do spread them.
template <bool pulsed, class S, class T>
LARMOR_HD S in_tissue_and_arteries(const Label<T>& l, const S& CBF, const S& ATT, const S& aBV, const S& ATT_a) {
  constexpr double spread = 0.1;
  const S u = (S(l.time) - ATT_a) * S(T(1 / spread));
  const S decay = exp(-((pulsed ? S(l.time) : ATT_a) * S(l.R1_blood)));
  return in_tissue_dispersed<pulsed>(l, CBF, ATT, S(T(spread))) +
         aBV * S(l.efficiency) * decay * (normal_below(u) - normal_below(u - S(l.LD * T(1 / spread))));
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::asl
