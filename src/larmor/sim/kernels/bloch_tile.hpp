// SPDX-License-Identifier: Apache-2.0
#pragma once
// A tile of spins, and free precession: one turn whatever its length.
#include <larmor/sim/kernels/bloch_lanes.hpp>
#include <larmor/sim/kernels/bloch_types.hpp>

namespace larmor::sim {
inline namespace LARMOR_ISA_NAMESPACE {
namespace lanes {

enum Mode : int { one_direction, three_directions, general };  // general: flow, B1, turns beyond pi

template <class F>
struct Tile {
  const BlochRun* run;
  size_t first;  // spin
  int n;
  const double *x, *y, *z, *df;
  const float* decay;  // (spin, 1 - E1 | 1 - E2, slot)
  float* maps;         // (spin, 12, map)
  float *mx, *my, *mz;
  double* signal;  // (sample, coil, re | im)

  LARMOR_INLINE F lost1(int slot, int i) const { return simd::load<F>(decay + static_cast<size_t>(2 * slot) * n + i); }
  LARMOR_INLINE F lost2(int slot, int i) const {
    return simd::load<F>(decay + static_cast<size_t>(2 * slot + 1) * n + i);
  }
  LARMOR_INLINE F M0(int i) const { return simd::load<F>(run->M0 + first + i); }
};

constexpr float two_pi = 6.2831853f;

/// Flow and diffusion over a segment: the further turns, and the places at its end. Exact for every waveform: the phase
/// and the displacement of a Brownian path are jointly normal.
template <class F>
LARMOR_INLINE F moved(const Tile<F>& t, const Segment& s, uint32_t instance, int i) {
  const BlochRun& run = *t.run;
  using D = typename WideOf<F>::type;
  constexpr int half = LaneTraits<D>::size;
  double* place[3] = {const_cast<double*>(t.x), const_cast<double*>(t.y), const_cast<double*>(t.z)};
  F more(0.0f);
  if (run.vx) {
    const double* v[3] = {run.vx + t.first, run.vy + t.first, run.vz + t.first};
    more = narrowed<F>([&](int h) LARMOR_LAMBDA {
      return part_of_turn(simd::load<D>(v[0] + i + h) * D(s.m[0]) + simd::load<D>(v[1] + i + h) * D(s.m[1]) +
                          simd::load<D>(v[2] + i + h) * D(s.m[2]));
    });
    for (int a = 0; a < 3; ++a)
      for (int h = 0; h < LaneTraits<F>::size; h += half)
        simd::store(place[a] + i + h, simd::load<D>(place[a] + i + h) + simd::load<D>(v[a] + i + h) * D(s.tau));
  }
  if (run.D) {
    const F two_D = F(2.0f) * simd::load<F>(run.D + t.first + i);
    const F step = simd::sqrt(two_D * F(static_cast<float>(s.tau)));
    using U = typename UnsignedOf<F>::type;
    const U spin = counted(static_cast<uint32_t>(t.first) + static_cast<uint32_t>(i), U{});
    const auto key0 = static_cast<uint32_t>(run.seed), key1 = static_cast<uint32_t>(run.seed >> 32);
    F n[4];
    normals<F>(spin, U{} + 2 * instance, key0, key1, n[0], n[1]);
    normals<F>(spin, U{} + (2 * instance + 1), key0, key1, n[2], n[3]);
    more = simd::fma(n[3], simd::sqrt(two_D * F(static_cast<float>(s.spread))), more);
    for (int a = 0; a < 3; ++a) {
      const F d = n[a] * step;
      more = simd::fma(d, F(static_cast<float>(s.walk[a])), more);
      float by[LaneTraits<F>::size];
      simd::store(by, d);
      for (int l = 0; l < LaneTraits<F>::size; ++l) place[a][i + l] += static_cast<double>(by[l]);
    }
  }
  return more;
}

template <class F>
LARMOR_INLINE void free_turn(const Tile<F>& t, const Segment& s, uint32_t instance, int i, bool moving, F& sn, F& cs) {
  F angle = turns<F>(t.df + i, t.x + i, t.y + i, t.z + i, s.tau, s.k);
  if (moving) angle = part_of_turn_float(angle + moved(t, s, instance, i));
  sincos_turns(angle, sn, cs);
}

template <class F>
LARMOR_HD void run_free(const Tile<F>& t, const Segment& s, uint32_t instance, bool moving) {
  for (int i = 0; i < t.n; i += LaneTraits<F>::size) {
    F sn, cs, x = simd::load<F>(t.mx + i), y = simd::load<F>(t.my + i);
    free_turn(t, s, instance, i, moving, sn, cs);
    turn_back(x, y, cs, sn);
    const F lost2 = t.lost2(s.decay, i), z = simd::load<F>(t.mz + i);
    simd::store(t.mx + i, x - x * lost2), simd::store(t.my + i, y - y * lost2);
    simd::store(t.mz + i, simd::fma(t.M0(i) - z, t.lost1(s.decay, i), z));
  }
}

}  // namespace lanes
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::sim
