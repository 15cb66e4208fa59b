// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
//
// Loop order: a tile of spins outside, segments next, packs of spins next, the steps of a segment inside, so that
// magnetisation stays in registers over all steps of a pulse or a readout.
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

// --- free precession: one turn whatever its length ----------------------------------------------------------------

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

// --- pulses -------------------------------------------------------------------------------------------------------

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

// --- samples ------------------------------------------------------------------------------------------------------

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

// --- maps: a run of segments as one affine function of each spin --------------------------------------------------

template <class F>
LARMOR_HD void run_map(const Tile<F>& t, int map, const Instance& at) {
  const float* m = t.maps + static_cast<size_t>(12 * map) * static_cast<size_t>(t.n);
  const size_t n = static_cast<size_t>(t.n);
  for (int i = 0; i < t.n; i += LaneTraits<F>::size) {
    const float* a = m + i;
    F x = simd::load<F>(t.mx + i), y = simd::load<F>(t.my + i);
    const F z = simd::load<F>(t.mz + i);
    turn_back(x, y, F(at.cos), F(at.sin));
    F r[3];
    simd::static_for<3>([&](auto c) LARMOR_LAMBDA {
      r[c] = simd::fma(simd::load<F>(a + (4 * c + 0) * n), x,
                       simd::fma(simd::load<F>(a + (4 * c + 1) * n), y,
                                 simd::fma(simd::load<F>(a + (4 * c + 2) * n), z, simd::load<F>(a + (4 * c + 3) * n))));
    });
    turn_back(r[0], r[1], F(at.cos), F(-at.sin));
    simd::store(t.mx + i, r[0]), simd::store(t.my + i, r[1]), simd::store(t.mz + i, r[2]);
  }
}

template <class F>
LARMOR_HD void run_instances(const Tile<F>& t, const Instance* all, int count, bool moving, F* sums) {
  for (int k = 0; k < count; ++k) {
    const Instance& at = all[k];
    const Segment& s = t.run->segments[at.segment];
    switch (s.kind) {
      case segment_free:
        run_free(t, s, static_cast<uint32_t>(at.out), moving);
        break;
      case segment_rf:
        run_rf(t, s, at, moving);
        break;
      case segment_adc:
        run_adc(t, s, at, sums);
        break;
      case segment_map:
        run_map(t, s.first, at);
        break;
      case segment_spoil:
        for (int i = 0; i < t.n; ++i) t.mx[i] = t.my[i] = 0;
        break;
      default: {
        float* to = t.run->record + static_cast<size_t>(3 * at.out) * t.run->n + t.first;
        for (int i = 0; i < t.n; ++i)
          to[i] = t.mx[i], to[t.run->n + static_cast<size_t>(i)] = t.my[i],
          to[2 * t.run->n + static_cast<size_t>(i)] = t.mz[i];
      }
    }
  }
}

/// The maps of a tile, from what becomes of nothing and of a unit along each axis.
template <class F>
LARMOR_HD void make_maps(Tile<F> t, float* state) {
  const size_t n = static_cast<size_t>(t.n);
  t.mx = state, t.my = state + n, t.mz = state + 2 * n;
  for (int map = 0; map < t.run->n_maps; ++map) {
    float* m = t.maps + static_cast<size_t>(12 * map) * n;
    for (int column = 3; column >= 0; --column) {
      for (size_t i = 0; i < n; ++i) {
        t.mx[i] = column == 0 ? 1.0f : 0.0f;
        t.my[i] = column == 1 ? 1.0f : 0.0f;
        t.mz[i] = column == 2 ? 1.0f : 0.0f;
      }
      run_instances(t, t.run->map_instances + t.run->maps[map].first, t.run->maps[map].count, false,
                    static_cast<F*>(nullptr));
      for (int c = 0; c < 3; ++c) {
        const float* from = c == 0 ? t.mx : c == 1 ? t.my : t.mz;
        float* to = m + static_cast<size_t>(4 * c + column) * n;
        const float* origin = m + static_cast<size_t>(4 * c + 3) * n;
        for (size_t i = 0; i < n; ++i) to[i] = column == 3 ? from[i] : from[i] - origin[i];
      }
    }
  }
}

template <class F>
LARMOR_HD void run_tile(const BlochRun& run, size_t first, int n, float* scratch, double* signal, double* places,
                        F* sums) {
  Tile<F> t{&run,           first,          n,
            run.x + first,  run.y + first,  run.z + first,
            run.df + first, scratch,        scratch + static_cast<size_t>(2 * run.n_decays) * static_cast<size_t>(n),
            run.mx + first, run.my + first, run.mz + first,
            signal};
  for (int slot = 0; slot < run.n_decays; ++slot)
    for (int i = 0; i < n; i += LaneTraits<F>::size) {
      const F tau(run.decay_times[slot]);
      simd::store(scratch + static_cast<size_t>(2 * slot) * n + i, lost(simd::load<F>(run.R1 + first + i) * tau));
      simd::store(scratch + static_cast<size_t>(2 * slot + 1) * n + i, lost(simd::load<F>(run.R2 + first + i) * tau));
    }
  make_maps(t, scratch + static_cast<size_t>(2 * run.n_decays + 12 * run.n_maps) * static_cast<size_t>(n));
  const bool moving = run.vx || run.D;
  if (moving) {
    for (int i = 0; i < n; ++i) places[i] = t.x[i], places[n + i] = t.y[i], places[2 * n + i] = t.z[i];
    t.x = places, t.y = places + n, t.z = places + 2 * n;
  }
  run_instances(t, run.instances, run.n_instances, moving, sums);
}

}  // namespace lanes
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::sim

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>
#include <larmor/sim/bloch_cuda.hpp>

namespace larmor::sim {
namespace {

__global__ void bloch_spins(const BlochRun run, float* scratch, double* signal) {
  const size_t i = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= run.n) return;
  double places[3];
  lanes::run_tile<float>(run, i, 1, scratch + i * bloch_scratch(run, 1), signal, places, nullptr);
}

}  // namespace

void bloch_launch(const BlochRun& run, float* scratch, double* signal, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 128;
  bloch_spins<<<static_cast<unsigned>((run.n + threads - 1) / threads), threads>>>(run, scratch, signal);
  cuda::check_launch("Bloch equations", true);
}

}  // namespace larmor::sim
#else
namespace lanes = larmor::sim::lanes;
using F = larmor::simd::Pack<float>;

extern "C" void LARMOR_ISA_JOIN(larmor_bloch_, LARMOR_ISA)(const larmor::sim::BlochRun* run, size_t first, size_t count,
                                                           float* scratch, double* signal) {
  constexpr int n = larmor::sim::bloch_tile;
  double places[3 * n];
  F* sums = reinterpret_cast<F*>(scratch + larmor::sim::bloch_scratch(*run, n));
  for (size_t at = first; at < first + count; at += n) lanes::run_tile<F>(*run, at, n, scratch, signal, places, sums);
}

#if defined(LARMOR_ISA_baseline)
/// What a thread of CUDA does with its spin, for one spin after the other.
extern "C" void larmor_bloch_one_by_one(const larmor::sim::BlochRun* run, size_t first, size_t count, float* scratch,
                                        double* signal) {
  double places[3];
  for (size_t i = first; i < first + count; ++i)
    lanes::run_tile<float>(*run, i, 1, scratch, signal, places, static_cast<float*>(nullptr));
}
#endif
#endif
