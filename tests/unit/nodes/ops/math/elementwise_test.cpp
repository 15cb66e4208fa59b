// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(MathUnary, InversesUndoEachOther) {
  const struct {
    const char *there, *back;
    double low, high;
  } pairs[] = {{"math.exp", "math.log", -3, 3},
               {"math.sin", "math.asin", -1.5, 1.5},
               {"math.cos", "math.acos", 0.1, 3},
               {"math.tan", "math.atan", -1.5, 1.5},
               {"math.square", "math.sqrt", 0, 9},
               {"math.negate", "math.negate", -5, 5},
               {"math.reciprocal", "math.reciprocal", 0.1, 4},
               {"math.expm1", "math.log1p", -3, 3}};
  for (const auto& p : pairs) {
    std::vector<double> x;
    for (int i = 0; i <= 1000; ++i) x.push_back(p.low + (p.high - p.low) * i / 1000);
    const Array a = line(x), back = array(run(p.back, {{"in", run(p.there, {{"in", a}})}}));
    // A few roundings of 1e-16, made larger by the slope of the inverse (20 for asin and acos at these ends).
    EXPECT_LT(gap(a, back), 1e-12) << p.there << " " << p.back;
  }
}

TEST(MathUnary, KnownValues) {
  const struct {
    const char* id;
    double in, out;
  } known[] = {{"math.abs", -2, 2},
               {"math.sign", -3, -1},
               {"math.sign", 0, 0},
               {"math.cbrt", -27, -3},
               {"math.log2", 8, 3},
               {"math.log10", 1000, 3},
               {"math.sinh", 1, 1.1752011936438014},
               {"math.cosh", 1, 1.5430806348152437},
               {"math.tanh", 1, 0.7615941559557649},
               {"math.sinc", 0, 1},
               {"math.sinc", 0.5, 0.6366197723675814},
               {"math.erf", 1, 0.8427007929497149},
               {"math.floor", -1.5, -2},
               {"math.ceil", -1.5, -1},
               {"math.round", 2.5, 3},
               {"math.trunc", -1.9, -1},
               {"math.is_nan", 1, 0},
               {"math.is_finite", 1, 1},
               {"math.not", 0, 1},
               {"math.not", 2, 0},
               {"complex.real", 4, 4},
               {"complex.imag", 4, 0},
               {"complex.phase", -4, M_PI},
               {"complex.conjugate", 4, 4}};
  for (const auto& k : known)
    EXPECT_NEAR(values(array(run(k.id, {{"in", line({k.in})}})))[0], k.out, 1e-14) << k.id << " of " << k.in;
}

TEST(MathUnary, OfComplexNumbers) {
  const Array z = random({50}, {"x"}, DType::c128), conj = array(run("complex.conjugate", {{"in", z}}));
  const Array power = array(run("math.multiply", {{"a", z}, {"b", conj}}));
  const Array magnitude = array(run("math.abs", {{"in", z}}));
  EXPECT_EQ(magnitude.dtype(), DType::f64);
  EXPECT_LT(gap(array(run("math.square", {{"in", magnitude}})), array(run("complex.real", {{"in", power}}))), 1e-13);
  const Array again = array(run("complex.from_polar", {{"magnitude", run("complex.magnitude", {{"in", z}})},
                                                       {"phase", run("complex.phase", {{"in", z}})}}));
  EXPECT_LT(gap(again, z), 1e-14);
  const auto parts = run_all("complex.split", {{"in", z}});
  EXPECT_LT(gap(array(run("complex.make", {{"real", parts.at("real")}, {"imag", parts.at("imag")}})), z), 1e-16);
  EXPECT_LT(gap(array(parts.at("magnitude")), magnitude), 1e-16);
  EXPECT_LT(gap(array(run("math.multiply", {{"a", parts.at("magnitude")}, {"b", run("math.sign", {{"in", z}})}})), z),
            1e-14);
  EXPECT_THAT(error_of("math.floor", {{"in", z}}, {}, Errc::type), HasSubstr("floor"));
  EXPECT_THAT(error_of("math.cbrt", {{"in", z}}, {}, Errc::type), HasSubstr("magnitude"));
  EXPECT_THAT(error_of("complex.make", {{"real", z}}, {}, Errc::type), HasSubstr("complex"));
}

TEST(MathUnary, EveryFunctionKeepsShapeAndTypeAndPlace) {
  Image in = marked({1, 2, 3});
  for (const auto& [id, type] : operations()) {
    if (!id.starts_with("math.") || type.inputs.size() != 1 || type.inputs[0].name != "in" || !type.settings.empty())
      continue;
    const Image out = image(run(id, {{"in", value(in)}}));
    EXPECT_EQ(out.data.shape(), in.data.shape()) << id;
    EXPECT_EQ(out.affine.m, in.affine.m) << id;
    EXPECT_TRUE(out.data.dtype() == DType::f32 || out.data.dtype() == DType::boolean) << id;
  }
}

TEST(MathBinary, BroadcastingCommutes) {
  const Array a = random({4, 3}, {"x", "y"}), b = random({3, 5}, {"y", "t"}, DType::f64, 2), c = random({5}, {"t"});
  for (const char* id : {"math.add", "math.multiply", "math.minimum", "math.maximum", "math.hypot", "math.equal",
                         "math.and", "math.or", "math.xor", "math.not_equal"}) {
    const Array ab = array(run(id, {{"a", a}, {"b", b}})), ba = array(run(id, {{"a", b}, {"b", a}}));
    EXPECT_THAT(ab.axes(), ElementsAre("x", "y", "t"));
    EXPECT_THAT(ba.axes(), ElementsAre("y", "t", "x"));
    EXPECT_EQ(gap(ab, array(run("array.transpose", {{"in", ba}}, {{"order", "x, y, t"}}))), 0) << id;
  }
  // (a + b) + c has the axes of both whatever the order, and b + c repeats c along y.
  const Array bc = array(run("math.add", {{"a", b}, {"b", c}}));
  const auto vb = values(b), vc = values(c), vbc = values(bc);
  for (std::size_t t = 0; t < 5; ++t)
    for (std::size_t y = 0; y < 3; ++y) EXPECT_EQ(vbc[y + 3 * t], vb[y + 3 * t] + vc[t]);
}

TEST(MathBinary, DirectAgainstElementByElement) {
  const Array a = random({7, 600, 3}, {"x", "y", "z"}), b = random({3, 7}, {"z", "x"}, DType::f64, 3);
  const Array view = random({14, 600, 3}, {"x", "y", "z"}).range(0, 3, 10);  // rows with gaps
  const auto va = values(a), vb = values(b), vv = values(view);
  const auto sum = values(array(run("math.add", {{"a", a}, {"b", b}})));
  const auto product = values(array(run("math.multiply", {{"a", view}, {"b", a}})));
  for (std::size_t z = 0, k = 0; z < 3; ++z)
    for (std::size_t y = 0; y < 600; ++y)
      for (std::size_t x = 0; x < 7; ++x, ++k) {
        ASSERT_EQ(sum[k], va[k] + vb[z + 3 * x]);
        ASSERT_EQ(product[k], vv[k] * va[k]);
      }
}

TEST(MathBinary, KnownValues) {
  const Array a = line({5, -5, 2, NAN});
  const auto with = [&](const char* id, double b) { return values(array(run(id, {{"a", a}}, {{"value", b}}))); };
  EXPECT_EQ(with("math.subtract", 1)[1], -6);
  EXPECT_EQ(with("math.divide", 2)[0], 2.5);
  EXPECT_EQ(with("math.power", 3)[1], -125);
  EXPECT_EQ(with("math.remainder", 3)[1], 1);  // the sign of the divisor
  EXPECT_EQ(with("math.remainder", -3)[0], -1);
  EXPECT_NEAR(with("math.arctan2", -5)[0], 3 * M_PI / 4, 1e-15);
  EXPECT_EQ(with("math.minimum", 3)[2], 2);
  EXPECT_TRUE(std::isnan(with("math.maximum", 3)[3]));
  EXPECT_THAT(with("math.less", 2), ElementsAre(0, 1, 0, 0));
  EXPECT_THAT(with("math.less_equal", 2), ElementsAre(0, 1, 1, 0));
  EXPECT_THAT(with("math.greater", 2), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(with("math.greater_equal", 2), ElementsAre(1, 0, 1, 0));
  EXPECT_EQ(array(run("math.less", {{"a", a}})).dtype(), DType::boolean);
}

TEST(MathBinary, ComplexDivisionUndoesTheProduct) {
  const Array a = random({100}, {"x"}, DType::c128), b = random({100}, {"x"}, DType::c128, 5);
  const Value product = run("math.multiply", {{"a", a}, {"b", b}});
  EXPECT_LT(gap(array(run("math.divide", {{"a", product}, {"b", b}})), a), 1e-13);
  EXPECT_NE(error_of("math.less", {{"a", a}, {"b", b}}, {}, Errc::type), "");
  EXPECT_NE(error_of("math.hypot", {{"a", a}, {"b", b}}, {}, Errc::type), "");
}

TEST(MathBinary, TypesFollowTheArrays) {
  const Array f = Array::of<float>({2}, {"x"}), i = Array::of<std::int16_t>({2}, {"x"});
  EXPECT_EQ(array(run("math.add", {{"a", f}}, {{"value", 0.5}})).dtype(), DType::f32);
  EXPECT_EQ(array(run("math.add", {{"a", i}, {"b", i}})).dtype(), DType::f32);
  EXPECT_EQ(array(run("math.add", {{"a", i}, {"b", Array::of<std::int32_t>({2}, {"x"})}})).dtype(), DType::f64);
  EXPECT_EQ(array(run("math.add", {{"a", f}, {"b", Array::of<std::complex<float>>({2}, {"x"})}})).dtype(), DType::c64);
  EXPECT_EQ(array(run("math.add", {{"a", 2.0}, {"b", 3.0}})).dtype(), DType::f64);
}

TEST(MathBinary, MismatchNamesAxisAndBothNumbers) {
  const auto text =
      error_of("math.add", {{"a", Array::of<float>({4, 3})}, {"b", Array::of<float>({4, 5})}}, {}, Errc::shape);
  EXPECT_THAT(text, HasSubstr("axis 'y' has 3 elements in 'a' and 5 in 'b'"));
  const Array twice = Array::of<float>({4, 3}).with_axes({"x", "x"});
  EXPECT_THAT(error_of("math.add", {{"a", twice}}, {}, Errc::shape), HasSubstr("two axes called 'x'"));
}

TEST(MathBinary, ImagesOfOtherPlacesAreRefused) {
  Image a = marked({1, 1, 1}), b = a;
  EXPECT_EQ(image(run("math.add", {{"a", value(a)}, {"b", value(b)}})).affine.m, a.affine.m);
  EXPECT_EQ(image(run("math.add", {{"a", 1.0}, {"b", value(b)}})).affine.m, a.affine.m);
  b.affine.m[0][3] += 5;
  EXPECT_THAT(error_of("math.add", {{"a", value(a)}, {"b", value(b)}}, {}, Errc::shape),
              HasSubstr("image.resample_like"));
}

TEST(MathWhere, TakesOneOrTheOther) {
  const Value out = run("math.where", {{"condition", line({0, 1, NAN})}, {"a", line({1, 2, 3})}}, {{"value", -1.0}});
  EXPECT_THAT(values(array(out)), ElementsAre(-1, 2, 3));
  EXPECT_NE(error_of("math.where", {{"condition", line({0, 1})}, {"a", line({1, 2, 3})}}, {}, Errc::shape), "");
}

TEST(MathClip, Clips) {
  const Array a = line({-1, 0.5, 7, NAN});
  const auto out = values(array(run("math.clip", {{"in", a}})));
  EXPECT_THAT(std::vector(out.begin(), out.begin() + 3), ElementsAre(0, 0.5, 1));
  EXPECT_TRUE(std::isnan(out[3]));
  EXPECT_EQ(array(run("math.clip", {{"in", a.cast(DType::i16)}})).dtype(), DType::i16);
  EXPECT_THAT(error_of("math.clip", {{"in", a}}, {{"low", 3.0}, {"high", 2.0}}, Errc::range), HasSubstr("3"));
  EXPECT_NE(error_of("math.clip", {{"in", random({2}, {"x"}, DType::c64)}}, {}, Errc::type), "");
}

TEST(MathReplaceNan, ReplacesEach) {
  const Array a = line({NAN, 1, INFINITY, -INFINITY});
  EXPECT_THAT(values(array(run("math.replace_nan", {{"in", a}}, {{"nan", 5.0}, {"positive", 6.0}, {"negative", 7.0}}))),
              ElementsAre(5, 1, 6, 7));
  const Array z = array(run("complex.make", {{"real", a}, {"imag", line({1, NAN, 2, 3})}}));
  EXPECT_EQ(complex_values(array(run("math.replace_nan", {{"in", z}})))[1], std::complex(1.0, 0.0));
}

}  // namespace
}  // namespace larmor::nodes::test
