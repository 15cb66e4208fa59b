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
#include <larmor/perfusion/dce/step_weights.hpp>

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

/// Input of every lane at a time of its own, its slope and its integral up to there.
template <class T>
struct Lagged {
  T value, slope, integral;
};
template <class T>
LARMOR_INLINE Lagged<T> look_up(const TimeGrid& g, int input, T t) {
  const T place = (t - T(g.table_start)) * T(g.inverse_cell);
  const T last(static_cast<double>(g.n_cells));
  const T cell = simd::min(simd::max(simd::floor(place), T(0.0)), last);  // cell n_cells holds the value after the end
  const T s = place - cell, zero(0.0);
  T c[5];
  simd::gather_row<5>(g.table[input], cell, c);
  const auto before = place < zero;
  const T value = ((c[3] * s + c[2]) * s + c[1]) * s + c[0];
  const T slope = ((T(3.0) * c[3] * s + T(2.0) * c[2]) * s + c[1]) * T(g.inverse_cell);
  const T area = (((T(0.25) * c[3] * s + T(1.0 / 3) * c[2]) * s + T(0.5) * c[1]) * s + c[0]) * s;
  return {simd::select(before, zero, value), simd::select(before, zero, slope),
          simd::select(before, zero, c[4] + area * T(g.cell))};
}

/// First term that reads the same input at the same lag: terms share what was looked up.
template <class M>
constexpr int reader(int term) {
  for (int i = 0; i < term; ++i)
    if (M::terms[i].input == M::terms[term].input && M::terms[i].lagged == M::terms[term].lagged) return i;
  return term;
}

/// Runs over the frames; calls out(n, basis, gradient, slope), a value a term: the term at unit amplitude, its
/// derivative by k (exponentials) and by time (lagged ones).
template <class M, bool Lag, int MaxKinds, Weights Digits, class T, class Out>
LARMOR_INLINE void run_basis(const TimeGrid& g, const T* q, T own_lag, T delay, Out&& out) {
  constexpr int terms = n_terms<M>;
  T state[terms], rate_state[terms], basis[terms], gradient[terms], slope[terms];
  Rate<T> rate[terms];
  Lagged<T> arrived[terms];
  static_for<terms>([&](auto i) LARMOR_LAMBDA {
    state[i] = rate_state[i] = basis[i] = gradient[i] = slope[i] = T(0.0);
    if constexpr (M::terms[i].kind == Kind::exponential) rate[i] = rate_of(q[first_coefficient<M>(i) + 1]);
  });

  // Few distinct steps: their weights are made once. Otherwise for some steps ahead (in CUDA, for one).
  constexpr int ahead = simd::LaneTraits<T>::size > 1 ? steps_ahead : 1;
  StepWeights<T> weights[terms][MaxKinds > 0 ? MaxKinds : ahead];
  if constexpr (MaxKinds > 0)
    static_for<terms>([&](auto i) LARMOR_LAMBDA {
      if constexpr (M::terms[i].kind == Kind::exponential) {  // nvcc 13 wants the braces
        for (int u = 0; u < g.n_kinds; ++u) {
          const double dt = g.kind_dt[u], inverse_dt = 1 / dt;
          step_weights<Lag, Weights::exact>(rate[i], &dt, &inverse_dt, 1, dt, &weights[i][u]);
        }
      }
    });
  const auto look_ahead = [&](int node) LARMOR_LAMBDA {
    if (node % ahead != 0) return;
    const int n_steps = g.n_nodes - 1 - node, n = ahead == 1 ? 1 : n_steps < ahead ? n_steps : ahead;
    const double longest = ahead == 1 ? g.dt[node] : g.longest_ahead[node / steps_ahead];
    static_for<terms>([&](auto i) LARMOR_LAMBDA {
      if constexpr (M::terms[i].kind == Kind::exponential)
        step_weights<Lag, Digits>(rate[i], g.dt + node, g.inverse_dt + node, n, longest, weights[i]);
    });
  };

  for (int n = 0; n < g.n_before; ++n) out(n, basis, gradient, slope);

  const auto arrive = [&](int node) LARMOR_LAMBDA {  // lagged inputs at a node, and what needs no convolution
    static_for<terms>([&](auto i) LARMOR_LAMBDA {
      constexpr Term term = M::terms[i];
      constexpr int from = reader<M>(i);
      if constexpr (from == i)
        arrived[i] = look_up(g, term.input, T(g.node_time[node]) - delay - (term.lagged ? own_lag : T(0.0)));
      if constexpr (term.kind == Kind::delta) basis[i] = arrived[from].value, slope[i] = arrived[from].slope;
      if constexpr (term.kind == Kind::integral) basis[i] = arrived[from].integral, slope[i] = arrived[from].value;
    });
  };
  if constexpr (Lag) arrive(0);

  int node = 0;
  for (int n = g.n_before; n < g.n_out; ++n) {
    for (; node < g.out_node[n]; ++node) {
      if constexpr (MaxKinds == 0) look_ahead(node);
      Lagged<T> before[terms];
      if constexpr (Lag) {
        static_for<terms>([&](auto i) LARMOR_LAMBDA {
          if constexpr (reader<M>(i) == i) before[i] = arrived[i];
        });
        arrive(node + 1);
      }
      static_for<terms>([&](auto i) LARMOR_LAMBDA {
        constexpr Term term = M::terms[i];
        if constexpr (term.kind == Kind::exponential) {
          const StepWeights<T>& w = weights[i][MaxKinds > 0 ? g.kind[node] : node % ahead];
          const T dt(g.dt[node]), faded = w.e * state[i];
          if constexpr (Lag) {
            const Lagged<T>&a = before[reader<M>(i)], &b = arrived[reader<M>(i)];
            const T P = dt * (a.value - b.value), Q = dt * b.value, dt3(3.0 * g.dt[node]), six(6.0);
            const T R = six * (b.integral - a.integral) - dt3 * (a.value + b.value);
            const T dP = dt * (a.slope - b.slope), dQ = dt * b.slope;
            const T dR = six * (b.value - a.value) - dt3 * (a.slope + b.slope);
            slope[i] = w.e * slope[i] + (w.j1 * dP + w.j0 * dQ) + (w.j1 - w.j2) * dR;
            rate_state[i] = w.e * rate_state[i] - dt * (faded + (w.j2 * P + w.j1 * Q) + (w.j2 - w.j3) * R);
            state[i] = faded + (w.j1 * P + w.j0 * Q) + (w.j1 - w.j2) * R;
          } else {
            const T P(g.fall[term.input][node]), Q(g.held[term.input][node]);
            rate_state[i] = w.e * rate_state[i] - dt * (faded + (w.j2 * P + w.j1 * Q));
            state[i] = faded + (w.j1 * P + w.j0 * Q);
          }
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

/// How many quantities M derives from its parameters (kep = Ktrans / ve), and their values at p with their gradient
/// (ND x NM, row-major).
template <class M>
constexpr int count_derived() {
  if constexpr (requires { M::n_derived; })
    return M::n_derived;
  else
    return 0;
}
template <class M, class T>
LARMOR_INLINE void derived_with_gradient(const T* p, T* value, T* gradient) {
  constexpr int nm = M::n_params, nd = count_derived<M>();
  if constexpr (nd > 0) {
    Dual<T, nm> dp[nm], d[nd];
    for (int i = 0; i < nm; ++i) dp[i] = Dual<T, nm>::variable(p[i], i);
    M::derived(dp, d);
    for (int k = 0; k < nd; ++k) {
      value[k] = d[k].v;
      for (int i = 0; i < nm; ++i) gradient[k * nm + i] = d[k].d[i];
    }
  }
}
/// One parameter vector at a time.
template <class M>
void derived_at(const double* p, double* value, double* gradient) {
  derived_with_gradient<M>(p, value, gradient);
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
  run_basis<M, Lag, MaxKinds, Weights::for_f32>(
      g, q, own_lag, delay, [&](int n, const T* basis, const T* gradient, const T* slope) LARMOR_LAMBDA {
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
  run_basis<M, is_lagged<M, Delay>, 0, Weights::exact>(
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
