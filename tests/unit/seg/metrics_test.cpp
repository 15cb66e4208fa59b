// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/seg/metrics.hpp>
#include <larmor/seg/surface.hpp>
#include <numeric>

namespace larmor::seg {
namespace {

Array box(Shape grid, std::array<int, 3> first, std::array<int, 3> size) {
  Array out = Array::of<bool>(grid);
  for (int z = 0; z < size[2]; ++z)
    for (int y = 0; y < size[1]; ++y)
      for (int x = 0; x < size[0]; ++x)
        out.data<bool>()[((first[2] + z) * grid[1] + first[1] + y) * grid[0] + first[0] + x] = true;
  return out;
}

TEST(Overlap, TwoBarsByHand) {
  // A: x = 1..4, B: x = 3..6 of one row: 4 and 4 voxels, 2 common.
  // Every voxel is surface. From A to B: 2, 1, 0, 0; from B to A: 0, 0, 1, 2 voxels of 2 mm.
  const auto o = overlap(box({8, 3, 3}, {1, 1, 1}, {4, 1, 1}), box({8, 3, 3}, {3, 1, 1}, {4, 1, 1}), {2, 1, 1}, 2);
  EXPECT_EQ(o.found, 4);
  EXPECT_EQ(o.both, 2);
  EXPECT_DOUBLE_EQ(o.dice, 0.5);
  EXPECT_DOUBLE_EQ(o.jaccard, 2.0 / 6);
  // Along a bar 5 corners of voxels on each of its 4 edges: the outer ones cut off by a triangle through (1, 0, 0),
  // (0, 1/2, 0) and (0, 0, 1/2) mm, of 3/8 mm2, the inner by a rectangle of 2 x sqrt(1/2). Farther than 2 mm: one end.
  EXPECT_DOUBLE_EQ(o.nsd, (4 * 3.0 / 8 + 12 * std::sqrt(2.0)) / (8 * 3.0 / 8 + 12 * std::sqrt(2.0)));
  EXPECT_DOUBLE_EQ(o.assd, 12.0 / 8);      // 4 + 2 + 0 + 0 + 0 + 0 + 2 + 4 mm of 8
  EXPECT_DOUBLE_EQ(o.hd95, 2 + 2 * 0.85);  // sorted 0 0 2 4: rank 0.95 x 3 = 2.85 lies 0.85 of the way from 2 to 4
  EXPECT_DOUBLE_EQ(o.volume_error, 0);
}

TEST(Overlap, CubesByHand) {
  // A cube of 5^3 against itself with one more layer: 25 of 150 voxels are new.
  const auto o = overlap(box({9, 9, 9}, {2, 2, 2}, {6, 5, 5}), box({9, 9, 9}, {2, 2, 2}, {5, 5, 5}), {1, 1, 1}, 0);
  EXPECT_DOUBLE_EQ(o.dice, 2.0 * 125 / 275);
  EXPECT_DOUBLE_EQ(o.jaccard, 125.0 / 150);
  EXPECT_DOUBLE_EQ(o.volume_error, 20);
  // Outer voxels: 6 x 5 x 5 has 150 - 4 x 3 x 3 = 114, the cube 125 - 27 = 98. Not on the other's: of the larger the
  // layer x = 7 (25, 1 mm away); its other 89 are on the cube's. Of the cube the inner 9 of its face x = 6, 1 mm away.
  EXPECT_DOUBLE_EQ(o.assd, (25.0 + 9) / (114 + 98));
  EXPECT_DOUBLE_EQ(o.hd95, 1);
}

TEST(Overlap, AreasOfBoxesByHand) {
  // The same two. Areas: a corner sqrt(3) / 8, an element of an edge sqrt(1/2), of a face 1; n voxels have n - 1 inner
  // elements. Not on the other's: of the larger the whole end, of the cube what lies inside its last face.
  const double edge = std::sqrt(0.5), corner = std::sqrt(3.0) / 8;
  const double cube = 8 * corner + 12 * 4 * edge + 6 * 16, larger = 8 * corner + (8 * 4 + 4 * 5) * edge + 4 * 20 + 32;
  const double end = 4 * corner + 4 * 4 * edge + 16;
  const auto o = overlap(box({9, 9, 9}, {2, 2, 2}, {6, 5, 5}), box({9, 9, 9}, {2, 2, 2}, {5, 5, 5}), {1, 1, 1}, 0);
  EXPECT_NEAR(o.nsd, 1 - (end + 16) / (cube + larger), 1e-12);
  const auto within = overlap(box({9, 9, 9}, {2, 2, 2}, {6, 5, 5}), box({9, 9, 9}, {2, 2, 2}, {5, 5, 5}), {1, 1, 1});
  EXPECT_DOUBLE_EQ(within.nsd, 1);
}

TEST(Surface, ElementsHaveTheAreaOfTheirPolygon) {
  const std::array<double, 3> one{1, 1, 1};
  EXPECT_EQ(element_area(0, one), 0);
  EXPECT_EQ(element_area(255, one), 0);
  EXPECT_DOUBLE_EQ(element_area(0x01, one), std::sqrt(3.0) / 8);
  EXPECT_DOUBLE_EQ(element_area(0x03, one), std::sqrt(0.5));
  EXPECT_DOUBLE_EQ(element_area(0x0f, one), 1);
  EXPECT_DOUBLE_EQ(element_area(0x0f, {2, 3, 5}), 6);                 // z parts
  EXPECT_DOUBLE_EQ(element_area(0x55, {2, 3, 5}), 15);                // x parts
  EXPECT_DOUBLE_EQ(element_area(0x09, one), std::sqrt(3.0) / 4);      // two voxels across a face are parted
  EXPECT_DOUBLE_EQ(element_area(0x81, one), std::sqrt(3.0) / 4);      // and across the cube
  EXPECT_DOUBLE_EQ(element_area(0x17, one), 3 * std::sqrt(3.0) / 4);  // a voxel and its three neighbours: a hexagon
}

TEST(Surface, ElementsDoNotKnowAxes) {
  const auto turned = [](int bits) {  // x to y to z to x
    int out = 0;
    for (int c = 0; c < 8; ++c)
      if (bits >> c & 1) out |= 1 << ((c << 1 & 7) | c >> 2);
    return static_cast<std::uint8_t>(out);
  };
  const auto mirrored = [](int bits) { return static_cast<std::uint8_t>((bits & 0x55) << 1 | (bits & 0xaa) >> 1); };
  for (int bits = 0; bits < 256; ++bits) {
    const double area = element_area(static_cast<std::uint8_t>(bits), {2, 3, 5});
    EXPECT_NEAR(element_area(turned(bits), {5, 2, 3}), area, 1e-12) << bits;
    EXPECT_NEAR(element_area(mirrored(bits), {2, 3, 5}), area, 1e-12) << bits;
    EXPECT_NEAR(element_area(static_cast<std::uint8_t>(bits), {4, 6, 10}), 4 * area, 1e-12) << bits;
    // No closed surface inside a cube: at least the area of what crosses it, at most three squares.
    EXPECT_LE(element_area(static_cast<std::uint8_t>(bits), {1, 1, 1}), 3) << bits;
  }
}

TEST(Surface, ABallHasItsArea) {
  // A contour of steps is longer than what it follows: not at all for planes across an axis or across (1, 1, 0), by
  // more for those between, 8 % over all directions whatever the radius.
  for (const double r : {6.0, 10.3}) {
    const int n = 27;
    Array ball = Array::of<bool>({n, n, n});
    std::size_t i = 0;
    for (int z = 0; z < n; ++z)
      for (int y = 0; y < n; ++y)
        for (int x = 0; x < n; ++x, ++i)
          ball.data<bool>()[i] = (x - 13) * (x - 13) + (y - 13) * (y - 13) + (z - 13) * (z - 13) <= r * r;
    const auto s = surface_of(ball, {1, 1, 1});
    const double ratio = std::accumulate(s.area.begin(), s.area.end(), 0.0) / (4 * M_PI * r * r);
    EXPECT_NEAR(ratio, 1.08, 0.02) << r;
  }
}

TEST(Overlap, SameAndEmptyAndOneEmpty) {
  const auto a = box({6, 6, 6}, {1, 1, 1}, {3, 3, 3});
  const Array none = Array::of<bool>({6, 6, 6});
  const auto same = overlap(a, a, {1, 1, 1});
  EXPECT_EQ(same.dice, 1);
  EXPECT_EQ(same.jaccard, 1);
  EXPECT_EQ(same.nsd, 1);
  EXPECT_EQ(same.hd95, 0);
  EXPECT_EQ(same.assd, 0);
  const auto empty = overlap(none, none, {1, 1, 1});
  EXPECT_EQ(empty.dice, 1);
  EXPECT_EQ(empty.nsd, 1);
  EXPECT_TRUE(std::isnan(empty.hd95));
  EXPECT_EQ(empty.volume_error, 0);
  const auto lost = overlap(none, a, {1, 1, 1});
  EXPECT_EQ(lost.dice, 0);
  EXPECT_EQ(lost.nsd, 0);
  EXPECT_TRUE(std::isnan(lost.assd));
  EXPECT_EQ(lost.volume_error, -100);
  EXPECT_TRUE(std::isnan(overlap(a, none, {1, 1, 1}).volume_error));
}

TEST(Overlap, IsSymmetricAndScales) {
  const auto a = box({10, 9, 8}, {1, 2, 1}, {5, 4, 3}), b = box({10, 9, 8}, {3, 1, 2}, {4, 5, 4});
  const auto ab = overlap(a, b, {1, 1, 1}), ba = overlap(b, a, {1, 1, 1}), twice = overlap(a, b, {2, 2, 2}, 2);
  EXPECT_DOUBLE_EQ(ab.dice, ba.dice);
  EXPECT_DOUBLE_EQ(ab.nsd, ba.nsd);
  EXPECT_DOUBLE_EQ(ab.hd95, ba.hd95);
  EXPECT_DOUBLE_EQ(ab.assd, ba.assd);
  EXPECT_NEAR(twice.assd, 2 * ab.assd, 1e-6);  // distances are floats
  EXPECT_NEAR(twice.hd95, 2 * ab.hd95, 1e-6);
  EXPECT_DOUBLE_EQ(twice.nsd, ab.nsd);
}

TEST(Overlap, Refuses) {
  const Array a = Array::of<bool>({4, 4, 4}), b = Array::of<bool>({4, 4, 5});
  EXPECT_THROW(overlap(a, b, {1, 1, 1}), Error);
  EXPECT_THROW(overlap(a, a, {1, 0, 1}), Error);
  EXPECT_THROW(overlap(a, a, {1, 1, 1}, -1), Error);
}

TEST(Agreement, BlandAltmanByHand) {
  const std::vector<double> found{10, 12, 15}, truth{9, 12, 12};  // differences 1, 0, 3
  const auto l = limits_of_agreement(found, truth);
  EXPECT_DOUBLE_EQ(l.bias, 4.0 / 3);
  EXPECT_DOUBLE_EQ(l.deviation, std::sqrt((1.0 / 9 + 16.0 / 9 + 25.0 / 9) / 2));
  EXPECT_DOUBLE_EQ(l.upper - l.lower, 2 * 1.96 * l.deviation);
  EXPECT_THROW(limits_of_agreement(found, std::vector<double>{1}), Error);
  EXPECT_THROW(limits_of_agreement(std::vector<double>{1}, std::vector<double>{1}), Error);
}

TEST(Icc, ByHand) {
  // Pairs (1,2) (3,4) (5,6): rows have means 1.5 3.5 5.5, MSR = 2 (4 + 0 + 4) / 2 = 8; columns 3 and 4:
  // MSC = 3 (0.25 + 0.25) = 1.5; MSE = 0. ICC(A,1) = 8 / (8 + 2 x 1.5 / 3) = 8 / 9: a constant offset counts against
  // it.
  EXPECT_DOUBLE_EQ(icc_a1(std::vector<double>{1, 3, 5}, std::vector<double>{2, 4, 6}), 8.0 / 9);
  EXPECT_DOUBLE_EQ(icc_a1(std::vector<double>{1, 3, 5}, std::vector<double>{1, 3, 5}), 1);
  EXPECT_TRUE(std::isnan(icc_a1(std::vector<double>{2, 2}, std::vector<double>{2, 2})));
}

TEST(Percentile, IsLinearBetweenRanks) {
  EXPECT_DOUBLE_EQ(percentile({3, 1, 2}, 50), 2);
  EXPECT_DOUBLE_EQ(percentile({1, 2, 3, 4}, 25), 1.75);
  EXPECT_DOUBLE_EQ(percentile({NAN, 5}, 90), 5);
  EXPECT_TRUE(std::isnan(percentile({}, 50)));
  EXPECT_THROW(percentile({1}, 101), Error);
}

TEST(Bootstrap, DrawsPersonsNotImages) {
  // One person with 50 images of 1, one with 1 image of 0: means over persons drawn twice are 1, 0 or 50 / 51.
  std::vector<std::string> persons(51, "a");
  persons[50] = "b";
  std::vector<double> values(51, 1.0);
  values[50] = 0;
  std::size_t other = 0;
  const auto interval = bootstrap(
      persons,
      [&](std::span<const std::size_t> drawn) {
        double sum = 0;
        for (const auto i : drawn) sum += values[i];
        const double m = sum / static_cast<double>(drawn.size());
        other += !(m == 0 || m == 1 || std::abs(m - 50.0 / 51) < 1e-12);
        return m;
      },
      1, 400);
  EXPECT_EQ(other, 0u);
  EXPECT_NEAR(interval.value, 50.0 / 51, 1e-12);
  EXPECT_EQ(interval.lower, 0);  // a quarter of the draws
  EXPECT_EQ(interval.upper, 1);
  EXPECT_THROW(bootstrap(
                   {}, [](auto) { return 0.0; }, 1),
               Error);
}

TEST(Bootstrap, IntervalOfAMeanIsThatOfTheory) {
  // 200 values of deviation s: the interval of the mean is +- 1.96 s / sqrt(200), within the noise of 2000 draws (5 %).
  std::vector<std::string> persons;
  std::vector<double> values;
  for (int i = 0; i < 200; ++i) persons.push_back(std::to_string(i)), values.push_back(std::sin(i * 1.7));
  const double m = mean(values);
  double s = 0;
  for (const double v : values) s += (v - m) * (v - m) / 200;
  const auto i = bootstrap(
      persons,
      [&](std::span<const std::size_t> drawn) {
        double sum = 0;
        for (const auto k : drawn) sum += values[k];
        return sum / static_cast<double>(drawn.size());
      },
      3);
  EXPECT_NEAR((i.upper - i.lower) / (2 * 1.96 * std::sqrt(s / 200)), 1, 0.1);
}

}  // namespace
}  // namespace larmor::seg
