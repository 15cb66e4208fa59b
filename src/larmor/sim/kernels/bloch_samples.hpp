// SPDX-License-Identifier: Apache-2.0
#pragma once
// Samples: what the coils see of a tile at every step of a readout.
#include <larmor/sim/kernels/bloch_tile.hpp>

namespace larmor::sim {
inline namespace LARMOR_ISA_NAMESPACE {
namespace lanes {

LARMOR_INLINE float sum_of(float a) { return a; }
#if !defined(__CUDACC__)
LARMOR_INLINE float sum_of(simd::Pack<float> a) {
#if LARMOR_VECTOR_BYTES == 64
  const auto b = __builtin_shufflevector(a.v, a.v, 0, 1, 2, 3, 4, 5, 6, 7) +
                 __builtin_shufflevector(a.v, a.v, 8, 9, 10, 11, 12, 13, 14, 15);
#else
  const auto b = a.v;
#endif
#if LARMOR_VECTOR_BYTES >= 32
  const auto c = __builtin_shufflevector(b, b, 0, 1, 2, 3) + __builtin_shufflevector(b, b, 4, 5, 6, 7);
#else
  const auto c = b;
#endif
  const auto d = __builtin_shufflevector(c, c, 0, 1) + __builtin_shufflevector(c, c, 2, 3);
  return d[0] + d[1];
}
#endif
LARMOR_INLINE void add_signal(double* to, float v) {
#if defined(__CUDA_ARCH__)
  atomicAdd(to, static_cast<double>(v));
#else
  *to += static_cast<double>(v);
#endif
}

enum AdcMode : int { same_steps, any_steps, steps_within_half };

/// A thread of CUDA has no sums of its own and adds to the signal at once.
template <class F>
LARMOR_INLINE void add_sample(const Tile<F>& t, const Instance& at, F* sums, int coil, int k, F re, F im) {
  if constexpr (LaneTraits<F>::size == 1) {
    const size_t samples = static_cast<size_t>(t.run->n_samples);
    double* to = t.signal + 2 * static_cast<size_t>(coil) * samples + static_cast<size_t>(at.out + k);
    add_signal(to, re);
    add_signal(to + samples, im);
  } else {
    sums[2 * (coil * adc_chunk + k)] += re, sums[2 * (coil * adc_chunk + k) + 1] += im;
  }
}

template <class F, int G, int mode>
LARMOR_HD void adc_group(const Tile<F>& t, const Segment& s, const Instance& at, int i0, F* sums) {
  constexpr int L = LaneTraits<F>::size;
  using D = typename WideOf<F>::type;
  const BlochRun& run = *t.run;
  F x[G], y[G], c[G], sn[G], w0[G], E2[G], px[G], py[G], pz[G];
  simd::static_for<G>([&](auto g) LARMOR_LAMBDA {
    const int i = i0 + g * L;
    x[g] = simd::load<F>(t.mx + i), y[g] = simd::load<F>(t.my + i);
    F s0, c0;
    free_turn(t, s, static_cast<uint32_t>(at.out), i, false, s0, c0);
    turn_back(x[g], y[g], c0, s0);
    const F first = t.lost2(s.decay_first, i);
    x[g] = x[g] - x[g] * first, y[g] = y[g] - y[g] * first, E2[g] = F(1.0f) - t.lost2(s.decay, i);
    w0[g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(t.df + i + h); }) * F(s.dt);
    px[g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(t.x + i + h); });
    py[g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(t.y + i + h); });
    pz[g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(t.z + i + h); });
    if constexpr (mode == same_steps) {
      const AdcStep& step = run.adc[s.first];
      const F turn_of_step =
          simd::fma(px[g], F(step.g[0]), simd::fma(py[g], F(step.g[1]), simd::fma(pz[g], F(step.g[2]), w0[g])));
      sincos_turns(part_of_turn_float(turn_of_step), sn[g], c[g]);
      c[g] = c[g] * E2[g], sn[g] = sn[g] * E2[g];
    }
  });
  const int coils = run.n_coils;
  for (int k = 0; k < s.count; ++k) {
    if (k > 0) {
      const AdcStep& step = run.adc[s.first + (mode == same_steps ? 0 : k - 1)];
      simd::static_for<G>([&](auto g) LARMOR_LAMBDA {
        if constexpr (mode != same_steps) {
          const F turn_of_step =
              simd::fma(px[g], F(step.g[0]), simd::fma(py[g], F(step.g[1]), simd::fma(pz[g], F(step.g[2]), w0[g])));
          sincos_turns_straight(mode == steps_within_half ? turn_of_step : part_of_turn_float(turn_of_step), sn[g],
                                c[g]);
          c[g] = c[g] * E2[g], sn[g] = sn[g] * E2[g];
        }
        turn_back(x[g], y[g], c[g], sn[g]);
      });
    }
    if (!run.coil_re) {
      F re = x[0], im = y[0];
      for (int g = 1; g < G; ++g) re += x[g], im += y[g];
      add_sample(t, at, sums, 0, k, re, im);
    } else {
      for (int q = 0; q < coils; ++q) {
        const float* cr = run.coil_re + static_cast<size_t>(q) * run.n + t.first + static_cast<size_t>(i0);
        const float* ci = run.coil_im + static_cast<size_t>(q) * run.n + t.first + static_cast<size_t>(i0);
        F re(0.0f), im(0.0f);
        simd::static_for<G>([&](auto g) LARMOR_LAMBDA {
          const F a = simd::load<F>(cr + g * L), b = simd::load<F>(ci + g * L);
          re = simd::fma(a, x[g], simd::fma(b, -y[g], re));
          im = simd::fma(a, y[g], simd::fma(b, x[g], im));
        });
        add_sample(t, at, sums, q, k, re, im);
      }
    }
  }
}

template <class F>
LARMOR_HD void run_adc(const Tile<F>& t, const Segment& s, const Instance& at, F* sums) {
  constexpr int L = LaneTraits<F>::size, G = L == 1 ? 1 : 4;
  constexpr bool direct = L == 1;
  const int coils = direct ? 0 : t.run->coil_re ? t.run->n_coils : 1;
  for (int q = 0; q < coils; ++q)
    for (int k = 0; k < 2 * s.count; ++k) sums[2 * q * adc_chunk + k] = F(0.0f);
  for (int i = 0; i < t.n; i += G * L) {
    if (s.same_steps)
      adc_group<F, G, same_steps>(t, s, at, i, sums);
    else if (s.within_half)
      adc_group<F, G, steps_within_half>(t, s, at, i, sums);
    else
      adc_group<F, G, any_steps>(t, s, at, i, sums);
  }
  const size_t samples = static_cast<size_t>(t.run->n_samples);
  for (int q = 0; q < coils; ++q)
    for (int k = 0; k < s.count; ++k) {
      double* to = t.signal + 2 * static_cast<size_t>(q) * samples + static_cast<size_t>(at.out + k);
      add_signal(to, sum_of(sums[2 * (q * adc_chunk + k)]));
      add_signal(to + samples, sum_of(sums[2 * (q * adc_chunk + k) + 1]));
    }
}

}  // namespace lanes
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::sim
