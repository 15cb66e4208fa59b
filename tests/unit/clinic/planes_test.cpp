// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/clinic/page.hpp>
#include <larmor/clinic/planes.hpp>

#include "support.hpp"

namespace larmor::test {
namespace {

/// Where the one labelled voxel is in a plane, as fractions of its width and height from the top left.
std::pair<double, double> place_in(const io::Slice& s) {
  for (int j = 0; j < s.height; ++j)
    for (int i = 0; i < s.width; ++i)
      if (s.values[static_cast<std::size_t>(j * s.width + i)] == 1) return {(i + 0.5) / s.width, (j + 0.5) / s.height};
  return {-1, -1};
}

struct Turned {
  const char* name;
  Vec3 row, column;
};

/// A voxel 5 mm to the patient's left, 4 mm to the back and 3 mm below the middle, whatever way the slices run.
clinic::Side marked(const fs::path& folder, const Turned& t) {
  SeriesSpec s;
  s.columns = s.rows = s.slices = 41;
  s.row = t.row, s.column = t.column;
  const Vec3 n = normal_of(s);
  for (std::size_t c = 0; c < 3; ++c) s.origin[c] = -20 * (s.row[c] + s.column[c] + n[c]);
  s.value = [](int i, int j, int k) { return i + j + k; };
  write_series(folder, s);
  clinic::Side side = measured_side(only_series(folder), "left");
  side.labels.data = Array::of<std::uint8_t>({41, 41, 41});
  const auto at = side.image.affine.inverse().apply(-5, -4, -3);  // RAS
  side.labels.data.data<std::uint8_t>()[(std::llround(at[2]) * 41 + std::llround(at[1])) * 41 + std::llround(at[0])] =
      1;
  return side;
}

TEST(Planes, AMarkedVoxelIsWhereItBelongsAndLettersSaySo) {
  const Turned all[] = {{"axial", {1, 0, 0}, {0, 1, 0}},
                        {"axial, mirrored rows", {-1, 0, 0}, {0, 1, 0}},
                        {"axial, turned", {-1, 0, 0}, {0, -1, 0}},
                        {"coronal", {1, 0, 0}, {0, 0, -1}},
                        {"sagittal", {0, 1, 0}, {0, 0, -1}}};
  for (const auto& t : all) {
    SCOPED_TRACE(t.name);
    Folder f;
    const auto side = marked(f.path, t);
    const auto views = clinic::plane_views(side);
    const double half = 0.5, mm = 1.0 / 41;
    // Axial, from the feet: the patient's left on the right of the picture, the back below.
    auto [x, y] = place_in(views[0].labels);
    EXPECT_NEAR(x, half + 5 * mm, 1e-9);
    EXPECT_NEAR(y, half + 4 * mm, 1e-9);
    EXPECT_EQ(views[0].grey.left + views[0].grey.right + views[0].grey.top + views[0].grey.bottom, "RLAP");
    // Coronal, from the front: left on the right, feet below.
    std::tie(x, y) = place_in(views[1].labels);
    EXPECT_NEAR(x, half + 5 * mm, 1e-9);
    EXPECT_NEAR(y, half + 3 * mm, 1e-9);
    EXPECT_EQ(views[1].grey.left + views[1].grey.right + views[1].grey.top + views[1].grey.bottom, "RLSI");
    // Sagittal: the front on the left.
    std::tie(x, y) = place_in(views[2].labels);
    EXPECT_NEAR(x, half + 4 * mm, 1e-9);
    EXPECT_NEAR(y, half + 3 * mm, 1e-9);
    EXPECT_EQ(views[2].grey.left + views[2].grey.right + views[2].grey.top + views[2].grey.bottom, "APSI");
  }
}

// On the page itself: the first of the three pictures is axial, its coloured voxel right of the middle and below it.
TEST(Planes, TheOverlayOnThePageIsNotMirrored) {
  Folder f;
  clinic::Results r;
  r.sides = {marked(f.path, {"axial", {-1, 0, 0}, {0, 1, 0}})};
  r.subject.id = "P1";
  clinic::stamp(r);
  const auto page = clinic::report_picture(r, 144);
  double x = 0, y = 0, n = 0;
  int left = 1 << 20, right = 0, top = 1 << 20, bottom = 0;
  const auto each = [&](int from, int to, auto&& f) {
    for (int j = from; j < to; ++j)
      for (int i = 0; i < page.width * 35 / 100; ++i)
        f(i, j, &page.pixels[3 * static_cast<std::size_t>(j * page.width + i)]);
  };
  each(page.height / 10, page.height / 2, [&](int i, int j, const std::uint8_t* p) {
    if (p[0] < 20 && p[1] < 20 && p[2] < 25)
      left = std::min(left, i), right = std::max(right, i), top = std::min(top, j), bottom = std::max(bottom, j);
  });
  each(top, bottom, [&](int i, int j, const std::uint8_t* p) {
    if (p[0] > 180 && p[1] > 120 && p[1] < 190 && p[2] < 90) x += i, y += j, n += 1;  // orange
  });
  ASSERT_GT(n, 4);
  // The panel is dark around the picture, which is 41 mm wide, fills it from side to side and lies in its middle.
  const double pixel = (right - left + 1) / 41.0;
  EXPECT_NEAR((x / n - (left + right) / 2.0) / pixel, 5, 0.8);
  EXPECT_NEAR((y / n - (top + bottom) / 2.0) / pixel, 4, 0.8);
}

}  // namespace
}  // namespace larmor::test
