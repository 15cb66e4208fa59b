// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
//
// Loop order: a tile of spins outside, segments next, packs of spins next, the steps of a segment inside, so that
// magnetisation stays in registers over all steps of a pulse or a readout.
#include <larmor/sim/kernels/bloch_pulse.hpp>
#include <larmor/sim/kernels/bloch_samples.hpp>

namespace larmor::sim {
inline namespace LARMOR_ISA_NAMESPACE {
namespace lanes {

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
