// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Array random_mask(Shape shape, double part, unsigned seed = 3) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<double> unit;
  Array out(DType::boolean, std::move(shape));
  for (std::int64_t i = 0; i < out.size(); ++i) out.data<bool>()[i] = unit(generator) < part;
  return out;
}
std::int64_t count(const Value& mask) {
  return static_cast<std::int64_t>(values(array(run("reduce.count", {{"in", mask}})))[0]);
}
// Every element of a is in b.
bool within(const Value& a, const Value& b) {
  const auto x = values(array(a)), y = values(array(b));
  for (std::size_t i = 0; i < x.size(); ++i)
    if (x[i] != 0 && y[i] == 0) return false;
  return true;
}

TEST(MaskMorphology, AgainstTheDefinition) {
  const Array m = random_mask({9, 8, 7}, 0.1);
  const auto v = values(m);
  for (const double r : {1.0, 1.5, 2.3}) {
    const auto grown = values(array(run("mask.dilate", {{"in", m}}, {{"radius", r}})));
    const auto shrunk =
        values(array(run("mask.erode", {{"in", Value(array(run("math.not", {{"in", m}})))}}, {{"radius", r}})));
    for (int z = 0, i = 0; z < 7; ++z)
      for (int y = 0; y < 8; ++y)
        for (int x = 0; x < 9; ++x, ++i) {
          bool near = false;
          for (int c = 0, j = 0; c < 7; ++c)
            for (int b = 0; b < 8; ++b)
              for (int a = 0; a < 9; ++a, ++j)
                near = near || (v[static_cast<std::size_t>(j)] != 0 &&
                                (a - x) * (a - x) + (b - y) * (b - y) + (c - z) * (c - z) <= r * r);
          ASSERT_EQ(grown[static_cast<std::size_t>(i)] != 0, near);
          ASSERT_EQ(shrunk[static_cast<std::size_t>(i)] != 0, !near);  // eroding the rest is growing the mask
        }
  }
}

TEST(MaskMorphology, Laws) {
  const Array m = random_mask({20, 20, 5}, 0.3);
  const Value opened = run("mask.open", {{"in", m}}), closed = run("mask.close", {{"in", m}});
  EXPECT_TRUE(within(opened, m) && within(m, closed));
  EXPECT_EQ(gap(array(run("mask.open", {{"in", opened}})), array(opened)), 0);  // a second time does nothing
  EXPECT_EQ(gap(array(run("mask.close", {{"in", closed}})), array(closed)), 0);
  EXPECT_EQ(gap(array(run("mask.dilate", {{"in", m}}, {{"radius", 0.0}})), m), 0);
  EXPECT_THAT(error_of("mask.dilate", {{"in", m}}, {{"unit", "mm"}}, Errc::usage), HasSubstr("mm"));
  EXPECT_NE(error_of("mask.dilate", {{"in", m}}, {{"radius", -1.0}}, Errc::range), "");
}

TEST(MaskMorphology, MillimetresFollowTheVoxels) {
  Image one;
  one.data = Array::of<float>({9, 9, 9});
  one.data.data<float>()[4 + 9 * (4 + 9 * 4)] = 1;
  one.affine = Affine::scaling(1, 2, 4);
  const Image grown = image(run("mask.dilate", {{"in", value(one)}}, {{"radius", 2.0}, {"unit", "mm"}}));
  EXPECT_EQ(count(value(grown)), 7);  // x +-2 (5 voxels) and y +-1 (2 more); z steps are 4 mm
  const auto d = values(array(run("mask.distance", {{"in", value(one)}}, {{"unit", "mm"}})));
  EXPECT_NEAR(d[5 + 9 * (6 + 9 * 3)], std::sqrt(1 + 16 + 16), 1e-6);
  EXPECT_TRUE(std::isinf(values(array(run("mask.distance", {{"in", Array::of<float>({3})}})))[0]));
}

TEST(MaskComponents, PiecesBySize) {
  Array m(DType::boolean, {5, 4});
  for (const int at : {0, 1, 7, 13, 14, 19}) m.data<bool>()[at] = true;  // 0-1 touch 7 at a corner; 13-14-19
  const auto labels = run_all("mask.components", {{"in", m}});
  EXPECT_EQ(labels.at("count").number(), 3);
  EXPECT_EQ(values(array(labels.at("labels")))[19], 1);
  EXPECT_EQ(values(array(labels.at("labels")))[0], 2);
  EXPECT_EQ(values(array(labels.at("labels")))[7], 3);
  EXPECT_EQ(run("mask.components", {{"in", m}}, {{"touch", "edges"}}, "count").number(), 1);
  EXPECT_EQ(count(run("mask.largest", {{"in", m}})), 3);
  EXPECT_EQ(count(run("mask.largest", {{"in", m}}, {{"count", 3}, {"smallest", 2}})), 5);
}

TEST(MaskComponents, AgainstFlooding) {
  for (const char* touch : {"faces", "edges", "corners"}) {
    const Array m = random_mask({12, 11, 10}, 0.3);
    const auto labels = values(array(run("mask.components", {{"in", m}}, {{"touch", touch}}, "labels")));
    const int most = std::string(touch) == "faces" ? 1 : std::string(touch) == "edges" ? 2 : 3;
    const auto v = values(m);
    std::vector<int> mine(v.size(), 0);
    int n = 0;
    for (std::size_t s = 0; s < v.size(); ++s) {
      if (v[s] == 0 || mine[s]) continue;
      std::vector<std::size_t> todo{s};
      mine[s] = ++n;
      while (!todo.empty()) {
        const auto i = static_cast<int>(todo.back());
        todo.pop_back();
        const int x = i % 12, y = i / 12 % 11, z = i / 132;
        for (int c = -1; c <= 1; ++c)
          for (int b = -1; b <= 1; ++b)
            for (int a = -1; a <= 1; ++a) {
              const int u = x + a, w = y + b, t = z + c;
              if (std::abs(a) + std::abs(b) + std::abs(c) > most || u < 0 || w < 0 || t < 0 || u > 11 || w > 10 ||
                  t > 9)
                continue;
              const auto j = static_cast<std::size_t>(u + 12 * (w + 11 * t));
              if (v[j] != 0 && !mine[j]) mine[j] = n, todo.push_back(j);
            }
      }
    }
    std::map<int, double> pairs;
    for (std::size_t i = 0; i < v.size(); ++i) {
      ASSERT_EQ(labels[i] != 0, mine[i] != 0);
      if (mine[i]) {
        ASSERT_EQ(pairs.emplace(mine[i], labels[i]).first->second, labels[i]) << touch;
      }
    }
    EXPECT_EQ(static_cast<double>(pairs.size()), *std::max_element(labels.begin(), labels.end())) << touch;
  }
}

TEST(MaskFillHoles, FillsWhatIsEnclosed) {
  Array shell(DType::boolean, {7, 7, 7});
  for (int i = 0; i < 343; ++i) {
    const int x = i % 7, y = i / 7 % 7, z = i / 49, far = std::max({std::abs(x - 3), std::abs(y - 3), std::abs(z - 3)});
    shell.data<bool>()[i] = far == 2;
  }
  EXPECT_EQ(count(Value(shell)), 98);
  EXPECT_EQ(count(run("mask.fill_holes", {{"in", shell}})), 125);
  // A tube along z is open in space and closed in each plane; so is a single slice of it.
  Array tube(DType::boolean, {5, 5, 3});
  for (int i = 0; i < 75; ++i) tube.data<bool>()[i] = std::max(std::abs(i % 5 - 2), std::abs(i / 5 % 5 - 2)) == 1;
  EXPECT_EQ(count(run("mask.fill_holes", {{"in", tube}})), 24);
  EXPECT_EQ(count(run("mask.fill_holes", {{"in", tube}}, {{"plane", true}})), 27);
  EXPECT_EQ(count(run("mask.fill_holes", {{"in", tube.range(2, 0, 1).contiguous_copy()}})), 9);
}

TEST(MaskThreshold, Methods) {
  const Array a = line({1, 1.1, 0.9, 1, 10, 9, 11, 10});
  const auto otsu = run_all("mask.threshold", {{"in", a}});
  EXPECT_THAT(values(array(otsu.at("mask"))), ElementsAre(0, 0, 0, 0, 1, 1, 1, 1));
  // Every threshold between the groups is as good; the middle is taken, to one of 256 bins.
  EXPECT_NEAR(otsu.at("threshold").number(), 5.05, 10.1 / 256);
  const auto mask = [&](Sets set) { return values(array(run("mask.threshold", {{"in", a}}, std::move(set), "mask"))); };
  EXPECT_THAT(mask({{"method", "value"}, {"value", 9.5}}), ElementsAre(0, 0, 0, 0, 1, 0, 1, 1));
  EXPECT_THAT(mask({{"method", "value"}, {"value", 9.5}, {"below", true}}), ElementsAre(1, 1, 1, 1, 0, 1, 0, 0));
  EXPECT_THAT(mask({{"method", "between"}, {"value", 1.05}, {"upper", 9.5}}), ElementsAre(0, 1, 0, 0, 0, 1, 0, 0));
  EXPECT_THAT(mask({{"method", "percentile"}, {"value", 100.0}}), ElementsAre(0, 0, 0, 0, 0, 0, 1, 0));
  EXPECT_THAT(mask({{"method", "of maximum"}, {"value", 0.9}}), ElementsAre(0, 0, 0, 0, 1, 0, 1, 1));
  EXPECT_NE(error_of("mask.threshold", {{"in", line({2, 2})}}, {}, Errc::numeric), "");
  EXPECT_NE(error_of("mask.threshold", {{"in", a}}, {{"method", "percentile"}, {"value", 101.0}}, Errc::range), "");
}

TEST(MaskApply, KeepsInside) {
  const Array a = random({4, 3}, {"x", "y"}), m = line({1, 0, NAN, 1});
  const auto kept = values(array(run("mask.apply", {{"in", a}, {"mask", m}}))), v = values(a);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(kept[i], i % 4 == 0 || i % 4 == 3 ? v[i] : 0);
  EXPECT_TRUE(std::isnan(values(array(run("mask.apply", {{"in", a}, {"mask", m}}, {{"outside", Value()}})))[1]));
  EXPECT_EQ(values(array(run("mask.apply", {{"in", a}, {"mask", m}}, {{"invert", true}})))[1], v[1]);
  EXPECT_NE(error_of("mask.apply", {{"in", a}, {"mask", line({1, 2})}}, {}, Errc::shape), "");
}

TEST(MaskCombine, Sets) {
  const Array a = line({0, 0, 1, 1}), b = line({0, 1, 0, 1});
  const auto how = [&](const char* h) {
    return values(array(run("mask.combine", {{"a", a}, {"b", b}}, {{"how", h}})));
  };
  EXPECT_THAT(how("intersection"), ElementsAre(0, 0, 0, 1));
  EXPECT_THAT(how("union"), ElementsAre(0, 1, 1, 1));
  EXPECT_THAT(how("a without b"), ElementsAre(0, 0, 1, 0));
  EXPECT_THAT(how("only one"), ElementsAre(0, 1, 1, 0));
}

TEST(MaskShape, Shapes) {
  const Array like = Array::of<float>({64, 64, 3});
  const auto n = [&](Sets set) {
    return static_cast<double>(count(run("mask.shape", {{"like", like}}, std::move(set), "mask")));
  };
  EXPECT_EQ(n({{"shape", "box"}, {"centre", Value::List{10.0, 20.0}}, {"size", Value::List{4.0, 6.0}}}), 5 * 7 * 3);
  // Voxels of a disc follow its area to the length of its border.
  EXPECT_NEAR(n({{"size", Value::List{40.0, 40.0}}}), M_PI * 400 * 3, 3 * 60);
  EXPECT_NEAR(n({{"shape", "polygon"}, {"corners", Value::List{10.5, 10.5, 50.5, 10.5, 10.5, 50.5}}}), 800 * 3, 3 * 45);
  EXPECT_EQ(n({{"shape", "box"}, {"size", Value::List{4.0, 6.0}}, {"invert", true}}) +
                n({{"shape", "box"}, {"size", Value::List{4.0, 6.0}}}),
            64 * 64 * 3);
  Image place;
  place.data = like;
  place.affine = Affine::scaling(2, 2, 5);
  const auto mm = values(array(run("mask.shape", {{"like", value(place)}},
                                   {{"shape", "box"},
                                    {"unit", "mm"},
                                    {"centre", Value::List{20.0, 40.0, 5.0}},
                                    {"size", Value::List{3.0, 3.0, 3.0}}},
                                   "mask")));
  EXPECT_EQ(mm[10 + 64 * (20 + 64)], 1);
  EXPECT_EQ(std::count(mm.begin(), mm.end(), 1), 1);
  EXPECT_NE(error_of("mask.shape", {{"like", like}}, {{"unit", "mm"}}, Errc::usage), "");
  EXPECT_NE(error_of("mask.shape", {{"like", like}}, {{"size", Value::List{1.0, -1.0}}}, Errc::range), "");
  EXPECT_NE(error_of("mask.shape", {{"like", like}}, {{"centre", Value::List{1.0}}}, Errc::shape), "");
  EXPECT_NE(error_of("mask.shape", {{"like", like}}, {{"shape", "polygon"}}, Errc::shape), "");
}

}  // namespace
}  // namespace larmor::nodes::test
