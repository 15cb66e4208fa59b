// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/recon/solvers/solve.hpp>

/// What all solvers do before, between and after their iterations.
namespace larmor::recon {

class Iteration {
 public:
  /// Errors   Errc::shape, Errc::range as solve.hpp says
  Iteration(const char* name, const LinearOp& A, const Array& y, const SolveOptions& options);
  ~Iteration() { o_.progress.end(); }
  Iteration(const Iteration&) = delete;
  Iteration& operator=(const Iteration&) = delete;

  Array start() const;  // a copy
  bool more() const { return !solution.converged && solution.iterations < o_.iterations; }
  /// What is known of x after `solution.iterations`. `absolute`: the residual is a ratio already. Errors Errc::numeric
  /// unless finite
  void note(double residual, double cost, const Array& x, bool absolute = false);
  Solution done(Array x) {
    solution.x = std::move(x);
    return std::move(solution);
  }

  Solution solution;

 private:
  const char* name_;
  const LinearOp& A_;
  const SolveOptions& o_;
  double first_ = 0;
};

}  // namespace larmor::recon
