// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/data/trajectory.hpp>

namespace larmor {
namespace {

using testing::HasSubstr;

Trajectory two_spokes() {
  const std::vector<float> k{-4, 0, 3, 0, 0, 0, 0, 0, 0, -4, 0, 3};  // kx of both arms, then ky
  return {.k = Array::from<float>(k, {3, 2, 2}, {"sample", "arm", "d"}), .matrix = {8, 8}, .fov = {240, 240}};
}

std::string message_of(const Trajectory& t) {
  try {
    t.check();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Trajectory, KnowsItsSamples) {
  const Trajectory t = two_spokes();
  t.check();
  EXPECT_EQ(t.dimensions(), 2);
  EXPECT_EQ(t.size(), 6);
  EXPECT_EQ(t.sample_shape(), (Shape{3, 2}));
  EXPECT_EQ(t.sample_axes(), (Axes{"sample", "arm"}));
}

TEST(Trajectory, RefusesToBeEmpty) {
  Trajectory t = two_spokes();
  t.k = Array::of<float>({0, 2, 2});
  EXPECT_THAT(message_of(t), HasSubstr("there are no samples"));
}

TEST(Trajectory, RefusesPositionsBeyondHalfACycleAPixel) {
  Trajectory t = two_spokes();
  t.matrix = {7, 8};
  EXPECT_THAT(message_of(t), HasSubstr("kx of sample 0 is -4 cycles/FOV, beyond +-3.5"));
  t.matrix = {8, 7};
  EXPECT_THAT(message_of(t), HasSubstr("ky of sample 3"));
}

TEST(Trajectory, RefusesWhatIsNoNumber) {
  Trajectory t = two_spokes();
  t.k.data<float>()[1] = std::nanf("");
  EXPECT_THAT(message_of(t), HasSubstr("kx of sample 1 is nan"));
}

TEST(Trajectory, RefusesCountsThatDoNotFit) {
  Trajectory t = two_spokes();
  t.matrix = {8};
  EXPECT_THAT(message_of(t), HasSubstr("1 matrix sizes for 2 coordinates"));
  t = two_spokes();
  t.fov = {240, 0};
  EXPECT_THAT(message_of(t), HasSubstr("a field of view of 0 mm"));
  t = two_spokes();
  t.times = {0, 1};
  EXPECT_THAT(message_of(t), HasSubstr("2 times for 3 samples"));
  t.k = Array::of<float>({3, 4});
  EXPECT_THAT(message_of(t), HasSubstr("2 or 3 coordinates"));
  t.k = Array::of<int>({3, 2});
  EXPECT_THAT(message_of(t), HasSubstr("give f32 or f64"));
}

TEST(Trajectory, DataHasTheAxesOfTheSamplesFirst) {
  const Trajectory t = two_spokes();
  require_same_samples(t, Array::of<std::complex<float>>({3, 2, 5}), "samples");
  EXPECT_THROW(require_same_samples(t, Array::of<std::complex<float>>({2, 3}), "samples"), Error);
  EXPECT_THROW(require_same_samples(t, Array::of<std::complex<float>>({3}), "samples"), Error);
}

}  // namespace
}  // namespace larmor
