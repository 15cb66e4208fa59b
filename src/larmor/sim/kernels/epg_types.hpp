// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

namespace larmor::sim {

enum EpgKind : int { epg_pulse, epg_evolve, epg_read };

/// One operation of a phase graph as the kernel reads it.
struct EpgStep {
  int kind;
  int shift;       // evolve: orders
  int orders;      // that can still be seen, before this step
  float tau;       // evolve [s]
  float FA;        // pulse [turns], at B1 = 1
  float cos, sin;  // pulse: of its phase; read: of the receiver's
};
struct EpgRun {
  const EpgStep* steps;
  int first_step, n_steps, n_orders;        // steps [first_step, n_steps); scratch goes on where those before ended
  int first_read;                           // reads before first_step
  float dk;                                 // [rad/mm] of one order, for diffusion
  const float *R1, *R2, *B1, *df, *D, *M0;  // (tissue); B1, df, D null: 1, 0, 0
  float* signal;                            // (tissue, re | im, read), stride n
  size_t n;
};
/// Floats of scratch.
constexpr size_t epg_scratch(const EpgRun& run) { return static_cast<size_t>(run.n_orders + 1) * 6 * 16; }
/// Tissues [first, first + 16 lanes or fewer of one pack), whole packs, each with scratch of its own.
using EpgKernel = void (*)(const EpgRun* run, size_t first, size_t count, float* scratch);

}  // namespace larmor::sim
