// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/data/sequence.hpp>
#include <numbers>

namespace larmor {
namespace {

using testing::HasSubstr;

double area(const std::vector<double>& t, const std::vector<double>& g) {
  double sum = 0;
  for (std::size_t i = 1; i < t.size(); ++i) sum += 0.5 * (g[i] + g[i - 1]) * (t[i] - t[i - 1]);
  return sum;
}

std::shared_ptr<const Gradient> shared(Gradient g) { return std::make_shared<const Gradient>(std::move(g)); }

using Axis = std::shared_ptr<const Gradient>;
Block block_of(double duration, Axis x, Axis y = {}, Axis z = {}) { return {.duration = duration, .g = {x, y, z}}; }

Rf hard_pulse(double flip, double duration) {
  const std::size_t n = 100;
  return {.magnitude = std::vector<double>(n, flip / (2 * std::numbers::pi * proton_gamma * duration)),
          .phase = std::vector<double>(n, 0.3),
          .raster = duration / n};
}

std::string message_of(const Sequence& s) {
  try {
    s.check();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Sequence, ATrapezoidHasFourCornersAfterItsDelay) {
  const Gradient g{.delay = 1e-3, .trapezoid = Gradient::Trapezoid{0.02, 2e-4, 1e-3, 3e-4}};
  EXPECT_EQ(g.corners(),
            (std::vector<Corner>{
                {1e-3, 0}, {1e-3 + 2e-4, 0.02}, {1e-3 + 2e-4 + 1e-3, 0.02}, {1e-3 + 2e-4 + 1e-3 + 3e-4, 0}}));
  EXPECT_DOUBLE_EQ(g.duration(), 2.5e-3);
}

TEST(Sequence, SamplesOfARampLieOnItsLineUpToTheEdges) {
  Gradient g{.raster = 1e-5};
  for (int i = 0; i < 10; ++i) g.values.push_back(1e-3 * (i + 0.5));
  const auto corners = g.corners();
  ASSERT_EQ(corners.size(), 12u);
  EXPECT_NEAR(corners.front().value, 0, 1e-15);
  EXPECT_NEAR(corners.back().value, 1e-2, 1e-15);
  EXPECT_DOUBLE_EQ(corners.back().time, 1e-4);
  g.first = 5e-4;
  EXPECT_DOUBLE_EQ(g.corners().front().value, 5e-4);
}

TEST(Sequence, AHardPulseTurnsByItsAngleAroundItsMiddle) {
  const Rf rf = hard_pulse(std::numbers::pi / 2, 1e-3);
  EXPECT_NEAR(rf.flip_angle(), std::numbers::pi / 2, 1e-12);
  EXPECT_NEAR(rf.centre_time(), 5e-4, 1e-12);
  EXPECT_NEAR(rf.duration(), 1e-3, 1e-15);
}

TEST(Sequence, TheTableOfGradientsKeepsAreasOfBlocksAndJumps) {
  Sequence s;
  s.blocks.push_back(block_of(2e-3, shared({.trapezoid = Gradient::Trapezoid{0.01, 1e-4, 1e-3, 1e-4}})));
  s.blocks.push_back({.duration = 1e-3});
  // Starts and ends at its full height: two jumps.
  s.blocks.push_back(block_of(1e-3, {}, shared({.values = {0.02, 0.02}, .times = {0, 5e-4}})));
  const GradientTable table = gradient_table(s);
  EXPECT_TRUE(std::is_sorted(table.times.begin(), table.times.end()));
  EXPECT_NEAR(table.times.back(), s.duration(), 1e-15);
  EXPECT_NEAR(area(table.times, table.values[0]), 0.01 * 1.1e-3, 1e-15);
  EXPECT_NEAR(area(table.times, table.values[1]), 0.02 * 5e-4, 1e-15);
  EXPECT_NEAR(area(table.times, table.values[2]), 0, 0);
  EXPECT_EQ(s.starts(), (std::vector<double>{0, 2e-3, 3e-3}));
}

TEST(Sequence, DefinitionsAreReplacedByName) {
  Sequence s;
  s.define("Name", "a");
  s.define("FOV", "0.2 0.2 0.005");
  s.define("Name", "b");
  ASSERT_EQ(s.definitions.size(), 2u);
  EXPECT_EQ(*s.definition("Name"), "b");
  EXPECT_EQ(s.definition("Nam"), nullptr);
}

TEST(Sequence, RefusesWhatCannotBeRun) {
  Sequence s;
  s.blocks.push_back({.duration = 1e-3});
  EXPECT_EQ(message_of(s), "");
  s.blocks.push_back(block_of(1e-3, shared({.trapezoid = Gradient::Trapezoid{0.01, 1e-4, 1e-3, 1e-4}})));
  EXPECT_THAT(message_of(s), HasSubstr("gradient x of block 1: it ends at 0.0012 s and the block lasts 0.001 s"));
  s.blocks[1] = block_of(1e-3, {}, {}, shared({.values = {0.02, 0.02}, .times = {5e-4, 5e-4}}));
  EXPECT_THAT(message_of(s), HasSubstr("gradient z of block 1: time 1 (0.0005 s) is not after"));
  s.blocks[1] = block_of(1e-3, {}, shared({.values = {0.02, NAN}, .raster = 1e-5}));
  EXPECT_THAT(message_of(s), HasSubstr("gradient y of block 1: a sample is nan"));
  Rf rf = hard_pulse(1, 1e-3);
  rf.phase.pop_back();
  s.blocks[1] = {.duration = 1e-3, .rf = std::make_shared<const Rf>(rf)};
  EXPECT_THAT(message_of(s), HasSubstr("pulse of block 1: 99 phases for 100 magnitudes"));
  s.blocks[1] = {.duration = 1e-3, .adc = std::make_shared<const Adc>(Adc{.samples = 10, .dwell = 0})};
  EXPECT_THAT(message_of(s), HasSubstr("sampling of block 1: the dwell time is 0"));
  s.blocks[1] = {.duration = -1};
  EXPECT_THAT(message_of(s), HasSubstr("duration of block 1"));
}

}  // namespace
}  // namespace larmor
