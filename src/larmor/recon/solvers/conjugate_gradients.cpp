// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/solvers/iteration.hpp>

namespace larmor::recon {

Solution conjugate_gradients(const LinearOp& A, const Array& y, const CgOptions& o) {
  if (!(o.l2 >= 0)) throw Error(Errc::range, fmt::format("conjugate gradients: l2 = {}", o.l2), "give 0 or more");
  Iteration it("conjugate gradients", A, y, o);
  const auto matrix = [&](const Array& x) {
    Array out = A.normal(x, o.cancel);
    if (o.l2 > 0) add_scaled(o.l2, x, out);
    return out;
  };
  Array x = it.start();
  const Array b = A.adjoint(y, o.cancel);
  const double yy = real_dot(y, y);
  Array r = o.start.empty() ? b.clone() : combination(1, b, -1, matrix(x));
  Array z = o.preconditioner ? o.preconditioner(r) : r;
  Array p = z.clone();
  double rz = real_dot(r, z);
  // |A x - y|^2 + l2 |x|^2 = |y|^2 - <x, b> - <x, r>, as M x = b - r.
  const auto note = [&] { it.note(norm(r), 0.5 * (yy - real_dot(x, b) - real_dot(x, r)), x); };
  for (note(); it.more() && rz > 0;) {
    const Array q = matrix(p);
    const double curvature = real_dot(p, q);
    if (!(curvature > 0)) break;  // rounding is all that is left
    const double step = rz / curvature;
    add_scaled(step, p, x);
    add_scaled(-step, q, r);
    z = o.preconditioner ? o.preconditioner(r) : r;
    const double next = real_dot(r, z);
    scale_add(z, next / rz, p);
    rz = next;
    ++it.solution.iterations;
    note();
  }
  return it.done(std::move(x));
}

}  // namespace larmor::recon
