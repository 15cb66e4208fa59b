// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <numbers>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ArrayFlip, TwiceIsNothing) {
  const Array a = random({4, 5, 3}, {"x", "y", "z"});
  const Value once = run("array.flip", {{"in", a}}, {{"axes", "x, z"}});
  EXPECT_GT(gap(array(once), a), 0.1);
  EXPECT_EQ(gap(array(run("array.flip", {{"in", once}}, {{"axes", "z x"}})), a), 0);
}

TEST(ArrayPad, CropUndoes) {
  const Array a = random({4, 5}, {"x", "y"}, DType::c64);
  for (const char* mode : {"constant", "edge", "reflect", "wrap"}) {
    const Value padded = run("array.pad", {{"in", a}}, {{"by", "x=3, y=1:4"}, {"mode", mode}});
    EXPECT_EQ(array(padded).shape(), (Shape{10, 10}));
    EXPECT_EQ(gap(array(run("array.crop", {{"in", padded}}, {{"ranges", "x=3:-3, y=1:6"}})), a), 0) << mode;
    EXPECT_EQ(gap(array(run("array.pad", {{"in", padded}}, {{"by", "x=-3, y=-1:-4"}})), a), 0) << mode;
  }
  const auto modes = [](const char* mode) {
    return values(array(run("array.pad", {{"in", line({1, 2, 3})}}, {{"by", "x=2"}, {"mode", mode}, {"fill", 9.0}})));
  };
  EXPECT_THAT(modes("constant"), ElementsAre(9, 9, 1, 2, 3, 9, 9));
  EXPECT_THAT(modes("edge"), ElementsAre(1, 1, 1, 2, 3, 3, 3));
  EXPECT_THAT(modes("reflect"), ElementsAre(3, 2, 1, 2, 3, 2, 1));
  EXPECT_THAT(modes("wrap"), ElementsAre(2, 3, 1, 2, 3, 1, 2));
}

TEST(ArrayResize, KeepsTheCentre) {
  for (const std::int64_t n : {6, 7})
    for (const std::int64_t m : {3, 4, 9, 10}) {
      Array a = Array::of<double>({n}, {"x"});
      a.data<double>()[n / 2] = 1;
      const auto v = values(array(run("array.resize", {{"in", a}}, {{"size", "x=" + std::to_string(m)}})));
      EXPECT_EQ(v[static_cast<std::size_t>(m / 2)], 1) << n << " to " << m;
    }
}

TEST(ArrayRoll, WholeAndParts) {
  const Array a = line({1, 2, 3, 4, 5});
  EXPECT_THAT(values(array(run("array.roll", {{"in", a}}, {{"by", "x=2"}}))), ElementsAre(4, 5, 1, 2, 3));
  EXPECT_THAT(values(array(run("array.roll", {{"in", a}}, {{"by", "x=-6"}}))), ElementsAre(2, 3, 4, 5, 1));
  for (const int n : {16, 15}) {
    std::vector<double> wave, moved;
    const auto f = [n](double x) { return std::cos(2 * std::numbers::pi * 2 * x / n) + 0.5; };
    for (int i = 0; i < n; ++i) wave.push_back(f(i)), moved.push_back(f(i - 0.3));
    EXPECT_LT(gap(array(run("array.roll", {{"in", line(wave)}}, {{"by", "x=0.3"}})), line(moved)), 1e-13);
  }
  const Array z = random({9}, {"x"}, DType::c128);
  const Value half = run("array.roll", {{"in", z}}, {{"by", "x=0.5"}});
  EXPECT_LT(gap(array(run("array.roll", {{"in", half}}, {{"by", "x=0.5"}})),
                array(run("array.roll", {{"in", z}}, {{"by", "x=1"}}))),
            1e-13);
}

TEST(ArrayCrop, Ranges) {
  const Array a = line({0, 1, 2, 3, 4, 5, 6, 7});
  const auto crop = [&](const char* r) { return values(array(run("array.crop", {{"in", a}}, {{"ranges", r}}))); };
  EXPECT_THAT(crop("x=2:5"), ElementsAre(2, 3, 4));
  EXPECT_THAT(crop("x=-3:"), ElementsAre(5, 6, 7));
  EXPECT_THAT(crop("x=1::3"), ElementsAre(1, 4, 7));
  EXPECT_THAT(crop("x=-1"), ElementsAre(7));
  EXPECT_THAT(values(array(run("array.range", {{"in", a}}, {{"axis", "x"}, {"begin", 1}, {"end", 6}, {"step", 2}}))),
              ElementsAre(1, 3, 5));
  EXPECT_THAT(error_of("array.crop", {{"in", a}}, {{"ranges", "x=5:12"}}, Errc::range), HasSubstr("8"));
  EXPECT_THAT(error_of("array.crop", {{"in", a}}, {{"ranges", "x=5:2"}}, Errc::range), HasSubstr("5:2"));
  EXPECT_THAT(error_of("array.crop", {{"in", a}}, {{"ranges", "x=1:2:3:4"}}, Errc::format), HasSubstr("range"));
}

TEST(ArraySlice, TakesOneIndex) {
  const Array a = random({3, 4}, {"x", "coil"});
  EXPECT_EQ(gap(array(run("array.slice", {{"in", a}}, {{"axis", "coil"}, {"index", -1}})), a.slice(1, 3)), 0);
  EXPECT_EQ(array(run("array.slice", {{"in", a}}, {{"axis", "coil"}, {"keep_axis", true}})).shape(), (Shape{3, 1}));
  EXPECT_THAT(error_of("array.slice", {{"in", a}}, {{"axis", "coil"}, {"index", 4}}, Errc::range),
              HasSubstr("which has 4"));
  EXPECT_NE(error_of("array.slice", {{"in", a}}, {{"axis", "z"}}, Errc::unknown_name), "");
}

TEST(ArrayTile, TileAndRepeat) {
  EXPECT_THAT(values(array(run("array.tile", {{"in", line({1, 2})}}, {{"times", "x=2"}}))), ElementsAre(1, 2, 1, 2));
  EXPECT_THAT(values(array(run("array.repeat", {{"in", line({1, 2})}}, {{"times", "x=2"}}))), ElementsAre(1, 1, 2, 2));
  EXPECT_NE(error_of("array.tile", {{"in", line({1})}}, {{"times", "x=0"}}, Errc::range), "");
  EXPECT_NE(error_of("array.repeat", {{"in", line({1})}}, {{"times", "x=-1"}}, Errc::range), "");
}

TEST(ArrayJoin, SplitUndoes) {
  const Array a = random({3, 7, 2}, {"x", "z", "t"});
  const Value pieces = run("array.split", {{"in", a}}, {{"axis", "z"}, {"size", 3}});
  EXPECT_EQ(pieces.list().size(), 3U);
  EXPECT_EQ(gap(array(run("array.concatenate", {{"in.1", pieces}}, {{"axis", "z"}})), a), 0);
  const auto two = run_all("array.split_at", {{"in", a}}, {{"axis", "z"}, {"index", 2}});
  EXPECT_EQ(
      gap(array(run("array.concatenate", {{"in.1", two.at("before")}, {"in.2", two.at("after")}}, {{"axis", "z"}})), a),
      0);
  // Axes in another order are matched by name.
  const Value turned = run("array.transpose", {{"in", two.at("after")}}, {{"order", "t, z, x"}});
  EXPECT_EQ(gap(array(run("array.concatenate", {{"in.1", two.at("before")}, {"in.2", turned}}, {{"axis", "z"}})), a),
            0);
  const Value stacked = run("array.stack", {{"in.1", a}, {"in.2", a}}, {{"axis", "echo"}});
  EXPECT_EQ(gap(array(run("array.slice", {{"in", stacked}}, {{"axis", "echo"}, {"index", 1}})), a), 0);
  EXPECT_THAT(error_of("array.concatenate", {{"in.1", a}, {"in.2", random({4, 7, 2}, {"x", "z", "t"})}},
                       {{"axis", "z"}}, Errc::shape),
              HasSubstr("axis 'x' has 3 elements in array 1 and 4 in array 2"));
  EXPECT_NE(error_of("array.concatenate", {{"in.1", a}, {"in.2", line({1})}}, {{"axis", "z"}}, Errc::shape), "");
  EXPECT_NE(error_of("array.stack", {{"in.1", a}}, {{"axis", "z"}}, Errc::shape), "");
  EXPECT_NE(error_of("array.concatenate", {{"in.1", Value(Value::List{})}}, {}, Errc::usage), "");
  EXPECT_NE(error_of("array.split_at", {{"in", a}}, {{"axis", "z"}, {"index", 7}}, Errc::range), "");
}

TEST(ArrayAxes, TransposeTwiceIsNothing) {
  const Array a = random({3, 4, 5}, {"x", "y", "coil"});
  const Value t = run("array.transpose", {{"in", a}}, {{"order", "coil, x"}});
  EXPECT_THAT(array(t).axes(), ElementsAre("coil", "x", "y"));
  EXPECT_EQ(gap(array(run("array.transpose", {{"in", t}}, {{"order", "x, y, coil"}})), a), 0);
}

TEST(ArrayAxes, MergeAndSplitUndoEachOther) {
  const Array a = random({3, 4, 5}, {"x", "y", "coil"});
  const Value merged = run("array.merge_axes", {{"in", a}}, {{"axes", "y, coil"}, {"name", "k"}});
  EXPECT_EQ(array(merged).shape(), (Shape{3, 20}));
  EXPECT_EQ(gap(array(run("array.split_axis", {{"in", merged}}, {{"axis", "k"}, {"into", "y=4, coil"}})), a), 0);
  EXPECT_THAT(error_of("array.split_axis", {{"in", a}}, {{"axis", "x"}, {"into", "p=2, q"}}, Errc::shape),
              HasSubstr("3"));
  EXPECT_NE(error_of("array.merge_axes", {{"in", a}}, {{"axes", "x, y"}, {"name", "coil"}}, Errc::shape), "");
  EXPECT_NE(error_of("array.merge_axes", {{"in", a}}, {{"axes", "x, y"}, {"name", ""}}, Errc::usage), "");
  EXPECT_NE(error_of("array.merge_axes", {{"in", a}}, {{"axes", ""}, {"name", "k"}}, Errc::usage), "");
}

TEST(ArrayAxes, ReshapeRenameSqueezeAdd) {
  const Array a = random({3, 4}, {"x", "y"});
  const Array r = array(run("array.reshape", {{"in", a}}, {{"shape", "p=2, q"}}));
  EXPECT_EQ(r.shape(), (Shape{2, 6}));
  EXPECT_EQ(values(r), values(a));
  EXPECT_THAT(array(run("array.rename_axes", {{"in", a}}, {{"names", "y=coil"}})).axes(), ElementsAre("x", "coil"));
  EXPECT_THAT(array(run("array.rename_axes", {{"in", a}}, {{"names", "p, q"}})).axes(), ElementsAre("p", "q"));
  const Value added = run("array.add_axis", {{"in", a}}, {{"name", "z"}, {"at", 1}});
  EXPECT_THAT(array(added).axes(), ElementsAre("x", "z", "y"));
  EXPECT_EQ(gap(array(run("array.squeeze", {{"in", added}})), a), 0);
  EXPECT_NE(error_of("array.squeeze", {{"in", a}}, {{"axes", "x"}}, Errc::shape), "");
  EXPECT_NE(error_of("array.reshape", {{"in", a}}, {{"shape", "p=5, q"}}, Errc::shape), "");
  EXPECT_NE(error_of("array.reshape", {{"in", a}}, {{"shape", "p, q"}}, Errc::format), "");
  EXPECT_NE(error_of("array.rename_axes", {{"in", a}}, {{"names", "p"}}, Errc::shape), "");
  EXPECT_NE(error_of("array.rename_axes", {{"in", a}}, {{"names", "x=y"}}, Errc::shape), "");
  EXPECT_NE(error_of("array.rename_axes", {{"in", a}}, {{"names", "x="}}, Errc::format), "");
  EXPECT_NE(error_of("array.add_axis", {{"in", a}}, {{"name", "x"}}, Errc::shape), "");
}

TEST(ArrayGeometry, AMarkedVoxelStaysWhereItIs) {
  const Image in = marked({3, 2, 4});
  const struct {
    const char *id, *setting, *text;
  } moves[] = {{"array.flip", "axes", "x, z"},          {"array.crop", "ranges", "x=1:, y=2:5, z=::2"},
               {"array.pad", "by", "x=2:1, y=-1:3"},    {"array.resize", "size", "x=8, y=5, z=12"},
               {"array.transpose", "order", "z, x, y"}, {"array.tile", "times", "z=2"}};
  for (const auto& m : moves) {
    const Image out = image(run(m.id, {{"in", value(in)}}, {{m.setting, m.text}}));
    EXPECT_LT(distance(mark_position(out), mark_position(in)), 1e-12) << m.id;
  }
  const Image slice =
      image(run("array.slice", {{"in", value(in)}}, {{"axis", "z"}, {"index", 4}, {"keep_axis", true}}));
  EXPECT_LT(distance(mark_position(slice), mark_position(in)), 1e-12);
  const Image range = image(run("array.range", {{"in", value(in)}}, {{"axis", "y"}, {"begin", 1}}));
  EXPECT_LT(distance(mark_position(range), mark_position(in)), 1e-12);
  // Two small voxels make the old one: its centre is their mean.
  const Image fine = image(run("array.repeat", {{"in", value(in)}}, {{"times", "x=2"}}));
  EXPECT_LT(distance(fine.affine.apply(6.5, 2, 4), in.affine.apply(3, 2, 4)), 1e-12);
  const auto two = run_all("array.split_at", {{"in", value(in)}}, {{"axis", "z"}, {"index", 3}});
  EXPECT_LT(distance(mark_position(image(two.at("after"))), mark_position(in)), 1e-12);
}

TEST(ArrayGeometry, TimesFollow) {
  Image in = marked({0, 0, 0}, {2, 2, 2, 4});
  in.times = {0, 1, 3, 7};
  EXPECT_THAT(image(run("array.flip", {{"in", value(in)}}, {{"axes", "t"}})).times, ElementsAre(7, 3, 1, 0));
  EXPECT_THAT(image(run("array.crop", {{"in", value(in)}}, {{"ranges", "t=1::2"}})).times, ElementsAre(1, 7));
  EXPECT_TRUE(image(run("array.pad", {{"in", value(in)}}, {{"by", "t=1"}})).times.empty());
  EXPECT_THAT(image(run("array.concatenate", {{"in.1", value(in)}, {"in.2", value(in)}})).times,
              ElementsAre(0, 1, 3, 7, 0, 1, 3, 7));
  EXPECT_EQ(run("array.slice", {{"in", value(in)}}, {{"axis", "z"}}).type(), "array");
  EXPECT_NE(error_of("array.pad", {{"in", value(in)}}, {{"by", "x=-3"}}, Errc::range), "");
  EXPECT_NE(error_of("array.pad", {{"in", value(in)}}, {{"by", "x=3"}, {"mode", "reflect"}}, Errc::range), "");
  EXPECT_NE(error_of("array.roll", {{"in", value(in)}}, {{"by", "x=1, x=2"}}, Errc::range), "");
  EXPECT_NE(error_of("array.flip", {{"in", value(in)}}, {{"axes", "q"}}, Errc::unknown_name), "");
}

}  // namespace
}  // namespace larmor::nodes::test
