// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set: phase graphs of tissues side by side.
#include <larmor/sim/kernels/bloch_lanes.hpp>
#include <larmor/sim/kernels/epg_types.hpp>

namespace larmor::sim {
inline namespace LARMOR_ISA_NAMESPACE {
namespace epg {

using simd::LaneTraits;

/// One order: F(k), conj F(-k), Z(k).
template <class T>
struct Order {
  T F_re, F_im, G_re, G_im, Z_re, Z_im;
};

template <class T>
LARMOR_HD void pulse(Order<T>* s, int orders, T FA, T c, T sn) {
  T sine, cosine;
  lanes::sincos_turns(lanes::part_of_turn_float(FA), sine, cosine);
  const T half(0.5f), a = half + half * cosine, b = half - half * cosine, h = half * sine;
  for (int k = 0; k < orders; ++k) {
    Order<T>& o = s[k];
    // Into the frame of the pulse, where it turns about x.
    T Fr = o.F_re, Fi = o.F_im, Gr = o.G_re, Gi = o.G_im;
    lanes::turn_back(Fr, Fi, c, sn);
    lanes::turn_back(Gr, Gi, c, -sn);
    T r = simd::fma(a, Fr, simd::fma(b, Gr, -(sine * o.Z_im))), i = simd::fma(a, Fi, simd::fma(b, Gi, sine * o.Z_re));
    T gr = simd::fma(b, Fr, simd::fma(a, Gr, sine * o.Z_im)), gi = simd::fma(b, Fi, simd::fma(a, Gi, -(sine * o.Z_re)));
    const T zr = simd::fma(h, Gi - Fi, cosine * o.Z_re), zi = simd::fma(h, Fr - Gr, cosine * o.Z_im);
    lanes::turn_back(r, i, c, -sn);
    lanes::turn_back(gr, gi, c, sn);
    o = {r, i, gr, gi, zr, zi};
  }
}

/// Relaxation, off-resonance and diffusion, then the shift, in one pass through the orders each.
template <class T>
LARMOR_HD void evolve(Order<T>* s, const EpgStep& step, int n_orders, T E1, T E2, T c, T sn, T D, bool diffusing,
                      float dk, T M0) {
  const int n = step.shift, orders = step.orders;
  const T ce = c * E2, se = sn * E2;
  for (int k = 0; k < orders; ++k) {
    Order<T>& o = s[k];
    lanes::turn_back(o.F_re, o.F_im, ce, se);
    lanes::turn_back(o.G_re, o.G_im, ce, -se);
    o.Z_re = o.Z_re * E1, o.Z_im = o.Z_im * E1;
    if (diffusing) {
      // F goes from k to k + n, F(-k) from -k to -k + n; the mean of k^2 on the way times D tau.
      const float q = dk * dk * step.tau, kf = static_cast<float>(k), nf = static_cast<float>(n);
      const float up = q * (kf * kf + kf * (kf + nf) + (kf + nf) * (kf + nf)) / 3;
      const float down = q * (kf * kf + kf * (kf - nf) + (kf - nf) * (kf - nf)) / 3;
      const T f = simd::exp<T>(T(-up) * D), g = simd::exp<T>(T(-down) * D), z = simd::exp<T>(T(-q * kf * kf) * D);
      o.F_re = o.F_re * f, o.F_im = o.F_im * f;
      o.G_re = o.G_re * g, o.G_im = o.G_im * g;
      o.Z_re = o.Z_re * z, o.Z_im = o.Z_im * z;
    }
  }
  s[0].Z_re = s[0].Z_re + M0 * (T(1.0f) - E1);
  if (n == 0) return;
  const int size = n > 0 ? n : -n, top = orders + size < n_orders ? orders + size : n_orders;
  const T zero(0.0f);
  const auto F = [&](int k, T& re, T& im) LARMOR_LAMBDA {
    if (k < orders)
      re = s[k].F_re, im = s[k].F_im;
    else
      re = zero, im = zero;
  };
  const auto G = [&](int k, T& re, T& im) LARMOR_LAMBDA {
    if (k < orders)
      re = s[k].G_re, im = s[k].G_im;
    else
      re = zero, im = zero;
  };
  for (int k = orders; k < top; ++k) s[k].Z_re = zero, s[k].Z_im = zero;
  if (n > 0) {
    // What crosses 0 is kept before it is written over: F(k) <- F(k - n) = conj of G(n - k).
    for (int k = top - 1; k >= n; --k) F(k - n, s[k].F_re, s[k].F_im);
    for (int k = n - 1; k >= 0; --k)
      if (k < top) {
        T re, im;
        G(n - k, re, im);
        s[k].F_re = re, s[k].F_im = -im;
      }
    for (int k = 0; k < top; ++k) G(k + n, s[k].G_re, s[k].G_im);
  } else {
    for (int k = top - 1; k >= size; --k) G(k - size, s[k].G_re, s[k].G_im);
    for (int k = size - 1; k >= 0; --k)
      if (k < top) {
        T re, im;
        F(size - k, re, im);
        s[k].G_re = re, s[k].G_im = -im;
      }
    for (int k = 0; k < top; ++k) F(k + size, s[k].F_re, s[k].F_im);
  }
}

template <class T>
LARMOR_HD void run_tissues(const EpgRun& run, size_t first, Order<T>* s) {
  const T zero(0.0f), M0 = simd::load<T>(run.M0 + first), R1 = simd::load<T>(run.R1 + first),
                      R2 = simd::load<T>(run.R2 + first);
  const T B1 = run.B1 ? simd::load<T>(run.B1 + first) : T(1.0f), df = run.df ? simd::load<T>(run.df + first) : zero;
  const T D = run.D ? simd::load<T>(run.D + first) : zero;
  if (run.first_step == 0) {
    for (int k = 0; k < run.n_orders; ++k) s[k] = {zero, zero, zero, zero, zero, zero};
    s[0].Z_re = M0;
  }
  int read = run.first_read;
  for (int i = run.first_step; i < run.n_steps; ++i) {
    const EpgStep& step = run.steps[i];
    if (step.kind == epg_pulse) {
      pulse(s, step.orders, T(step.FA) * B1, T(step.cos), T(step.sin));
    } else if (step.kind == epg_evolve) {
      T c(1.0f), sn(0.0f);
      if (run.df) lanes::sincos_turns(lanes::part_of_turn_float(df * T(step.tau)), sn, c);
      evolve(s, step, run.n_orders, simd::exp<T>(R1 * T(-step.tau)), simd::exp<T>(R2 * T(-step.tau)), c, sn, D,
             run.D != nullptr, run.dk, M0);
    } else {
      T re = s[0].F_re, im = s[0].F_im;
      lanes::turn_back(re, im, T(step.cos), T(step.sin));
      float* to = run.signal + static_cast<size_t>(2 * read) * run.n + first;
      simd::store(to, re), simd::store(to + run.n, im);
      ++read;
    }
  }
}

}  // namespace epg
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::sim

extern "C" void LARMOR_ISA_JOIN(larmor_epg_, LARMOR_ISA)(const larmor::sim::EpgRun* run, size_t first, size_t count,
                                                         float* scratch) {
  using F = larmor::simd::Pack<float>;
  // Scratch of a pack: floats of its lanes for the orders and one more.
  const size_t each = static_cast<size_t>(run->n_orders + 1) * 6 * F::size;
  for (size_t at = first; at < first + count; at += F::size, scratch += each)
    larmor::sim::epg::run_tissues<F>(*run, at, reinterpret_cast<larmor::sim::epg::Order<F>*>(scratch));
}
