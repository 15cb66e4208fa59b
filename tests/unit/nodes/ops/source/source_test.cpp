// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/nodes/values/table.hpp>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<double> numbers(const Value& v) { return flow::ValueTraits<std::vector<double>>::from(v); }

TEST(Source, GivesWhatIsSet) {
  EXPECT_EQ(run("source.number", {}, {{"value", 2.5}}).number(), 2.5);
  EXPECT_EQ(run("source.text", {}, {{"value", "x"}}).text(), "x");
  EXPECT_TRUE(run("source.boolean", {}, {{"value", true}}).boolean());
  EXPECT_THAT(numbers(run("source.numbers", {}, {{"value", Value::List{1.0, 2.0}}})), ElementsAre(1, 2));
  EXPECT_THAT(numbers(run("source.range", {}, {{"from", 1.0}, {"to", 3.0}, {"count", 5}})),
              ElementsAre(1, 1.5, 2, 2.5, 3));
  const auto log =
      numbers(run("source.range", {}, {{"from", 1.0}, {"to", 100.0}, {"count", 3}, {"spacing", "logarithmic"}}));
  EXPECT_NEAR(log[1], 10, 1e-12);
  EXPECT_NE(error_of("source.range", {}, {{"spacing", "logarithmic"}}, Errc::range), "");
  EXPECT_EQ(run("source.list", {{"in.1", 1.0}, {"in.2", "b"}}).list().size(), 2U);
}

TEST(Source, FirstThatIsThere) {
  EXPECT_EQ(run("source.first", {{"in.1", Value()}, {"in.2", 3.0}, {"in.3", 4.0}}).number(), 3);
  EXPECT_NE(error_of("source.first", {{"in.1", Value()}}, {}, Errc::usage), "");
}

TEST(Source, Table) {
  const auto t = flow::ValueTraits<io::Table>::from(run("source.table", {}, {{"text", "name, v\n a , 1\n\nb,2\r\n"}}));
  EXPECT_THAT(t.columns, ElementsAre("name", "v"));
  EXPECT_EQ(t.cell(0, "name"), "a");
  EXPECT_EQ(t.number(1, "v"), 2);
  EXPECT_THAT(error_of("source.table", {}, {{"text", "a,b\n1"}}, Errc::format),
              HasSubstr("1 cells and the first line 2"));
  EXPECT_NE(error_of("source.table", {}, {{"text", ""}}, Errc::format), "");
}

TEST(Source, ArrayFromFormula) {
  const Array a =
      array(run("source.array", {}, {{"shape", "x=4, y=3, t=2"}, {"formula", "x + 10 * y"}, {"coordinates", "index"}}));
  EXPECT_EQ(a.shape(), (Shape{4, 3, 2}));
  EXPECT_EQ(a.dtype(), DType::f32);
  const auto v = values(a);
  EXPECT_EQ(v[1 + 4 * 2], 21);
  EXPECT_EQ(v[1 + 4 * 2 + 12], 21);
  EXPECT_THAT(values(array(run("source.array", {}, {{"shape", "x=4"}, {"formula", "x"}}))),
              ElementsAre(-1, -0.5, 0, 0.5));
  EXPECT_THAT(values(array(run("source.array", {}, {{"shape", "x=3"}, {"formula", "x"}, {"coordinates", "centred"}}))),
              ElementsAre(-1, 0, 1));
  EXPECT_EQ(array(run("source.array", {}, {{"shape", "y=3, x=2"}, {"formula", "exp(i * x)"}})).axes(),
            (Axes{"y", "x"}));
  EXPECT_EQ(array(run("source.array", {}, {{"shape", "x=3"}, {"formula", "x > 0"}})).dtype(), DType::boolean);
  EXPECT_NE(error_of("source.array", {}, {{"shape", "x"}}, Errc::format), "");
  EXPECT_NE(error_of("source.array", {}, {{"shape", "x=0"}}, Errc::range), "");
  EXPECT_NE(error_of("source.array", {}, {{"formula", "z"}}, Errc::unknown_name), "");
}

}  // namespace
}  // namespace larmor::nodes::test
