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
namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {
namespace spgr {
namespace {

using simd::static_for;
using F = simd::Pack<float>;
// Voxels of some cache lines stay in registers from the first frame to the last, so that memory moves only signals and
// results. The processor does not see these short streams coming: the next group's lines are asked for in time.
constexpr int group = 4;

/// `exact`: the equation itself, else the linear one. `any`: for rates of any size; else `large` tells that one was.
template <bool exact, bool any>
LARMOR_INLINE simd::Mask<float> convert(const SpgrBlock& b, size_t at) {
  F scale[group], cos_FA[group], offset[group], poison[group];
  const F rate(b.rate);
  simd::Mask<float> large = F(1.0f) < F(0.0f);
  static_for<group>([&](auto g) LARMOR_LAMBDA {
    const size_t v = at + g * F::size;
    scale[g] = simd::load<F>(b.scale + v), cos_FA[g] = simd::load<F>(b.cos_FA + v);
    offset[g] = simd::load<F>(b.offset + v), poison[g] = simd::load<F>(b.poison + v);
  });
  const float* from = b.signal + at;
  float* to = b.out + at;
  for (size_t t = 0; t < b.n_frames; ++t, from += b.signal_stride, to += b.out_stride)
    static_for<group>([&](auto g) LARMOR_LAMBDA {
      __builtin_prefetch(from + (group + g) * F::size);
      __builtin_prefetch(to + (group + g) * F::size, 1);
      const F K = simd::load<F>(from + g * F::size) * scale[g];
      F C;
      if constexpr (!exact)
        C = K - offset[g];
      else if constexpr (any)
        C = any_rate_of(K, cos_FA[g]) * rate - offset[g];
      else
        C = rate_of(K, cos_FA[g], large) * rate - offset[g];
      simd::store(to + g * F::size, C);
      poison[g] += C - C;
    });
  static_for<group>([&](auto g) LARMOR_LAMBDA { simd::store(b.poison + at + g * F::size, poison[g]); });
  return large;
}

template <bool exact>
void convert_block(const SpgrBlock& b) {
  constexpr size_t step = group * F::size;
  size_t at = 0;
  for (; at + step <= b.n; at += step)
    if (simd::any(convert<exact, false>(b, at))) convert<exact, true>(b, at);  // seldom (TR R1 above 0.35): once more
  for (; at < b.n; ++at)
    for (size_t t = 0; t < b.n_frames; ++t) {
      const F K(b.signal[t * b.signal_stride + at] * b.scale[at]), offset(b.offset[at]);
      const F C = exact ? any_rate_of(K, F(b.cos_FA[at])) * F(b.rate) - offset : K - offset;
      const float one = simd::lane(C, 0);
      b.out[t * b.out_stride + at] = one, b.poison[at] += one - one;
    }
}

}  // namespace
}  // namespace spgr
}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dce

extern "C" void LARMOR_ISA_JOIN(larmor_spgr_to_concentration_, LARMOR_ISA)(const larmor::dce::SpgrBlock& b) {
  b.exact ? larmor::dce::spgr::convert_block<true>(b) : larmor::dce::spgr::convert_block<false>(b);
}
#endif
