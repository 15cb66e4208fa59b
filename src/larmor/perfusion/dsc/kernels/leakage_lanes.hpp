// SPDX-License-Identifier: Apache-2.0
#pragma once
// Leakage in dR2 curves by linear fits for several rates at which it comes back. Over lanes on the CPU, one voxel a
// thread in CUDA.
#include <larmor/core/simd/lane.hpp>
#include <larmor/perfusion/dsc/kernels/leakage_kernel.hpp>

namespace larmor::dsc {
inline namespace LARMOR_ISA_NAMESPACE {

template <class F>
LARMOR_INLINE F projection(const LeakageRun& r, const float* direction, int64_t v) {
  F even(0.0f), odd(0.0f);  // two sums: one would wait for itself
  int t = 0;
  for (; t + 1 < r.n_data; t += 2) {
    even += F(direction[t]) * simd::load<F>(r.y + t * r.stride + v);
    odd += F(direction[t + 1]) * simd::load<F>(r.y + (t + 1) * r.stride + v);
  }
  if (t < r.n_data) even += F(direction[t]) * simd::load<F>(r.y + t * r.stride + v);
  return even + odd;
}

/// The voxels from v on: as many as F has lanes.
template <class F>
LARMOR_INLINE void leakage_lanes(const LeakageRun& r, int64_t v) {
  using simd::max, simd::select;
  const F zero(0.0f);
  F rss = zero;
  for (int t = 0; t < r.n_data; ++t) {
    const F y = simd::load<F>(r.y + t * r.stride + v);
    rss += y * y;
  }
  for (int d = 0; d < r.n_directions; ++d) {
    const F along = projection<F>(r, r.directions + static_cast<int64_t>(d) * r.n_data, v);
    rss = rss - along * along;
  }
  F K2[max_leakage_rates], explained[max_leakage_rates], best = zero;
  for (int c = 0; c < r.n_rates; ++c) {
    const F along = projection<F>(r, r.own + static_cast<int64_t>(c) * r.n_data, v), inverse(1.0f / r.norm2[c]);
    K2[c] = -(along * inverse);
    explained[c] = along * along * inverse;
    best = max(best, explained[c]);
  }
  const F variance = max(rss - best, zero) * F(1.0f / r.freedom);
  // Noise hides the rate at which it comes back, but not that it does: the mean over what the rate may be, each by its
  // likelihood, is less biased than the likeliest one. Without noise the likeliest has all the weight.
  const F scale = F(-0.5f) / max(variance, F(1e-30f));
  F total = zero, mean = zero, square = zero, kep = zero;
  for (int c = 0; c < r.n_rates; ++c) {
    const F w = simd::exp(max(scale * (best - explained[c]), F(-80.0f)));
    total += w, mean += w * K2[c], kep += w * F(r.kep[c]);
    square += w * (K2[c] * K2[c] + variance * F(1.0f / r.norm2[c]));
    explained[c] = w;
  }
  const F inverse = F(1.0f) / total;
  mean = mean * inverse;
  simd::store(r.K2 + v, mean);
  simd::store(r.K2_se + v, simd::sqrt(max(square * inverse - mean * mean, zero)));
  simd::store(r.mean_kep + v, kep * inverse);
  if (!r.corrected) return;
  const F wanted = select(best >= F(r.significance * r.significance) * variance, inverse, zero);
  for (int c = 0; c < r.n_rates; ++c) K2[c] = wanted * explained[c] * K2[c];
  for (int t = 0; t < r.n_data; ++t) {
    F y = simd::load<F>(r.y + t * r.stride + v);
    for (int c = 0; c < r.n_rates; ++c) y += K2[c] * F(r.leaked[static_cast<int64_t>(c) * r.n_data + t]);
    simd::store(r.corrected + t * r.stride + v, y);
  }
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dsc
