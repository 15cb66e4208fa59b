// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

double number(const std::string& formula, Ins in = {}) {
  return values(array(run("math.expression", std::move(in), {{"formula", formula}})))[0];
}

TEST(MathExpression, Arithmetic) {
  const struct {
    const char* formula;
    double value;
  } known[] = {{"1 + 2 * 3", 7},
               {"(1 + 2) * 3", 9},
               {"2 ^ 3 ^ 2", 512},
               {"-2 ^ 2", -4},
               {"2 ^ -1", 0.5},
               {"10 - 4 - 3", 3},
               {"24 / 4 / 2", 3},
               {"7 % 3", 1},
               {"1e3 + .5", 1000.5},
               {"cos(pi)", -1},
               {"log(e)", 1},
               {"max(2, min(5, 3))", 3},
               {"where(1 < 2, 5, 6)", 5},
               {"clip(9, 0, 4)", 4},
               {"1 < 2 & 3 != 3", 0},
               {"!0 | 0", 1},
               {"abs(3 + 4 * i)", 5},
               {"real(i * i)", -1},
               {"phase(i) * 2 / pi", 1},
               {"atan2(1, 1) * 4 / pi", 1},
               {"mod(-1, 3)", 2},
               {"hypot(3, 4)", 5},
               {"is_nan(nan)", 1},
               {"2 >= 2 == 1", 1},
               {"--3", 3},
               {"1 <= 0", 0},
               {"3 ** 2", 9},
               {"pow(2, 10)", 1024}};
  for (const auto& k : known) EXPECT_NEAR(number(k.formula), k.value, 1e-14) << k.formula;
  EXPECT_TRUE(std::isnan(number("sqrt(-1)")));
  EXPECT_TRUE(std::isinf(number("-inf")));
}

TEST(MathExpression, IsTheSameAsOperationsOneByOne) {
  const Array a = random({700, 3}, {"x", "y"}), b = random({3}, {"y"}, DType::f64, 7),
              z = random({700}, {"x"}, DType::c128);
  const Value quotient =
      run("math.divide", {{"a", run("math.abs", {{"in", a}})}, {"b", run("math.add", {{"a", b}}, {{"value", 1.0}})}});
  EXPECT_EQ(
      gap(array(run("math.expression", {{"a", a}, {"b", b}}, {{"formula", "abs(a) / (b + 1)"}})), array(quotient)), 0);
  const Value turned = run("math.multiply", {{"a", z}, {"b", run("math.exp", {{"in", a}})}});
  EXPECT_EQ(gap(array(run("math.expression", {{"a", a}, {"c", z}}, {{"formula", "c * exp(a)"}})),
                array(run("array.transpose", {{"in", turned}}, {{"order", "x, y"}}))),
            0);
}

TEST(MathExpression, TypesSettingsAndPlace) {
  Image in = marked({1, 2, 3});
  const Image out =
      image(run("math.expression", {{"a", value(in)}}, {{"formula", "p * a + q"}, {"p", 3.0}, {"q", 1.0}}));
  EXPECT_EQ(out.affine.m, in.affine.m);
  EXPECT_EQ(out.data.dtype(), DType::f32);
  EXPECT_EQ(values(out.data)[0], 1);
  EXPECT_EQ(array(run("math.expression", {{"a", value(in)}}, {{"formula", "a > 0.5"}})).dtype(), DType::boolean);
  EXPECT_EQ(array(run("math.expression", {{"a", value(in)}}, {{"formula", "a * i"}})).dtype(), DType::c64);
  EXPECT_EQ(array(run("math.expression", {{"a", value(in)}}, {{"formula", "real(a * i)"}})).dtype(), DType::f32);
}

TEST(MathExpression, Errors) {
  const auto error = [](const std::string& formula, Errc code, Ins in = {}) {
    return error_of("math.expression", std::move(in), {{"formula", formula}}, code);
  };
  EXPECT_THAT(error("1 +", Errc::format), HasSubstr("missing at the end"));
  EXPECT_THAT(error("(1", Errc::format), HasSubstr("')'"));
  EXPECT_THAT(error("1 2", Errc::format), HasSubstr("column 3"));
  EXPECT_THAT(error("1 $ 2", Errc::format), HasSubstr("'$'"));
  EXPECT_THAT(error("sqr(2)", Errc::unknown_name), HasSubstr("sqrt"));
  EXPECT_THAT(error("abs(1, 2)", Errc::format), HasSubstr("1 argument"));
  EXPECT_THAT(error("max(1)", Errc::format), HasSubstr("2 arguments"));
  EXPECT_THAT(error("b + 1", Errc::unknown_name, {{"a", 1.0}}), HasSubstr("'b'"));
  EXPECT_THAT(error("a < i", Errc::type, {{"a", 1.0}}), HasSubstr("complex"));
  EXPECT_THAT(error("floor(i)", Errc::type), HasSubstr("floor"));
  EXPECT_THAT(error("a + b", Errc::shape, {{"a", line({1, 2})}, {"b", line({1, 2, 3})}}), HasSubstr("axis 'x'"));
  EXPECT_THAT(error(std::string(500, '(') + "1", Errc::format), HasSubstr("100 deep"));
  EXPECT_THAT(error(std::string(500, '-') + "1", Errc::format), HasSubstr("100 deep"));
  EXPECT_THAT(error(std::string(20000, '1'), Errc::format), HasSubstr("10,000"));
  EXPECT_THAT(error("", Errc::format), HasSubstr("missing"));
  EXPECT_THAT(error("1 = 2", Errc::format), HasSubstr("'='"));
}

}  // namespace
}  // namespace larmor::nodes::test
