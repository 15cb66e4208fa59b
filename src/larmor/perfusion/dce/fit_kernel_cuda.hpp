// SPDX-License-Identifier: Apache-2.0
#pragma once
// The same fit with one voxel a thread. Included only when a model file is compiled as CUDA (larmor_cuda_isa_sources).
#include <larmor/perfusion/dce/cuda_check.hpp>
#include <larmor/perfusion/dce/fit_kernel.hpp>

namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {

/// Frames of one voxel as the threads of a warp read them: side by side.
struct StridedData {
  const float* y;
  int64_t stride;
  __host__ __device__ double operator()(int n) const { return y[n * stride]; }
};

template <class M, bool Delay, int MaxKinds>
__device__ void fit_voxel(const CudaJob& job, int v) {
  constexpr int NP = n_p<M, Delay>;
  Tile t = job.tile;
  t.grid = &job.grid, t.dictionary = &job.dictionary, t.options = &job.options;
  const int n_out = job.grid.n_out;
  const StridedData data{t.y + v, t.y_stride};

  double sum = 0, squares = 0, sst = 0;
  for (int n = 0; n < n_out; ++n) sum += data(n), squares += data(n) * data(n);
  uint8_t status = screened(sum, squares, n_out, sst);
  fit::LmState<double, NP> state;
  bool converged = false;
  if (status == code(FitStatus::not_converged)) {
    const Match<float> m = match<float>(*t.dictionary, n_out, t.y + v, t.y_stride, t.scratch + v, t.stride);
    double p[NP];
    start_point<M, Delay>(t, static_cast<int>(m.candidate), m.amplitude1, m.amplitude2, m.beside, t.scratch + v,
                          t.stride, p);
    fit::lm_begin<double, NP>(state, p);
    for (bool done = false; !done;) {
      fit::NormalEquations<double, NP> e;
      normal_equations<M, Delay, MaxKinds, double>(*t.grid, t.fixed_delay, state.next, data, e);
      fit::add_prior<double, NP>(*t.options, state.next, e);
      fit::lm_advance<double, NP>(state, e, *t.options, done, converged);
    }
  }
  constexpr int ND = count_derived<M>();
  double error[NP], derived[ND + 1], bound = 0, residual_sd = 0, R2 = 0, AICc = 0;
  if (converged) {
    int n_free = 0;
    for (int i = 0; i < NP; ++i) n_free += !t.options->fixed[i];
    fit::NormalEquations<double, NP> unused{};
    const double sse = state.at.sse - fit::add_prior<double, NP>(*t.options, state.p, unused);
    finish<M, Delay, double>(t, state.p, state.at.jtj, &sse, error, derived, &bound);
    fit::goodness<double>(sse, sst, n_out, n_free, residual_sd, R2, AICc);
    status = code(bound != 0 ? FitStatus::at_bound : FitStatus::converged);
  }
  const float nan = __int_as_float(0x7fc00000);
  t.status[v] = status;
  t.iterations[v] = static_cast<uint8_t>(status == code(FitStatus::bad_data) || status == code(FitStatus::no_signal)
                                             ? 0
                                             : simd::min(state.iterations, 255.0));
  for (int i = 0; i < NP; ++i) {
    t.values[static_cast<int64_t>(i) * t.stride + v] = converged ? static_cast<float>(state.p[i]) : nan;
    t.errors[static_cast<int64_t>(i) * t.stride + v] = converged ? static_cast<float>(error[i]) : nan;
  }
  for (int i = 0; i < ND; ++i)
    t.derived[static_cast<int64_t>(i) * t.stride + v] = converged ? static_cast<float>(derived[i]) : nan;
  t.residual_sd[v] = converged ? static_cast<float>(residual_sd) : nan;
  t.R2[v] = converged ? static_cast<float>(R2) : nan;
  t.AICc[v] = converged ? static_cast<float>(AICc) : nan;
}

template <class M, bool Delay, int MaxKinds>
__global__ void fit_voxels(const CudaJob job) {
  const int v = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (v < job.tile.n) fit_voxel<M, Delay, MaxKinds>(job, v);
}

/// Launches the fit of every voxel of the job and waits for it. Errors   Errc::device with the runtime's words
template <class M>
void run_fit_on_cuda(const CudaJob& job) {
  constexpr int threads = 128;
  const int blocks = (job.tile.n + threads - 1) / threads;
  const bool few = job.grid.n_kinds <= 4;
  if (job.with_delay) {
    if (few)
      fit_voxels<M, true, 4><<<blocks, threads>>>(job);
    else
      fit_voxels<M, true, 0><<<blocks, threads>>>(job);
  } else {
    if (few)
      fit_voxels<M, false, 4><<<blocks, threads>>>(job);
    else
      fit_voxels<M, false, 0><<<blocks, threads>>>(job);
  }
  check_cuda(static_cast<int>(cudaGetLastError()), "launch");
  check_cuda(static_cast<int>(cudaDeviceSynchronize()), "fit");
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dce
