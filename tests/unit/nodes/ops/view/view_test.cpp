// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <larmor/io/montage.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/picture.hpp>
#include <larmor/nodes/values/table.hpp>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

io::Picture picture(const Value& in, Sets set = {}) {
  return flow::ValueTraits<io::Picture>::from(run("view.picture", {{"in", in}}, std::move(set), "picture"));
}
std::array<int, 3> pixel(const io::Picture& p, int x, int y) {
  const auto at = static_cast<std::size_t>((x + p.width * y) * 3);
  return {p.pixels[at], p.pixels[at + 1], p.pixels[at + 2]};
}

TEST(ViewPicture, ComplexColours) {
  EXPECT_THAT(io::complex_colour(1, 0), ElementsAre(0, 255, 255));          // cyan
  EXPECT_THAT(io::complex_colour(1, M_PI / 2), ElementsAre(0, 255, 0));     // green
  EXPECT_THAT(io::complex_colour(1, M_PI), ElementsAre(255, 0, 0));         // red
  EXPECT_THAT(io::complex_colour(1, -M_PI), ElementsAre(255, 0, 0));        // the same from the other side
  EXPECT_THAT(io::complex_colour(1, -M_PI / 2), ElementsAre(255, 0, 255));  // magenta
  EXPECT_THAT(io::complex_colour(0, 1), ElementsAre(0, 0, 0));
  EXPECT_THAT(io::complex_colour(0.2, 0), ElementsAre(0, 51, 51));
}

// One sample along x, as BART keeps a plane: the picture is that of y and z, and not as many columns as z has.
TEST(ViewPicture, AnAxisOfOneElementIsNoSide) {
  Array flat = Array::of<float>({4, 3});
  for (int i = 0; i < 12; ++i) flat.data<float>()[i] = static_cast<float>(i);
  const io::Picture expected = picture(flat), along = picture(flat.reshaped({1, 4, 3})),
                    between = picture(flat.reshaped({4, 1, 3}));
  EXPECT_EQ(along.width, expected.width);
  EXPECT_EQ(along.height, expected.height);
  EXPECT_EQ(along.pixels, expected.pixels);
  EXPECT_EQ(between.pixels, expected.pixels);
  EXPECT_EQ(picture(flat.reshaped({1, 1, 12})).height, 3);  // no two longer ones: twelve planes of one element
}

TEST(ViewPicture, OneTallPlaneIsOnePlaneWide) {
  const io::Picture tall = picture(Array::of<float>({3, 8}));
  EXPECT_EQ(tall.width, 3);
  EXPECT_EQ(tall.height, 8);
}

TEST(ViewPicture, PlanesSideBySide) {
  Array a = Array::of<float>({3, 2, 3});
  a.data<float>()[0] = 1;      // first plane, lower left
  a.data<float>()[5 + 6] = 1;  // second plane, upper right
  a.data<float>()[12] = NAN;
  const auto p = picture(a, {{"window", Value::List{0.0, 1.0}}, {"columns", 3}});
  EXPECT_EQ(p.width, 9);
  EXPECT_EQ(p.height, 2);
  EXPECT_THAT(pixel(p, 0, 1), ElementsAre(255, 255, 255));
  EXPECT_THAT(pixel(p, 5, 0), ElementsAre(255, 255, 255));
  EXPECT_THAT(pixel(p, 1, 1), ElementsAre(0, 0, 0));
  EXPECT_THAT(pixel(p, 6, 1), ElementsAre(32, 36, 48));
  EXPECT_THAT(pixel(picture(a, {{"y_up", false}, {"columns", 3}, {"window", Value::List{0.0, 1.0}}}), 0, 0),
              ElementsAre(255, 255, 255));
  EXPECT_EQ(picture(a, {{"zoom", 4}, {"plane", "z, x"}}).width % 12, 0);
  const Value z =
      run("complex.make", {{"real", Array::of<float>({64, 64})},
                           {"imag", run("math.add", {{"a", Array::of<float>({64, 64})}}, {{"value", 2.0}})}});
  const auto c = picture(z, {{"window", Value::List{0.0, 2.0}}});
  EXPECT_THAT(pixel(c, 3, 3), ElementsAre(0, 255, 0));
  const auto bottom = pixel(c, 64 - 7, 64 - 2);  // of the ring, -90 degrees to within a pixel
  EXPECT_GT(bottom[0], 200);
  EXPECT_EQ(bottom[1], 0);
  EXPECT_EQ(bottom[2], 255);
  EXPECT_NE(error_of("view.picture", {{"in", line({1, 2})}}, {}, Errc::shape), "");
  EXPECT_NE(error_of("view.picture", {{"in", a}}, {{"plane", "x"}}, Errc::shape), "");
  EXPECT_NE(error_of("view.picture", {{"in", a}}, {{"window", Value::List{1.0, 0.0}}}, Errc::range), "");
  EXPECT_NE(error_of("view.picture", {{"in", a}}, {{"window", Value::List{1.0}}}, Errc::shape), "");
  EXPECT_NE(error_of("view.picture", {{"in", Array::of<float>({2, 2, 5000})}}, {}, Errc::shape), "");
}

TEST(ViewCurve, AlongAnAxis) {
  Image in;
  in.data = random({2, 1, 1, 4});
  in.times = {0, 1, 4, 9};
  const auto c = flow::ValueTraits<Curve>::from(
      run("view.curve", {{"in", value(in)}}, {{"axis", "t"}, {"label", "signal"}}, "curve"));
  EXPECT_THAT(c.x, ElementsAre(0, 1, 4, 9));
  ASSERT_EQ(c.y.size(), 2U);
  EXPECT_EQ(c.y[1][2], values(in.data)[5]);
  EXPECT_EQ(c.label, "signal");
  const auto given = flow::ValueTraits<Curve>::from(
      run("view.curve", {{"in", line({1, 2})}, {"x", Value::List{5.0, 6.0}}}, {}, "curve"));
  EXPECT_THAT(given.x, ElementsAre(5, 6));
  EXPECT_NE(error_of("view.curve", {{"in", line({1, 2})}, {"x", Value::List{5.0}}}, {}, Errc::shape), "");
  EXPECT_NE(error_of("view.curve", {{"in", random({2}, {"x"}, DType::c64)}}, {}, Errc::type), "");
  EXPECT_NE(error_of("view.curve", {{"in", random({2, 2000})}}, {}, Errc::shape), "");
  EXPECT_NE(error_of("view.curve", {{"in", line({1})}}, {{"axis", "t"}}, Errc::unknown_name), "");
}

TEST(ViewTable, OfValuesRecordsAndArrays) {
  const auto table = [](Ins in, Sets set = {}) {
    return flow::ValueTraits<io::Table>::from(run("view.table", std::move(in), std::move(set), "table"));
  };
  const auto v = table({{"in.1", 2.5}, {"in.2", "b"}}, {{"names", "first, second"}});
  EXPECT_THAT(v.columns, ElementsAre("name", "value"));
  EXPECT_EQ(v.cell(0, "name"), "first");
  EXPECT_EQ(v.number(0, "value"), 2.5);
  const auto a = table({{"in.1", array(Value(line({1, 2, 3, 4, 5, 6}))).reshaped({3, 2})}}, {{"names", "p, q"}});
  EXPECT_EQ(a.rows.size(), 3U);
  EXPECT_EQ(a.number(2, "q"), 6);
  const auto r = table({{"in.1", Value::record("", {{"a", 1.0}})}, {"in.2", Value::record("", {{"b", 2.0}})}});
  EXPECT_THAT(r.columns, ElementsAre("a", "b"));
  EXPECT_EQ(r.cell(1, "a"), "");
  EXPECT_EQ(r.number(1, "b"), 2);
  EXPECT_NE(error_of("view.table", {{"in.1", random({2, 2, 2})}}, {}, Errc::shape), "");
  EXPECT_NE(error_of("view.table", {{"in.1", random({2, 2})}}, {{"names", "p"}}, Errc::shape), "");
}

TEST(ViewText, Formats) {
  EXPECT_EQ(run("view.text", {{"a", 1.23456}, {"b", "mM"}}, {{"format", "{a:.2f} {b} {{}}"}}).text(), "1.23 mM {}");
  EXPECT_EQ(run("view.text", {{"a", line({7})}}, {{"format", "{a}"}}).text(), "7");
  EXPECT_THAT(error_of("view.text", {{"a", 1.0}}, {{"format", "{b}"}}, Errc::format), HasSubstr("{b}"));
  EXPECT_NE(error_of("view.text", {{"a", "x"}}, {{"format", "{a:.2f}"}}, Errc::format), "");
  EXPECT_NE(error_of("view.text", {{"a", 1.0}}, {{"format", "{a"}}, Errc::format), "");
}

TEST(IoCfl, OperationsAndFileNames) {
  const auto dir = std::filesystem::temp_directory_path() / ("larmor_cfl_ops_" + std::to_string(::getpid()));
  const std::string path = (dir / "k.cfl").string();
  const Array a = random({4, 3, 2}, {"x", "y", "coil"}, DType::c64);
  run("io.write_cfl", {{"array", a}}, {{"path", path}}, "file");
  EXPECT_EQ(gap(array(run("io.read_cfl", {}, {{"path", path}}, "array")), a), 0);
  EXPECT_EQ(file_kind(path).reader, "io.read_cfl");
  write_file(dir / "b.cfl", a);
  EXPECT_EQ(gap(array(read_file(dir / "b.cfl")), a), 0);
  std::filesystem::remove_all(dir);
  EXPECT_NE(error_of("io.read_cfl", {}, {{"path", path}}, Errc::file), "");
}

}  // namespace
}  // namespace larmor::nodes::test
