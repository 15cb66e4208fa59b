// SPDX-License-Identifier: Apache-2.0
// Loss of the self-supervised network of voxels: compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/ivim/kernels/loss_lanes.hpp>

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::ivim {
namespace {

__global__ void loss_of_samples(const float* b, int n_b, const float* signal, const float* out, float* grad,
                                double* sums, size_t stride, size_t n, float scale) {
  const size_t s = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (s < n) sums[s] += static_cast<double>(loss_at<float>(b, n_b, signal, out, grad, stride, scale, s)) / n_b;
}

}  // namespace

/// All in the memory of the device; sums[s] gets the loss of sample s on top, grad is that of the mean over n.
void reconstruction_loss_launch(const float* b, int n_b, const float* signal, const float* out, float* grad,
                                double* sums, size_t stride, size_t n, int device) {
  const cuda::OnDevice here(device);
  constexpr unsigned threads = 128;
  const float scale = 1 / (static_cast<float>(n) * static_cast<float>(n_b));
  loss_of_samples<<<(static_cast<unsigned>(n) + threads - 1) / threads, threads>>>(b, n_b, signal, out, grad, sums,
                                                                                   stride, n, scale);
  cuda::check_launch("the misfit of the signals");
}

}  // namespace larmor::ivim
#else

namespace {
namespace simd = larmor::simd;
using F = simd::Pack<float>;
}  // namespace

/// Sum over n samples of the mean over b-values of (signal - model)^2, with its gradient times `scale`.
extern "C" double LARMOR_ISA_JOIN(larmor_ivim_loss_, LARMOR_ISA)(const float* b, int n_b, const float* signal,
                                                                 const float* out, float* grad, size_t stride, size_t n,
                                                                 float scale) {
  using D = simd::Pack<double>;
  D sums(0.0);
  F lanes(0.0f);
  for (int l = 1; l < F::size; ++l) simd::set_lane(lanes, l, static_cast<float>(l));
  for (size_t p = 0; p < n; p += F::size) {
    F sum = larmor::ivim::loss_at<F>(b, n_b, signal, out, grad, stride, scale / static_cast<float>(n_b), p);
    if (p + F::size > n) sum = simd::select(lanes < F(static_cast<float>(n - p)), sum, F(0.0f));
    float parts[F::size];
    simd::store(parts, sum);
    sums += simd::load_wide<D>(parts) + simd::load_wide<D>(parts + D::size);
  }
  double total = 0;
  for (int l = 0; l < D::size; ++l) total += simd::lane(sums, l);
  return total / n_b;
}

#if defined(LARMOR_ISA_baseline)
namespace larmor::ivim {

/// What CUDA does, thread after thread: for tests.
void reconstruction_loss_emulated(const float* b, int n_b, const float* signal, const float* out, float* grad,
                                  double* sums, size_t stride, size_t n) {
  const float scale = 1 / (static_cast<float>(n) * static_cast<float>(n_b));
  for (size_t s = 0; s < n; ++s)
    sums[s] += static_cast<double>(loss_at<float>(b, n_b, signal, out, grad, stride, scale, s)) / n_b;
}

}  // namespace larmor::ivim
#endif
#endif
