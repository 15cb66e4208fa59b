// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <larmor/data/grid.hpp>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A polynomial of the world's coordinates over a grid.
Image polynomial(const Affine& affine, Shape shape, int degree) {
  Image out;
  out.data = Array::of<double>(shape);
  out.affine = affine;
  for (std::int64_t i = 0; i < out.data.size(); ++i) {
    const auto p = affine.apply(static_cast<double>(i % shape[0]), static_cast<double>(i / shape[0] % shape[1]),
                                static_cast<double>(i / shape[0] / shape[1] % shape[2]));
    double v = 1;
    if (degree >= 1) v += 0.3 * p[0] - 0.2 * p[1] + 0.5 * p[2];
    if (degree >= 2) v += 0.02 * p[0] * p[0] - 0.03 * p[1] * p[2] + 0.01 * p[0] * p[1];
    out.data.data<double>()[i] = v;
  }
  return out;
}
Affine tilted() {
  Affine a = rotation({0.1, -0.05, 0.2}, {0, 0, 0}) * Affine::scaling(1.1, 0.9, 1.4);
  a.m[0][3] = 3.2, a.m[1][3] = 2.7, a.m[2][3] = 3.9;
  return a;
}

TEST(ArrayInterpolate, ExactOnPolynomialsOfItsOrder) {
  const struct {
    const char* kind;
    int degree;
  } kinds[] = {{"nearest", 0}, {"linear", 1}, {"cubic", 2}, {"sinc", 0}};
  for (const auto& k : kinds) {
    const auto f = [&](double x) { return k.degree == 0 ? 4.0 : k.degree == 1 ? 2 * x - 3 : 0.5 * x * x - 2 * x + 1; };
    std::vector<double> samples, expected;
    Value::List at;
    for (int i = 0; i < 9; ++i) samples.push_back(f(i));
    for (double x = 0; x <= 8; x += 0.173) at.emplace_back(x), expected.push_back(f(x));
    EXPECT_LT(gap(array(run("array.interpolate", {{"in", line(samples)}}, {{"at", at}, {"interpolation", k.kind}})),
                  line(expected)),
              1e-13)
        << k.kind;
  }
}

TEST(ArrayInterpolate, GoesThroughItsSamplesAndFillsOutside) {
  const Array a = random({3, 12}, {"coil", "x"}, DType::c128);
  Value::List at;
  for (int i = 0; i < 12; ++i) at.emplace_back(i);
  for (const char* kind : {"nearest", "linear", "cubic", "sinc"})
    EXPECT_LT(gap(array(run("array.interpolate", {{"in", a}}, {{"at", at}, {"interpolation", kind}})), a), 1e-14)
        << kind;
  const auto v = values(array(
      run("array.interpolate", {{"in", line({1, 2})}}, {{"at", Value::List{-0.6, -0.4, 1.4, 1.6}}, {"outside", 7.0}})));
  EXPECT_THAT(v, ElementsAre(7, 1, 2, 7));
  EXPECT_NE(error_of("array.interpolate", {{"in", a}}, {}, Errc::usage), "");
  EXPECT_NE(error_of("array.interpolate", {{"in", a}}, {{"at", at}, {"axis", "q"}}, Errc::unknown_name), "");
  // Labels keep their type.
  EXPECT_EQ(array(run("array.interpolate", {{"in", line({1, 2}).cast(DType::i16)}},
                      {{"at", at}, {"interpolation", "nearest"}}))
                .dtype(),
            DType::i16);
}

TEST(ImageResample, SincFollowsASmoothWave) {
  std::vector<double> coarse, fine;
  for (int i = 0; i < 64; ++i) coarse.push_back(std::cos(0.4 * i));
  for (int i = 0; i < 128; ++i) fine.push_back(std::cos(0.4 * (i * 0.5 - 0.25)));
  const auto v =
      values(array(run("image.resample", {{"in", line(coarse)}}, {{"size", "x=128"}, {"interpolation", "sinc"}})));
  // Eight points under the window: 0.3 % in the middle of the band; ends are not tested, where points are missing.
  for (std::size_t i = 8; i < 120; ++i) EXPECT_NEAR(v[i], fine[i], 3e-3);
}

TEST(ImageResample, KeepsFieldOfViewAndPolynomials) {
  const Image in = polynomial(tilted(), {8, 9, 7}, 1);
  const Image out = image(run("image.resample", {{"in", value(in)}},
                              {{"size", "x=16, y=5, z=11"}, {"interpolation", "linear"}, {"antialias", false}}));
  const Image truth = polynomial(out.affine, {16, 5, 11}, 1);
  const auto a = values(out.data), b = values(truth.data);
  for (int i = 0; i < 16 * 5 * 11; ++i) {
    const int x = i % 16, z = i / 80;
    if (x == 0 || x == 15 || z == 0 || z == 10) continue;  // beyond the centres of the outermost voxels the edge holds
    ASSERT_NEAR(a[static_cast<std::size_t>(i)], b[static_cast<std::size_t>(i)], 1e-12);
  }
  // Outer edges of the field of view stay.
  for (const auto& [p, q] :
       {std::pair{std::array<double, 3>{-0.5, -0.5, -0.5}, std::array<double, 3>{-0.5, -0.5, -0.5}},
        std::pair{std::array<double, 3>{7.5, 8.5, 6.5}, std::array<double, 3>{15.5, 4.5, 10.5}}})
    EXPECT_LT(distance(in.affine.apply(p[0], p[1], p[2]), out.affine.apply(q[0], q[1], q[2])), 1e-12);
  const Image iso = image(run("image.resample", {{"in", value(in)}}, {{"spacing", Value::List{1.0, 1.0, 1.0}}}));
  EXPECT_EQ(iso.data.shape(), (Shape{9, 8, 10}));
  EXPECT_NEAR(iso.affine.spacing()[2], 1, 1e-12);
  EXPECT_LT(distance(iso.affine.apply(4, 3.5, 4.5), in.affine.apply(3.5, 4, 3)), 1e-12);
}

TEST(ImageResample, AntialiasingKeepsTheMean) {
  const Array a = random({240}, {"x"});
  for (const char* kind : {"nearest", "linear", "cubic"}) {
    const auto v = values(array(run("image.resample", {{"in", a}}, {{"size", "x=40"}, {"interpolation", kind}})));
    double sum = 0, power = 0;
    for (const double x : v) sum += x, power += x * x;
    EXPECT_NEAR(sum / 40, values(array(run("reduce.mean", {{"in", a}})))[0], 0.02) << kind;
    EXPECT_LT(power / 40, 0.5) << kind;  // white noise is averaged, six samples into one
  }
  EXPECT_NE(error_of("image.resample", {{"in", a}}, {{"size", "x=0"}}, Errc::range), "");
  EXPECT_NE(error_of("image.resample", {{"in", a}}, {{"spacing", Value::List{1.0, 1.0, 1.0}}}, Errc::usage), "");
}

TEST(ImageResampleLike, ExactOnPolynomialsOnATurnedGrid) {
  const Image source = polynomial(Affine::scaling(1, 1, 1), {14, 13, 15}, 2);
  Image like;
  like.data = Array::of<float>({6, 7, 5});
  like.affine = tilted();
  for (const auto& [kind, degree] : {std::pair{"linear", 1}, std::pair{"cubic", 2}}) {
    const Image in = degree == 1 ? polynomial(source.affine, {14, 13, 15}, 1) : source;
    const Image out =
        image(run("image.resample_like", {{"in", value(in)}, {"like", value(like)}}, {{"interpolation", kind}}));
    EXPECT_EQ(out.affine.m, like.affine.m);
    EXPECT_LT(gap(out.data, polynomial(like.affine, {6, 7, 5}, degree).data), 1e-11) << kind;
  }
  // There and back on the same grid is nothing; time goes along.
  Image series = marked({2, 3, 4}, {5, 6, 7, 2});
  EXPECT_LT(gap(image(run("image.resample_like", {{"in", value(series)}, {"like", value(series)}})).data, series.data),
            1e-6);
  EXPECT_NE(error_of("image.resample_like", {{"in", Value(line({1}))}, {"like", value(like)}}, {}, Errc::type), "");
}

TEST(ImageTransform, TurnsAboutTheMiddle) {
  Image in;
  in.data = Array::of<float>({9, 9, 3});
  in.data.data<float>()[7 + 9 * (4 + 9)] = 1;  // to the right of the middle
  in.affine = Affine::scaling(2, 2, 2);
  const auto at = [&](Sets set) {
    const Image out = image(run("image.transform", {{"in", value(in)}}, std::move(set)));
    const auto v = values(out.data);
    const auto k = static_cast<int>(std::max_element(v.begin(), v.end()) - v.begin());
    return std::array{k % 9, k / 9 % 9, k / 81};
  };
  EXPECT_THAT(at({{"rotate", Value::List{0.0, 0.0, 90.0}}}), ElementsAre(4, 7, 1));  // right-handed: x to y
  EXPECT_THAT(at({{"rotate", Value::List{0.0, 0.0, 180.0}}}), ElementsAre(1, 4, 1));
  EXPECT_THAT(at({{"shift", Value::List{-4.0, 2.0, 2.0}}}), ElementsAre(5, 5, 2));
  EXPECT_THAT(at({{"scale", Value::List{1.0 / 3, 1.0, 1.0}}, {"interpolation", "linear"}}), ElementsAre(5, 4, 1));
  const Array turned =
      array(run("image.transform", {{"in", random({8, 8})}}, {{"rotate", Value::List{0.0, 0.0, 90.0}}}));
  EXPECT_EQ(turned.shape(), (Shape{8, 8}));
  const Array a = random({8, 8});
  Value four = a;
  for (int i = 0; i < 4; ++i) four = run("image.transform", {{"in", four}}, {{"rotate", Value::List{0.0, 0.0, 90.0}}});
  EXPECT_LT(gap(array(four), a), 1e-12);
  EXPECT_NE(error_of("image.transform", {{"in", a}}, {{"rotate", Value::List{1.0}}}, Errc::shape), "");
  EXPECT_NE(error_of("image.transform", {{"in", a}}, {{"scale", Value::List{1.0, 0.0, 1.0}}}, Errc::range), "");
  EXPECT_NE(error_of("image.transform", {{"in", line({1, 2})}}, {}, Errc::shape), "");
}

TEST(ImageSmooth, WidthsAddAsSquares) {
  Array point = Array::of<double>({81, 5}, {"x", "y"});
  point.data<double>()[40 + 81 * 2] = 1;
  const auto smooth = [](const Value& in, double width) {
    return run("image.smooth", {{"in", in}}, {{"FWHM", width}, {"axes", "x"}});
  };
  // 3, 4, 5; the Gaussian ends after 4 sd, where it is 3e-4 of its height of 0.19.
  EXPECT_LT(gap(array(smooth(smooth(point, 6), 8)), array(smooth(point, 10))), 5e-5);
  const auto v = values(array(smooth(point, 10)));
  EXPECT_NEAR(v[45 + 81 * 2] / v[40 + 81 * 2], 0.5, 1e-12);
  double sum = 0;
  for (const double x : v) sum += x;
  EXPECT_NEAR(sum, 1, 1e-12);
  const Array flat = array(run("math.add", {{"a", Array::of<float>({9, 9})}}, {{"value", 3.0}}));
  EXPECT_LT(gap(array(run("image.smooth", {{"in", flat}})), flat), 1e-6);
  EXPECT_EQ(gap(array(smooth(point, 0)), point), 0);
  Image in = marked({2, 3, 3});
  in.affine = Affine::scaling(2, 2, 4);
  const auto m = values(image(run("image.smooth", {{"in", value(in)}}, {{"FWHM", 8.0}, {"unit", "mm"}})).data);
  EXPECT_NEAR(m[2 + 5 * (3 + 6 * 4)] / m[2 + 5 * (3 + 6 * 3)], 0.5,
              0.1);  // one slice is half the width; ends renormalise
  EXPECT_NE(error_of("image.smooth", {{"in", flat}}, {{"unit", "mm"}}, Errc::usage), "");
  EXPECT_NE(error_of("image.smooth", {{"in", flat}}, {{"axes", "q"}}, Errc::unknown_name), "");
}

TEST(ImageMedian, TakesOutliersAndKeepsEdges) {
  EXPECT_THAT(values(array(run("image.median", {{"in", line({0, 0, 9, 0, 5, 5, 5, NAN})}}))),
              ElementsAre(0, 0, 0, 5, 5, 5, 5, 5));
  const Array a = random({9, 8});
  const auto v = values(a), m = values(array(run("image.median", {{"in", a}})));
  std::vector<double> box;
  for (const int y : {3, 4, 5})
    for (const int x : {2, 3, 4}) box.push_back(v[static_cast<std::size_t>(x + 9 * y)]);
  std::sort(box.begin(), box.end());
  EXPECT_EQ(m[3 + 9 * 4], box[4]);
  EXPECT_EQ(gap(array(run("image.median", {{"in", a}}, {{"width", 1}})), a), 0);
  EXPECT_NE(error_of("image.median", {{"in", a}}, {{"width", 4}}, Errc::range), "");
  EXPECT_NE(error_of("image.median", {{"in", random({3}, {"x"}, DType::c64)}}, {}, Errc::type), "");
}

TEST(ImagePlace, FromArrayAndBack) {
  const Array a = random({4, 5, 3, 2}, {"x", "y", "z", "t"});
  const Image out = image(run("image.from_array", {{"in", a}},
                              {{"spacing", Value::List{2.0, 2.0, 5.0}}, {"times", Value::List{0.0, 3.0}}}));
  EXPECT_LT(distance(out.affine.apply(2, 2, 1), {0, 0, 0}), 1e-12);
  EXPECT_THAT(out.times, ElementsAre(0, 3));
  EXPECT_EQ(run("image.to_array", {{"in", value(out)}}).type(), "array");
  EXPECT_EQ(image(run("image.from_array", {{"in", random({4, 5})}})).data.shape(), (Shape{4, 5, 1}));
  const Image like = image(run("image.from_array", {{"in", a}, {"like", value(out)}}));
  EXPECT_EQ(like.affine.m, out.affine.m);
  EXPECT_THAT(error_of("image.from_array", {{"in", random({3, 5})}, {"like", value(out)}}, {}, Errc::shape),
              HasSubstr("4 x 5 x 3"));
  EXPECT_NE(error_of("image.from_array", {{"in", a}}, {{"spacing", Value::List{1.0, -1.0, 1.0}}}, Errc::range), "");
  EXPECT_NE(error_of("image.from_array", {{"in", a}}, {{"origin", Value::List{1.0}}}, Errc::shape), "");
  EXPECT_NE(error_of("image.from_array", {{"in", a}}, {{"times", Value::List{1.0}}}, Errc::shape), "");
}

}  // namespace
}  // namespace larmor::nodes::test
