// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <larmor/perfusion/dce/step_weights.hpp>

namespace larmor::dce {
namespace {

/// integral over u in [0, 1] of u^m exp(-x u): the series of terms that are all positive,
/// J_m = exp(-x) sum over k of x^k m! / (m + k + 1)!
long double moment(int m, long double x) {
  long double term = 1.0L / static_cast<long double>(m + 1), sum = 0;
  for (int k = 0; k < 400; ++k) {
    sum += term;
    term *= x / static_cast<long double>(m + k + 2);
  }
  return std::exp(-x) * sum;
}

/// Largest relative error of e, j0, j1 and j2 (and j3) over steps of all lengths.
template <bool Bend, Weights Digits>
double worst(double from, double to) {
  double most = 0;
  for (double x = from; x < to; x *= 1.01) {
    const double k = 0.03, dt = x / k, inverse = 1 / dt;
    StepWeights<double> w;
    step_weights<Bend, Digits>(rate_of(k), &dt, &inverse, 1, dt, &w);
    const auto error = [&](double a, long double b) {
      most = std::max(most, std::abs(static_cast<double>(a / b - 1)));
    };
    error(w.e, std::exp(-static_cast<long double>(x)));
    error(w.j0, moment(0, x)), error(w.j1, moment(1, x)), error(w.j2, moment(2, x));
    if (Bend) error(w.j3, moment(3, x));
  }
  return most;
}

// At any length the weights have the digits that they promise; above x = 1 the recurrence loses a few where it begins,
// k2 as 2 / x^3 of the roundings.
TEST(StepWeights, AreExactAtAnyLength) {
  EXPECT_LT((worst<false, Weights::exact>(1e-9, 40)), 1e-12);
  EXPECT_LT((worst<true, Weights::exact>(1e-9, 40)), 1e-12);
}
TEST(StepWeights, ForDataInF32) {
  EXPECT_LT((worst<false, Weights::for_f32>(1e-9, 1)), 2e-8);
  EXPECT_LT((worst<true, Weights::for_f32>(1e-9, 1)), 2e-8);
  EXPECT_LT((worst<false, Weights::for_f32>(1, 40)), 5e-8);  // the eighth power of an exponential, 8 times its error
  EXPECT_LT((worst<true, Weights::for_f32>(1, 40)), 2e-7);   // and two recurrences
}

// A row of steps is made as each of them is alone when they are of one length; of several lengths all are made as the
// longest asks for.
TEST(StepWeights, ManyAtATime) {
  const double dt[] = {1, 2, 3, 4, 5}, inverse_dt[] = {1, 0.5, 1.0 / 3, 0.25, 0.2};
  for (const double k : {0.01, 0.1, 0.6, 4.0}) {
    StepWeights<double> w[5];
    step_weights<false, Weights::exact>(rate_of(k), dt, inverse_dt, 5, 5, w);
    for (int j = 0; j < 5; ++j) {
      EXPECT_NEAR(w[j].e, std::exp(-k * dt[j]), 1e-13) << k;
      EXPECT_NEAR(w[j].j1, static_cast<double>(moment(1, k * dt[j])), 1e-12) << k;
    }
  }
}

}  // namespace
}  // namespace larmor::dce
