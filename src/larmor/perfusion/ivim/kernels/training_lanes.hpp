// SPDX-License-Identifier: Apache-2.0
#pragma once
// Samples and losses of training networks of voxels: one sample a lane, one a thread in CUDA.
#include <larmor/core/simd/lane.hpp>
#include <larmor/perfusion/ivim/kernels/training_kernel.hpp>

namespace larmor::ivim {
inline namespace LARMOR_ISA_NAMESPACE {

/// SplitMix64 (Steele, Lea and Flood, OOPSLA, 2014): the same everywhere, and no state worth the name.
LARMOR_INLINE uint64_t mixed(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}
struct SplitMix {
  uint64_t state;
  LARMOR_INLINE uint64_t bits() { return mixed(state += 0x9e3779b97f4a7c15ull); }
  LARMOR_INLINE double even() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; }
};
/// A sequence of its own for every number: neighbours do not share their draws, as they would by adding it to the
/// state.
LARMOR_INLINE SplitMix sequence(uint64_t seed, uint64_t number) { return {mixed(mixed(seed) + number)}; }

/// Mean magnitude of `count` volumes of signal A with the noise of consecutive table entries, from its begin again.
LARMOR_INLINE float magnitude(const float* normal, size_t& at, float A, float noise, int count) {
  float sum = 0;
  for (int i = 0; i < count; ++i, at += 2) {
    if (at + 2 > normal_table) at = 0;
    const float re = A + noise * normal[at], im = noise * normal[at + 1];
    sum += simd::sqrt(re * re + im * im);
  }
  return sum / static_cast<float>(count);
}

/// Column s becomes sample `number`.
LARMOR_INLINE void take_sample(const SampleRun& r, uint64_t number, size_t s) {
  SplitMix random = sequence(r.seed, number);
  const auto put = [&](int k, float x) LARMOR_LAMBDA {
    r.in[static_cast<size_t>(k) * r.stride + s] = r.in_mean ? (x - r.in_mean[k]) * r.in_inverse[k] : x;
  };
  float noise, told;
  if (r.n_voxels > 0 && random.even() < r.share) {
    const size_t v = random.bits() % r.n_voxels;
    for (int k = 0; k < r.n_b; ++k) put(k, r.ratios[static_cast<size_t>(k) * r.n_voxels + v]);
    noise = told = r.voxel_noise[v];
    for (int m = 0; m < 3; ++m) {
      const double sd = static_cast<double>(r.sd[m][v]) / r.target_sd[m];
      r.wanted[static_cast<size_t>(m) * r.stride + s] =
          static_cast<float>((static_cast<double>(r.mean[m][v]) - r.target_mean[m]) / r.target_sd[m]);
      r.variance[static_cast<size_t>(m) * r.stride + s] = static_cast<float>(sd * sd);
    }
  } else {
    const size_t which = random.bits() % r.pool;
    noise = static_cast<float>(r.noise_low * simd::exp(random.even() * r.noise_log_range));
    size_t at = random.bits() % normal_table;
    const float S0 = r.count0 > 0 ? magnitude(r.normal, at, 1.0f, noise, r.count0) : 1.0f, inverse = 1 / S0;
    for (int k = 0; k < r.n_b; ++k)
      put(k, magnitude(r.normal, at, r.clean[which * static_cast<size_t>(r.n_b) + static_cast<size_t>(k)], noise,
                       r.counts[k]) *
                 inverse);
    told = noise * inverse;
    for (int m = 0; m < 3; ++m) {
      r.wanted[static_cast<size_t>(m) * r.stride + s] = static_cast<float>(
          (static_cast<double>(r.truth[3 * which + static_cast<size_t>(m)]) - r.target_mean[m]) / r.target_sd[m]);
      r.variance[static_cast<size_t>(m) * r.stride + s] = 0;
    }
  }
  put(r.n_b, simd::log(told));
  r.weight[s] = r.middle / noise;
}

/// Of the samples from p on: squared errors of the means, weighted; the likelihood of those errors for the sds, which
/// does not move the means. Writes the gradient if it is wanted.
template <class T>
LARMOR_INLINE void posterior_loss_at(const PosteriorLossRun& r, size_t p, T (&squares)[3], T (&likelihood)[3]) {
  const T zero(0.0f), one(1.0f), weight = simd::load<T>(r.weight + p), share(1.0f / static_cast<float>(r.batch));
  for (int m = 0; m < 3; ++m) {
    const size_t row = static_cast<size_t>(m) * r.stride + p, sd_row = row + 3 * r.stride;
    const T error = simd::load<T>(r.out + row) - simd::load<T>(r.wanted + row);
    const T level = simd::min(simd::max(simd::load<T>(r.out + sd_row), T(-8.0f)), T(3.0f));
    const T spread = r.variance ? simd::load<T>(r.variance + row) : zero;
    const T q = (error * error + spread) * simd::exp(T(-2.0f) * level);
    squares[m] = error * error * weight, likelihood[m] = level + T(0.5f) * q;
    if (!r.grad) continue;
    simd::store(r.grad + row, T(2.0f * r.scale[m]) * error * weight * share);
    simd::store(r.grad + sd_row, T(0.3f) * simd::max(one - q, T(-30.0f)) * share);
  }
}

/// Mean over b-values of (S0 [f exp(-b D_star) + (1 - f) exp(-b D)] - signal)^2 of the samples from p on. Writes its
/// gradient by the four sigmoids if it is wanted.
template <class T>
LARMOR_INLINE T optim_loss_at(const OptimLossRun& r, size_t p) {
  const T zero(0.0f), one(1.0f);
  T value[4], g[4];
  for (int i = 0; i < 4; ++i) value[i] = T(r.low[i]) + T(r.width[i]) * simd::load<T>(r.out[i] + p), g[i] = zero;
  const T D_star = value[0], D = value[1], f = value[2], S0 = value[3];
  T sum = zero;
  for (int k = 0; k < r.n_b; ++k) {
    const T b(r.b[k]), fast = simd::exp(-(b * D_star)), slow = simd::exp(-(b * D));
    const T shape = f * fast + (one - f) * slow;
    const T misfit = S0 * shape - simd::load<T>(r.signal + static_cast<size_t>(k) * r.stride + p);
    sum += misfit * misfit;
    const T by_shape = misfit * S0;
    g[0] -= by_shape * f * b * fast, g[1] -= by_shape * (one - f) * b * slow;
    g[2] += by_shape * (fast - slow), g[3] += misfit * shape;
  }
  const float each = 1.0f / static_cast<float>(r.n_b);
  if (r.grad[0])
    for (int i = 0; i < 4; ++i)
      simd::store(r.grad[i] + p, T(2.0f * each / static_cast<float>(r.n) * r.width[i]) * g[i]);
  return sum * T(each);
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::ivim
