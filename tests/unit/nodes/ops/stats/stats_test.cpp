// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/table.hpp>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(StatsRoi, TableByRegion) {
  Image in;
  in.data = array(Value(line({1, 2, 3, 10, 20, NAN, 7, 7}))).reshaped({4, 2, 1});
  in.affine = Affine::scaling(2, 2, 5);
  const Array rois = Array::from<float>(std::vector<float>{1, 1, 1, 2, 2, 2, 0, 0}, {4, 2, 1});
  const auto t = flow::ValueTraits<io::Table>::from(run("stats.roi", {{"in", value(in)}, {"rois", rois}}, {}, "table"));
  ASSERT_EQ(t.rows.size(), 2U);
  EXPECT_EQ(t.number(0, "voxels"), 3);
  EXPECT_EQ(t.number(0, "mm3"), 60);
  EXPECT_EQ(t.number(0, "mean"), 2);
  EXPECT_EQ(t.number(0, "sd"), 1);
  EXPECT_EQ(t.number(1, "mean"), 15);
  EXPECT_EQ(t.number(1, "left_out"), 1);
  const auto all = flow::ValueTraits<io::Table>::from(run("stats.roi", {{"in", value(in)}}, {}, "table"));
  EXPECT_EQ(all.number(0, "voxels"), 8);
  EXPECT_EQ(all.number(0, "median"), 7);
  EXPECT_EQ(all.number(0, "max"), 20);
}

TEST(StatsRoi, Curves) {
  Image in;
  in.data = random({3, 2, 1, 4});
  in.times = {0, 2, 5, 9};
  Array rois = Array::of<std::uint8_t>({3, 2, 1});
  rois.data<std::uint8_t>()[1] = 1, rois.data<std::uint8_t>()[4] = 1, rois.data<std::uint8_t>()[5] = 3;
  const auto c =
      flow::ValueTraits<Curve>::from(run("stats.roi_curve", {{"in", value(in)}, {"rois", rois}}, {}, "curve"));
  EXPECT_THAT(c.x, ElementsAre(0, 2, 5, 9));
  ASSERT_EQ(c.y.size(), 2U);
  const auto v = values(in.data);
  EXPECT_NEAR(c.y[0][2], (v[12 + 1] + v[12 + 4]) / 2, 1e-15);
  EXPECT_EQ(c.y[1][3], v[18 + 5]);
  EXPECT_THAT(c.series, ElementsAre("region 1", "region 3"));
  EXPECT_NE(error_of("stats.roi_curve", {{"in", value(in)}, {"rois", Array::of<float>({3, 2, 1})}}, {}, Errc::range),
            "");
  EXPECT_THAT(error_of("stats.roi", {{"in", value(in)}, {"rois", Array::of<float>({3, 3, 1})}}, {}, Errc::shape),
              HasSubstr("regions"));
  EXPECT_NE(error_of("stats.roi", {{"in", line({1, 2})}, {"rois", line({0.5, 1})}}, {}, Errc::range), "");
  EXPECT_NE(error_of("stats.roi", {{"in", random({2}, {"x"}, DType::c64)}}, {}, Errc::type), "");
}

TEST(StatsHistogram, CountsEverything) {
  const Array a = random({1000}, {"x"});
  const auto c = flow::ValueTraits<Curve>::from(run("stats.histogram", {{"in", a}}, {{"bins", 20}}, "curve"));
  double total = 0;
  for (const double n : c.y[0]) total += n;
  EXPECT_EQ(total, 1000);
  const auto density =
      flow::ValueTraits<Curve>::from(run("stats.histogram", {{"in", a}}, {{"bins", 20}, {"density", true}}, "curve"));
  double area = 0;
  for (const double n : density.y[0]) area += n * (density.x[1] - density.x[0]);
  EXPECT_NEAR(area, 1, 1e-12);
  const auto some = flow::ValueTraits<Curve>::from(
      run("stats.histogram", {{"in", line({0, 1, 2, 3, NAN})}, {"mask", line({1, 1, 1, 0, 1})}},
          {{"bins", 2}, {"range", Value::List{0.0, 2.0}}}, "curve"));
  EXPECT_THAT(some.y[0], ElementsAre(1, 2));  // the last bin is closed
  EXPECT_NE(error_of("stats.histogram", {{"in", a}}, {{"range", Value::List{2.0, 1.0}}}, Errc::range), "");
  EXPECT_NE(error_of("stats.histogram", {{"in", a}}, {{"range", Value::List{2.0}}}, Errc::shape), "");
  EXPECT_NE(error_of("stats.histogram", {{"in", a}, {"mask", line({1})}}, {}, Errc::shape), "");
  EXPECT_NE(error_of("stats.histogram", {{"in", line({NAN})}}, {}, Errc::range), "");
}

TEST(StatsSummary, AgreesWithTheReductions) {
  const Array a = random({501}, {"x"});
  const auto s = run_all("stats.summary", {{"in", a}});
  for (const char* what : {"mean", "sd", "median", "min", "max", "sum"})
    EXPECT_NEAR(s.at(what).number(), values(array(run(std::string("reduce.") + what, {{"in", a}})))[0], 1e-12) << what;
  EXPECT_EQ(s.at("count").number(), 501);
}

}  // namespace
}  // namespace larmor::nodes::test
