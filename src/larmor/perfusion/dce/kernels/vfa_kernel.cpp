// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/dce/kernels/vfa_lanes.hpp>

using larmor::dce::VfaRun;

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::dce {
namespace {

template <VfaFit fit>
__global__ void vfa_voxels(const VfaRun run) {
  const size_t at = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (at >= run.n) return;
  if constexpr (fit == VfaFit::linear) {
    vfa::Turn<float> turns[vfa_max_volumes];
    for (int i = 0; i < run.n_volumes; ++i)
      turns[i] = vfa::turn(static_cast<float>(run.FA[i]) * (run.B1 ? run.B1[at] : 1.0f));
    vfa::linear(run, at, turns);
  } else {
    vfa::Voxels<double> v;
    v.read(run, at, true);
    vfa::nonlinear(run, vfa::repetition(run), at, v);
  }
}

}  // namespace

void vfa_launch(VfaFit fit, const VfaRun& run, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 128;
  const auto blocks = static_cast<unsigned>((run.n + threads - 1) / threads);
  if (fit == VfaFit::linear)
    vfa_voxels<VfaFit::linear><<<blocks, threads>>>(run);
  else
    vfa_voxels<VfaFit::nonlinear><<<blocks, threads>>>(run);
  cuda::check_launch("the variable-flip-angle fit", true);
}

}  // namespace larmor::dce
#else
extern "C" void LARMOR_ISA_JOIN(larmor_vfa_linear_, LARMOR_ISA)(const VfaRun& run) {
  larmor::dce::vfa::run_linear<larmor::simd::Pack<float>>(run);
}
extern "C" void LARMOR_ISA_JOIN(larmor_vfa_nonlinear_, LARMOR_ISA)(const VfaRun& run) {
  larmor::dce::vfa::run_nonlinear<larmor::simd::Pack<double>>(run);
}
#endif
