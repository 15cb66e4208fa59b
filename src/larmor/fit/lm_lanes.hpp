// SPDX-License-Identifier: Apache-2.0
#pragma once
// What fits of many voxels over lanes share: screening, the loop of Levenberg-Marquardt with lane refill, and the
// goodness of the result. Included by kernels that are compiled once for each instruction set and by CUDA.
#include <larmor/fit/lm.hpp>
#include <larmor/fit/status.hpp>

namespace larmor::fit {
inline namespace LARMOR_ISA_NAMESPACE {

LARMOR_HD constexpr uint8_t code(FitStatus s) { return static_cast<uint8_t>(s); }
/// Internal mark: the iteration limit was reached.
inline constexpr uint8_t unfinished = 255;

/// Goodness of the fit of one lane from its sums. AICc counts the noise variance as a parameter: Burnham & Anderson
/// (2002), eq. 2.4.
template <class T>
LARMOR_HD void goodness(T sse, T sst, int n_samples, int n_free, T& residual_sd, T& R2, T& AICc) {
  const double n = n_samples, k = n_free + 1, freedom = n_samples - n_free;
  const T nan = T(0.0) / T(0.0), positive = simd::max(sse, T(1e-300));
  residual_sd = simd::sqrt(simd::max(sse, T(0.0)) * T(1.0 / (freedom > 0 ? freedom : 1.0)));
  R2 = T(1.0) - sse / sst;
  const T aic = T(n) * simd::log(positive * T(1.0 / n)) + T(2 * k);
  AICc = n - k - 1 > 0 ? aic + T(2 * k * (k + 1) / (n - k - 1)) : nan;
}

/// Standard errors of the free parameters, and whether one of them is on its bound. `noise_variance` of one sample.
template <class T, int N>
LARMOR_HD void free_errors(const LmOptions& o, const T* p, const T* jtj, T noise_variance, T* error, T* bound) {
  typename simd::LaneTraits<T>::mask held[N];
  *bound = T(0.0);
  for (int i = 0; i < N; ++i) {
    const auto on = (p[i] <= T(o.lower[i])) | (p[i] >= T(o.upper[i]));
    held[i] = on | (o.fixed[i] ? T(0.0) == T(0.0) : T(0.0) < T(0.0));
    if (!o.fixed[i]) *bound = simd::select(on, T(1.0), *bound);
  }
  T variance[N];
  inverse_diagonal<T, N>(jtj, held, variance);
  for (int i = 0; i < N; ++i) error[i] = simd::sqrt(variance[i] * noise_variance);
}

#if !defined(__CUDACC__)
/// Voxels of one call, and where what became of them goes: structures of arrays over the voxels.
template <int N>
struct LaneJob {
  int n, n_samples;
  const float* y;  // (n_samples, stride)
  int64_t stride;
  uint8_t* status;      // not_converged where there is something to fit
  uint8_t* iterations;  // written
  double* point[N];     // starts, then results
  double* jtj[triangle<N>];
  double* sse;     // with the prior's share
  double* frames;  // work: n_samples * (lanes of T) doubles, aligned to a register
};

/// Fits every voxel whose status is not_converged. A lane that is done hands its voxel over and takes the next one, so
/// lanes never wait for each other.
///
/// evaluate(p, y, e)  normal equations at p; y (n_samples) packs of data
/// taken(lane, voxel) called when a lane takes a voxel, for what else `evaluate` reads of it
/// E: what `evaluate` gives, with the Hessian or without
template <int N, class T, class E = NormalEquations<T, N>, class Evaluate, class Taken>
LARMOR_INLINE void run_lanes(const LaneJob<N>& job, const LmOptions& options, Evaluate&& evaluate, Taken&& taken) {
  constexpr int L = simd::LaneTraits<T>::size;
  LmState<T, N, E> state;
  int voxel[L];
  int next = 0;
  unsigned busy = 0;  // a bit a lane
  T* y = reinterpret_cast<T*>(job.frames);
  {
    T middle[N];
    for (int i = 0; i < N; ++i) middle[i] = T(0.5 * (options.lower[i] + options.upper[i]));
    lm_begin<T, N>(state, middle);
    for (int k = 0; k < job.n_samples; ++k) y[k] = T(0.0);
    for (int i = 0; i < triangle<N>; ++i) state.at.jtj[i] = T(1.0);
    for (int i = 0; i < N; ++i) state.at.jtr[i] = T(0.0);
    if constexpr (HasHessian<E>)
      for (int i = 0; i < triangle<N>; ++i) state.at.hessian[i] = T(1.0);
    state.at.sse = T(0.0);
  }
  const auto refill = [&](int l) {
    while (next < job.n && job.status[next] != code(FitStatus::not_converged)) ++next;
    if (next == job.n) {
      busy &= ~(1u << l);
      return;
    }
    voxel[l] = next;
    const float* from = job.y + next;
    for (int k = 0; k < job.n_samples; ++k, from += job.stride) job.frames[k * L + l] = *from;
    for (int i = 0; i < N; ++i)
      simd::set_lane(state.p[i], l, job.point[i][next]), simd::set_lane(state.next[i], l, job.point[i][next]);
    simd::set_lane(state.lambda, l, 1e-4);
    simd::set_lane(state.iterations, l, 0.0);
    simd::set_lane(state.promise, l, 0.0);
    taken(l, next);
    busy |= 1u << l;
    ++next;
  };
  for (int l = 0; l < L; ++l) refill(l);
  while (busy) {  // NOLINT(bugprone-infinite-loop): refill clears its bits
    E e;
    evaluate(state.next, y, e);
    add_prior<T, N>(options, state.next, e);
    typename simd::LaneTraits<T>::mask done, converged;
    lm_advance<T, N>(state, e, options, done, converged);
    for (unsigned leaving = simd::bits(done) & busy; leaving; leaving &= leaving - 1) {
      const int l = __builtin_ctz(leaving);
      const int v = voxel[l];
      for (int i = 0; i < N; ++i) job.point[i][v] = simd::lane(state.p[i], l);
      for (int i = 0; i < triangle<N>; ++i) job.jtj[i][v] = simd::lane(state.at.jtj[i], l);
      job.sse[v] = simd::lane(state.at.sse, l);
      const double used = simd::lane(state.iterations, l);
      job.iterations[v] = static_cast<uint8_t>(used < 255 ? used : 255);
      // A voxel that did not converge keeps that status, but must not be taken again.
      job.status[v] = simd::lane(converged, l) ? code(FitStatus::converged) : unfinished;
      refill(l);
    }
  }
}
#endif

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::fit
