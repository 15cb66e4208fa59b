// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/core/error.hpp>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/seg/parting.hpp>

namespace larmor::seg {
namespace {

using testing::HasSubstr;

/// A bar along y in a box of 4 x 9 x 5: label 2 before `cut`, then label 1. `ragged` moves single voxels across.
struct Bar {
  std::array<int, 3> size{4, 9, 5};
  std::vector<std::uint8_t> labels;
  explicit Bar(int cut, bool ragged = false) {
    for (int z = 0; z < size[2]; ++z)
      for (int y = 0; y < size[1]; ++y)
        for (int x = 0; x < size[0]; ++x) {
          const bool inside = y > 0 && y < 8 && x > 0 && z > 1;
          const int here = cut + (ragged && x == 1 ? 1 : 0);
          labels.push_back(static_cast<std::uint8_t>(inside ? (y < here ? 2 : 1) : 0));
        }
  }
  nn::TrainSample grid() const { return {.name = "bar", .size = size, .image = {}, .labels = labels}; }
};

TEST(Parting, IsFoundWhereRatersDrewIt) {
  const Bar a(3), b(5), c(4), ragged(4, true);
  const auto found = find_parting({a.grid(), b.grid(), c.grid(), ragged.grid()}, 3);  // three of four: 75 %
  ASSERT_TRUE(found);
  EXPECT_EQ(found->low, 2);
  EXPECT_EQ(found->high, 1);
  EXPECT_EQ(found->axis, 1);
  EXPECT_FALSE(find_parting({a.grid(), b.grid(), ragged.grid()}, 3));  // two of three are too few
}

TEST(Parting, NeedsVolumesWithBothLabels) {
  const Bar one(0), two(20), both(4, true);
  EXPECT_FALSE(find_parting({}, 3));
  EXPECT_FALSE(find_parting({one.grid(), two.grid()}, 3));
  EXPECT_FALSE(find_parting({one.grid(), two.grid(), both.grid()}, 3));  // the only one with both is ragged
  EXPECT_FALSE(find_parting({one.grid()}, 2));
}

struct Case {
  Array labels, probabilities;
};
/// What a network would say of a bar: 0.8 for the ragged label that it sees.
Case seen(const Bar& bar) {
  const Shape shape{bar.size[0], bar.size[1], bar.size[2]};
  Case c{Array::from<std::uint8_t>(bar.labels, shape), Array::of<float>({shape[0], shape[1], shape[2], 3})};
  auto* p = c.probabilities.data<float>();
  const std::size_t n = bar.labels.size();
  for (std::size_t k = 0; k < 3; ++k)
    for (std::size_t i = 0; i < n; ++i) p[k * n + i] = bar.labels[i] == k ? 0.8f : 0.1f;
  return c;
}

TEST(Parting, MakesARaggedBorderAPlaneAndKeepsTheOutline) {
  const Bar ragged(4, true), plane(4);
  auto c = seen(ragged);
  part(c.labels, c.probabilities, {2, 1, 1}, {}, {});
  const auto l = c.labels.span<std::uint8_t>();
  EXPECT_TRUE(std::equal(l.begin(), l.end(), plane.labels.begin(), plane.labels.end()));
  part(c.labels, c.probabilities, {2, 1, 1}, {}, {});  // once more changes nothing
  EXPECT_TRUE(std::equal(l.begin(), l.end(), plane.labels.begin(), plane.labels.end()));
}

/// (x, y, z[, class]) as (z, -y, x[, class]); twice it gives the same again.
Array stored(const Array& a, int rank) {
  const std::vector<int> order = rank == 3 ? std::vector<int>{2, 1, 0} : std::vector<int>{2, 1, 0, 3};
  return nd::flip(a.permuted(order).contiguous_copy(), 1).contiguous_copy();
}

TEST(Parting, FollowsTheAxesOfTheImage) {
  // The same picture stored with its axes as (z, -y, x): the same voxels get the same labels.
  const Bar ragged(4, true);
  auto straight = seen(ragged), turned = seen(ragged);
  turned.labels = stored(straight.labels, 3);
  turned.probabilities = stored(straight.probabilities, 4);
  Affine affine;
  affine.m = {{{0, 0, 1, 0}, {0, -1, 0, 8}, {1, 0, 0, 0}, {0, 0, 0, 1}}};
  part(straight.labels, straight.probabilities, {2, 1, 1}, {}, {});
  part(turned.labels, turned.probabilities, {2, 1, 1}, affine, {});
  Array back = stored(turned.labels, 3);
  const auto a = straight.labels.span<std::uint8_t>(), b = back.span<std::uint8_t>();
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end()));
}

TEST(Parting, LeavesOneLabelAlone) {
  const Bar one(0);
  auto c = seen(one);
  part(c.labels, c.probabilities, {2, 1, 1}, {}, {});
  const auto l = c.labels.span<std::uint8_t>();
  EXPECT_TRUE(std::equal(l.begin(), l.end(), one.labels.begin(), one.labels.end()));
}

TEST(Parting, IsKeptAsText) {
  const auto p = parse_parting(to_string(Parting{2, 1, 1}), 3);
  EXPECT_EQ(p.low, 2);
  EXPECT_EQ(p.high, 1);
  EXPECT_EQ(p.axis, 1);
  for (const char* bad : {"", "2,1", "2,2,1", "0,1,1", "3,1,1", "2,1,3", "2;1;1", "2,1,1,0"}) try {
      parse_parting(bad, 3);
      ADD_FAILURE() << bad;
    } catch (const Error& e) {
      EXPECT_EQ(to_string(e.code()), to_string(Errc::format));
      EXPECT_THAT(e.what(), HasSubstr("'" + std::string(bad) + "'"));
    }
}

}  // namespace
}  // namespace larmor::seg
