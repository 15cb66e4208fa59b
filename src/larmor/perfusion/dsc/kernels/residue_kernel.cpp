// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/dsc/kernels/residue_lanes.hpp>

namespace larmor::dsc {
inline namespace LARMOR_ISA_NAMESPACE {

/// What a thread of CUDA does.
LARMOR_HD void fit_residue_thread(const ResidueRun& run, int64_t v) {
  if (v < run.n) residue_lanes<float>(run, v);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dsc

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::dsc {
namespace {

__global__ void fit_residue_voxels(const ResidueRun run) {
  fit_residue_thread(run, static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x);
}

}  // namespace

void residue_launch(const ResidueRun& run, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 128;
  fit_residue_voxels<<<(static_cast<unsigned>(run.n) + threads - 1) / threads, threads>>>(run);
  cuda::check_launch("the fit of residues", true);
}

}  // namespace larmor::dsc
#else
namespace larmor::dsc {

#if defined(LARMOR_ISA_baseline)
void fit_residues_v3(const ResidueRun&);
void fit_residues_v4(const ResidueRun&);
void fit_residues_baseline(const ResidueRun&);
void fit_residues_scalar(const ResidueRun& r) {
  for (int64_t v = 0; v < r.stride; ++v) fit_residue_thread(r, v);
}
#endif
void LARMOR_ISA_JOIN(fit_residues_, LARMOR_ISA)(const ResidueRun& r) {
  using F = simd::Pack<float>;
  for (int v = 0; v < r.n; v += F::size) residue_lanes<F>(r, v);
}

}  // namespace larmor::dsc

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::dsc {

ResidueKernel residue_kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return fit_residues_v4;
  if (isa() == Isa::v3) return fit_residues_v3;
#endif
  return fit_residues_baseline;
}
ResidueKernel residue_kernel_scalar() { return fit_residues_scalar; }

}  // namespace larmor::dsc
#endif
#endif
