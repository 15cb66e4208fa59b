// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/ivim/kernels/varpro_lanes.hpp>

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::ivim {
namespace {

__global__ void varpro_voxels(const VarproRun run) {
  const int64_t v = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (v < run.n) varpro_at<double>(run, v);
}

}  // namespace

void varpro_launch(const VarproRun& run, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 128;
  varpro_voxels<<<(static_cast<unsigned>(run.n) + threads - 1) / threads, threads>>>(run);
  cuda::check_launch("variable projection", true);
}

}  // namespace larmor::ivim
#else
namespace larmor::ivim {

#if defined(LARMOR_ISA_baseline)
void varpro_v3(const VarproRun&);
void varpro_v4(const VarproRun&);
void varpro_baseline(const VarproRun&);
void varpro_scalar(const VarproRun& r) {  // as CUDA does it
  for (int64_t v = 0; v < r.n; ++v) varpro_at<double>(r, v);
}
#endif
void LARMOR_ISA_JOIN(varpro_, LARMOR_ISA)(const VarproRun& r) {
  using T = simd::Pack<double>;
  for (int64_t v = 0; v < r.n; v += simd::LaneTraits<T>::size) varpro_at<T>(r, v);
}

}  // namespace larmor::ivim

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::ivim {

VarproKernel varpro_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return varpro_v4;
  if (isa() == Isa::v3) return varpro_v3;
#endif
  return varpro_baseline;
}
VarproKernel varpro_kernel_scalar() { return varpro_scalar; }

}  // namespace larmor::ivim
#endif
#endif
