// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/ivim/kernels/segmented_lanes.hpp>

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::ivim {
namespace {

__global__ void segmented_voxels(const SegmentedRun run) {
  const int64_t v = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (v < run.n) segmented_at<float>(run, v);
}

}  // namespace

void segmented_launch(const SegmentedRun& run, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 128;
  segmented_voxels<<<(static_cast<unsigned>(run.n) + threads - 1) / threads, threads>>>(run);
  cuda::check_launch("the segmented fit", true);
}

}  // namespace larmor::ivim
#else
namespace larmor::ivim {

#if defined(LARMOR_ISA_baseline)
void segmented_v3(const SegmentedRun&);
void segmented_v4(const SegmentedRun&);
void segmented_baseline(const SegmentedRun&);
void segmented_scalar(const SegmentedRun& r) {  // as CUDA does it
  for (int64_t v = 0; v < r.n; ++v) segmented_at<float>(r, v);
}
#endif
void LARMOR_ISA_JOIN(segmented_, LARMOR_ISA)(const SegmentedRun& r) {
  using T = simd::Pair<simd::Pack<float>>;
  for (int64_t v = 0; v < r.n; v += simd::LaneTraits<T>::size) segmented_at<T>(r, v);
}

}  // namespace larmor::ivim

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::ivim {

SegmentedKernel segmented_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return segmented_v4;
  if (isa() == Isa::v3) return segmented_v3;
#endif
  return segmented_baseline;
}
SegmentedKernel segmented_kernel_scalar() { return segmented_scalar; }

}  // namespace larmor::ivim
#endif
#endif
