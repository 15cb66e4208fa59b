// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <larmor/clinic/rules.hpp>
#include <larmor/seg/predict.hpp>
#include <larmor/seg/volumetry.hpp>
#include <map>
#include <random>

#include "support.hpp"

/// The shipped network on real series that are stored in other ways: volumes belong to the head, not to the file.
namespace larmor::test {
namespace {

fs::path studies() {
  const char* folder = std::getenv("LARMOR_TEST_DATA");
  return fs::path(folder ? folder : LARMOR_SOURCE_DIR "/../shared/data") / "dicom";
}

/// A series that says what an image says: columns along its x, rows along its y.
SeriesSpec spec_of(const Image& image) {
  const auto n = image.grid();
  const auto mm = image.affine.spacing();
  const auto lps = [&](std::size_t axis) {
    const auto& m = image.affine.m;
    return Vec3{-m[0][axis] / mm[axis], -m[1][axis] / mm[axis], m[2][axis] / mm[axis]};
  };
  SeriesSpec s;
  s.columns = static_cast<int>(n[0]), s.rows = static_cast<int>(n[1]), s.slices = static_cast<int>(n[2]);
  s.dx = mm[0], s.dy = mm[1], s.dz = mm[2];
  s.row = lps(0), s.column = lps(1);
  s.origin = {-image.affine.m[0][3], -image.affine.m[1][3], image.affine.m[2][3]};
  const Array values = image.data.cast(DType::f32).contiguous_copy();
  s.value = [values, n](int i, int j, int k) {
    return static_cast<int>(std::lround(values.data<float>()[(k * n[1] + j) * n[0] + i]));
  };
  return s;
}
void move(Vec3& origin, const Vec3& direction, double mm) {
  for (std::size_t a = 0; a < 3; ++a) origin[a] += direction[a] * mm;
}

/// Value between voxels, linear; the last value holds beyond the edge.
double between(const SeriesSpec& s, double x, double y, double z) {
  const auto cut = [](double v, int n) { return std::min(std::max(v, 0.0), n - 1.0); };
  x = cut(x, s.columns), y = cut(y, s.rows), z = cut(z, s.slices);
  const int i = std::min(static_cast<int>(x), s.columns - 2), j = std::min(static_cast<int>(y), s.rows - 2),
            k = std::min(static_cast<int>(z), s.slices - 2);
  double sum = 0;
  for (int c = 0; c < 2; ++c)
    for (int b = 0; b < 2; ++b)
      for (int a = 0; a < 2; ++a)
        sum +=
            s.value(i + a, j + b, k + c) * (a ? x - i : 1 - x + i) * (b ? y - j : 1 - y + j) * (c ? z - k : 1 - z + k);
  return sum;
}

class Shipped : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP()
        << "a sanitizer makes minutes of five networks; tests of seg and nn walk the same code on small volumes";
#endif
    if (!fs::exists(studies() / GetParam())) GTEST_SKIP() << studies() / GetParam() << " is not there";
    static std::map<std::string, std::pair<Image, std::array<double, 2>>> known;
    if (const auto it = known.find(GetParam()); it != known.end()) {
      std::tie(original_, expected_) = it->second;
      return;
    }
    const auto found = dicom::scan(studies() / GetParam());
    const auto choice = clinic::choose_series(found.studies.at(0), clinic::default_rules());
    original_ = dicom::read_volume(*choice.chosen.at(0).series).image;
    expected_ = volumes(original_);
    known[GetParam()] = {original_, expected_};
    // What the 210 hand-labelled hippocampi span.
    EXPECT_GT(expected_[0] + expected_[1], 1918);
    EXPECT_LT(expected_[0] + expected_[1], 5479);
  }
  static std::array<double, 2> volumes(const Image& image) {
    static const seg::Segmenter segmenter(fs::path(LARMOR_SOURCE_DIR) / "models" / "hippocampus.safetensors");
    const auto v = seg::label_volumes(segmenter.predict(image).labels);
    return {v[0].mm3, v[1].mm3};
  }
  std::array<double, 2> volumes(const SeriesSpec& s) const {
    Folder f;
    write_series(f.path, s);
    return volumes(dicom::read_volume(only_series(f.path)).image);
  }
  void expect_same(const std::array<double, 2>& found, double percent) const {
    for (std::size_t k = 0; k < 2; ++k) EXPECT_NEAR(found[k], expected_[k], percent / 100 * expected_[k]) << k;
  }
  Image original_;
  std::array<double, 2> expected_{};
};

TEST_P(Shipped, OrderOfSlicesMirroringAndPlaneChangeNothing) {
  const SeriesSpec as_it_is = spec_of(original_);
  SeriesSpec mirrored =
      as_it_is;  // columns from the other side, so slices come from the other end; and numbered anyhow
  mirrored.change = [&](dicom::Dataset& d, int k) { d.set("InstanceNumber", (7 * k + 3) % as_it_is.slices + 1); };
  move(mirrored.origin, mirrored.row, (mirrored.columns - 1) * mirrored.dx);
  move(mirrored.origin, normal_of(mirrored), (mirrored.slices - 1) * mirrored.dz);
  for (double& v : mirrored.row) v = -v;
  mirrored.value = [&](int i, int j, int k) {
    return as_it_is.value(as_it_is.columns - 1 - i, j, as_it_is.slices - 1 - k);
  };
  expect_same(volumes(mirrored), 0);

  SeriesSpec turned = as_it_is;  // cut along another plane: columns along y, rows along z, slices along x
  turned.columns = as_it_is.rows, turned.rows = as_it_is.slices, turned.slices = as_it_is.columns;
  turned.dx = as_it_is.dy, turned.dy = as_it_is.dz, turned.dz = as_it_is.dx;
  turned.row = as_it_is.column, turned.column = normal_of(as_it_is);
  turned.value = [&](int i, int j, int k) { return as_it_is.value(k, i, j); };
  expect_same(volumes(turned), 0);

  SeriesSpec framed = as_it_is;  // a larger picture, black around the crop
  framed.columns += 20, framed.rows += 7, framed.slices += 9;
  move(framed.origin, framed.row, -10 * framed.dx);
  move(framed.origin, framed.column, -3 * framed.dy);
  move(framed.origin, normal_of(framed), -9 * framed.dz);
  framed.value = [&](int i, int j, int k) {
    i -= 10, j -= 3, k -= 9;
    const bool inside = i >= 0 && i < as_it_is.columns && j >= 0 && j < as_it_is.rows && k >= 0 && k < as_it_is.slices;
    return inside ? as_it_is.value(i, j, k) : 0;
  };
  expect_same(volumes(framed), 0);
}

// Sampled anew the picture is another one: linear interpolation blurs. The volumes of these crops and of six of the
// training set moved by at most 4.5 % (0.8 mm), those of a picture cut closer by 5.1 %.
TEST_P(Shipped, SpacingAndFieldOfViewChangeLittle) {
  const SeriesSpec as_it_is = spec_of(original_);
  SeriesSpec finer = as_it_is;
  finer.columns = as_it_is.columns * 5 / 4, finer.rows = as_it_is.rows * 5 / 4, finer.slices = as_it_is.slices * 5 / 4;
  for (double* mm : {&finer.dx, &finer.dy, &finer.dz}) *mm *= 0.8;
  finer.value = [&](int i, int j, int k) {
    return static_cast<int>(std::lround(between(as_it_is, 0.8 * i, 0.8 * j, 0.8 * k)));
  };
  expect_same(volumes(finer), 5);

  SeriesSpec closer = as_it_is;
  closer.columns -= 3, closer.rows -= 3, closer.slices -= 3;
  move(closer.origin, closer.row, 2 * closer.dx);
  move(closer.origin, closer.column, 2 * closer.dy);
  move(closer.origin, normal_of(closer), 2 * closer.dz);
  closer.value = [&](int i, int j, int k) { return as_it_is.value(i + 2, j + 2, k + 2); };
  expect_same(volumes(closer), 6);
}

TEST_P(Shipped, ScaleOffsetAndNoiseOfIntensitiesDoNotMatter) {
  Image other = original_;
  other.data = original_.data.cast(DType::f32).clone();
  double sum = 0, squares = 0;
  for (const float v : other.data.span<float>()) sum += v, squares += static_cast<double>(v) * v;
  const auto n = static_cast<double>(other.voxels());
  const double deviation = std::sqrt(squares / n - sum / n * sum / n);
  for (float& v : other.data.span<float>()) v = 1000 * v + 5e5F;
  expect_same(volumes(other), 0.2);  // a voxel or two that lie on the edge of a label, by rounding
  // A tenth of the deviation of the picture: an eighth of the contrast of grey and white matter or so.
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, 0.1 * deviation);
  other.data = original_.data.cast(DType::f32).clone();
  for (float& v : other.data.span<float>()) v = static_cast<float>(v + noise(random));
  expect_same(volumes(other), 1.5);  // 0.8 % measured
}

// What is no picture of a hippocampus any more is said to be uncertain; the pictures as they are are not.
TEST_P(Shipped, DoubtIsFlagged) {
  const seg::Segmenter segmenter(fs::path(LARMOR_SOURCE_DIR) / "models" / "hippocampus.safetensors");
  const auto uncertain = [&](const Image& image) {
    const auto s = segmenter.predict(image);
    return std::any_of(s.flags.begin(), s.flags.end(), [](const seg::Flag& f) { return f.id == "uncertain"; });
  };
  EXPECT_FALSE(uncertain(original_));
  Image inverted = original_;
  inverted.data = original_.data.cast(DType::f32).clone();
  for (float& v : inverted.data.span<float>()) v = -v;
  EXPECT_TRUE(uncertain(inverted));
}

INSTANTIATE_TEST_SUITE_P(Studies, Shipped, testing::Values("study1", "study2"));

}  // namespace
}  // namespace larmor::test
