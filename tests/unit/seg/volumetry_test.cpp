// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/seg/predict.hpp>
#include <larmor/seg/volumetry.hpp>

namespace larmor::seg {
namespace {

Image labels_of(std::vector<float> values, Shape shape, Affine affine = {}) {
  Image image;
  image.data = Array::from<float>(values, std::move(shape));
  image.affine = affine;
  return image;
}

TEST(Volumetry, CountsTimesVoxel) {
  const auto v = label_volumes(labels_of({0, 1, 1, 2, 0, 2, 2, 0}, {2, 2, 2}, Affine::scaling(0.5, 2, 3)));
  ASSERT_EQ(v.size(), 2u);
  EXPECT_EQ(v[0].voxels, 2);
  EXPECT_EQ(v[1].voxels, 3);
  EXPECT_DOUBLE_EQ(v[0].mm3, 6);
  EXPECT_DOUBLE_EQ(v[1].mL(), 0.009);
}

TEST(Volumetry, DoesNotDependOnOrientation) {
  // A rotation by 30 degrees and a mirror: |det| stays the product of the spacings.
  const double c = std::cos(0.5235987755982988), s = std::sin(0.5235987755982988);
  Affine oblique;
  oblique.m = {{{-1.5 * c, 1 * s, 0, 3}, {1.5 * s, 1 * c, 0, 4}, {0, 0, 2, 5}, {0, 0, 0, 1}}};
  EXPECT_NEAR(voxel_volume(oblique), 3.0, 1e-14);  // one rounding of each product
}

TEST(Volumetry, RefusesWhatIsNoLabel) {
  EXPECT_THROW(label_volumes(labels_of({0, 3}, {2, 1, 1})), Error);
  EXPECT_THROW(label_volumes(labels_of({0, 0.5f}, {2, 1, 1})), Error);
  EXPECT_THROW(label_volumes(labels_of({0, -1}, {2, 1, 1})), Error);
  EXPECT_THROW(label_volumes(labels_of({0, NAN}, {2, 1, 1})), Error);
  EXPECT_THROW(label_volumes(labels_of({0, 1}, {2, 1})), Error);
  EXPECT_THROW(label_volumes(labels_of({0, 1}, {2, 1, 1}, Affine::scaling(1, 0, 1))), Error);
}

TEST(Volumetry, Asymmetry) {
  EXPECT_DOUBLE_EQ(asymmetry_index(3, 1), 100);
  EXPECT_DOUBLE_EQ(asymmetry_index(1, 3), -100);
  EXPECT_TRUE(std::isnan(asymmetry_index(0, 0)));
}

}  // namespace
}  // namespace larmor::seg
