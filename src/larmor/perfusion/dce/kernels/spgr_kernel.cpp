// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/dce/kernels/spgr_kernel.hpp>
#include <larmor/perfusion/dce/kernels/spgr_lanes.hpp>

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::dce {
namespace {

__global__ void spgr_voxels(const SpgrRun run) {
  const size_t v = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (v >= run.n) return;
  const float scale = run.scale[v], cos_FA = run.cos_FA[v], offset = run.offset[v];
  float poison = run.poison[v];
  for (size_t at = v; at < run.n * run.n_frames; at += run.n) {
    const float K = run.signal[at] * scale;
    const float C = run.exact ? spgr::any_rate_of(K, cos_FA) * run.rate - offset : K - offset;
    run.out[at] = C, poison += C - C;
  }
  run.poison[v] = poison;
}

}  // namespace

void spgr_launch(const SpgrRun& run, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 256;
  spgr_voxels<<<static_cast<unsigned>((run.n + threads - 1) / threads), threads>>>(run);
  cuda::check_launch("signal to concentration", true);
}

}  // namespace larmor::dce
#else
namespace simd = larmor::simd;
namespace spgr = larmor::dce::spgr;
using F = simd::Pack<float>;

extern "C" void LARMOR_ISA_JOIN(larmor_spgr_to_concentration_,
                                LARMOR_ISA)(const float* signal, const float* scale, const float* cos_FA,
                                            const float* offset, float rate, float* out, float* poison, size_t n) {
  const F r(rate);
  const size_t whole = n - n % F::size;
  simd::Mask<float> large = F(1.0f) < F(0.0f);
  for (size_t i = 0; i < whole; i += F::size) {
    const F C =
        spgr::rate_of(simd::load<F>(signal + i) * simd::load<F>(scale + i), simd::load<F>(cos_FA + i), large) * r -
        simd::load<F>(offset + i);
    simd::store(out + i, C);
    simd::store(poison + i, simd::load<F>(poison + i) + (C - C));
  }
  if (simd::any(large))  // seldom (TR R1 above 0.35): the run again
    for (size_t i = 0; i < whole; i += F::size)
      simd::store(
          out + i,
          spgr::any_rate_of(simd::load<F>(signal + i) * simd::load<F>(scale + i), simd::load<F>(cos_FA + i)) * r -
              simd::load<F>(offset + i));
  for (size_t i = whole; i < n; ++i) {
    const F C = spgr::any_rate_of(F(signal[i] * scale[i]), F(cos_FA[i])) * r - F(offset[i]);
    out[i] = simd::lane(C, 0);
    poison[i] += out[i] - out[i];
  }
}
#endif
