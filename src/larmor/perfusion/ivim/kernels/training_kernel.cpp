// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/perfusion/ivim/kernels/training_lanes.hpp>

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::ivim {
namespace {

__global__ void take_samples(const SampleRun run, uint64_t first, size_t n) {
  const size_t s = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (s < n) take_sample(run, first + s, s);
}
__global__ void posterior_losses(const PosteriorLossRun run) {
  const size_t s = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  float squares[3], likelihood[3];
  if (s < run.n) posterior_loss_at<float>(run, s, squares, likelihood);
}
__global__ void optim_losses(const OptimLossRun run, double* sums) {
  const size_t s = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (s < run.n) sums[s] += static_cast<double>(optim_loss_at<float>(run, s));
}

constexpr unsigned threads = 128;
unsigned blocks_for(size_t n) { return static_cast<unsigned>((n + threads - 1) / threads); }

void take(const SampleRun& run, uint64_t first, size_t n, int device) {
  const cuda::OnDevice here(device);
  take_samples<<<blocks_for(n), threads>>>(run, first, n);
  cuda::check_launch("a batch of samples");
}
void posterior_loss(const PosteriorLossRun& run, int device) {
  const cuda::OnDevice here(device);
  posterior_losses<<<blocks_for(run.n), threads>>>(run);
  cuda::check_launch("the loss of a posterior network");
}
void optim_loss(const OptimLossRun& run, double* sums, int device) {
  const cuda::OnDevice here(device);
  optim_losses<<<blocks_for(run.n), threads>>>(run, sums);
  cuda::check_launch("the misfit of the signals");
}

}  // namespace

TrainingLaunches training_cuda() { return {take, posterior_loss, optim_loss}; }

}  // namespace larmor::ivim
#else

namespace larmor::ivim {
namespace {

using F = simd::Pack<float>;
using D = simd::Pack<double>;

F lanes() {
  F out(0.0f);
  for (int l = 1; l < F::size; ++l) simd::set_lane(out, l, static_cast<float>(l));
  return out;
}
/// Sum of the lanes that are below n - p.
D inside(F x, F places, size_t p, size_t n) {
  if (p + F::size > n) x = simd::select(places < F(static_cast<float>(n - p)), x, F(0.0f));
  float parts[F::size];
  simd::store(parts, x);
  return simd::load_wide<D>(parts) + simd::load_wide<D>(parts + D::size);
}
double total(D x) {
  double sum = 0;
  for (int l = 0; l < D::size; ++l) sum += simd::lane(x, l);
  return sum;
}

}  // namespace

void LARMOR_ISA_JOIN(training_take_, LARMOR_ISA)(const SampleRun& run, uint64_t first, size_t n) {
  for (size_t s = 0; s < n; ++s) take_sample(run, first + s, s);
}
void LARMOR_ISA_JOIN(training_posterior_loss_, LARMOR_ISA)(const PosteriorLossRun& run, PosteriorLossSums& sums) {
  const F places = lanes();
  D squares[3], likelihood[3];
  for (int m = 0; m < 3; ++m) squares[m] = likelihood[m] = D(0.0);
  for (size_t p = 0; p < run.n; p += F::size) {
    F s[3], l[3];
    posterior_loss_at<F>(run, p, s, l);
    for (int m = 0; m < 3; ++m)
      squares[m] += inside(s[m], places, p, run.n), likelihood[m] += inside(l[m], places, p, run.n);
  }
  for (int m = 0; m < 3; ++m) sums.squares[m] += total(squares[m]), sums.likelihood[m] += total(likelihood[m]);
}
double LARMOR_ISA_JOIN(training_optim_loss_, LARMOR_ISA)(const OptimLossRun& run) {
  const F places = lanes();
  D sum(0.0);
  for (size_t p = 0; p < run.n; p += F::size) sum += inside(optim_loss_at<F>(run, p), places, p, run.n);
  return total(sum);
}

}  // namespace larmor::ivim

#if defined(LARMOR_ISA_baseline)
#include <larmor/core/isa.hpp>
namespace larmor::ivim {

#define LARMOR_TRAINING_OF(level)                                                    \
  void training_take_##level(const SampleRun&, uint64_t, size_t);                    \
  void training_posterior_loss_##level(const PosteriorLossRun&, PosteriorLossSums&); \
  double training_optim_loss_##level(const OptimLossRun&);
LARMOR_TRAINING_OF(baseline)
#if defined(__x86_64__)
LARMOR_TRAINING_OF(v3)
LARMOR_TRAINING_OF(v4)
#endif

TrainingKernels training_kernels() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return {training_take_v4, training_posterior_loss_v4, training_optim_loss_v4};
  if (isa() == Isa::v3) return {training_take_v3, training_posterior_loss_v3, training_optim_loss_v3};
#endif
  return {training_take_baseline, training_posterior_loss_baseline, training_optim_loss_baseline};
}

TrainingLaunches training_emulated() {
  return {[](const SampleRun& run, uint64_t first, size_t n, int) {
            for (size_t s = 0; s < n; ++s) take_sample(run, first + s, s);
          },
          [](const PosteriorLossRun& run, int) {
            float squares[3], likelihood[3];
            for (size_t s = 0; s < run.n; ++s) posterior_loss_at<float>(run, s, squares, likelihood);
          },
          [](const OptimLossRun& run, double* sums, int) {
            for (size_t s = 0; s < run.n; ++s) sums[s] += static_cast<double>(optim_loss_at<float>(run, s));
          }};
}

}  // namespace larmor::ivim
#endif
#endif
