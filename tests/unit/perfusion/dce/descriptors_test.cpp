// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/descriptors.hpp>
#include <limits>

using namespace larmor;
using namespace larmor::dce;

namespace {
/// Up from 0 at 20 s to `peak` at 50 s, then down by 0.002 mM/s.
float triangle(double t, double peak) {
  if (t < 20) return 0;
  return static_cast<float>(t < 50 ? peak * (t - 20) / 30 : peak - 0.002 * (t - 50));
}
const std::vector<double> times = [] {
  std::vector<double> t;
  for (double x = 0; x <= 120; x += 5) t.push_back(x);
  for (double x = 130; x <= 220; x += 10) t.push_back(x);  // a coarser end
  return t;
}();
Array curves(const std::vector<double>& peaks) {
  const auto n = peaks.size();
  Array a = Array::of<float>({static_cast<std::int64_t>(n), static_cast<std::int64_t>(times.size())});
  for (std::size_t v = 0; v < n; ++v)
    for (std::size_t t = 0; t < times.size(); ++t) a.data<float>()[t * n + v] = triangle(times[t], peaks[v]);
  return a;
}
}  // namespace

// A curve that is linear between the frames: everything is known exactly (to f32 sums, 1e-5).
TEST(Descriptors, TriangleByHand) {
  const auto d = describe_uptake(curves({1, 2.5}), times, 20);
  for (int v = 0; v < 2; ++v) {
    const double p = v ? 2.5 : 1.0;
    const auto area = [&](double to) { return 15 * p + (to - 50) * p - 0.001 * (to - 50) * (to - 50); };
    EXPECT_NEAR(d.iAUC60[v], area(80), 1e-4);
    EXPECT_NEAR(d.iAUC90[v], area(110), 1e-4);
    EXPECT_NEAR(d.iAUC180[v], area(200), 1e-3);
    EXPECT_FLOAT_EQ(d.TTP[v], 30);
    EXPECT_FLOAT_EQ(d.peak[v], static_cast<float>(p));
    EXPECT_NEAR(d.wash_in[v], p / 30, 1e-6);
    EXPECT_NEAR(d.wash_out[v], -0.002, 1e-7);
  }
}

// An arrival between frames takes its part of the first interval; descriptors are linear in the concentration.
TEST(Descriptors, ArrivalBetweenFrames) {
  const auto d = describe_uptake(curves({1}), times, 22);
  EXPECT_NEAR(d.iAUC60[0], 15 - 0.5 * 2 * 2.0 / 30 + 32 - 0.001 * 32 * 32, 1e-4);
  EXPECT_FLOAT_EQ(d.TTP[0], 28);
  EXPECT_NEAR(d.wash_in[0], (1 - 2.0 / 30) / 28, 1e-6);
}

TEST(Descriptors, WhatDoesNotExistIsNaN) {
  Array c = curves({1, 1, 1});
  c.data<float>()[4 * 3 + 1] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<double> early(times.begin(), times.begin() + 18);  // to 85 s
  const auto d = describe_uptake(c.range(1, 0, 18), early, 20, std::vector<std::uint8_t>{1, 1, 0});
  EXPECT_FALSE(std::isnan(d.iAUC60[0]));
  EXPECT_TRUE(std::isnan(d.iAUC90[0]) && std::isnan(d.iAUC180[0]));
  for (int v = 1; v < 3; ++v)
    EXPECT_TRUE(std::isnan(d.iAUC60[v]) && std::isnan(d.TTP[v]) && std::isnan(d.peak[v]) && std::isnan(d.wash_in[v]) &&
                std::isnan(d.wash_out[v]));
  const std::vector<double> rising(times.begin(), times.begin() + 11);  // to 50 s, the peak is the end
  EXPECT_TRUE(std::isnan(describe_uptake(c.range(1, 0, 11), rising, 20).wash_out[0]));
}

TEST(Descriptors, Errors) {
  const Array c = curves({1, 2});
  const auto code = [&](std::span<const double> t, double arrival, std::span<const std::uint8_t> mask) {
    try {
      describe_uptake(c, t, arrival, mask);
    } catch (const Error& e) {
      EXPECT_FALSE(e.advice().empty());
      return e.code();
    }
    return Errc::internal;
  };
  const std::vector<std::uint8_t> none{0, 0}, three{1, 1, 1};
  EXPECT_EQ(code(std::span(times).first(5), 20, {}), Errc::shape);
  EXPECT_EQ(code(times, -1, {}), Errc::range);
  EXPECT_EQ(code(times, 220, {}), Errc::range);
  EXPECT_EQ(code(times, NAN, {}), Errc::range);
  EXPECT_EQ(code(times, 20, none), Errc::range);
  EXPECT_EQ(code(times, 20, three), Errc::shape);
}
