// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

/// What the Bloch kernels read and write: plain numbers, made by compile() and simulate().
namespace larmor::sim {

enum SegmentKind : int { segment_free, segment_rf, segment_adc, segment_record, segment_spoil, segment_map };

/// One step of a pulse, its rotation vector [rad] (b with phase 0 of the instance) and gradient [rad/mm].
struct RfStep {
  float bx, by, bb;  // bb = bx^2 + by^2
  float along;       // of the gradient, along the direction of the segment
  float g[3];
  float gv[3];  // g times the time of the step's middle from the start of the segment [rad s/mm], for flow
};
/// From one sample to the next [turns/mm].
struct AdcStep {
  float g[3];
};

struct Segment {
  int kind = segment_free;
  int first = 0, count = 0;  // steps
  int relax_every = 1;       // rf: steps between two relaxations; divides count
  int decay = 0;             // relaxation over: free, all of it; rf, relax_every steps; adc, one step
  int decay_first = 0;       // rf: half of that; adc: until the first sample
  int same_steps = 0;        // adc: all steps equal
  int within_half = 0;       // adc: no step turns any spin by more than half a turn
  int one_direction = 0;     // rf: the gradient keeps its direction
  float dt = 0;              // [s] of one step
  float b_most = 0, g_most = 0;
  double tau = 0;       // [s]; adc: until the first sample
  double k[3] = {};     // integral of the gradient over tau [turns/mm]
  double m[3] = {};     // integral of gradient times time [turns s/mm], for flow
  double walk[3] = {};  // mean over tau of the gradient integral still to come [turns/mm], for diffusion
  double spread = 0;    // variance of the phase at given displacement, over 2 D [turns2/mm2 s]
  double direction[3] = {};
};

/// A segment in its place: `out` is the first sample or the frame; cosine and sine are of the pulse's phase.
struct Instance {
  int segment = 0, out = 0;
  float cos = 1, sin = 0;
};
/// A run of segments that occurs often: instances [first, first + count) of the definitions, phases relative to the
/// first pulse. One affine map of each spin.
struct MapRun {
  int first = 0, count = 0;
};

struct BlochRun {
  // Spins, one row each, padded to whole tiles with spins of M0 = 0.
  const double *x, *y, *z, *df;        // [mm], [Hz]
  const double *vx, *vy, *vz;          // [mm/s]; null: nothing flows
  const float *R1, *R2, *M0, *B1, *D;  // [1/s], [a.u.], [1], [mm2/s]; B1, D null: 1, 0
  const float *coil_re, *coil_im;      // (spin, coil), stride n; null: one coil of sensitivity 1
  size_t n;
  int n_coils;
  // What happens.
  const Segment* segments;
  const RfStep* rf;
  const AdcStep* adc;
  const Instance* instances;
  int n_instances;
  const MapRun* maps;
  int n_maps;
  const Instance* map_instances;
  const float* decay_times;  // [s]
  int n_decays;
  int n_samples;
  uint64_t seed;
  // Results.
  float *mx, *my, *mz;  // (spin), in and out
  float* record;        // (spin, 3, frame), stride n; null: none
};

/// Spins of a tile on the CPU: their state and parameters stay in the first-level cache.
inline constexpr int bloch_tile = 256;
/// Samples that one segment takes at most: afterwards phases are set up again in double.
inline constexpr int adc_chunk = 64;

/// Floats that a tile of `tile` spins needs beside.
constexpr size_t bloch_scratch(const BlochRun& run, int tile) {
  return static_cast<size_t>(tile) * static_cast<size_t>(2 * run.n_decays + 12 * run.n_maps + 6);
}

/// Runs spins [first, first + count), whole tiles; adds their signals to signal (sample, coil, re | im), f64.
using BlochKernel = void (*)(const BlochRun* run, size_t first, size_t count, float* scratch, double* signal);

}  // namespace larmor::sim
