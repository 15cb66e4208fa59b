// SPDX-License-Identifier: Apache-2.0
#pragma once
// Misfit of the signals that a self-supervised network's outputs predict, with its gradient, over lanes of samples.
#include <larmor/core/simd/lane.hpp>

namespace larmor::ivim {
inline namespace LARMOR_ISA_NAMESPACE {

/// Sum over b-values of (signal - model)^2 for the samples from p on. Writes its gradient times `scale` by D_star, D, f
/// (rows of `out` and `grad`, in this order). Rows are `stride` samples apart.
template <class T>
LARMOR_INLINE T loss_at(const float* b, int n_b, const float* signal, const float* out, float* grad, size_t stride,
                        float scale, size_t p) {
  const T D_star = simd::load<T>(out + p), D = simd::load<T>(out + stride + p), f = simd::load<T>(out + 2 * stride + p);
  const T one(1.0f), zero(0.0f);
  T sum = zero, g_star = zero, g_D = zero, g_f = zero;
  for (int i = 0; i < n_b; ++i) {
    const T bi(b[i]);
    const T fast = simd::exp(-(bi * D_star)), slow = simd::exp(-(bi * D));
    const T r = f * fast + (one - f) * slow - simd::load<T>(signal + static_cast<size_t>(i) * stride + p);
    sum = simd::fma(r, r, sum);
    g_star -= r * f * bi * fast;
    g_D -= r * (one - f) * bi * slow;
    g_f += r * (fast - slow);
  }
  const T k(2.0f * scale);
  simd::store(grad + p, k * g_star);
  simd::store(grad + stride + p, k * g_D);
  simd::store(grad + 2 * stride + p, k * g_f);
  return sum;
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::ivim
