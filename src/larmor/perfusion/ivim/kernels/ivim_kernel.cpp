// SPDX-License-Identifier: Apache-2.0
// Loss of the network of voxels: compiled once for each instruction set.
#include <larmor/core/simd/lane.hpp>

namespace {
namespace simd = larmor::simd;
using F = simd::Pack<float>;
}  // namespace

/// Sum over n samples of the mean over b-values of (signal - model)^2, with its gradient times `scale` by D_star, D, f
/// (rows of `out` and `grad`, in this order). Rows are `stride` samples apart, a multiple of 16.
extern "C" double LARMOR_ISA_JOIN(larmor_ivim_loss_, LARMOR_ISA)(const float* b, int n_b, const float* signal,
                                                                 const float* out, float* grad, size_t stride, size_t n,
                                                                 float scale) {
  double total = 0;
  for (size_t p = 0; p < n; p += F::size) {
    const F D_star = simd::load<F>(out + p), D = simd::load<F>(out + stride + p),
            f = simd::load<F>(out + 2 * stride + p);
    const F one(1.0f);
    F sum(0.0f), g_star(0.0f), g_D(0.0f), g_f(0.0f);
    for (int i = 0; i < n_b; ++i) {
      const F bi(b[i]);
      const F fast = simd::exp(-(bi * D_star)), slow = simd::exp(-(bi * D));
      const F r = f * fast + (one - f) * slow - simd::load<F>(signal + static_cast<size_t>(i) * stride + p);
      sum = simd::fma(r, r, sum);
      g_star -= r * f * bi * fast;
      g_D -= r * (one - f) * bi * slow;
      g_f += r * (fast - slow);
    }
    const F k(2.0f * scale / static_cast<float>(n_b));
    simd::store(grad + p, k * g_star);
    simd::store(grad + stride + p, k * g_D);
    simd::store(grad + 2 * stride + p, k * g_f);
    for (int l = 0; l < F::size; ++l)
      if (p + static_cast<size_t>(l) < n) total += simd::lane(sum, l);
  }
  return total / n_b;
}
