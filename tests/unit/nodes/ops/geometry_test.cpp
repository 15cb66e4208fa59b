// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <functional>
#include <set>

#include "run.hpp"

/// Axes and the place in space of everyday operations, one by one over the registry. The image that goes in holds a
/// linear function of the place and time of each voxel. What an operation does to the grid may not change which value
/// is at which place: the result must hold the same function, at the places its own affine and times say.
namespace larmor::nodes::test {
namespace {

constexpr double tolerance = 1e-9;  // values of about 100 in double, moved by a few products and sums
const std::vector<double> frame_times{0.5, 2, 5};

double field(const std::array<double, 3>& p, double t) { return 200 + 0.7 * p[0] - 0.4 * p[1] + 0.9 * p[2] + 3 * t; }

/// (x, y, z, t) of 6 x 5 x 4 x 3, oblique, three voxel sizes, uneven times.
Image series() {
  Image out = marked({0, 0, 0}, {6, 5, 4});
  out.times = frame_times;
  out.meta["RepetitionTime"] = 2.0;
  out.data = Array(DType::f64, {6, 5, 4, 3}, {"x", "y", "z", "t"});
  double* v = out.data.data<double>();
  for (int t = 0; t < 3; ++t)
    for (int k = 0; k < 4; ++k)
      for (int j = 0; j < 5; ++j)
        for (int i = 0; i < 6; ++i) *v++ = field(out.affine.apply(i, j, k), frame_times[static_cast<std::size_t>(t)]);
  return out;
}
Image volume() {
  Image out = series();
  out.data = out.data.slice(3, 0).contiguous_copy();
  out.times.clear();
  return out;
}

/// Largest difference of an image from the function at the places it claims; elements for which `skip` says so are left
/// out. `t` is the time of an image without a time axis.
double misplaced(const Image& image, const std::function<bool(const std::array<int, 4>&)>& skip = {}, double t = 0.5) {
  const auto all = values(image.data);
  const Shape n = image.data.shape();
  EXPECT_LE(n.size(), 4U);
  if (n.size() == 4) {
    EXPECT_EQ(static_cast<std::int64_t>(image.times.size()), n[3]) << "times went missing";
  }
  double worst = 0;
  std::array<int, 4> at{};
  for (std::size_t e = 0; e < all.size(); ++e) {
    auto rest = static_cast<std::int64_t>(e);
    for (std::size_t a = 0; a < n.size(); ++a) at[a] = static_cast<int>(rest % n[a]), rest /= n[a];
    if (skip && skip(at)) continue;
    const double time = image.times.empty() ? t : image.times[static_cast<std::size_t>(at[3])];
    const double gap = std::abs(all[e] - field(image.affine.apply(at[0], at[1], at[2]), time));
    worst = gap <= worst ? worst : gap;  // NaN wins
  }
  return worst;
}
std::string letters(const Array& a) {
  std::string out;
  for (const auto& name : a.axes()) out += (out.empty() ? "" : " ") + name;
  return out;
}
bool placed(const Value& v) { return v.type() == "image"; }

/// An operation that changes the grid of its input, and what must come of it.
struct Move {
  std::string id;
  Sets set;
  std::string axes = "x y z t";  // of the result
  std::string port = "out";
  std::function<bool(const std::array<int, 4>&)> skip = {};  // filled or repeated, so not the function
  double t = 0.5;
};
bool beyond(const std::array<int, 4>& at, int axis, int first, int last) {
  const auto i = at[static_cast<std::size_t>(axis)];
  return i < first || i > last;
}

const std::vector<Move>& moves() {
  static const std::vector<Move> all{
      {"array.crop", {{"ranges", "x=1:5, y=2, z=-3:, t=1:"}}},
      {"array.crop", {{"ranges", "x=::2, z=1::2, t=::2"}}},
      {"array.range", {{"axis", "y"}, {"begin", 1}, {"end", 5}, {"step", 3}}},
      {"array.range", {{"axis", "t"}, {"begin", 1}}},
      {"array.flip", {{"axes", "x"}}},
      {"array.flip", {{"axes", "x, y, z, t"}}},
      {"array.pad", {{"by", "x=-1, z=-1:0"}}},
      {"array.pad",
       {{"by", "x=2:3, y=1, z=0:2"}},
       "x y z t",
       "out",
       [](auto& at) { return beyond(at, 0, 2, 7) || beyond(at, 1, 1, 5) || beyond(at, 2, 0, 3); }},
      {"array.resize", {{"size", "x=4, y=3"}}},
      {"array.resize",
       {{"size", "x=3, y=8, z=7"}},
       "x y z t",
       "out",
       [](auto& at) { return beyond(at, 1, 2, 6) || beyond(at, 2, 1, 4); }},
      {"array.slice", {{"axis", "z"}, {"index", 2}, {"keep_axis", true}}},
      {"array.slice", {{"axis", "t"}, {"index", 2}, {"keep_axis", true}}},
      {"array.slice", {{"axis", "t"}, {"index", 1}}, "x y z", "out", {}, 2},
      {"array.split_at", {{"axis", "x"}, {"index", 2}}, "x y z t", "before"},
      {"array.split_at", {{"axis", "x"}, {"index", 2}}, "x y z t", "after"},
      {"array.split_at", {{"axis", "t"}, {"index", 1}}, "x y z t", "after"},
      {"array.transpose", {{"order", "y, x"}}},
      {"array.transpose", {{"order", "z, x, y"}}},
      {"array.tile",
       {{"times", "x=2, y=3"}},
       "x y z t",
       "out",
       [](auto& at) { return beyond(at, 0, 0, 5) || beyond(at, 1, 0, 4); }},
      {"array.add_axis", {{"name", "coil"}}, "x y z t coil"},
      {"array.rename_axes", {{"names", "t=echo"}}, "x y z echo"},
      {"array.interpolate", {{"axis", "x"}, {"at", Value::List{0.5, 1.25, 2.0, 2.75}}}},
      {"array.interpolate", {{"axis", "z"}, {"at", Value::List{2.5, 1.5, 0.5}}}},
      {"array.interpolate", {{"axis", "y"}, {"at", Value::List{1.75}}, {"interpolation", "cubic"}}},
      {"array.interpolate", {{"axis", "t"}, {"at", Value::List{0.25, 1.0, 1.5}}}},
      {"image.resample", {{"size", "x=6, t=3"}}},
      {"image.resample",
       {{"size", "x=12, y=9"}},
       "x y z t",
       "out",
       // Half voxels beyond the outermost centres repeat the edge.
       [](auto& at) { return beyond(at, 0, 1, 10) || beyond(at, 1, 1, 7); }},
      {"image.resample", {{"size", "x=3, z=2"}, {"antialias", false}}, "x y z t"},
      {"image.resample",
       {{"spacing", Value::List{1.0, 1.0, 4.0}}},
       "x y z t",
       "out",
       [](auto& at) { return beyond(at, 0, 1, 7) || beyond(at, 1, 1, 8) || beyond(at, 2, 1, 1); }},
      {"reduce.difference", {{"axis", "z"}}, "x y z t", "none"},  // below: a difference is not the function
  };
  return all;
}

TEST(Geometry, OperationsOnTheGridLeaveEveryValueAtItsPlace) {
  for (const auto& m : moves()) {
    if (m.port == "none") continue;
    SCOPED_TRACE(m.id + " " + flow::to_json(m.set.begin()->second));
    const Value out = run(m.id, {{"in", value(series())}}, m.set, m.port);
    ASSERT_TRUE(placed(out)) << out.describe();
    const Image got = image(out);
    EXPECT_EQ(letters(got.data), m.axes);
    EXPECT_EQ(std::get<double>(got.meta.at("RepetitionTime")), 2);
    if (m.axes == "x y z t" || m.axes == "x y z") {
      EXPECT_LT(misplaced(got, m.skip, m.t), tolerance);
    } else {
      EXPECT_EQ(got.affine.m, series().affine.m);
      EXPECT_EQ(gap(got.data.reshaped({6, 5, 4, 3}, {"x", "y", "z", "t"}), series().data), 0);
    }
  }
}

TEST(Geometry, RepeatedAndReducedVoxelsCoverWhatTheyWere) {
  // Twice as many voxels, half as wide: pairs have the old voxel in their middle.
  const Image fine = image(run("array.repeat", {{"in", value(series())}}, {{"times", "x=2, z=2"}}));
  const Image mean = image(run("image.resample", {{"in", value(fine)}}, {{"size", "x=6, z=4"}, {"antialias", false}}));
  EXPECT_LT(mean.affine.distance(series().affine), 1e-12);
  EXPECT_LT(misplaced(mean), tolerance);
  for (std::size_t a = 0; a < 3; ++a)
    EXPECT_NEAR(fine.affine.spacing()[a] * (a == 1 ? 1 : 2), series().affine.spacing()[a], 1e-12);
  // A mean over an axis that stays lies in the middle of what it is of; the function is linear there.
  for (const char* axes : {"x", "y", "z", "x, z"}) {
    const Image kept = image(run("reduce.mean", {{"in", value(series())}}, {{"axes", axes}, {"keep_axes", true}}));
    EXPECT_LT(misplaced(kept), tolerance) << axes;
  }
  // A difference of neighbours lies between them: the derivative, everywhere the same.
  for (const auto& [axis, a] : {std::pair{"x", 0}, {"y", 1}, {"z", 2}}) {
    const Image d = image(run("reduce.difference", {{"in", value(series())}}, {{"axis", axis}}));
    std::array<double, 3> half{};
    half[static_cast<std::size_t>(a)] = 0.5;
    EXPECT_LT(distance(d.affine.apply(0, 0, 0), series().affine.apply(half[0], half[1], half[2])), 1e-12) << axis;
    EXPECT_EQ(d.times, frame_times);
  }
  EXPECT_THAT(image(run("reduce.difference", {{"in", value(series())}}, {{"axis", "t"}})).times,
              testing::ElementsAre(1.25, 3.5));
}

TEST(Geometry, PiecesJoinWhereTheyWere) {
  for (const char* axis : {"x", "y", "z", "t"}) {
    const Value pieces = run("array.split", {{"in", value(series())}}, {{"axis", axis}, {"size", 2}});
    for (const Value& piece : pieces.list()) EXPECT_LT(misplaced(image(piece)), tolerance) << axis;
    const Image whole = image(run("array.concatenate", {{"in.1", pieces}}, {{"axis", axis}}));
    EXPECT_LT(whole.affine.distance(series().affine), 1e-12) << axis;
    EXPECT_LT(misplaced(whole), tolerance) << axis;
  }
  // Pieces that do not follow each other have no common grid.
  const auto two = run_all("array.split_at", {{"in", value(series())}}, {{"axis", "z"}, {"index", 2}});
  EXPECT_THAT(error_of("array.concatenate", {{"in.1", two.at("after")}, {"in.2", two.at("before")}}, {{"axis", "z"}},
                       Errc::shape),
              testing::HasSubstr("mm apart"));
  EXPECT_THAT(
      error_of("array.stack", {{"in.1", two.at("after")}, {"in.2", two.at("before")}}, {{"axis", "echo"}}, Errc::shape),
      testing::HasSubstr("image.to_array"));
  const Image both =
      image(run("array.stack", {{"in.1", two.at("after")}, {"in.2", two.at("after")}}, {{"axis", "echo"}}));
  EXPECT_EQ(both.affine.m, image(two.at("after")).affine.m);
  EXPECT_EQ(both.times, frame_times);
}

TEST(Geometry, GridsOfOtherImagesAreMetInTheirPlaces) {
  Image like = marked({0, 0, 0}, {3, 3, 3});
  like.affine = Affine::scaling(0.5, 0.4, 0.6);
  const auto middle = series().affine.apply(2.5, 2, 1.5);
  for (std::size_t r = 0; r < 3; ++r) like.affine.m[r][3] = middle[r] - 0.5;
  const Image onto = image(run("image.resample_like", {{"in", value(volume())}, {"like", value(like)}}));
  EXPECT_EQ(onto.affine.m, like.affine.m);
  EXPECT_LT(misplaced(onto), tolerance);
  // What is moved by the world stays the function of the place it came from.
  const Image moved = image(
      run("image.transform", {{"in", value(volume())}}, {{"shift", Value::List{0.3, -0.2, 0.5}}, {"outside", 1e9}}));
  EXPECT_EQ(moved.affine.m, volume().affine.m);
  const double by = 0.7 * 0.3 + 0.4 * 0.2 + 0.9 * 0.5;
  const auto got = values(moved.data), before = values(volume().data);
  // Inner voxels, whose content comes from between voxels: beyond the outermost centres the edge goes on.
  for (std::size_t k = 1; k < 3; ++k)
    for (std::size_t j = 1; j < 4; ++j)
      for (std::size_t i = 1; i < 5; ++i) {
        const std::size_t e = i + 6 * (j + 5 * k);
        EXPECT_NEAR(got[e], before[e] - by, tolerance) << i << " " << j << " " << k;
      }
}

TEST(Geometry, TransformsOfKSpaceComeBackToTheirGrid) {
  const Value k = run("fourier.fft", {{"in", value(series())}}, {{"axes", "x, y, z"}});
  const Image back = image(run("fourier.ifft", {{"in", k}}, {{"axes", "x, y, z"}}));
  EXPECT_EQ(back.affine.m, series().affine.m);
  EXPECT_EQ(back.times, frame_times);
  EXPECT_EQ(letters(back.data), "x y z t");
  // Zero-filled: index floor(n / 2) stays where it is, the voxels become smaller, the field of view stays.
  for (const bool centred : {true, false}) {
    const Image fine =
        image(run("fourier.ifft", {{"in", k}}, {{"axes", "x, y, z"}, {"size", "x=9, y=10"}, {"centred", centred}}));
    const double x = centred ? 3 : 0, y = centred ? 2 : 0;
    EXPECT_LT(distance(fine.affine.apply(centred ? 4 : 0, centred ? 5 : 0, 0), series().affine.apply(x, y, 0)), 1e-12);
    EXPECT_NEAR(fine.affine.spacing()[0] * 9, series().affine.spacing()[0] * 6, 1e-12);
    EXPECT_NEAR(fine.affine.spacing()[1] * 10, series().affine.spacing()[1] * 5, 1e-12);
  }
}

/// What must be set for an operation to run on the image; defaults otherwise.
Sets settings_of(const std::string& id) {
  if (id == "array.reshape") return {{"shape", "x=6, y=5, z=4, echo"}};
  if (id == "array.rename_axes") return {{"names", "t=t"}};
  if (id == "array.merge_axes") return {{"axes", "t"}, {"name", "t"}};
  if (id == "array.split_axis") return {{"axis", "t"}, {"into", "phase=1, cycle"}};
  if (id == "array.add_axis") return {{"name", "coil"}};
  if (id == "array.roll") return {{"by", "x=1, y=0.5"}};
  if (id == "array.stack") return {{"axis", "echo"}};
  if (id == "math.power") return {{"value", 0.5}};
  if (id == "phantom.coils") return {{"coils", 2}};
  return {};
}

/// Operations whose results are not images on the grid of their input, and why. All others of the everyday rooms keep
/// axes, affine and times of what goes in; those under moves() are held to that by their own test.
const std::map<std::string, std::string>& elsewhere() {
  static const std::map<std::string, std::string> all{
      {"array.split", "a list; see pieces"},
      {"array.split_at", "two parts; see moves"},
      {"image.from_array", "gives a place; see below"},
      {"image.to_array", "takes the place away; see below"},
      {"image.resample_like", "takes the grid of another; see above"},
      {"array.repeat", "see above"},
  };
  return all;
}

TEST(Geometry, EveryOtherOperationKeepsAxesAffineAndTimes) {
  std::set<std::string> moved;
  for (const auto& m : moves()) moved.insert(m.id);
  int looked_at = 0;
  for (const auto& id : operations().ids()) {
    const auto& type = operations().get(id);
    const std::string room = id.substr(0, id.find('.'));
    static const std::set<std::string> everyday{"array", "complex", "fourier", "image", "mask",
                                                "math",  "phantom", "phase",   "reduce"};
    if (!everyday.count(room) || elsewhere().count(id) || moved.count(id)) continue;
    const bool reduces = room == "reduce" && id != "reduce.cumulative_sum";
    Ins in;
    for (const auto& port : type.inputs)
      if ((port.type == "array" || port.type == "image" || port.type == "any") &&
          (port.limits.required || port.name == "b"))
        in[port.limits.repeated ? port.name + ".1" : port.name] = value(series());
    if (id == "math.expression") in["a"] = value(series());
    if (in.empty()) continue;  // makes something of nothing: phantoms
    SCOPED_TRACE(id);
    Sets set = settings_of(id);
    if (reduces) set["axes"] = "t";
    const auto outs = run_all(id, in, set);
    for (const auto& [port, out] : outs) {
      if (out.kind() == Value::Kind::number || (id == "fourier.window" && port == "weights")) continue;
      ASSERT_TRUE(placed(out)) << port << ": " << out.describe();
      const Image got = image(out);
      EXPECT_EQ(got.affine.m, series().affine.m) << port;
      const auto axes = letters(got.data);
      EXPECT_EQ(axes.substr(0, 5), "x y z") << port;
      EXPECT_EQ(got.grid(), series().grid()) << port;
      EXPECT_EQ(std::get<double>(got.meta.at("RepetitionTime")), 2) << port;
      if (reduces || id == "mask.shape") {
        EXPECT_EQ(axes, "x y z") << port;
        EXPECT_TRUE(got.times.empty());
      } else if (axes == "x y z t") {
        EXPECT_EQ(got.times, frame_times) << port;
      }
      ++looked_at;
    }
  }
  EXPECT_GT(looked_at, 90);  // about that many there are: the loop looks at them
}

TEST(Geometry, WhatIsNoGridAnyMoreIsAnArray) {
  struct Drop {
    std::string id;
    Sets set;
    std::string axes;
  };
  const std::vector<Drop> drops{
      {"array.slice", {{"axis", "z"}}, "x y t"},
      {"array.rename_axes", {{"names", "x=u"}}, "u y z t"},
      {"array.transpose", {{"order", "t, x"}}, "t x y z"},
      {"array.merge_axes", {{"axes", "x, y"}, {"name", "k"}}, "k z t"},
      {"array.merge_axes", {{"axes", "z, t"}, {"name", "z"}}, "x y z"},  // 12 slices, of which 4 have a place
      {"array.split_axis", {{"axis", "z"}, {"into", "z=2, band"}}, "x y z band t"},
      {"array.reshape", {{"shape", "x=12, y=5, z=2, t"}}, "x y z t"},
      {"array.reshape", {{"shape", "p=30, q"}}, "p q"},
      {"array.interpolate", {{"axis", "x"}, {"at", Value::List{0.0, 1.0, 3.0}}}, "x y z t"},
      {"array.add_axis", {{"name", "coil"}, {"at", 0}}, "coil x y z t"},
      {"reduce.mean", {{"axes", "z"}}, "x y t"},
      {"image.to_array", {}, "x y z t"},
  };
  for (const auto& d : drops) {
    const Value out = run(d.id, {{"in", value(series())}}, d.set);
    EXPECT_FALSE(placed(out)) << d.id << " " << d.axes;
    EXPECT_EQ(letters(array(out)), d.axes) << d.id;
  }
  for (const auto& r : {"reduce.mean", "reduce.median", "reduce.argmax", "reduce.percentile", "reduce.rms"})
    EXPECT_FALSE(placed(run(r, {{"in", value(series())}}))) << r;
  // A single slice keeps its place as long as z is there.
  const Value slice = run("array.crop", {{"in", value(volume())}}, {{"ranges", "z=1"}});
  EXPECT_TRUE(placed(slice));
  EXPECT_EQ(letters(array(run("array.squeeze", {{"in", slice}}))), "x y");
  EXPECT_FALSE(placed(run("array.squeeze", {{"in", slice}})));
}

TEST(Geometry, OfTwoImagesTheOneThatKnowsEveryVoxelCounts) {
  const Value all = value(series());
  const Value slice = run("array.crop", {{"in", value(volume())}}, {{"ranges", "z=1"}});
  for (const bool slice_first : {true, false}) {
    const Image sum = image(run("math.add", {{"a", slice_first ? slice : all}, {"b", slice_first ? all : slice}}));
    EXPECT_EQ(sum.affine.m, series().affine.m);
    EXPECT_EQ(sum.times, frame_times);
    EXPECT_EQ(letters(sum.data), "x y z t");
  }
  // A volume and a series: the times are those of the series, whoever comes first.
  EXPECT_EQ(image(run("math.multiply", {{"a", value(volume())}, {"b", all}})).times, frame_times);
  // Weights along t alone, first: the axes are those of the image.
  const Image weighted = image(run("math.multiply", {{"a", line({1, 2, 3}, "t")}, {"b", all}}));
  EXPECT_EQ(letters(weighted.data), "x y z t");
  EXPECT_EQ(weighted.affine.m, series().affine.m);
  // An array of more slices than the image has: nobody knows where they are.
  EXPECT_FALSE(placed(run("math.add", {{"a", slice}, {"b", random({4}, {"z"})}})));
  // Images of one grid that lie apart are not added by accident.
  Image apart = series();
  apart.affine.m[1][3] += 3;
  EXPECT_THAT(error_of("math.add", {{"a", all}, {"b", value(apart)}}, {}, Errc::shape), testing::HasSubstr("3 mm"));
  EXPECT_THAT(error_of("mask.apply", {{"in", all}, {"mask", value(apart)}}, {}, Errc::shape),
              testing::HasSubstr("3 mm"));
}

TEST(Geometry, PlacesAreGivenAndTakenBack) {
  const Value plain = run("image.to_array", {{"in", value(volume())}});
  EXPECT_EQ(image(run("image.from_array", {{"in", plain}, {"like", value(volume())}})).affine.m, volume().affine.m);
  EXPECT_LT(misplaced(image(run("image.from_array", {{"in", plain}, {"like", value(series())}}))), tolerance);
  const Image made = image(run("image.from_array", {{"in", plain}},
                               {{"spacing", Value::List{1.0, 2.0, 3.0}}, {"origin", Value::List{5.0, 6.0, 7.0}}}));
  EXPECT_LT(distance(made.affine.apply(1, 1, 1), {6, 8, 10}), 1e-12);
}

TEST(Geometry, PhantomsLieAboutTheMiddleOfTheirField) {
  for (const char* id : {"phantom.shepp_logan", "phantom.shepp_logan_kspace", "phantom.ellipsoids"}) {
    if (!operations().get(id).setting("fov") || !operations().get(id).setting("size")) continue;
    const Image out = image(run(id, {}, {{"size", Value::List{16.0, 12.0}}, {"fov", 96.0}}));
    EXPECT_EQ(letters(out.data).substr(0, 5), "x y z") << id;
    EXPECT_LT(distance(out.affine.apply(8, 6, 0), {0, 0, 0}), 1e-12) << id;
    EXPECT_NEAR(out.affine.spacing()[0], 6, 1e-12) << id;
    EXPECT_NEAR(out.affine.spacing()[1], 8, 1e-12) << id;
  }
}

}  // namespace
}  // namespace larmor::nodes::test
