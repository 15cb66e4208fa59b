// SPDX-License-Identifier: Apache-2.0
#pragma once
// Bounded Levenberg-Marquardt over lanes. Included by kernels that are compiled once for each instruction set and by
// CUDA: no standard library, no branches on lane values, internal names.
#include <larmor/core/simd/dual.hpp>

namespace larmor::fit {

/// What a fit is told, in plain data (host and device). N is at most max_params.
inline constexpr int max_params = 8;
struct LmOptions {
  double lower[max_params], upper[max_params];
  double floor[max_params];  // a parameter below this is "small": steps are judged against |p| + floor
  bool fixed[max_params];
  int max_iterations;
  double tolerance;      // relative step that counts as converged
  bool match_curvature;  // damping by the curvature that the last step met, see lm_advance
  bool use_prior;        // adds ((u(p) - mean) / sd)^2 sigma^2 to the cost, u = p or ln p
  double prior_mean[max_params], prior_weight[max_params];  // weight = 1 / sd^2, 0 where there is no prior
  bool prior_log[max_params];
  double sigma2;  // noise variance, scales the prior against the squared residuals
};

inline namespace LARMOR_ISA_NAMESPACE {

template <int N>
inline constexpr int triangle = N*(N + 1) / 2;
/// Place of (i, j) in a packed symmetric matrix.
LARMOR_HD constexpr int packed(int i, int j) { return i >= j ? i * (i + 1) / 2 + j : j * (j + 1) / 2 + i; }

/// J^T J, J^T r and r^T r at one point, r = data - model.
template <class T, int N>
struct NormalEquations {
  T jtj[triangle<N>];
  T jtr[N];
  T sse;
};

/// With the Hessian of half the cost: J^T J less the residuals times second derivatives of the model. Gauss-Newton
/// leaves those out; where an arrival passes samples they are as large as the rest, and its steps overshoot and come
/// back.
template <class T, int N>
struct CurvedEquations : NormalEquations<T, N> {
  T hessian[triangle<N>];
};
template <class E>
concept HasHessian = requires(E e) {
  e.hessian[0];
};

/// Solves (A + lambda diag A) x = b for a symmetric A by L D L^T; rows of `held` variables are left out (x = 0).
/// A variable the data say nothing about has a pivot below `tiny` of its diagonal and gets no step.
///
/// sound  where not null: whether every pivot was above that, so that A is positive definite
template <class T, int N>
LARMOR_HD void solve_damped(const T* a, const T* b, T lambda, const typename simd::LaneTraits<T>::mask* held, T* x,
                            typename simd::LaneTraits<T>::mask* sound = nullptr) {
  using simd::select;
  T l[triangle<N>], inverse_pivot[N];
  const T zero(0.0), one(1.0), damp = one + lambda, tiny(1e-15);
  for (int i = 0; i < N; ++i) {
    for (int j = 0; j < i; ++j) {
      T s = select(held[i] | held[j], zero, a[packed(i, j)]);
      for (int k = 0; k < j; ++k) s = s - l[packed(i, k)] * l[packed(j, k)] * inverse_pivot[k];
      l[packed(i, j)] = s;  // L times D
    }
    const T diagonal = a[packed(i, i)] * damp;
    T pivot = diagonal;
    for (int k = 0; k < i; ++k) pivot = pivot - l[packed(i, k)] * l[packed(i, k)] * inverse_pivot[k];
    const auto determined = pivot > tiny * diagonal;
    inverse_pivot[i] = select(held[i], zero, select(determined, one / pivot, zero));
    if (sound) *sound = *sound & (held[i] | (determined & (diagonal > zero)));
  }
  for (int i = 0; i < N; ++i) {
    T s = select(held[i], zero, b[i]);
    for (int k = 0; k < i; ++k) s = s - l[packed(i, k)] * inverse_pivot[k] * x[k];
    x[i] = s;
  }
  for (int i = N - 1; i >= 0; --i) {
    T s = x[i] * inverse_pivot[i];
    for (int k = i + 1; k < N; ++k) s = s - l[packed(k, i)] * inverse_pivot[i] * x[k];
    x[i] = s;
  }
}

/// Diagonal of the inverse of A over the variables not held; NaN for held ones and for those A does not determine.
template <class T, int N>
LARMOR_HD void inverse_diagonal(const T* a, const typename simd::LaneTraits<T>::mask* held, T* variance) {
  using simd::select;
  const T nan = T(0.0) / T(0.0);
  for (int i = 0; i < N; ++i) {
    T unit[N], x[N];
    for (int j = 0; j < N; ++j) unit[j] = T(i == j ? 1.0 : 0.0);
    solve_damped<T, N>(a, unit, T(0.0), held, x);
    variance[i] = select(held[i], nan, select(x[i] > T(0.0), x[i], nan));
  }
}

template <class T, int N, class Equations = NormalEquations<T, N>>
struct LmState {
  T p[N];        // best so far
  T next[N];     // to be evaluated
  Equations at;  // at p
  T lambda, iterations;
  T promise;  // reduction of the cost that the step to `next` promises
};

/// A fit whose first evaluation will be at `start`.
template <class T, int N, class E>
LARMOR_HD void lm_begin(LmState<T, N, E>& s, const T* start) {
  for (int i = 0; i < N; ++i) s.p[i] = s.next[i] = start[i];
  s.lambda = T(1e-4);
  s.iterations = T(0.0);
  s.promise = T(0.0);
}

template <class T, int N, class E>
LARMOR_HD T add_prior(const LmOptions& o, const T* p, E& e) {
  T cost(0.0);
  if (!o.use_prior) return cost;
  for (int i = 0; i < N; ++i) {
    const T weight(o.prior_weight[i] * o.sigma2);
    const T positive = simd::max(p[i], T(1e-12));
    const T u = o.prior_log[i] ? T(simd::log(positive)) : p[i];
    const T slope = o.prior_log[i] ? T(1.0) / positive : T(1.0);
    const T gap = u - T(o.prior_mean[i]);
    cost += weight * gap * gap;
    e.jtj[packed(i, i)] += weight * slope * slope;
    e.jtr[i] -= weight * slope * gap;
    if constexpr (HasHessian<E>)  // ln p is curved: its second derivative is -1 / p^2
      e.hessian[packed(i, i)] += weight * slope * slope * (o.prior_log[i] ? T(1.0) - gap : T(1.0));
  }
  e.sse += cost;
  return cost;
}

/// A bound holds parameter i when p is on it and the descent direction leads outside.
template <class T, int N>
LARMOR_HD void lm_held(const LmOptions& o, const T* p, const T* jtr, typename simd::LaneTraits<T>::mask* held) {
  for (int i = 0; i < N; ++i) {
    const auto at_lower = (p[i] <= T(o.lower[i])) & (jtr[i] <= T(0.0));
    const auto at_upper = (p[i] >= T(o.upper[i])) & (jtr[i] >= T(0.0));
    held[i] = at_lower | at_upper | (o.fixed[i] ? T(0.0) == T(0.0) : T(0.0) < T(0.0));
  }
}

/// Step from a point: by the Hessian where it is known and positive definite, or else by J^T J.
template <class T, int N, class E>
LARMOR_HD void lm_step(const E& at, T lambda, const typename simd::LaneTraits<T>::mask* held, T* step) {
  if constexpr (HasHessian<E>) {
    typename simd::LaneTraits<T>::mask sound = T(0.0) == T(0.0);
    T a[triangle<N>];
    for (int i = 0; i < triangle<N>; ++i) a[i] = at.hessian[i];
    for (int i = 0; i < N; ++i) a[packed(i, i)] += lambda * at.jtj[packed(i, i)];
    solve_damped<T, N>(a, at.jtr, T(0.0), held, step, &sound);
    if (simd::all(sound)) return;
    T plain[N];
    solve_damped<T, N>(at.jtj, at.jtr, lambda, held, plain);
    for (int i = 0; i < N; ++i) step[i] = simd::select(sound, step[i], plain[i]);
  } else {
    solve_damped<T, N>(at.jtj, at.jtr, lambda, held, step);
  }
}

/// Takes the evaluation `e` at s.next, accepts or rejects it and proposes the next point.
///
/// done       the lanes that need no more; `converged` says which of them ended well
/// Converged: the step just taken was below tolerance, or the next one is known to be the last (and is taken), or the
/// cost has stopped falling, or damping has grown until nothing moves.
template <class T, int N, class E>
LARMOR_HD void lm_advance(LmState<T, N, E>& s, const E& e, const LmOptions& o, typename simd::LaneTraits<T>::mask& done,
                          typename simd::LaneTraits<T>::mask& converged) {
  using simd::select;
  using M = typename simd::LaneTraits<T>::mask;
  const T zero(0.0), one(1.0);
  const M first = s.iterations == zero;
  const M finite = simd::is_finite(e.sse);
  const M better = finite & (first | (e.sse <= s.at.sse));

  T moved(0.0);
  for (int i = 0; i < N; ++i)
    moved = simd::max(moved, simd::abs(s.next[i] - s.p[i]) / (simd::abs(s.p[i]) + T(o.floor[i])));
  const M small = (!first) & (moved <= T(o.tolerance));

  const T gained = s.at.sse - e.sse;
  const T kept = gained / simd::max(s.promise, T(1e-300));  // of what was promised
  for (int i = 0; i < N; ++i) s.p[i] = select(better, s.next[i], s.p[i]);
  for (int i = 0; i < triangle<N>; ++i) s.at.jtj[i] = select(better, e.jtj[i], s.at.jtj[i]);
  for (int i = 0; i < N; ++i) s.at.jtr[i] = select(better, e.jtr[i], s.at.jtr[i]);
  if constexpr (HasHessian<E>)
    for (int i = 0; i < triangle<N>; ++i) s.at.hessian[i] = select(better, e.hessian[i], s.at.hessian[i]);
  s.at.sse = select(better, e.sse, s.at.sse);
  // Damping follows how well the quadratic model foretold the cost: in a curved valley a step that keeps little of its
  // promise must not be followed by a longer one, or the iteration zigzags.
  const T eased = select(kept > T(0.75), s.lambda * T(0.1), select(kept > T(0.25), s.lambda, s.lambda * T(4.0)));
  T lambda = select(better, eased, simd::max(s.lambda * T(10.0), T(1e-5)));
  if (o.match_curvature) {
    // Along a step that keeps a share k of its promise the cost is (2 - k) (1 + lambda) times as curved as J^T J says,
    // and 1 + lambda should be that. Where residuals are large this saves the zigzag across the valley.
    const T met = (T(2.0) - simd::max(kept, T(-20.0))) * (one + s.lambda) - one;
    lambda = simd::max(met, select(better, s.lambda * T(0.1), simd::max(s.lambda + s.lambda, T(1e-5))));
    lambda = select(finite, lambda, T(20.0) * (one + s.lambda));
  }
  s.lambda = select(first, s.lambda, lambda);
  s.iterations += one;

  M held[N];
  lm_held<T, N>(o, s.p, s.at.jtr, held);
  T step[N];
  lm_step<T, N>(s.at, s.lambda, held, step);
  // A parameter on its bound whose gradient leads inside may still be pushed out by its coupling to the others: hold
  // it too and solve again, or the clamped step would be no descent direction.
  M pushed = !(zero == zero);
  for (int i = 0; i < N; ++i) {
    const M out = ((s.p[i] <= T(o.lower[i])) & (step[i] < zero)) | ((s.p[i] >= T(o.upper[i])) & (step[i] > zero));
    held[i] = held[i] | out;
    pushed = pushed | out;
  }
  if (simd::any(pushed)) lm_step<T, N>(s.at, s.lambda, held, step);
  T promise(0.0), ahead(0.0);
  for (int i = 0; i < N; ++i) {
    promise += step[i] * s.at.jtr[i];
    s.next[i] = simd::min(simd::max(s.p[i] + step[i], T(o.lower[i])), T(o.upper[i]));
    ahead = simd::max(ahead, simd::abs(s.next[i] - s.p[i]) / (simd::abs(s.p[i]) + T(o.floor[i])));
  }
  s.promise = promise;
  const M broken = first & (!finite);
  // Near the minimum, with little damping (or the damping that makes up for curvature), the step is a Newton step to a
  // residual of higher order: it is taken without looking when what it promises is 3e-4 of a standard error (1e-7 of
  // the cost) or ten times the tolerance at most.
  const M newton = better & (s.lambda < T(o.match_curvature ? 1.0 : 1e-2));
  const M last = newton & ((promise <= T(1e-7) * s.at.sse) | (ahead <= T(10 * o.tolerance)));
  // In a curved valley or at a kink (a delay moves samples of the input past the frames) steps stay short. There the
  // search ends when a step gained and the next promises a part in 1e6 of the cost (a hundredth of a standard error),
  // or when a step that promised a part in 1e7 made it worse.
  const M crawling = better & (!first) & (gained <= T(1e-7) * s.at.sse) & (promise <= T(1e-6) * s.at.sse);
  const M stuck = crawling | ((!better) & (promise <= T(1e-7) * s.at.sse)) | (s.lambda > T(1e10));
  for (int i = 0; i < N; ++i) s.p[i] = select(last, s.next[i], s.p[i]);
  converged = (small | last | stuck) & (!broken);
  done = converged | broken | (s.iterations >= T(static_cast<double>(o.max_iterations)));
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::fit
