// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/fit/curve_candidates.hpp>

namespace larmor::fit {

/// Everything a fit of curves needs, checked; data (n_voxels, n_samples) on the CPU.
struct CurveJob {
  std::size_t n_samples = 0;
  std::int64_t n_voxels = 0;
  const float* data = nullptr;
  std::vector<double> design, root_weights;
  std::vector<std::span<const float>> covariates;
  LmOptions options{};
  const CandidateTable* table = nullptr;
};

/// Errors   Errc::device, saying why, when no such device answers or the model was built without CUDA
void fit_curves_on_cuda(const CurveJob& job, const CurveModelKernels& kernels, std::span<const std::int64_t> voxels,
                        Device device, CurveFit& out, const Progress& progress, const Cancel* cancel);

}  // namespace larmor::fit
