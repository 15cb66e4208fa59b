// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/dsc/kernels/deconvolution_lanes.hpp>

namespace larmor::dsc {
inline namespace LARMOR_ISA_NAMESPACE {

/// What a thread of CUDA does. work: (n_modes + n_residue, stride) of all of them.
LARMOR_HD void deconvolve_thread(const DeconvolutionRun& run, float* work, int64_t v) {
  if (v < run.n) deconvolve_lanes<float>(run, v, work + v, run.stride);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dsc

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::dsc {
namespace {

__global__ void deconvolve_voxels(const DeconvolutionRun run, float* work) {
  deconvolve_thread(run, work, static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x);
}

}  // namespace

void deconvolution_launch(const DeconvolutionRun& run, float* work, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 128;
  deconvolve_voxels<<<(static_cast<unsigned>(run.n) + threads - 1) / threads, threads>>>(run, work);
  cuda::check_launch("the deconvolution", true);
}

}  // namespace larmor::dsc
#else
namespace larmor::dsc {

#if defined(LARMOR_ISA_baseline)
void deconvolve_v3(const DeconvolutionRun&, float*);
void deconvolve_v4(const DeconvolutionRun&, float*);
void deconvolve_baseline(const DeconvolutionRun&, float*);
void deconvolve_scalar(const DeconvolutionRun& r, float* work) {
  for (int64_t v = 0; v < r.stride; ++v) deconvolve_thread(r, work, v);
}
#endif
void LARMOR_ISA_JOIN(deconvolve_, LARMOR_ISA)(const DeconvolutionRun& r, float* work) {
  using F = simd::Pack<float>;
  for (int v = 0; v < r.n; v += F::size) deconvolve_lanes<F>(r, v, work, F::size);
}

}  // namespace larmor::dsc

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::dsc {

DeconvolutionKernel deconvolution_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return deconvolve_v4;
  if (isa() == Isa::v3) return deconvolve_v3;
#endif
  return deconvolve_baseline;
}
DeconvolutionKernel deconvolution_kernel_scalar() { return deconvolve_scalar; }

}  // namespace larmor::dsc
#endif
#endif
