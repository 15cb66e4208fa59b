// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <larmor/sim/phantom.hpp>

namespace larmor::sim {
namespace {

TEST(PhantomTransform, ContinuousAcrossTheSeries) {
  // The series near k = 0 and the closed form meet.
  const std::vector<Ellipsoid> one{{1, {0.5, 0.5, 0.5}, {}, 0}};
  for (const double x : {1e-3, 1e-2}) {
    const double k = x / (2 * M_PI * 0.5);
    for (const std::size_t dims : {2U, 3U}) {
      const std::vector<double> below(dims, k * (1 - 1e-9) / std::sqrt(dims)),
          above(dims, k * (1 + 1e-9) / std::sqrt(dims));
      EXPECT_NEAR(std::abs(transform_at(one, below) - transform_at(one, above)), 0, 1e-9) << x << " " << dims;
    }
  }
}

TEST(PhantomTransform, AgainstTheSumOverFinePoints) {
  const std::vector<Ellipsoid> object{{1.5, {0.5, 0.3, 1}, {0.1, -0.2, 0}, 0.6}};
  const std::vector<double> k{0.7, -0.4};
  std::complex<double> sum;
  const int n = 2000;
  for (int j = 0; j < n; ++j)
    for (int i = 0; i < n; ++i) {
      const double x = -1 + 2.0 * (i + 0.5) / n, y = -1 + 2.0 * (j + 0.5) / n;
      const double dx = x - 0.1, dy = y + 0.2;
      const double u = (std::cos(0.6) * dx + std::sin(0.6) * dy) / 0.5,
                   v = (-std::sin(0.6) * dx + std::cos(0.6) * dy) / 0.3;
      if (u * u + v * v <= 1) sum += 1.5 * std::polar(1.0, -2 * M_PI * (k[0] * x + k[1] * y));
    }
  // Points beside the border: some 3,000 of 1e-6 each, of random sign.
  EXPECT_LT(std::abs(transform_at(object, k) - sum * (4.0 / (n * n))), 3e-4);
}

}  // namespace
}  // namespace larmor::sim
