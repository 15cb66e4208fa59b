// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/average.hpp>

namespace larmor::ivim {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Array series(std::vector<float> values, std::int64_t voxels, std::int64_t samples) {
  return Array::from<float>(values, {voxels, samples});
}

TEST(IvimAverage, MakesOneOfEachBValueWhateverTheOrder) {
  // b = 100 twice, 0 twice (once as 0.5), 500 once; two voxels.
  const Array data = series({4, 40, 10, 100, 6, 60, 12, 120, 1, 10}, 2, 5);
  const auto a = average_b(data, std::vector<double>{100, 0.5, 100, 0, 500}, Average::mean);
  EXPECT_THAT(a.b, ElementsAre(0.25, 100, 500));
  EXPECT_THAT(a.counts, ElementsAre(2, 2, 1));
  const auto s = a.signal.span<const float>();
  EXPECT_THAT(std::vector<float>(s.begin(), s.end()), ElementsAre(11, 110, 5, 50, 1, 10));
}

/// exp(-b D_k) in three directions: the geometric mean decays with the mean of the D_k, the arithmetic mean slower.
TEST(IvimAverage, TheGeometricMeanOfDirectionsIsThatOfTheTrace) {
  std::vector<float> values;
  std::vector<double> b;
  for (const double D : {0.4e-3, 0.9e-3, 2.0e-3})
    values.push_back(static_cast<float>(std::exp(-800 * D))), b.push_back(800);
  const auto g = average_b(series(values, 1, 3), b, Average::geometric);
  EXPECT_NEAR(-std::log(double{g.signal.data<float>()[0]}) / 800, 1.1e-3, 1e-9);
  const auto m = average_b(series(values, 1, 3), b, Average::mean);
  EXPECT_LT(-std::log(double{m.signal.data<float>()[0]}) / 800, 1.1e-3);  // Jensen
}

TEST(IvimAverage, NoneKeepsAllAndVoxelsWithoutDataStaySo) {
  const float nan = std::nanf("");
  const Array data = series({1, 0, nan, 3, 0, 2}, 3, 2);
  EXPECT_EQ(average_b(data, std::vector<double>{50, 50}, Average::none).b.size(), 2);
  for (const auto how : {Average::mean, Average::geometric}) {
    const auto a = average_b(data, std::vector<double>{50, 50}, how);
    const float* s = a.signal.data<float>();
    EXPECT_NEAR(s[0], how == Average::mean ? 2 : std::sqrt(3.0), 1e-6);
    EXPECT_EQ(s[1], 0);
    EXPECT_TRUE(std::isnan(s[2]));
  }
}

// Without one of its directions a b-value has another trace, and the step to its neighbours looks like perfusion.
TEST(IvimAverage, ATraceNeedsTheSameDirectionsAtEveryB) {
  const auto refusal = [](const std::vector<double>& b, Average how) {
    try {
      average_b(series(std::vector<float>(b.size(), 1.0F), 1, static_cast<std::int64_t>(b.size())), b, how);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal({0, 100, 100, 100, 500, 500}, Average::geometric),
              HasSubstr("2 volumes at b = 500 s/mm2 and 3 at b = 100"));
  EXPECT_THAT(refusal({0, 100, 100, 100, 100, 500, 500, 500}, Average::geometric), HasSubstr("direction is missing"));
  EXPECT_EQ(refusal({0, 100, 100, 100, 500, 500}, Average::mean), "");
  EXPECT_EQ(refusal({0, 0, 0, 0, 100, 100, 100, 500, 500, 500, 500, 500, 500}, Average::geometric), "");
  EXPECT_EQ(refusal({0, 100, 500}, Average::geometric), "");
}

TEST(IvimAverage, RefusesWhatCannotBe) {
  const auto refusal = [](std::vector<double> b) {
    try {
      average_b(series({1, 2}, 1, 2), b, Average::mean);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(refusal({0}), HasSubstr("1 b-values"));
  EXPECT_THAT(refusal({0, -5}), HasSubstr("a b-value of -5"));
}

}  // namespace
}  // namespace larmor::ivim
