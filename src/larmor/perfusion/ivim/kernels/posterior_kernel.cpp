// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/ivim/kernels/posterior_lanes.hpp>

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::ivim {
namespace {

__global__ void posterior_voxels(const PosteriorRun run) {
  const int64_t v = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (v < run.n) posterior_at<double>(run, v, StridedRoom<double>{run.work + v, run.n});
}

}  // namespace

void posterior_launch(const PosteriorRun& run, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 128;
  posterior_voxels<<<(static_cast<unsigned>(run.n) + threads - 1) / threads, threads>>>(run);
  cuda::check_launch("the posterior", true);
}

}  // namespace larmor::ivim
#else
namespace larmor::ivim {

#if defined(LARMOR_ISA_baseline)
void posterior_v3(const PosteriorRun&);
void posterior_v4(const PosteriorRun&);
void posterior_baseline(const PosteriorRun&);
void posterior_scalar(const PosteriorRun& r) {
  // As CUDA does it: the room of a voxel is strided.
  for (int64_t v = 0; v < r.n; ++v) posterior_at<double>(r, v, StridedRoom<double>{r.work + v % 8, 8});
}
#endif
void LARMOR_ISA_JOIN(posterior_, LARMOR_ISA)(const PosteriorRun& r) {
  using T = simd::Pack<double>;
  for (int64_t v = 0; v < r.n; v += T::size) posterior_at<T>(r, v, PackRoom<T>{reinterpret_cast<T*>(r.work)});
}

}  // namespace larmor::ivim

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::ivim {

PosteriorKernel posterior_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return posterior_v4;
  if (isa() == Isa::v3) return posterior_v3;
#endif
  return posterior_baseline;
}
PosteriorKernel posterior_kernel_scalar() { return posterior_scalar; }

}  // namespace larmor::ivim
#endif
#endif
