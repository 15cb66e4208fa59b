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

/// (1 - exp(-x)) / x, the mean of exp(-x s) over 0 < s < 1, and its slope; any sign of x. decay: exp(-x).
template <class T>
struct MeanDecay {
  T value, slope;
};
template <class T>
LARMOR_INLINE MeanDecay<T> mean_decay(T x, T decay) {
  using simd::select, simd::abs;
  const T one(1.0);
  // Below 1e-3 the difference loses digits and the series to x^4 (x^3 for the slope) has a remainder below 1e-14.
  const auto small = abs(x) < T(1e-3);
  const T divisor = one / select(small, one, x);
  const T series = one + x * (T(-0.5) + x * (T(1.0 / 6) + x * (T(-1.0 / 24) + x * T(1.0 / 120))));
  const T slope_series = T(-0.5) + x * (T(1.0 / 3) + x * (T(-1.0 / 8) + x * T(1.0 / 30)));
  const T value = select(small, series, (one - decay) * divisor);
  return {value, select(small, slope_series, (decay - value) * divisor)};
}
template <class T, int N>
LARMOR_HD Dual<T, N> mean_decay(const Dual<T, N>& a) {
  const MeanDecay<T> m = mean_decay(a.v, simd::exp(-a.v));
  return chain(a, m.value, m.slope);
}

/// The smaller of two.
template <class T, int N>
LARMOR_HD Dual<T, N> smaller(const Dual<T, N>& a, const Dual<T, N>& b) {
  return a - max(a - b, 0.0);
}

/// What a voxel is, by name.
template <class T>
struct Voxel {
  T R1_tissue, R1_blood, delay, per_partition;
  LARMOR_INLINE explicit Voxel(const T* c)
      : R1_tissue(T(1.0) / c[0]), R1_blood(T(1.0) / c[1]), delay(c[2]), per_partition(T(1e-3) / c[3]) {}
  /// 1 / T1' = 1 / T1 + f / partition: with CBF in mm3/(g s), 1e-3 of it is mL/(g s).
  template <class S>
  LARMOR_INLINE S R1(const S& CBF) const {
    return S(R1_tissue) + CBF * S(per_partition);
  }
};
/// What a sample is, in a voxel.
template <class T>
struct Label {
  T time, LD, efficiency, readout_start;
  double readout_rate;
  LARMOR_INLINE Label(const double* d, const Voxel<T>& v)
      : time(T(d[0]) + v.delay), LD(d[1]), efficiency(2 * d[2]), readout_start(T(d[3]) + v.delay), readout_rate(d[4]) {}
  /// Of the signal a unit of CBF.
  LARMOR_INLINE T per_flow() const { return efficiency * T(1e-3); }
};

/// Label in tissue, Buxton et al. (1998), eqs. 3 and 5 (pulsed) and 4 and 6 (continuous) as one integral: what has
/// arrived between ATT and the end of the bolus, each part decayed with T1 of blood until it arrived (pulsed: since
/// the pulse; continuous: over its transit) and with T1' from then on.
///
/// A Look-Locker readout takes cos FA of the label in the tissue at every pulse, as a rate (Gunther et al., 2001).
template <bool pulsed, class S, class T>
LARMOR_HD S in_tissue(const Voxel<T>& voxel, const Label<T>& l, const S& CBF, const S& ATT) {
  using simd::max;
  const S blood(voxel.R1_blood), R1 = voxel.R1(CBF);
  const S since = S(l.time) - ATT;            // arrival to readout
  const S after = max(since - S(l.LD), 0.0);  // end of the bolus to readout
  const S arrived = max(since, 0.0) - after;  // length of what has arrived
  const S flow = CBF * S(l.per_flow());       // 2 alpha f
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

/// exp(x^2) erfc(x) over t = 3 / (3 + x), x from 0 to 8: Chebyshev interpolation of degree 14, relative error 4e-13.
template <class T>
LARMOR_INLINE T scaled_erfc_over(T t) {
  using simd::fma;
  const T w = fma(T(2.75), t, T(-1.75));
  T p = fma(T(-4.3012704509237665e-09), w, T(2.5824611782354623e-08));
  p = fma(p, w, T(4.7423155180581489e-08));
  p = fma(p, w, T(-4.7867273256230192e-07));
  p = fma(p, w, T(-4.3663422211182024e-07));
  p = fma(p, w, T(7.4412656163591606e-06));
  p = fma(p, w, T(9.2155976558760955e-06));
  p = fma(p, w, T(-1.1836160167999488e-04));
  p = fma(p, w, T(-3.7372003713526114e-04));
  p = fma(p, w, T(1.3366176800707480e-03));
  p = fma(p, w, T(1.4216747613518869e-02));
  p = fma(p, w, T(5.8944809921611045e-02));
  p = fma(p, w, T(1.5917667700780316e-01));
  p = fma(p, w, T(3.1152380754764686e-01));
  return fma(p, w, T(4.5527761136542766e-01));
}
/// exp(x^2) erfc(x) of two numbers >= 0 with one quotient, held at 8 beyond: there they are only used beside
/// exp(-x^2), and that is 1e-28.
template <class T>
LARMOR_INLINE void scaled_erfc(T x, T y, T& of_x, T& of_y) {
  const T a = T(3.0) + simd::min(x, T(8.0)), b = T(3.0) + simd::min(y, T(8.0)), both = T(3.0) / (a * b);
  of_x = b * both * scaled_erfc_over(b * both), of_y = a * both * scaled_erfc_over(a * both);
}

/// Response of a compartment emptying at `rate` (any sign) to a front that passes it, and its derivatives; u: time
/// since the centre of the front.
template <class T>
struct Front {
  T value, by_u, by_width, by_rate;
  T by_uu, by_u_width, by_width_width;
  LARMOR_INLINE friend Front operator-(const Front& a, const Front& b) {
    return {a.value - b.value,
            a.by_u - b.by_u,
            a.by_width - b.by_width,
            a.by_rate - b.by_rate,
            a.by_uu - b.by_uu,
            a.by_u_width - b.by_u_width,
            a.by_width_width - b.by_width_width};
  }
};
/// At 0 the closed forms are 0 / 0; 1e-6 is nothing beside 1 / T1.
template <class T>
LARMOR_INLINE T not_zero(T rate) {
  return simd::select(simd::abs(rate) < T(1e-6), T(1e-6), rate);
}

/// Gaussian front of sd sigma: the integral over s < u of below(s / sigma) exp(-rate (u - s)) with the normal
/// distribution function below(z),
///
///   F = (below(u / sigma) - E) / rate,  E = exp(rate^2 sigma^2 / 2 - rate u) below(u / sigma - rate sigma)
///
/// Its derivatives are E by u, density - rate sigma E by sigma and (sigma density - (rate sigma^2 - u) E - F) / rate by
/// the rate: the densities of both terms are one, which also saves exponentials.
///
/// inverse_sigma, inverse_rate: both edges of a bolus share them
template <class T>
LARMOR_INLINE Front<T> gaussian_front(T u, T rate, T sigma, T inverse_sigma, T inverse_rate) {
  using simd::exp, simd::select, simd::abs;
  const T z = u * inverse_sigma, rs = rate * sigma, earlier = z - rs;
  // Held above 1e-130: products of smaller numbers would be denormal, and each costs as much as a hundred others.
  const T bell = exp(simd::max(T(-0.5) * z * z, T(-300.0))), root_half(0.70710678118654752440), zero(0.0);
  const T half = T(0.5) * bell;
  T tail, other;
  scaled_erfc(abs(z) * root_half, abs(earlier) * root_half, tail, other);
  tail = half * tail, other = half * other;
  const T below = select(z < zero, tail, T(1.0) - tail);
  const T E = select(earlier < zero, other, exp(rs * (T(0.5) * rs) - rate * u) - other);
  const T density = T(0.39894228040143267794) * bell, value = (below - E) * inverse_rate;
  const T by_width = density - rs * E, E_by_width = rate * (rs * E) - density * (z * inverse_sigma + rate);
  return {value,
          E,
          by_width,
          (sigma * density - (rs * sigma - u) * E - value) * inverse_rate,
          density * inverse_sigma - rate * E,
          E_by_width,
          density * z * z * inverse_sigma - rate * E - rs * E_by_width};
}

/// Half the time that a compact front takes to pass, with an sd of 0.1 s: 0.1 sqrt(5).
inline constexpr double front_half = 0.22360679774997896964;
/// Part of a compact front that has passed at u after its centre, 3 s^2 - 2 s^3 from -half to half, and its
/// derivatives.
template <class T>
struct Ramp {
  T value, slope, bend, w;  // w: time since it began, at most 2 half
  LARMOR_INLINE friend Ramp operator-(const Ramp& a, const Ramp& b) {
    return {a.value - b.value, a.slope - b.slope, a.bend - b.bend, a.w};
  }
};
template <class T>
LARMOR_INLINE Ramp<T> ramp(T u) {
  const T w = simd::min(simd::max(u + T(front_half), T(0.0)), T(2 * front_half)), s = w * T(0.5 / front_half);
  const auto passing = simd::abs(u) < T(front_half);
  return {s * s * (T(3.0) - s - s), T(3.0 / front_half) * s * (T(1.0) - s),
          simd::select(passing, T(1.5 / (front_half * front_half)) * (T(1.0) - s - s), T(0.0)), w};
}
/// Response to a compact front. While it passes, with y = -rate w, the integrals of s^2 and s^3 are series in y;
/// afterwards what is there decays and the rest comes in at its full height.
template <class T>
LARMOR_INLINE Front<T> compact_front(T u, T rate, T inverse_rate) {
  const Ramp<T> r = ramp(u);
  const T w = r.w, after = simd::max(u - T(front_half), T(0.0)), y = -(rate * w);
  // phi(y) = sum of y^k / (k + 4)!: for rates up to 2 1/s the next term is below 1e-8 of it.
  using simd::fma;
  T phi = fma(y, T(1.0 / 479001600.0), T(1.0 / 39916800.0));
  phi = fma(phi, y, T(1.0 / 3628800.0));
  phi = fma(phi, y, T(1.0 / 362880.0));
  phi = fma(phi, y, T(1.0 / 40320.0));
  phi = fma(phi, y, T(1.0 / 5040.0));
  phi = fma(phi, y, T(1.0 / 720.0));
  phi = fma(phi, y, T(1.0 / 120.0));
  phi = fma(phi, y, T(1.0 / 24.0));
  // The sum from 1 / 3! on, and y times the slope of phi: the derivative of y^4 phi is y^3 times that sum.
  const T phi3 = fma(y, phi, T(1.0 / 6)), y_slope = phi3 - T(4.0) * phi;
  const T www = w * w * w;
  const T square = T(2 * 3.0 / (4 * front_half * front_half)) * www,
          cube = T(-6 * 2.0 / (8 * front_half * front_half * front_half)) * www * w;
  const T inside = square * phi3 + cube * phi,
          inside_by_rate = cube * y_slope * inverse_rate - w * (square * (phi + y_slope));
  const T decay = simd::exp(-(rate * after)), full = (T(1.0) - decay) * inverse_rate;
  const T value = inside * decay + full, by_u = r.value - rate * value;
  return {value,
          by_u,
          T(0.0),
          (inside_by_rate - after * inside) * decay + (after * decay - full) * inverse_rate,
          r.slope - rate * by_u,
          T(0.0),
          T(0.0)};
}

/// Tissue in which transit times are normally distributed about ATT with sd sigma (Hrabe and Lewis, J Magn Reson 167:49
/// (2004), with the decay of each path over its own time). Parameters CBF, ATT, sigma.
template <bool pulsed>
struct Dispersed {
  static constexpr int n_params = 3, n_design = asl::n_design, n_covariates = asl::n_covariates;
  static constexpr unsigned curved = 0b111110;  // all but CBF twice, which is 1 % of it
  template <class T>
  struct At {
    Voxel<T> voxel;
    T CBF, ATT, sigma, inverse_sigma, rate, inverse_rate;
    T blood = T(0.0), early = T(0.0), decay = T(1.0);  // continuous labelling; 0 and 1 for pulses
    LARMOR_INLINE At(const T* c, const T* p)
        : voxel(c), CBF(p[0]), ATT(p[1]), sigma(p[2]), inverse_sigma(T(1.0) / p[2]) {
      if constexpr (pulsed) {
        rate = not_zero(voxel.R1(CBF) - voxel.R1_blood);
      } else {
        // Mean over the paths of exp(-path / T1): a Gaussian times an exponential is a Gaussian about an earlier
        // centre.
        rate = voxel.R1(CBF), blood = voxel.R1_blood;
        early = sigma * sigma * blood;
        decay = simd::exp(-(blood * (ATT - T(0.5) * early)));
      }
      inverse_rate = T(1.0) / rate;
    }
    LARMOR_INLINE T gradient(const double* d, T* g, T* second) const {
      const Label<T> l(d, voxel);
      const T u = l.time - ATT + early;
      const Front<T> f = gaussian_front(u, rate, sigma, inverse_sigma, inverse_rate) -
                         gaussian_front(u - l.LD, rate, sigma, inverse_sigma, inverse_rate);
      const T k = l.per_flow() * (pulsed ? T(simd::exp(-(l.time * voxel.R1_blood))) : decay), amount = CBF * k;
      T by_ATT = -f.by_u, by_sigma = f.by_width;
      T twice_ATT = f.by_uu, both = -f.by_u_width, twice_sigma = f.by_width_width;
      if constexpr (!pulsed) {
        // ln decay has slopes -blood and blood^2 sigma, u moves by 2 sigma blood.
        const T steeper = blood * blood * sigma, moves = T(2.0) * sigma * blood;
        both = both - moves * f.by_uu - steeper * f.by_u;
        twice_sigma += moves * (moves * f.by_uu + T(2.0) * f.by_u_width) + T(2.0) * blood * f.by_u +
                       steeper * (steeper * f.value + T(2.0) * (moves * f.by_u + f.by_width)) + blood * blood * f.value;
        by_ATT = by_ATT - blood * f.value, by_sigma += moves * f.by_u + steeper * f.value;
        both = both - blood * by_sigma;
        twice_ATT += blood * (f.by_u - by_ATT);
      }
      g[0] = k * f.value + amount * f.by_rate * voxel.per_partition;
      g[1] = amount * by_ATT, g[2] = amount * by_sigma;
      second[1] = k * by_ATT, second[2] = amount * twice_ATT;
      second[3] = k * by_sigma, second[4] = amount * both, second[5] = amount * twice_sigma;
      return amount * f.value;
    }
  };
};

/// Label in arteries that fill aBV of the voxel and pass it, and then in its tissue, Chappell et al. (2010). The edges
/// of the bolus take 0.45 s to pass, with an sd of 0.1 s, in both: sharp ones would leave the arrival in arteries
/// without a gradient and fits at the kinks of tissue, and vessels do spread them. Parameters CBF, ATT, aBV, ATT_a.
template <bool pulsed>
struct Macrovascular {
  static constexpr int n_params = 4, n_design = asl::n_design, n_covariates = asl::n_covariates;
  static constexpr unsigned curved = 0b1100000110;  // CBF with ATT, ATT twice, aBV with ATT_a, ATT_a twice
  template <class T>
  struct At {
    Voxel<T> voxel;
    T CBF, ATT, aBV, ATT_a, rate, inverse_rate;
    T blood = T(0.0), decay = T(1.0), decay_a = T(1.0);  // continuous labelling; 0 and 1 for pulses
    LARMOR_INLINE At(const T* c, const T* p) : voxel(c), CBF(p[0]), ATT(p[1]), aBV(p[2]), ATT_a(p[3]) {
      if constexpr (pulsed) {
        rate = not_zero(voxel.R1(CBF) - voxel.R1_blood);
      } else {
        rate = voxel.R1(CBF), blood = voxel.R1_blood;
        decay = simd::exp(-(ATT * blood)), decay_a = simd::exp(-(ATT_a * blood));
      }
      inverse_rate = T(1.0) / rate;
    }
    LARMOR_INLINE T gradient(const double* d, T* g, T* second) const {
      const Label<T> l(d, voxel);
      const T u = l.time - ATT, v = l.time - ATT_a;
      const Front<T> f = compact_front(u, rate, inverse_rate) - compact_front(u - l.LD, rate, inverse_rate);
      const Ramp<T> a = ramp(v) - ramp(v - l.LD);
      const T since = pulsed ? T(simd::exp(-(l.time * voxel.R1_blood))) : T(1.0);
      const T k = l.per_flow() * since * decay, amount = CBF * k, full = l.efficiency * since * decay_a;
      const T by_ATT = -f.by_u - blood * f.value, by_ATT_a = -a.slope - blood * a.value;
      g[0] = k * f.value + amount * f.by_rate * voxel.per_partition;
      g[1] = amount * by_ATT;
      g[2] = full * a.value;
      g[3] = aBV * full * by_ATT_a;
      second[1] = k * by_ATT, second[2] = amount * (f.by_uu + blood * (f.by_u - by_ATT));
      second[8] = full * by_ATT_a, second[9] = aBV * full * (a.bend + blood * (a.slope - by_ATT_a));
      return amount * f.value + aBV * g[2];
    }
  };
};

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::asl
