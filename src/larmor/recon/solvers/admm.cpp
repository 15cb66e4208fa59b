// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/solvers/iteration.hpp>

namespace larmor::recon {
namespace {

struct Split {
  const Penalty* penalty;
  Array z, u;  // T x, and the scaled multiplier
};

}  // namespace

Solution admm(const LinearOp& A, const Array& y, const std::vector<Penalty>& penalties, const AdmmOptions& o) {
  if (!(o.l2 >= 0) || !(o.rho > 0) || o.inner < 1)
    throw Error(Errc::range, fmt::format("admm: l2 = {}, rho = {}, {} inner iterations", o.l2, o.rho, o.inner),
                "give l2 >= 0, rho > 0 and 1 or more");
  Iteration it("admm", A, y, o);
  const double largest = normal_norm(A, 12, o.cancel), rho = o.rho * (largest > 0 ? largest : 1);
  const auto T = [&](const Penalty& p, const Array& x) {
    return p.transform ? p.transform->forward(x, o.cancel) : x.clone();
  };
  const auto T_adjoint = [&](const Penalty& p, const Array& v) {
    return p.transform ? p.transform->adjoint(v, o.cancel) : v;
  };
  const auto matrix = [&](const Array& x) {  // A^H A + l2 + rho sum of T^H T
    Array out = A.normal(x, o.cancel);
    if (o.l2 > 0) add_scaled(o.l2, x, out);
    for (const auto& p : penalties) add_scaled(rho, p.transform ? p.transform->normal(x, o.cancel) : x, out);
    return out;
  };
  Array x = it.start();
  const Array b = A.adjoint(y, o.cancel);
  const double yy = real_dot(y, y);
  const auto cost = [&] {
    double sum = 0.5 * (yy - 2 * real_dot(x, b) + real_dot(x, A.normal(x, o.cancel)) + o.l2 * real_dot(x, x));
    for (const auto& p : penalties) sum += p.value(T(p, x));
    return sum;
  };
  std::vector<Split> splits;
  for (const auto& p : penalties) {
    const Array z = T(p, x);
    splits.push_back({&p, z, Array(z.dtype(), z.shape(), z.axes())});
  }
  it.note(1, cost(), x, true);
  while (it.more()) {
    Array right = b.clone();
    for (const auto& s : splits) add_scaled(rho, T_adjoint(*s.penalty, combination(1, s.z, -1, s.u)), right);
    Array r = combination(1, right, -1, matrix(x)), p = r.clone();
    double rr = real_dot(r, r);
    for (int i = 0; i < o.inner && rr > 0; ++i) {
      const Array q = matrix(p);
      const double step = rr / real_dot(p, q);
      add_scaled(step, p, x), add_scaled(-step, q, r);
      const double next = real_dot(r, r);
      scale_add(r, next / rr, p);
      rr = next;
    }
    double gap = 0, size = 0;
    for (auto& s : splits) {
      const Array Tx = T(*s.penalty, x);
      s.z = s.penalty->prox(combination(1, Tx, 1, s.u), 1 / rho, it.solution.iterations);
      const Array difference = combination(1, Tx, -1, s.z);
      add_scaled(1, difference, s.u);
      gap += real_dot(difference, difference), size += real_dot(Tx, Tx);
    }
    ++it.solution.iterations;
    it.note(size > 0 ? std::sqrt(gap / size) : 0, cost(), x, true);
  }
  return it.done(std::move(x));
}

}  // namespace larmor::recon
