// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/image.hpp>
#include <larmor/nodes/values/maps.hpp>
#include <larmor/nodes/values/picture.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/table.hpp>
#include <larmor/nodes/values/trajectory.hpp>

#include "../io/support.hpp"
#include "run_op.hpp"

namespace larmor::nodes {
namespace {

using flow::Value;
using flow::ValueTraits;
using test::again;
using test::caught;

template <class T>
T round_trip(const T& v) {
  return ValueTraits<T>::from(again(ValueTraits<T>::to(v)));
}

TEST(CurveValue, RoundTripKeepsEverySeries) {
  const Curve c{.x = {0, 1.5, 4},
                .y = {{1, 2, 3}, {4, NAN, 6}},
                .x_label = "b",
                .x_unit = "s/mm2",
                .label = "signal",
                .unit = "a.u.",
                .series = {"first", "second"}};
  const Curve back = round_trip(c);
  EXPECT_EQ(back.x, c.x);
  EXPECT_EQ(back.y[0], c.y[0]);
  EXPECT_TRUE(std::isnan(back.y[1][1]));
  EXPECT_EQ(back.y[1][2], 6);
  EXPECT_EQ(back.series, c.series);
  EXPECT_EQ(back.x_label + back.x_unit + back.label + back.unit, "bs/mm2signala.u.");
}

TEST(CurveValue, AnInputFunctionKeepsWhatKindItIs) {
  const Aif aif{.times = {0, 1, 2}, .values = {0, 5, 1}, .plasma = true, .Hct = 0.45, .source = "a.csv"};
  const Aif back = round_trip(aif);
  EXPECT_EQ(back.times, aif.times);
  EXPECT_EQ(back.values, aif.values);
  EXPECT_TRUE(back.plasma);
  EXPECT_EQ(back.Hct, 0.45);
  EXPECT_EQ(back.source, "a.csv");
  // A measured curve that says nothing is whole blood.
  EXPECT_FALSE(ValueTraits<Aif>::from(ValueTraits<Curve>::to({.x = {0, 1}, .y = {{1, 2}}})).plasma);
}

TEST(TrajectoryValue, RoundTripKeepsWhatIsKnown) {
  Trajectory t{.k = Array::of<double>({4, 3, 2}, {"sample", "arm", "d"}), .matrix = {8, 6}, .fov = {240, 180}};
  t.k.data<double>()[5] = -2.5;
  t.times = {0, 0.1, 0.2, 0.3}, t.source = "spiral";
  const Trajectory back = round_trip(t);
  EXPECT_EQ(back.k.axes(), t.k.axes());
  EXPECT_EQ(back.k.data<double>()[5], -2.5);
  EXPECT_EQ(back.matrix, t.matrix);
  EXPECT_EQ(back.fov, t.fov);
  EXPECT_EQ(back.times, t.times);
  EXPECT_EQ(back.source, "spiral");
  EXPECT_EQ(caught([] { ValueTraits<Trajectory>::from(Value(2.0)); }).code(), Errc::type);
  EXPECT_EQ(caught([&] {
              auto broken = t;
              broken.matrix = {2, 2};
              ValueTraits<Trajectory>::from(ValueTraits<Trajectory>::to(broken));
            }).code(),
            Errc::range);
}

TEST(CurveValue, RefusesWhatIsNoCurve) {
  EXPECT_EQ(caught([] { ValueTraits<Aif>::from(Value(2.0)); }).code(), Errc::type);
  EXPECT_EQ(caught([] {
              ValueTraits<Aif>::from(ValueTraits<Curve>::to({.x = {0, 1}, .y = {{1, 2}, {3, 4}}}));
            }).code(),
            Errc::shape);
  const Value uneven = Value::record("curve", {{"x", Array::of<double>({3})}, {"data", Array::of<double>({4})}});
  EXPECT_EQ(caught([&] { ValueTraits<Curve>::from(uneven); }).code(), Errc::shape);
  const Value backwards = ValueTraits<Curve>::to({.x = {1, 0}, .y = {{1, 2}}});
  EXPECT_EQ(caught([&] { ValueTraits<Aif>::from(backwards); }).code(), Errc::range);
}

ParameterMaps some_maps() {
  ParameterMaps m;
  m.reference.affine = Affine::scaling(2, 3, 4);
  m.reference.times = {0, 5};
  m.reference.meta["FlipAngle"] = 15.0;
  m.maps.push_back({.name = "Ktrans",
                    .symbol = "K^trans",
                    .unit = "1/s",
                    .title = "Volume transfer constant",
                    .values = Array::of<float>({2, 3, 4}),
                    .standard_error = Array::of<float>({2, 3, 4})});
  m.maps[0].values.span<float>()[5] = NAN;
  m.maps.push_back({.name = "R2",
                    .symbol = "R2",
                    .unit = "1",
                    .title = "",
                    .values = Array::of<float>({2, 3, 4}),
                    .standard_error = {}});
  m.status = Array::of<std::uint8_t>({2, 3, 4});
  m.meta["Models"] = std::vector<std::string>{"dce.tofts"};
  return m;
}

TEST(MapsValue, RoundTripKeepsMapsGeometryAndStatus) {
  const auto m = some_maps(), back = round_trip(m);
  ASSERT_EQ(back.maps.size(), 2U);
  EXPECT_EQ(back.maps[0].name + back.maps[0].symbol + back.maps[0].unit, "KtransK^trans1/s");
  EXPECT_EQ(back.maps[0].title, m.maps[0].title);
  EXPECT_TRUE(std::isnan(back.maps[0].values.span<float>()[5]));
  EXPECT_EQ(back.maps[0].standard_error.shape(), (Shape{2, 3, 4}));
  EXPECT_TRUE(back.maps[1].standard_error.empty());
  EXPECT_EQ(back.status.shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(back.reference.affine.m, m.reference.affine.m);
  EXPECT_EQ(back.reference.times, m.reference.times);
  EXPECT_EQ(back.reference.meta, m.reference.meta);
  EXPECT_TRUE(back.reference.data.empty());
  EXPECT_EQ(back.meta, m.meta);
  // The viewer looks for these.
  const Value v = ValueTraits<ParameterMaps>::to(m);
  EXPECT_EQ(v.type(), "maps");
  EXPECT_EQ(v.field("maps").list()[0].type(), "map");
  EXPECT_EQ(v.field("maps").list()[0].field("values").array().axes(), (Axes{"x", "y", "z"}));
}

TEST(MapsValue, WithoutStatusAndWithAPictureOfTheSource) {
  auto m = some_maps();
  m.status = Array();
  m.reference.data = Array::of<float>({2, 3, 4});
  const auto back = round_trip(m);
  EXPECT_TRUE(back.status.empty());
  EXPECT_EQ(back.reference.data.shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(caught([] { ValueTraits<ParameterMaps>::from(Value("x")); }).code(), Errc::type);
}

TEST(TableValue, RoundTripAndNumbersInCells) {
  const io::Table t{.columns = {"a", "b"}, .rows = {{"1", "x,y"}, {"", "2"}}, .source = "t.csv"};
  const auto back = round_trip(t);
  EXPECT_EQ(back.columns, t.columns);
  EXPECT_EQ(back.rows, t.rows);
  EXPECT_EQ(back.source, t.source);
  const auto made = ValueTraits<io::Table>::from(
      Value::record("table", {{"columns", Value::List{"a"}}, {"rows", Value::List{Value::List{0.25}}}}));
  EXPECT_EQ(made.number(0, "a"), 0.25);
}

TEST(TableValue, RefusesUnevenRows) {
  const Value v = Value::record("table", {{"columns", Value::List{"a", "b"}}, {"rows", Value::List{Value::List{"1"}}}});
  EXPECT_EQ(caught([&] { ValueTraits<io::Table>::from(v); }).code(), Errc::shape);
  EXPECT_EQ(caught([] { ValueTraits<io::Table>::from(Value(1.0)); }).code(), Errc::type);
}

TEST(PictureValue, RoundTripKeepsPixelsInTheirPlaces) {
  io::Picture p{.width = 3, .height = 2, .channels = 4, .pixels = {}};
  for (int i = 0; i < 24; ++i) p.pixels.push_back(static_cast<std::uint8_t>(i));
  const Value v = ValueTraits<io::Picture>::to(p);
  const auto& data = v.field("data").array();
  EXPECT_EQ(data.axes(), (Axes{"channel", "x", "y"}));
  EXPECT_EQ(data.slice(2, 1).slice(1, 2).slice(0, 3).contiguous_copy().span<std::uint8_t>()[0], 4 * (1 * 3 + 2) + 3);
  const auto back = round_trip(p);
  EXPECT_EQ(back.width, 3);
  EXPECT_EQ(back.height, 2);
  EXPECT_EQ(back.pixels, p.pixels);
  EXPECT_EQ(caught([] {
              ValueTraits<io::Picture>::from(Value::record("picture", {{"data", Array::of<std::uint8_t>({2, 3, 3})}}));
            }).code(),
            Errc::shape);
}

TEST(ReportValue, RoundTrip) {
  const auto back = round_trip(Page{.title = "A", .html = "<p>b"});
  EXPECT_EQ(back.title + back.html, "A<p>b");
  EXPECT_EQ(caught([] { ValueTraits<Page>::from(Value(1.0)); }).code(), Errc::type);
}

}  // namespace
}  // namespace larmor::nodes
