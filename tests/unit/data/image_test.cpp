// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/data/image.hpp>
#include <limits>
#include <random>

using namespace larmor;
using testing::HasSubstr;

namespace {

/// Runs f and returns the error it throws.
template <class F>
Error caught(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Errc::internal, "nothing");
}

Affine random_affine(std::mt19937& rng) {
  std::uniform_real_distribution<double> u(-1, 1);
  Affine a;
  do {
    for (std::size_t r = 0; r < 3; ++r)
      for (std::size_t c = 0; c < 4; ++c) a.m[r][c] = c < 3 ? u(rng) : 100 * u(rng);
  } while (std::abs(a.determinant()) < 0.05);
  return a;
}

Image image_of(Shape shape) {
  Image image;
  image.data = Array::of<float>(std::move(shape));
  return image;
}

}  // namespace

TEST(Affine, InverseUndoesAndProductComposes) {
  std::mt19937 rng(1);
  for (int repeat = 0; repeat < 100; ++repeat) {
    const Affine a = random_affine(rng), b = random_affine(rng);
    // det >= 0.05, so entries of the inverse stay below 40 and rounding below 1e-16 * 40 * 100 * few.
    EXPECT_LT((a * a.inverse()).distance(Affine{}), 1e-10);
    EXPECT_LT((a.inverse() * a).distance(Affine{}), 1e-10);
    const auto inner = b.apply(3, -2, 5);
    const auto p = a.apply(inner[0], inner[1], inner[2]), q = (a * b).apply(3, -2, 5);
    for (std::size_t r = 0; r < 3; ++r) EXPECT_NEAR(p[r], q[r], 1e-11);
    EXPECT_NEAR((a * b).determinant(), a.determinant() * b.determinant(), 1e-13);
  }
}

TEST(Affine, TinyVoxelsAreNotSingularButFlatOnesAre) {
  const Affine small = Affine::scaling(1e-5, 1e-5, 1e-5);
  EXPECT_LT((small * small.inverse()).distance(Affine{}), 1e-12);
  EXPECT_EQ(caught([] { Affine::scaling(1, 1, 0).inverse(); }).code(), Errc::numeric);
  EXPECT_TRUE(std::isnan(Affine::scaling(1, NAN, 1).spacing()[1]));
  Affine parallel;
  for (std::size_t r = 0; r < 3; ++r) parallel.m[r][1] = parallel.m[r][0];
  EXPECT_EQ(caught([&] { parallel.inverse(); }).code(), Errc::numeric);
}

TEST(Affine, SpacingAndOrientation) {
  EXPECT_EQ(Affine{}.orientation(), "RAS");
  EXPECT_EQ(Affine::scaling(-1, -2, 3).orientation(), "LPS");
  Affine coronal;  // i to the left, j up, k to the front
  coronal.m = {{{-2, 0, 0, 0}, {0, 0, 4, 0}, {0, 3, 0, 0}, {0, 0, 0, 1}}};
  EXPECT_EQ(coronal.orientation(), "LSA");
  EXPECT_EQ(coronal.spacing(), (std::array<double, 3>{2, 3, 4}));
  // Turned by 20 degrees about z: the nearest axes are still R and A, and lengths do not change.
  const double c = std::cos(20 * M_PI / 180), s = std::sin(20 * M_PI / 180);
  Affine turned;
  turned.m = {{{2 * c, -s, 0, 0}, {2 * s, c, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
  EXPECT_EQ(turned.orientation(), "RAS");
  EXPECT_NEAR(turned.spacing()[0], 2, 1e-15);
  // Every axis gets its own letter even at 45 degrees.
  turned.m = {{{1, -1, 0, 0}, {1, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}};
  EXPECT_EQ(turned.orientation(), "RAS");
}

TEST(Image, LikeKeepsGeometryAndTimesOnlyForSeries) {
  Image image = image_of({4, 3, 2, 5});
  image.affine = Affine::scaling(1, 2, 3);
  image.times = {0, 1, 2, 3, 4};
  image.meta["FlipAngle"] = 15.0;
  const Image map = image.like(Array::of<double>({4, 3, 2}));
  EXPECT_EQ(map.affine.distance(image.affine), 0);
  EXPECT_TRUE(map.times.empty());
  EXPECT_EQ(map.meta, image.meta);
  EXPECT_EQ(image.like(Array::of<float>({4, 3, 2, 5})).times, image.times);
  EXPECT_TRUE(image.like(Array::of<float>({4, 3, 2, 6})).times.empty());
  EXPECT_THAT(caught([&] { image.like(Array::of<float>({4, 2, 3})); }).what(), HasSubstr("4 x 2 x 3"));
}

TEST(Image, SameSpaceNamesBothGrids) {
  const auto e = caught([] {
    require_same_space(image_of({4, 3, 2, 9}), image_of({4, 3, 1}), "the dynamic", "the mask");
  });
  EXPECT_EQ(e.code(), Errc::shape);
  EXPECT_THAT(e.what(), HasSubstr("the dynamic has 4 x 3 x 2 voxels and the mask has 4 x 3 x 1"));
}

TEST(Image, SameSpaceComparesCorners) {
  Image a = image_of({101, 3, 2}), b = a;
  EXPECT_NO_THROW(require_same_space(a, b, "a", "b"));
  b.affine.m[0][3] = 0.09;
  EXPECT_NO_THROW(require_same_space(a, b, "a", "b"));
  b.affine.m[0][3] = 0;
  b.affine.m[1][0] = 0.01;  // 0.01 in the entry, 1 mm at voxel 100
  const auto e = caught([&] { require_same_space(a, b, "a", "b"); });
  EXPECT_EQ(e.code(), Errc::shape);
  EXPECT_THAT(e.what(), HasSubstr("up to 1 mm apart"));
  EXPECT_NO_THROW(require_same_space(a, b, "a", "b", 1.1));
  b.affine.m[1][0] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(caught([&] { require_same_space(a, b, "a", "b"); }).code(), Errc::shape);
}

TEST(Image, MaskSelectsWhatIsNotZero) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> values{0, 1, nan, -2, 0.5f, 0};
  Image image;
  image.data = Array::from<float>(values, {3, 2, 1});
  EXPECT_EQ(mask_from(image), (std::vector<std::uint8_t>{0, 1, 0, 1, 1, 0}));
  image.data = Array::from<std::int16_t>(std::vector<std::int16_t>{0, 7, 0, -1}, {2, 2, 1});
  EXPECT_EQ(mask_from(image), (std::vector<std::uint8_t>{0, 1, 0, 1}));
}

TEST(Image, MaskOfAViewFollowsTheView) {
  Image image;
  image.data =
      Array::from<float>(std::vector<float>{1, 0, 2, 3, 0, 4, 5, 6}, {2, 2, 2}).permuted(std::vector<int>{1, 0, 2});
  EXPECT_EQ(mask_from(image), (std::vector<std::uint8_t>{1, 1, 0, 1, 0, 1, 1, 1}));
}

TEST(Image, MaskErrors) {
  Image image = image_of({3, 2, 1});
  EXPECT_EQ(caught([&] { mask_from(image); }).code(), Errc::range);
  EXPECT_THAT(caught([&] { mask_from(image); }).what(), HasSubstr("empty mask"));
  EXPECT_EQ(caught([] { mask_from(image_of({3, 2, 1, 4})); }).code(), Errc::shape);
  EXPECT_EQ(caught([] { mask_from(Image{}); }).code(), Errc::shape);
}
