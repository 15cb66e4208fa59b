// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/compare.hpp>
#include <vector>

namespace larmor::dce {
namespace {

TEST(Compare, ErrorsAreThoseOfTheSample) {
  std::vector<float> truth, estimate;
  for (int i = 0; i < 100; ++i) truth.push_back(10), estimate.push_back(10.0F + static_cast<float>(i % 2 ? 2 : -1));
  const auto c = compare_map(estimate, truth, {.absolute = 1.5, .relative = 0});
  EXPECT_EQ(c.n, 100);
  EXPECT_EQ(c.within, 50);
  EXPECT_NEAR(c.bias, 0.5, 1e-12);
  EXPECT_NEAR(c.sd, 1.5, 1e-12);
  EXPECT_NEAR(c.estimate, 10.5, 1e-12);
  EXPECT_EQ(c.p95, 2);
  EXPECT_TRUE(c.good(0.5));
  EXPECT_FALSE(c.good(0.51));
}

TEST(Compare, MissingEstimatesCountAgainstIt) {
  const std::vector<float> truth{1, 1, NAN, 1}, estimate{1, NAN, 1, 1};
  const std::vector<std::uint8_t> mask{1, 1, 1, 0};
  const auto c = compare_map(estimate, truth, {}, 1, mask);
  EXPECT_EQ(c.n, 1);
  EXPECT_EQ(c.missing, 1);
  EXPECT_FALSE(c.good(0.6));
  EXPECT_TRUE(c.good(0.5));
  EXPECT_FALSE(compare_map(estimate, std::vector<float>(4, NAN), {}).good(0));  // nothing was compared
}

TEST(Compare, UnitsScaleEstimateAndTolerance) {
  EXPECT_NEAR(usual_tolerance("Ktrans", "1/s").absolute, 0.005 / 60, 1e-15);
  EXPECT_EQ(usual_tolerance("ve", "").absolute, 0.05);
  EXPECT_EQ(usual_tolerance("iAUC60", "mM s").relative, 0.1);
  const std::vector<float> truth{60}, estimate{1};
  EXPECT_NEAR(compare_map(estimate, truth, {}, 60).bias, 0, 1e-12);
  EXPECT_THROW(usual_tolerance("Ktrans", "mm"), Error);
}

TEST(Compare, RefusesOtherGrids) {
  const std::vector<float> two(2), three(3);
  const std::vector<std::uint8_t> mask(3, 1);
  EXPECT_THROW(compare_map(two, three, {}), Error);
  EXPECT_THROW(compare_map(two, two, {}, 1, mask), Error);
}

}  // namespace
}  // namespace larmor::dce
