// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/core/parallel.hpp>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Elements of (x, y, z) for each y, in order.
std::vector<std::vector<double>> by_y(const Array& a) {
  const auto v = values(a);
  const auto nx = static_cast<std::size_t>(a.extent(0)), ny = static_cast<std::size_t>(a.extent(1));
  std::vector<std::vector<double>> out(ny);
  for (std::size_t k = 0; k < v.size(); ++k) out[k / nx % ny].push_back(v[k]);
  return out;
}

TEST(Reduce, AgainstDirectSums) {
  const Array a = random({6, 5, 40}, {"x", "y", "z"});
  const auto rows = by_y(a);
  const auto got = [&](const char* id, Sets set = {}) {
    set["axes"] = "z, x";
    return values(array(run(id, {{"in", a}}, set)));
  };
  const auto sum = got("reduce.sum"), mean = got("reduce.mean"), sd = got("reduce.sd"), var = got("reduce.variance"),
             rms = got("reduce.rms"), norm = got("reduce.norm"), low = got("reduce.min"), high = got("reduce.max"),
             range = got("reduce.range"), product = got("reduce.product"), median = got("reduce.median"),
             p90 = got("reduce.percentile", {{"percent", 90.0}}), at_low = got("reduce.argmin"),
             at_high = got("reduce.argmax"), count = got("reduce.count"), any = got("reduce.any"),
             all = got("reduce.all");
  for (std::size_t y = 0; y < 5; ++y) {
    auto v = rows[y];
    double s = 0, ss = 0, p = 1;
    for (const double x : v) s += x, ss += x * x, p *= x;
    const double n = static_cast<double>(v.size()), m = s / n;
    double d2 = 0;
    for (const double x : v) d2 += (x - m) * (x - m);
    // 240 numbers of size 1: sums are right to some 1e-14.
    EXPECT_NEAR(sum[y], s, 1e-12);
    EXPECT_NEAR(mean[y], m, 1e-13);
    EXPECT_NEAR(var[y], d2 / (n - 1), 1e-12);
    EXPECT_NEAR(sd[y], std::sqrt(d2 / (n - 1)), 1e-12);
    EXPECT_NEAR(rms[y], std::sqrt(ss / n), 1e-13);
    EXPECT_NEAR(norm[y], std::sqrt(ss), 1e-12);
    EXPECT_NEAR(product[y] / p, 1, 1e-12);
    const auto low_at = std::min_element(v.begin(), v.end()), high_at = std::max_element(v.begin(), v.end());
    EXPECT_EQ(low[y], *low_at);
    EXPECT_EQ(high[y], *high_at);
    EXPECT_EQ(range[y], *high_at - *low_at);
    EXPECT_EQ(at_low[y], low_at - v.begin());
    EXPECT_EQ(at_high[y], high_at - v.begin());
    std::sort(v.begin(), v.end());
    EXPECT_NEAR(median[y], (v[119] + v[120]) / 2, 1e-15);
    EXPECT_NEAR(p90[y], v[215] + 0.1 * (v[216] - v[215]), 1e-14);  // rank 0.9 x 239 = 215.1
    EXPECT_EQ(count[y], 240);
    EXPECT_EQ(any[y], 1);
    EXPECT_EQ(all[y], 1);
  }
}

TEST(Reduce, OverOneAxisAfterAnotherIsOverBoth) {
  const Array a = random({6, 5, 4}, {"x", "y", "z"});
  for (const char* id : {"reduce.sum", "reduce.mean", "reduce.max", "reduce.min", "reduce.norm", "reduce.rms"}) {
    const Value x = run(id, {{"in", a}}, {{"axes", "x"}}), xz = run(id, {{"in", x}}, {{"axes", "z"}});
    EXPECT_LT(gap(array(xz), array(run(id, {{"in", a}}, {{"axes", "x, z"}}))), 1e-13) << id;
  }
}

TEST(Reduce, WholeLargeArraysDoNotDependOnThreads) {
  const Array a = random({1000, 700}, {"x", "y"}, DType::f32);
  const int before = thread_count();
  std::map<std::string, double> one;
  for (const int threads : {1, 4}) {
    set_thread_count(threads);
    for (const char* id : {"reduce.sum", "reduce.sd", "reduce.median", "reduce.argmax", "reduce.max"}) {
      const double v = values(array(run(id, {{"in", a}})))[0];
      if (threads == 1) one[id] = v;
      EXPECT_EQ(v, one[id]) << id;
    }
  }
  set_thread_count(before);
  // A transposed view is reduced along its memory, and gives the same.
  const Array t = array(run("array.transpose", {{"in", a}}, {{"order", "y, x"}}));
  EXPECT_LT(gap(array(run("reduce.mean", {{"in", a}}, {{"axes", "x"}})),
                array(run("reduce.mean", {{"in", t}}, {{"axes", "x"}}))),
            1e-7);  // f32 results
}

TEST(Reduce, SpreadFarFromZeroIsNotLost) {
  std::vector<double> v(1000);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = 1e9 + static_cast<double>(i % 2);
  // Alternating 0 and 1: variance 0.25 n / (n - 1).
  EXPECT_NEAR(values(array(run("reduce.variance", {{"in", line(v)}})))[0], 0.25 * 1000 / 999, 1e-9);
}

TEST(Reduce, NaNPropagatesOrIsLeftOut) {
  const Array a = line({1, NAN, 3});
  for (const char* id : {"reduce.sum", "reduce.mean", "reduce.max", "reduce.median", "reduce.sd", "reduce.percentile"})
    EXPECT_TRUE(std::isnan(values(array(run(id, {{"in", a}})))[0])) << id;
  const auto omit = [&](const char* id) { return values(array(run(id, {{"in", a}}, {{"nan", "omit"}})))[0]; };
  EXPECT_EQ(omit("reduce.sum"), 4);
  EXPECT_EQ(omit("reduce.mean"), 2);
  EXPECT_EQ(omit("reduce.max"), 3);
  EXPECT_EQ(omit("reduce.median"), 2);
  EXPECT_EQ(omit("reduce.argmax"), 2);
  const Array none = line({NAN, NAN});
  EXPECT_TRUE(std::isnan(values(array(run("reduce.mean", {{"in", none}}, {{"nan", "omit"}})))[0]));
  EXPECT_EQ(values(array(run("reduce.sum", {{"in", none}}, {{"nan", "omit"}})))[0], 0);
}

TEST(Reduce, TypesOfResults) {
  const Array i = random({4}, {"x"}).cast(DType::i16), z = random({4}, {"x"}, DType::c64);
  EXPECT_EQ(array(run("reduce.sum", {{"in", i}})).dtype(), DType::f64);
  EXPECT_EQ(array(run("reduce.max", {{"in", i}})).dtype(), DType::i16);
  EXPECT_EQ(array(run("reduce.sum", {{"in", z}})).dtype(), DType::c64);
  EXPECT_EQ(array(run("reduce.norm", {{"in", z}})).dtype(), DType::f32);
  EXPECT_EQ(array(run("reduce.argmax", {{"in", i}})).dtype(), DType::i32);
}

TEST(Reduce, PlaceInSpace) {
  Image in = marked({1, 2, 3}, {5, 6, 7, 4});
  in.times = {0, 1, 2, 3};
  const Image mean = image(run("reduce.mean", {{"in", value(in)}}, {{"axes", "t"}}));
  EXPECT_EQ(mean.affine.m, in.affine.m);
  EXPECT_TRUE(mean.times.empty());
  EXPECT_EQ(run("reduce.mean", {{"in", value(in)}}, {{"axes", "z"}}).type(), "array");
  const Image kept = image(run("reduce.mean", {{"in", value(in)}}, {{"axes", "z"}, {"keep_axes", true}}));
  EXPECT_EQ(kept.data.shape(), (Shape{5, 6, 1, 4}));
  EXPECT_LT(distance(kept.affine.apply(2, 3, 0), in.affine.apply(2, 3, 3)), 1e-12);  // the middle of 7 slices
  EXPECT_NEAR(kept.affine.spacing()[2], 7 * in.affine.spacing()[2], 1e-12);
}

TEST(Reduce, Errors) {
  const Array a = Array::of<float>({2, 3});
  EXPECT_THAT(error_of("reduce.sum", {{"in", a}}, {{"axes", "z"}}, Errc::unknown_name), HasSubstr("axis"));
  EXPECT_THAT(error_of("reduce.sum", {{"in", a}}, {{"axes", "x, x"}}, Errc::range), HasSubstr("twice"));
  EXPECT_THAT(error_of("reduce.sum", {{"in", a}}, {{"axes", "x,,y"}}, Errc::format), HasSubstr("empty name"));
  EXPECT_THAT(error_of("reduce.max", {{"in", random({2}, {"x"}, DType::c64)}}, {}, Errc::type), HasSubstr("order"));
  EXPECT_THAT(error_of("reduce.max", {{"in", Array::of<float>({0})}}, {}, Errc::range), HasSubstr("no elements"));
  EXPECT_NE(error_of("reduce.percentile", {{"in", a}}, {{"percent", 101.0}}, Errc::range), "");
}

TEST(ReduceScan, DifferenceUndoesTheCumulativeSum) {
  const Array a = random({5, 6}, {"x", "y"});
  const Value sums = run("reduce.cumulative_sum", {{"in", a}}, {{"axis", "y"}});
  const Array back = array(run("reduce.difference", {{"in", sums}}, {{"axis", "y"}}));
  EXPECT_LT(gap(back, a.range(1, 1, 6).contiguous_copy()), 1e-14);
  const auto last = values(array(sums).slice(1, 5));
  EXPECT_LT(gap(line(last), array(run("reduce.sum", {{"in", a}}, {{"axes", "y"}}))), 1e-14);
  EXPECT_NE(error_of("reduce.difference", {{"in", a}}, {{"axis", "q"}}, Errc::unknown_name), "");
}

}  // namespace
}  // namespace larmor::nodes::test
