// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/solvers/iteration.hpp>

namespace larmor::recon {

Solution fista(const LinearOp& A, const Array& y, const Penalty& penalty, const FistaOptions& o) {
  if (penalty.transform)
    throw Error(Errc::usage, "fista: " + penalty.name + " has no closed form in the image", "use admm");
  if (!(o.l2 >= 0)) throw Error(Errc::range, fmt::format("fista: l2 = {}", o.l2), "give 0 or more");
  Iteration it("fista", A, y, o);
  const auto matrix = [&](const Array& x) {
    Array out = A.normal(x, o.cancel);
    if (o.l2 > 0) add_scaled(o.l2, x, out);
    return out;
  };
  // Power iteration ends a little below; a step that is a little long would let the cost rise.
  double step = o.step;
  if (step <= 0) {
    const double largest = 1.05 * normal_norm(A, 20, o.cancel) + o.l2;
    step = largest > 0 ? 1 / largest : 1;
  }
  const Array b = A.adjoint(y, o.cancel);
  const double yy = real_dot(y, y);
  Array x = it.start(), Mx = matrix(x);
  const auto cost_of = [&](const Array& v, const Array& Mv) {
    return 0.5 * (yy - 2 * real_dot(v, b) + real_dot(v, Mv)) + penalty.value(v);
  };
  double cost = cost_of(x, Mx), t = 1;
  // z runs ahead of x. M is linear, so M z is known from the two last M x.
  Array z = x, Mz = Mx;
  it.note(1, cost, x, true);
  while (it.more()) {
    Array gradient_step = combination(1, z, -step, Mz);
    add_scaled(step, b, gradient_step);
    const Array next = penalty.prox(gradient_step, step, it.solution.iterations);
    const Array Mnext = matrix(next);
    const double next_cost = cost_of(next, Mnext), size = norm(next);
    const double moved = norm(combination(1, next, -1, x));
    const double t_next = 0.5 * (1 + std::sqrt(1 + 4 * t * t));
    const bool uphill = next_cost > cost;
    const double ahead = o.accelerated && !uphill ? (t - 1) / t_next : 0;
    z = combination(1 + ahead, next, -ahead, x);
    Mz = combination(1 + ahead, Mnext, -ahead, Mx);
    t = uphill ? 1 : t_next;
    x = next, Mx = Mnext, cost = next_cost;
    ++it.solution.iterations;
    it.note(size > 0 ? moved / size : 0, cost, x, true);
  }
  return it.done(std::move(x));
}

}  // namespace larmor::recon
