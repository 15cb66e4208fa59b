// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/device.hpp>
#include <larmor/sim/program.hpp>
#include <vector>

namespace larmor::sim {

/// The kernel on a CUDA device, one spin a thread: results go to run.mx, my, mz and record and are added to `signal`.
/// Errors   Errc::device, saying why, when no such device answers
void bloch_on_cuda(Device device, const BlochRun& run, const Program& program, std::vector<double>& signal);

/// All pointers in the memory of `device`; returns when done.
void bloch_launch(const BlochRun& run, float* scratch, double* signal, int device);

}  // namespace larmor::sim
