// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/solvers/iteration.hpp>

namespace larmor::recon {

Iteration::Iteration(const char* name, const LinearOp& A, const Array& y, const SolveOptions& options)
    : name_(name), A_(A), o_(options) {
  if (Space::of(y) != A.range())
    throw Error(Errc::shape,
                fmt::format("{}: data are {} and {} gives {}", name, y.describe(), A.name(), A.range().describe()));
  require_finite(y, "the data");
  if (!o_.start.empty() && Space::of(o_.start) != A.domain())
    throw Error(Errc::shape, fmt::format("{}: the start is {} and {} takes {}", name, o_.start.describe(), A.name(),
                                         A.domain().describe()));
  if (o_.iterations < 0)
    throw Error(Errc::range, fmt::format("{}: {} iterations", name, o_.iterations), "give 0 or more");
  if (!(o_.tolerance >= 0))
    throw Error(Errc::range, fmt::format("{}: a tolerance of {}", name, o_.tolerance), "give 0 (never stop) or more");
  o_.progress.begin(name, static_cast<std::size_t>(o_.iterations));
}

Array Iteration::start() const { return o_.start.empty() ? A_.domain().zeros() : o_.start.clone(); }

void Iteration::note(double residual, double cost, const Array& x, bool absolute) {
  if (o_.cancel) o_.cancel->check();
  const int i = solution.iterations;
  if (!std::isfinite(residual) || !std::isfinite(cost))
    throw Error(Errc::numeric, fmt::format("{}: the numbers overflow in iteration {}", name_, i),
                "scale the data, or regularise more");
  if (i == 0) first_ = residual;
  const double relative = absolute ? residual : first_ > 0 ? residual / first_ : 0;
  solution.residual.push_back(relative), solution.cost.push_back(cost);
  if (o_.keep_every > 0 && i % o_.keep_every == 0) solution.kept.push_back(x.clone());
  if (o_.watch) o_.watch(i, x);
  // A first residual of 0: the start is the answer already.
  solution.converged = (!absolute && first_ == 0) || (i > 0 && o_.tolerance > 0 && relative <= o_.tolerance);
  if (i > 0) o_.progress.add(1);
}

}  // namespace larmor::recon
