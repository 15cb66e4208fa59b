// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/solvers/iteration.hpp>

namespace larmor::recon {
namespace {

// The process of Golub and Kahan: A v_k = beta_{k+1} u_{k+1} + alpha_k u_k, with alpha and beta norms.
struct Bidiagonal {
  const LinearOp& A;
  const Cancel* cancel;
  Array u, v;
  double alpha = 0, beta = 0;

  Bidiagonal(const LinearOp& A_, const Array& b, const Cancel* cancel_) : A(A_), cancel(cancel_), u(b.clone()) {
    beta = norm(u);
    if (beta > 0) scale(1 / beta, u);
    v = A.adjoint(u, cancel);
    alpha = norm(v);
    if (alpha > 0) scale(1 / alpha, v);
  }
  void step() {
    scale_add(A.forward(v, cancel), -alpha, u);
    beta = norm(u);
    if (beta > 0) scale(1 / beta, u);
    scale_add(A.adjoint(u, cancel), -beta, v);
    alpha = norm(v);
    if (alpha > 0) scale(1 / alpha, v);
  }
};

struct Rotation {
  double c, s, r;
};
// c a + s b = r, -s a + c b = 0
Rotation rotation(double a, double b) {
  const double r = std::hypot(a, b);
  return r > 0 ? Rotation{a / r, b / r, r} : Rotation{1, 0, 0};
}

void check(const LsOptions& o, const char* name) {
  if (!(o.l2 >= 0)) throw Error(Errc::range, fmt::format("{}: l2 = {}", name, o.l2), "give 0 or more");
}
// The least squares problem of what the start leaves over. With damping it would be another one.
Array remaining(const LinearOp& A, const Array& y, const LsOptions& o, const char* name) {
  if (o.start.empty()) return y;
  if (o.l2 > 0)
    throw Error(Errc::usage, fmt::format("{}: a start together with l2", name),
                "use conjugate gradients, or leave one out");
  return combination(1, y, -1, A.forward(o.start, o.cancel));
}

}  // namespace

Solution lsqr(const LinearOp& A, const Array& y, const LsOptions& o) {
  check(o, "lsqr");
  Iteration it("lsqr", A, y, o);
  Array x = it.start();
  const double damp = std::sqrt(o.l2);
  Bidiagonal k(A, remaining(A, y, o, "lsqr"), o.cancel);
  Array w = k.v.clone();
  double phi = k.beta, rho = k.alpha, damped = 0;
  const double first = k.alpha * k.beta;  // |A^H y|
  it.note(first > 0 ? phi : 0, 0.5 * phi * phi, x);
  while (it.more()) {
    k.step();
    // The damping is rotated away first, then the subdiagonal.
    const Rotation d = rotation(rho, damp);
    const double psi = d.s * phi;
    phi *= d.c;
    damped = std::hypot(damped, psi);
    const Rotation q = rotation(d.r, k.beta);
    if (!(q.r > 0)) break;
    const double theta = q.s * k.alpha, step = q.c * phi;
    rho = -q.c * k.alpha;
    phi *= q.s;
    add_scaled(step / q.r, w, x);
    scale_add(k.v, -theta / q.r, w);
    ++it.solution.iterations;
    const double residual = std::hypot(phi, damped);
    it.note(residual, 0.5 * residual * residual, x);
    // The normal equations are solved as far as rounding lets them: phi alpha |c| is their residual.
    if (std::abs(phi * k.alpha * q.c) <= 1e-15 * first) break;
  }
  return it.done(std::move(x));
}

Solution lsmr(const LinearOp& A, const Array& y, const LsOptions& o) {
  check(o, "lsmr");
  Iteration it("lsmr", A, y, o);
  Array x = it.start();
  const double damp = std::sqrt(o.l2);
  Bidiagonal k(A, remaining(A, y, o, "lsmr"), o.cancel);
  Array h = k.v.clone(), h_bar = A.domain().zeros();
  double zeta_bar = k.alpha * k.beta, alpha_bar = k.alpha, rho = 1, rho_bar = 1, c_bar = 1, s_bar = 0;
  // For the norm of the residual, section 5 of the paper.
  double beta_dd = k.beta, beta_d = 0, rho_d = 1, tau_tilde = 0, theta_tilde = 0, zeta = 0, d = 0;
  it.note(std::abs(zeta_bar), 0.5 * k.beta * k.beta, x);
  while (it.more()) {
    k.step();
    const Rotation hat = rotation(alpha_bar, damp);
    const double rho_old = rho;
    const Rotation p = rotation(hat.r, k.beta);
    rho = p.r;
    const double theta_new = p.s * k.alpha;
    alpha_bar = p.c * k.alpha;
    const double rho_bar_old = rho_bar, zeta_old = zeta, theta_bar = s_bar * rho, rho_temp = c_bar * rho;
    const Rotation bar = rotation(rho_temp, theta_new);
    rho_bar = bar.r, c_bar = bar.c, s_bar = bar.s;
    if (!(rho > 0) || !(rho_bar > 0)) break;
    zeta = c_bar * zeta_bar;
    zeta_bar = -s_bar * zeta_bar;
    scale_add(h, -theta_bar * rho / (rho_old * rho_bar_old), h_bar);
    add_scaled(zeta / (rho * rho_bar), h_bar, x);
    scale_add(k.v, -theta_new / rho, h);
    const double beta_acute = hat.c * beta_dd, beta_check = -hat.s * beta_dd, beta_hat = p.c * beta_acute;
    beta_dd = -p.s * beta_acute;
    const double theta_tilde_old = theta_tilde;
    const Rotation tilde = rotation(rho_d, theta_bar);
    theta_tilde = tilde.s * rho_bar;
    rho_d = tilde.c * rho_bar;
    beta_d = -tilde.s * beta_d + tilde.c * beta_hat;
    tau_tilde = (zeta_old - theta_tilde_old * tau_tilde) / tilde.r;
    const double tau_d = (zeta - theta_tilde * tau_tilde) / rho_d;
    d += beta_check * beta_check;
    const double rr = d + (beta_d - tau_d) * (beta_d - tau_d) + beta_dd * beta_dd;
    ++it.solution.iterations;
    it.note(std::abs(zeta_bar), 0.5 * rr, x);
    if (!(k.alpha > 0)) break;
  }
  return it.done(std::move(x));
}

}  // namespace larmor::recon
