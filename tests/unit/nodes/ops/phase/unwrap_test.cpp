// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <numbers>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::HasSubstr;
constexpr double pi = std::numbers::pi;

Array smooth(Shape shape, double height) {
  Array out = Array::of<double>(shape);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    const double x = static_cast<double>(i % shape[0]) / static_cast<double>(shape[0]) - 0.5,
                 y = static_cast<double>(i / shape[0] % shape[1]) / static_cast<double>(shape[1]) - 0.5,
                 z = shape.size() > 2 ? static_cast<double>(i / shape[0] / shape[1]) / static_cast<double>(shape[2])
                                      : 0;
    out.data<double>()[i] = height * std::exp(-8 * (x * x + y * y)) + 9 * x - 7 * z;
  }
  return out;
}
// Difference to the truth, free of whole turns of all.
double gap_but_turns(const Array& a, const Array& b) {
  const auto x = values(a), y = values(b);
  const double turns = 2 * pi * std::round((x[0] - y[0]) / (2 * pi));
  double worst = 0;
  for (std::size_t i = 0; i < x.size(); ++i) worst = std::max(worst, std::abs(x[i] - y[i] - turns));
  return worst;
}

TEST(PhaseUnwrap, UndoesWrapping) {
  const Array plane = smooth({40, 50}, 25), volume = smooth({20, 22, 12}, 14),
              ramp = line({0, 2, 4, 7, 9, 6, 3, 0.5, -2.5});
  const auto again = [](const Array& a, Sets set) {
    return gap_but_turns(array(run("phase.unwrap", {{"in", run("phase.wrap", {{"in", a}})}}, std::move(set))), a);
  };
  EXPECT_LT(again(ramp, {{"method", "axis"}}), 1e-12);
  EXPECT_LT(again(plane, {{"method", "plane"}}), 1e-12);
  EXPECT_LT(again(volume, {{"method", "volume"}}), 1e-12);
  const Array wrapped = array(run("phase.wrap", {{"in", plane}}));
  for (const double v : values(wrapped)) ASSERT_TRUE(v > -pi && v <= pi);
}

TEST(PhaseUnwrap, OfComplexNumbersAndInAMask) {
  const Array plane = smooth({32, 32}, 20);
  const Array z = array(run("complex.from_polar", {{"magnitude", 1.0}, {"phase", plane}}));
  EXPECT_LT(gap_but_turns(array(run("phase.unwrap", {{"in", z}})), plane), 1e-9);
  // Noise outside a mask does not matter, and comes out as NaN.
  const Value mask = run("mask.shape", {{"like", plane}}, {{"size", Value::List{24.0, 24.0}}}, "mask");
  const Array dirty = array(run("mask.apply", {{"in", plane}, {"mask", mask}}, {{"outside", 2.5}}));
  const auto out = values(array(run("phase.unwrap", {{"in", run("phase.wrap", {{"in", dirty}})}, {"mask", mask}})));
  const auto truth = values(plane), inside = values(array(mask));
  double offset = NAN;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (inside[i] == 0) {
      ASSERT_TRUE(std::isnan(out[i]));
      continue;
    }
    if (std::isnan(offset)) offset = out[i] - truth[i];
    ASSERT_NEAR(out[i] - truth[i], offset, 1e-9);
  }
  EXPECT_NEAR(offset / (2 * pi), std::round(offset / (2 * pi)), 1e-9);
}

TEST(PhaseUnwrap, NoiseStaysWhereItIs) {
  // A corner of pure noise: the quality order unwraps the clean rest without an error, which line by line does not.
  Array plane = smooth({48, 48}, 20);
  const auto noise = values(random({48, 48}));
  for (std::int64_t i = 0; i < plane.size(); ++i)
    if (i % 48 < 12 && i / 48 < 12) plane.data<double>()[i] += 3 * noise[static_cast<std::size_t>(i)];
  const Value wrapped = run("phase.wrap", {{"in", plane}});
  const auto by_quality = values(array(run("phase.unwrap", {{"in", wrapped}}))), truth = values(plane);
  const auto by_lines = values(array(run("phase.unwrap", {{"in", wrapped}}, {{"method", "axis"}})));
  const std::size_t far = 47 + 48 * 47;
  int wrong = 0, wrong_lines = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    if (i % 48 < 14 && i / 48 < 14) continue;
    wrong += std::abs((by_quality[i] - truth[i]) - (by_quality[far] - truth[far])) > 1e-6;
    wrong_lines += std::abs((by_lines[i] - truth[i]) - (by_lines[far] - truth[far])) > 1e-6;
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(wrong_lines, 100);
}

TEST(PhaseUnwrap, Errors) {
  EXPECT_NE(error_of("phase.unwrap", {{"in", line({1, 2})}}, {}, Errc::shape), "");
  EXPECT_NE(error_of("phase.unwrap", {{"in", smooth({4, 4}, 1)}}, {{"method", "volume"}}, Errc::shape), "");
  EXPECT_NE(
      error_of("phase.unwrap", {{"in", smooth({4, 4}, 1)}}, {{"method", "axis"}, {"axis", "q"}}, Errc::unknown_name),
      "");
  EXPECT_THAT(error_of("phase.unwrap", {{"in", smooth({4, 4}, 1)}, {"mask", smooth({4, 3}, 1)}}, {}, Errc::shape),
              HasSubstr("mask"));
  EXPECT_NE(error_of("phase.wrap", {{"in", random({2}, {"x"}, DType::c64)}}, {}, Errc::type), "");
}

}  // namespace
}  // namespace larmor::nodes::test
