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

/// One step of length dt for a rate k, x = k dt, with the input c0 + (c1 - c0) s over it:
///   g1      = e g0 + j1 P + j0 Q,                P = dt (c0 - c1), Q = dt c1, e = exp(-x)
///   dg1/dk  = e dg0/dk - dt e g0 - dt (j2 P + j1 Q)
/// where J_m = integral over u in [0, 1] of u^m exp(-x u).
template <class T>
struct StepWeights {
  T e, j0, j1, j2;
};

/// J2(x) by its Taylor series to degree 9.
template <class T>
LARMOR_INLINE T j2_series(T x) {
  constexpr double c[] = {1.0 / 3,    -1.0 / 4,    1.0 / 10,     -1.0 / 36,    1.0 / 168,
                          -1.0 / 960, 1.0 / 6480., -1.0 / 50400, 1.0 / 443520, -1.0 / 4354560};
  T s(c[9]);
  simd::static_for<9>([&](auto i) LARMOR_LAMBDA { s = simd::fma(s, x, T(c[8 - i])); });
  return s;
}
/// exp(-x) by its Taylor series to degree 10.
template <class T>
LARMOR_INLINE T exp_minus_series(T x) {
  constexpr double c[] = {1.0,        -1.0,         1.0 / 2,      -1.0 / 6,       1.0 / 24,      -1.0 / 120,
                          1.0 / 720., -1.0 / 5040., 1.0 / 40320., -1.0 / 362880., 1.0 / 3628800.};
  T s(c[10]);
  simd::static_for<10>([&](auto i) LARMOR_LAMBDA { s = simd::fma(s, x, T(c[9 - i])); });
  return s;
}

/// exp(-x) and J2(x) for 0 <= x <= 1: Taylor series about 1/2, with (1/2)^13 / 13! = 2e-14 left.
template <class T>
LARMOR_INLINE void middle_series(T x, T& e, T& j2) {
  constexpr double ce[] = {0.60653065971263342,     -0.60653065971263342,    0.30326532985631671,
                           -0.10108844328543891,    0.025272110821359727,    -0.0050544221642719453,
                           0.00084240369404532417,  -0.00012034338486361774, 1.5042923107952217e-05,
                           -1.6714359008835797e-06, 1.6714359008835798e-07,  -1.5194871826214363e-08,
                           1.2662393188511967e-09};
  constexpr double cj[] = {0.230202847471531,       -0.16815576540391908,    0.066092401903042858,
                           -0.018131119772598389,   0.0038491376750757122,   -0.00066874116166810429,
                           9.8502376357629645e-05,  -1.2605055192383594e-05, 1.4267917650545510e-06,
                           -1.4484140169952064e-07, 1.3332183902133564e-08,  -1.1226910253415180e-09,
                           8.7133754761148435e-11};
  const T u = x - T(0.5);
  e = T(ce[12]), j2 = T(cj[12]);
  simd::static_for<12>([&](auto i) LARMOR_LAMBDA {
    e = simd::fma(e, u, T(ce[11 - i]));
    j2 = simd::fma(j2, u, T(cj[11 - i]));
  });
}

template <class T>
LARMOR_INLINE StepWeights<T> step_weights(T k, T dt) {
  using simd::select;
  const T x = k * dt, one(1.0);
  T e, j2, j1, j0;
  if (simd::all(x < T(0.2))) {
    // The usual case of a step well below the time constant: 0.2^11 / 11! = 5e-16 and 0.2^10 / (10! 13) = 2e-15.
    e = exp_minus_series(x);
    j2 = j2_series(x);
    j1 = (x * j2 + e) * T(0.5);
    j0 = x * j1 + e;
  } else {
    // J1 and J0 from J2 without cancellation; above 1 the recurrence the other way is the stable one.
    middle_series(simd::min(x, one), e, j2);
    j1 = (x * j2 + e) * T(0.5);
    j0 = x * j1 + e;
    const auto large = x > one;
    if (simd::any(large)) {
      const T inverse = one / simd::max(x, one), el = simd::exp(-x);
      const T k0 = (one - el) * inverse, k1 = (k0 - el) * inverse, k2 = (k1 + k1 - el) * inverse;
      e = select(large, el, e), j0 = select(large, k0, j0), j1 = select(large, k1, j1), j2 = select(large, k2, j2);
    }
  }
  return {e, j0, j1, j2};
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
          const T dt(g.dt[node]), faded = w.e * state[i];
          T P, Q;
          if constexpr (Lag) {
            P = dt * (before[i] - arrived[i]), Q = dt * arrived[i];
            const T dP = dt * (before_slope[i] - arrived_slope[i]), dQ = dt * arrived_slope[i];
            slope[i] = w.e * slope[i] + (w.j1 * dP + w.j0 * dQ);
          } else {
            P = T(g.fall[term.input][node]), Q = T(g.held[term.input][node]);
          }
          rate_state[i] = w.e * rate_state[i] - dt * (faded + (w.j2 * P + w.j1 * Q));
          state[i] = faded + (w.j1 * P + w.j0 * Q);
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

/// J^T J, J^T r, r^T r of the data at p; y(n) is frame n in lanes. `fixed_delay` is the caller's when the delay is not
/// fitted but the model is evaluated at lagged times anyway.
template <class M, bool Delay, int MaxKinds, class T, class Data>
LARMOR_HD void normal_equations(const TimeGrid& g, double fixed_delay, const T* p, const Data& y,
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
                                const T r = y(n) - model_and_gradient<M, Delay>(q, basis, gradient, slope, dm);
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
