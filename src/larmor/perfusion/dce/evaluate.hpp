// SPDX-License-Identifier: Apache-2.0
#pragma once
// The tissue curve and its normal equations, over lanes.
//
// Every model here is a sum of terms: input x impulse response, with an impulse response made of
//   delta        A ca(t - lag)
//   exponential  A integral of ca(s - lag) exp(-k (t - s)) ds
//   integral     A integral of ca(s - lag) ds
// whose coefficients q (A, k, ...) are functions of the model's parameters p. The normal equations are summed over time
// for q, where the basis is cheap, and carried to p by dq/dp from dual numbers once an evaluation.
#include <larmor/perfusion/dce/kernel_types.hpp>

namespace larmor::dce {
inline namespace LARMOR_ISA_NAMESPACE {

using fit::NormalEquations;
using fit::packed;
using simd::Dual;
using simd::static_for;

enum class Kind { delta, exponential, integral };
struct Term {
  Kind kind;
  int input = 0;        // 0 arterial, 1 venous
  bool lagged = false;  // also shifted by the model's own lag (its last coefficient)
};

/// Convolution weights of one step of length dt for a rate k, x = k dt: with the input c0 + (c1 - c0) s over the step,
///   g1 = e g0 + a c0 + b c1,   a = dt J1, b = dt (J0 - J1),   J_m = integral over u in [0,1] of u^m exp(-x u)
/// and their derivatives by k (da = -dt^2 J2, db = -dt^2 (J1 - J2), de = -dt e).
template <class T>
struct StepWeights {
  T e, a, b, de, da, db;
};

template <class T>
LARMOR_INLINE StepWeights<T> step_weights(T k, T dt) {
  using simd::fma;
  using simd::select;
  const T x = k * dt, one(1.0);
  const T e = simd::exp(-x);
  // J2 by its Taylor series up to x = 1 (remainder 1 / (18! 21) < 1e-17), J1 and J0 from it without cancellation; above
  // 1 the recurrence the other way is the stable one.
  const T xs = simd::min(x, one);
  constexpr double inverse_factorial_j3[] = {1.0 / 3,
                                             -1.0 / 4,
                                             1.0 / 10,
                                             -1.0 / 36,
                                             1.0 / 168,
                                             -1.0 / 960,
                                             1.0 / 6480,
                                             -1.0 / 50400,
                                             1.0 / 443520,
                                             -1.0 / 4354560,
                                             1.0 / 47174400,
                                             -1.0 / 558835200,
                                             1.0 / 7185024000.,
                                             -1.0 / 99632332800.,
                                             1.0 / 1482030950400.,
                                             -1.0 / 23538138624000.,
                                             1.0 / 397533007872000.};
  T j2(inverse_factorial_j3[16]);
  for (int i = 15; i >= 0; --i) j2 = fma(j2, xs, T(inverse_factorial_j3[i]));
  T j1 = (x * j2 + e) * T(0.5);
  T j0 = x * j1 + e;
  const auto large = x > one;
  if (simd::any(large)) {
    const T inverse = one / simd::max(x, one);
    const T k0 = (one - e) * inverse, k1 = (k0 - e) * inverse, k2 = (k1 + k1 - e) * inverse;
    j0 = select(large, k0, j0), j1 = select(large, k1, j1), j2 = select(large, k2, j2);
  }
  const T dt2 = dt * dt;
  return {e, dt * j1, dt * (j0 - j1), -dt * e, -dt2 * j2, -dt2 * (j1 - j2)};
}

// --- compile-time layout of the coefficients q ----------------------------------------------------------------------

template <class M>
constexpr int n_terms = static_cast<int>(sizeof(M::terms) / sizeof(Term));
template <class M>
constexpr int count_coefficients() {
  int n = 0;
  for (const Term& t : M::terms) n += t.kind == Kind::exponential ? 2 : 1;
  return n;
}
template <class M>
constexpr int first_coefficient(int term) {
  int n = 0;
  for (int i = 0; i < term; ++i) n += M::terms[i].kind == Kind::exponential ? 2 : 1;
  return n;
}
template <class M>
constexpr bool has_lag() {
  for (const Term& t : M::terms)
    if (t.lagged) return true;
  return false;
}
/// Coefficients, then the model's own lag, then the delay.
template <class M, bool Delay>
constexpr int n_q = count_coefficients<M>() + (has_lag<M>() ? 1 : 0) + (Delay ? 1 : 0);
template <class M, bool Delay>
constexpr int n_p = M::n_params + (Delay ? 1 : 0);
template <class M, bool Delay>
constexpr bool is_lagged = Delay || has_lag<M>();

/// Input (or its integral) of every lane at a time of its own, and its slope.
template <class T>
struct Lagged {
  T value, slope;
};
template <class T>
LARMOR_INLINE Lagged<T> look_up(const TimeGrid& g, const double* table, T t) {
  const T place = (t - T(g.table_start)) * T(g.inverse_cell);
  const T last(static_cast<double>(g.n_cells));
  const T cell = simd::min(simd::max(simd::floor(place), T(0.0)), last);  // cell n_cells holds the value after the end
  const T s = place - cell;
  const T c0 = simd::gather(table, cell, 4, 0), c1 = simd::gather(table, cell, 4, 1);
  const T c2 = simd::gather(table, cell, 4, 2), c3 = simd::gather(table, cell, 4, 3);
  const auto before = place < T(0.0);
  const T value = ((c3 * s + c2) * s + c1) * s + c0;
  const T slope = ((T(3.0) * c3 * s + T(2.0) * c2) * s + c1) * T(g.inverse_cell);
  return {simd::select(before, T(0.0), value), simd::select(before, T(0.0), slope)};
}

/// Runs over the frames; calls out(n, basis, gradient, slope), a value a term: the term at unit amplitude, its
/// derivative by k (exponentials) and by time (lagged ones).
template <class M, bool Lag, int MaxKinds, class T, class Out>
LARMOR_INLINE void run_basis(const TimeGrid& g, const T* q, T own_lag, T delay, Out&& out) {
  constexpr int terms = n_terms<M>;
  T state[terms], rate_state[terms], basis[terms], gradient[terms], slope[terms], arrived[terms], arrived_slope[terms];
  static_for<terms>([&](auto i) LARMOR_LAMBDA {
    state[i] = rate_state[i] = basis[i] = gradient[i] = slope[i] = arrived[i] = arrived_slope[i] = T(0.0);
  });

  // Few distinct steps: their weights are made once. Otherwise a step at a time.
  StepWeights<T> weights[terms][MaxKinds > 0 ? MaxKinds : 1];
  if constexpr (MaxKinds > 0)
    static_for<terms>([&](auto i) LARMOR_LAMBDA {
      if constexpr (M::terms[i].kind == Kind::exponential)
        for (int u = 0; u < g.n_kinds; ++u)
          weights[i][u] = step_weights(q[first_coefficient<M>(i) + 1], T(g.kind_dt[u]));
    });

  for (int n = 0; n < g.n_before; ++n) out(n, basis, gradient, slope);

  const auto arrive = [&](int node) LARMOR_LAMBDA {  // lagged inputs at a node, and what needs no convolution
    static_for<terms>([&](auto i) LARMOR_LAMBDA {
      constexpr Term term = M::terms[i];
      const T t = T(g.node_time[node]) - delay - (term.lagged ? own_lag : T(0.0));
      const Lagged<T> value =
          look_up(g, term.kind == Kind::integral ? g.integral_table[term.input] : g.table[term.input], t);
      if constexpr (term.kind == Kind::exponential) {
        arrived[i] = value.value, arrived_slope[i] = value.slope;
      } else {
        basis[i] = value.value, slope[i] = value.slope;
      }
    });
  };
  if constexpr (Lag) arrive(0);

  int node = 0;
  for (int n = g.n_before; n < g.n_out; ++n) {
    for (; node < g.out_node[n]; ++node) {
      T before[terms], before_slope[terms];
      if constexpr (Lag) {
        static_for<terms>([&](auto i) LARMOR_LAMBDA { before[i] = arrived[i], before_slope[i] = arrived_slope[i]; });
        arrive(node + 1);
      }
      static_for<terms>([&](auto i) LARMOR_LAMBDA {
        constexpr Term term = M::terms[i];
        if constexpr (term.kind == Kind::exponential) {
          StepWeights<T> w;
          if constexpr (MaxKinds > 0)
            w = weights[i][g.kind[node]];
          else
            w = step_weights(q[first_coefficient<M>(i) + 1], T(g.dt[node]));
          const T c0 = Lag ? before[i] : T(g.input[term.input][node]);
          const T c1 = Lag ? arrived[i] : T(g.input[term.input][node + 1]);
          rate_state[i] = w.e * rate_state[i] + (w.de * state[i] + (w.da * c0 + w.db * c1));
          state[i] = w.e * state[i] + (w.a * c0 + w.b * c1);
          if constexpr (Lag) slope[i] = w.e * slope[i] + (w.a * before_slope[i] + w.b * arrived_slope[i]);
        }
      });
    }
    static_for<terms>([&](auto i) LARMOR_LAMBDA {
      constexpr Term term = M::terms[i];
      if constexpr (term.kind == Kind::exponential) {
        basis[i] = state[i], gradient[i] = rate_state[i];
      } else if constexpr (!Lag) {
        basis[i] = T(term.kind == Kind::delta ? g.input[term.input][node] : g.integral[term.input][node]);
      }
    });
    out(n, basis, gradient, slope);
  }
}

/// Coefficients at p, with dq/dp (NQ x NP, row-major).
template <class M, bool Delay, class T>
LARMOR_INLINE void coefficients_with_gradient(const T* p, T* q, T* dq) {
  constexpr int NP = n_p<M, Delay>, NQ = n_q<M, Delay>, nm = M::n_params, nc = NQ - (Delay ? 1 : 0);
  using D = Dual<T, nm>;
  D dp[nm], dual_q[nc];
  for (int i = 0; i < nm; ++i) dp[i] = D::variable(p[i], i);
  M::coefficients(dp, dual_q);
  for (int i = 0; i < NQ * NP; ++i) dq[i] = T(0.0);
  for (int i = 0; i < nc; ++i) {
    q[i] = dual_q[i].v;
    for (int j = 0; j < nm; ++j) dq[i * NP + j] = dual_q[i].d[j];
  }
  if constexpr (Delay) q[NQ - 1] = p[NP - 1], dq[(NQ - 1) * NP + NP - 1] = T(1.0);
}

/// Gradient of the model by q at one frame, except that exponentials' rate derivatives lack their amplitude.
template <class M, bool Delay, class T>
LARMOR_INLINE T model_and_gradient(const T* q, const T* basis, const T* gradient, const T* slope, T* dm) {
  constexpr int NQ = n_q<M, Delay>, terms = n_terms<M>;
  T model(0.0), d_lag(0.0), d_delay(0.0);
  static_for<terms>([&](auto i) LARMOR_LAMBDA {
    constexpr Term term = M::terms[i];
    constexpr int at = first_coefficient<M>(i);
    const T amplitude = q[at];
    model += amplitude * basis[i];
    dm[at] = basis[i];
    if constexpr (term.kind == Kind::exponential) dm[at + 1] = gradient[i];
    if constexpr (is_lagged<M, Delay>) {
      const T change = amplitude * slope[i];
      d_delay = d_delay - change;
      if constexpr (term.lagged) d_lag = d_lag - change;
    }
  });
  if constexpr (has_lag<M>()) dm[NQ - 1 - (Delay ? 1 : 0)] = d_lag;
  if constexpr (Delay) dm[NQ - 1] = d_delay;
  return model;
}

/// Scales the rate rows of dq/dp by the amplitudes that model_and_gradient left out.
template <class M, bool Delay, class T>
LARMOR_INLINE void finish_gradient(const T* q, T* dq) {
  constexpr int NP = n_p<M, Delay>;
  static_for<n_terms<M>>([&](auto i) LARMOR_LAMBDA {
    constexpr int at = first_coefficient<M>(i);
    if constexpr (M::terms[i].kind == Kind::exponential)
      for (int j = 0; j < NP; ++j) dq[(at + 1) * NP + j] = dq[(at + 1) * NP + j] * q[at];
  });
}

/// J^T J, J^T r, r^T r of the data y (n_out x lanes) at p. `fixed_delay` is the caller's when the delay is not fitted
/// but the model is evaluated at lagged times anyway.
template <class M, bool Delay, int MaxKinds, class T>
LARMOR_HD void normal_equations(const TimeGrid& g, double fixed_delay, const T* p, const T* y,
                                NormalEquations<T, n_p<M, Delay>>& e) {
  constexpr int NP = n_p<M, Delay>, NQ = n_q<M, Delay>;
  constexpr bool Lag = is_lagged<M, Delay>;
  T q[NQ], dq[NQ * NP];
  coefficients_with_gradient<M, Delay>(p, q, dq);
  const T own_lag = has_lag<M>() ? q[NQ - 1 - (Delay ? 1 : 0)] : T(0.0);
  const T delay = Delay ? q[NQ - 1] : T(fixed_delay);

  T gram[fit::triangle<NQ>], projection[NQ], sse(0.0);
  for (int i = 0; i < fit::triangle<NQ>; ++i) gram[i] = T(0.0);
  for (int i = 0; i < NQ; ++i) projection[i] = T(0.0);
  run_basis<M, Lag, MaxKinds>(g, q, own_lag, delay,
                              [&](int n, const T* basis, const T* gradient, const T* slope) LARMOR_LAMBDA {
                                T dm[NQ];
                                const T r = y[n] - model_and_gradient<M, Delay>(q, basis, gradient, slope, dm);
                                sse += r * r;
                                static_for<NQ>([&](auto i) LARMOR_LAMBDA {
                                  projection[i] += dm[i] * r;
                                  static_for<i + 1>([&](auto j) LARMOR_LAMBDA { gram[packed(i, j)] += dm[i] * dm[j]; });
                                });
                              });

  finish_gradient<M, Delay>(q, dq);
  e.sse = sse;
  T half[NQ * NP];  // gram * dq
  for (int i = 0; i < NQ; ++i)
    for (int j = 0; j < NP; ++j) {
      T s(0.0);
      for (int k = 0; k < NQ; ++k) s += gram[packed(i, k)] * dq[k * NP + j];
      half[i * NP + j] = s;
    }
  for (int i = 0; i < NP; ++i) {
    T s(0.0);
    for (int k = 0; k < NQ; ++k) s += dq[k * NP + i] * projection[k];
    e.jtr[i] = s;
    for (int j = 0; j <= i; ++j) {
      T h(0.0);
      for (int k = 0; k < NQ; ++k) h += dq[k * NP + i] * half[k * NP + j];
      e.jtj[packed(i, j)] = h;
    }
  }
}

/// Curve and, when asked, its Jacobian (n_out x NP, row-major) at one parameter vector, one number a lane.
template <class M, bool Delay>
void curve(const TimeGrid& g, double fixed_delay, const double* p, double* out, double* jacobian) {
  constexpr int NP = n_p<M, Delay>, NQ = n_q<M, Delay>;
  double q[NQ], dq[NQ * NP];
  coefficients_with_gradient<M, Delay>(p, q, dq);
  finish_gradient<M, Delay>(q, dq);
  const double own_lag = has_lag<M>() ? q[NQ - 1 - (Delay ? 1 : 0)] : 0.0;
  const double delay = Delay ? q[NQ - 1] : fixed_delay;
  run_basis<M, is_lagged<M, Delay>, 0>(
      g, q, own_lag, delay, [&](int n, const double* basis, const double* gradient, const double* slope) {
        double dm[NQ];
        const double model = model_and_gradient<M, Delay>(q, basis, gradient, slope, dm);
        if (out) out[n] = model;
        if (jacobian)
          for (int j = 0; j < NP; ++j) {
            double s = 0;
            for (int k = 0; k < NQ; ++k) s += dm[k] * dq[k * NP + j];
            jacobian[n * NP + j] = s;
          }
      });
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::dce
