// SPDX-License-Identifier: Apache-2.0
#pragma once
// Pulses: rotations of all steps, and relaxation between groups of them.
#include <larmor/sim/kernels/bloch_tile.hpp>

namespace larmor::sim {
inline namespace LARMOR_ISA_NAMESPACE {
namespace lanes {

template <class F>
LARMOR_INLINE void relax(const Tile<F>& t, Vector<F>& M, int slot, int i) {
  const F lost2 = t.lost2(slot, i);
  M.x = M.x - M.x * lost2, M.y = M.y - M.y * lost2, M.z = simd::fma(t.M0(i) - M.z, t.lost1(slot, i), M.z);
}

/// G packs through all steps. Relaxation is split evenly around each group of rotations; between two groups the halves
/// are one.
template <class F, int G, int Terms, int mode>
LARMOR_HD void rf_group(const Tile<F>& t, const Segment& s, const Instance& at, int i0, int parts) {
  constexpr int L = LaneTraits<F>::size;
  using D = typename WideOf<F>::type;
  const BlochRun& run = *t.run;
  Vector<F> M[G];
  F w0[G], p[mode == one_direction ? 1 : 3][G], v[3][G], B1[G];
  const F share(1.0f / static_cast<float>(parts));
  simd::static_for<G>([&](auto g) LARMOR_LAMBDA {
    const int i = i0 + g * L;
    M[g] = {simd::load<F>(t.mx + i), simd::load<F>(t.my + i), simd::load<F>(t.mz + i)};
    turn_back(M[g].x, M[g].y, F(at.cos), F(at.sin));
    relax(t, M[g], s.decay_first, i);
    w0[g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(t.df + i + h); }) * F(two_pi * s.dt);
    if constexpr (mode == one_direction) {
      p[0][g] = narrowed<F>([&](int h) LARMOR_LAMBDA {
        return simd::load<D>(t.x + i + h) * D(s.direction[0]) + simd::load<D>(t.y + i + h) * D(s.direction[1]) +
               simd::load<D>(t.z + i + h) * D(s.direction[2]);
      });
    } else {
      p[0][g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(t.x + i + h); });
      p[1][g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(t.y + i + h); });
      p[2][g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(t.z + i + h); });
    }
    if constexpr (mode == general) {
      B1[g] = (run.B1 ? simd::load<F>(run.B1 + t.first + i) : F(1.0f)) * share;
      for (int a = 0; a < 3; ++a) v[a][g] = F(0.0f);
      if (run.vx) {
        v[0][g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(run.vx + t.first + i + h); });
        v[1][g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(run.vy + t.first + i + h); });
        v[2][g] = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(run.vz + t.first + i + h); });
      }
    }
  });
  for (int k = s.first; k < s.first + s.count;) {
    const int end = k + s.relax_every;
    for (; k < end; ++k) {
      const RfStep& step = run.rf[k];
      simd::static_for<G>([&](auto g) LARMOR_LAMBDA {
        if constexpr (mode == general) {
          F wz = w0[g];
          for (int a = 0; a < 3; ++a) wz = simd::fma(p[a][g], F(step.g[a]), simd::fma(v[a][g], F(step.gv[a]), wz));
          wz = wz * share;
          const F wx = B1[g] * F(step.bx), wy = B1[g] * F(step.by), ww = simd::fma(wz, wz, B1[g] * B1[g] * F(step.bb));
          for (int part = 0; part < parts; ++part) turn<Terms>(M[g], wx, wy, wz, ww);
        } else {
          F wz;
          if constexpr (mode == one_direction)
            wz = simd::fma(p[0][g], F(step.along), w0[g]);
          else
            wz = simd::fma(p[0][g], F(step.g[0]),
                           simd::fma(p[1][g], F(step.g[1]), simd::fma(p[2][g], F(step.g[2]), w0[g])));
          turn<Terms>(M[g], F(step.bx), F(step.by), wz, simd::fma(wz, wz, F(step.bb)));
        }
      });
    }
    const int slot = k < s.first + s.count ? s.decay : s.decay_first;
    simd::static_for<G>([&](auto g) LARMOR_LAMBDA { relax(t, M[g], slot, i0 + g * L); });
  }
  simd::static_for<G>([&](auto g) LARMOR_LAMBDA {
    const int i = i0 + g * L;
    turn_back(M[g].x, M[g].y, F(at.cos), F(-at.sin));
    simd::store(t.mx + i, M[g].x), simd::store(t.my + i, M[g].y), simd::store(t.mz + i, M[g].z);
  });
}

template <class F, int Terms, int mode>
LARMOR_HD void rf_all(const Tile<F>& t, const Segment& s, const Instance& at, int parts) {
  // Packs in flight: enough to hide the latency of one's chain of operations, few enough for the registers.
  constexpr int L = LaneTraits<F>::size, G = L == 1 ? 1 : 4;
  for (int i = 0; i < t.n; i += G * L) rf_group<F, G, Terms, mode>(t, s, at, i, parts);
}

template <class F>
LARMOR_HD void run_rf(const Tile<F>& t, const Segment& s, const Instance& at, bool moving) {
  // The widest turn of this tile chooses the series: few tiles lie far from resonance.
  using D = typename WideOf<F>::type;
  F most(0.0f), B1_most(1.0f);
  for (int i = 0; i < t.n; i += LaneTraits<F>::size) {
    const F w0 = narrowed<F>([&](int h) LARMOR_LAMBDA { return simd::load<D>(t.df + i + h); }) * F(two_pi * s.dt);
    const F far = narrowed<F>([&](int h) LARMOR_LAMBDA {
      const D x = simd::load<D>(t.x + i + h), y = simd::load<D>(t.y + i + h), z = simd::load<D>(t.z + i + h);
      if (s.one_direction) return simd::abs(x * D(s.direction[0]) + y * D(s.direction[1]) + z * D(s.direction[2]));
      return simd::abs(x) + simd::abs(y) + simd::abs(z);
    });
    most = simd::max(most, simd::fma(far, F(s.g_most), simd::abs(w0)));
    if (t.run->B1) B1_most = simd::max(B1_most, simd::load<F>(t.run->B1 + t.first + i));
  }
  float wz = 0, B1 = 1;
  for (int l = 0; l < LaneTraits<F>::size; ++l)
    wz = simd::max(wz, simd::lane(most, l)), B1 = simd::max(B1, simd::lane(B1_most, l));
  const float b = B1 * s.b_most, w = simd::sqrt(wz * wz + b * b);
  if (moving || t.run->B1 || !(w <= 3.14f)) {
    const int parts = static_cast<int>(w / 3.14f) + 1;
    rf_all<F, 10, general>(t, s, at, parts);
  } else if (s.one_direction) {
    if (w <= 0.5f)
      rf_all<F, 4, one_direction>(t, s, at, 1);
    else if (w <= 1.2f)
      rf_all<F, 6, one_direction>(t, s, at, 1);
    else
      rf_all<F, 10, one_direction>(t, s, at, 1);
  } else {
    if (w <= 0.5f)
      rf_all<F, 4, three_directions>(t, s, at, 1);
    else
      rf_all<F, 10, three_directions>(t, s, at, 1);
  }
  // Displaced over the pulse; the phase within it is that of the places before (diffusion) or exact (flow).
  if (moving) {
    Segment none = s;
    for (int a = 0; a < 3; ++a) none.m[a] = none.walk[a] = 0;
    none.spread = 0;
    for (int i = 0; i < t.n; i += LaneTraits<F>::size) moved(t, none, 0x40000000u + static_cast<uint32_t>(at.out), i);
  }
}

}  // namespace lanes
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::sim
