// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/dsc/kernels/leakage_lanes.hpp>

namespace larmor::dsc {
inline namespace LARMOR_ISA_NAMESPACE {

/// What a thread of CUDA does.
LARMOR_HD void leakage_thread(const LeakageRun& run, int64_t v) {
  if (v < run.n) leakage_lanes<float>(run, v);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dsc

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::dsc {
namespace {

__global__ void correct_leakage_voxels(const LeakageRun run) {
  leakage_thread(run, static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x);
}

}  // namespace

void leakage_launch(const LeakageRun& run, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 128;
  correct_leakage_voxels<<<(static_cast<unsigned>(run.n) + threads - 1) / threads, threads>>>(run);
  cuda::check_launch("the leakage correction", true);
}

}  // namespace larmor::dsc
#else
namespace larmor::dsc {

#if defined(LARMOR_ISA_baseline)
void leakage_v3(const LeakageRun&);
void leakage_v4(const LeakageRun&);
void leakage_baseline(const LeakageRun&);
void leakage_scalar(const LeakageRun& r) {
  for (int64_t v = 0; v < r.stride; ++v) leakage_thread(r, v);
}
#endif
void LARMOR_ISA_JOIN(leakage_, LARMOR_ISA)(const LeakageRun& r) {
  using F = simd::Pack<float>;
  for (int v = 0; v < r.n; v += F::size) leakage_lanes<F>(r, v);
}

}  // namespace larmor::dsc

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::dsc {

LeakageKernel leakage_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return leakage_v4;
  if (isa() == Isa::v3) return leakage_v3;
#endif
  return leakage_baseline;
}
LeakageKernel leakage_kernel_scalar() { return leakage_scalar; }

}  // namespace larmor::dsc
#endif
#endif
