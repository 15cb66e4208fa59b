// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/flow/value_traits.hpp>

namespace larmor::flow {
namespace {

Array ramp(std::int64_t n) {
  Array a = Array::of<float>({n, 2}, {"x", "y"});
  for (std::int64_t i = 0; i < 2 * n; ++i) a.data<float>()[i] = static_cast<float>(i);
  return a;
}

TEST(Value, HashIsOfContentAlone) {
  EXPECT_EQ(Value(ramp(5)).hash(), Value(ramp(5)).hash());
  EXPECT_NE(Value(ramp(5)).hash(), Value(ramp(5).with_axes({"x", "z"})).hash());
  EXPECT_NE(Value(ramp(5)).hash(), Value(ramp(5).cast(DType::f64)).hash());
  EXPECT_NE(Value(ramp(5)).hash(), Value(ramp(5).reshaped({2, 5}, {"x", "y"})).hash());
  const int order[] = {1, 0};
  EXPECT_EQ(Value(ramp(5).permuted(order)).hash(), Value(ramp(5).permuted(order).contiguous_copy()).hash());
  EXPECT_EQ(Value(0.0).hash(), Value(-0.0).hash());
  EXPECT_NE(Value("1").hash(), Value(1).hash());
  EXPECT_NE(Value(true).hash(), Value(1).hash());
  EXPECT_NE(Value(Value::List{"ab", "c"}).hash(), Value(Value::List{"a", "bc"}).hash());
  EXPECT_NE(Value::record("image", {{"data", 1}}).hash(), Value::record("curve", {{"data", 1}}).hash());
  EXPECT_EQ(Hash::parse(Value(3).hash().str()), Value(3).hash());
  EXPECT_THROW(Hash::parse("xyz"), Error);
}

TEST(Value, HashOfLargeArraysDoesNotDependOnThreads) {
  const Array big = ramp(3 << 20);
  const Hash one = [&] {
    set_thread_count(1);
    return Value(big).hash();
  }();
  set_thread_count(4);
  EXPECT_EQ(one, Value(big).hash());
  Array other = big.clone();
  other.data<float>()[other.size() - 1] += 1;
  EXPECT_NE(one, Value(other).hash());
}

TEST(Value, EncodedAndDecodedIsTheSame) {
  const Value v = Value::record(
      "image", {{"data", ramp(3)},
                {"$type", "a field may be called so"},
                {"meta", Value::record("", {{"nan", std::nan("")}, {"inf", -HUGE_VAL}, {"third", 1.0 / 3}})},
                {"list", Value::List{true, {}, "text \xc3\xa9", Value::List{}}}});
  const auto e = encode(v);
  EXPECT_EQ(e.buffers.size(), 1U);
  const Value back = decode(e.head, e.buffers);
  EXPECT_EQ(back.type(), "image");
  EXPECT_EQ(back.hash(), v.hash());
}

TEST(Value, DecodeRefusesWhatDoesNotFit) {
  const auto e = encode(Value(ramp(3)));
  EXPECT_THROW(decode(e.head, {}), Error);
  EXPECT_THROW(decode(e.head, {ramp(4)}), Error);
  EXPECT_THROW(decode("{\"$array\": -1}", e.buffers), Error);
  EXPECT_THROW(decode("{\"$type\": \"image\"}", {}), Error);
  EXPECT_THROW(decode("[1,", {}), Error);
  EXPECT_THROW(decode(std::string(100, '[') + std::string(100, ']'), {}), Error);
}

TEST(Value, JsonIsPlain) {
  EXPECT_EQ(to_json(Value::record("image", {{"n", 3}, {"x", 0.5}, {"l", Value::List{1, "a"}}})),
            R"({"n":3,"x":0.5,"l":[1,"a"]})");
  EXPECT_EQ(to_json(Value(ramp(1))), "[0,1]");
  EXPECT_EQ(to_json(Value(ramp(100))), "\"f32 (100 x, 2 y) on cpu\"");
  EXPECT_EQ(from_json(R"({"a":[1,2]})").field("a").list().size(), 2U);
}

TEST(Value, ReadsAsOtherTypesOnlyWhereNothingIsLost) {
  EXPECT_EQ(ValueTraits<double>::from(Value(true)), 1);
  EXPECT_EQ(ValueTraits<double>::from(Value(ramp(1).range(1, 1, 2))), 1);
  EXPECT_THROW(ValueTraits<double>::from(Value(ramp(3))), Error);
  EXPECT_EQ(ValueTraits<Array>::from(Value(2.5)).rank(), 0);
  EXPECT_EQ(ValueTraits<Array>::from(Value(Value::List{1, 2, 3})).extent(0), 3);
  EXPECT_THROW(ValueTraits<Array>::from(Value("x")), Error);
  EXPECT_THAT(ValueTraits<std::vector<double>>::from(Value(Value::List{1, 2})), testing::ElementsAre(1, 2));
  EXPECT_THROW(ValueTraits<std::vector<double>>::from(Value(ramp(3))), Error);
}

TEST(Value, ARecordIsDescribedByWhatItHolds) {
  const auto map = [](DType type) {
    return Value::record("map", {{"name", "Ktrans"}, {"values", Array(type, {4, 3}, {"x", "y"})}});
  };
  const Array status = Array::of<std::uint8_t>({4, 3}, {"x", "y"});
  EXPECT_EQ(Value::record("image", {{"data", status}}).describe(), "image u8 (4 x, 3 y) on cpu");
  // The maps before the status of the fit, which is of another type.
  EXPECT_EQ(
      Value::record("maps", {{"maps", Value::List{map(DType::f32), map(DType::f32)}}, {"status", status}}).describe(),
      "maps of 2 f32 (4 x, 3 y) on cpu");
  EXPECT_EQ(Value::record("maps", {{"maps", Value::List{}}, {"status", status}}).describe(),
            "maps u8 (4 x, 3 y) on cpu");
  // Things of several sizes are no stack.
  EXPECT_EQ(Value::record("scene", {{"items", Value::List{map(DType::f32), Value::record("line", {})}}}).describe(),
            "scene of 1 fields");
  EXPECT_EQ(Value::record("report", {{"title", "a"}, {"html", "b"}}).describe(), "report of 2 fields");
}

TEST(Value, ErrorsSayWhatItIs) {
  try {
    Value("abc").number();
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::type);
    EXPECT_THAT(e.message(), testing::AllOf(testing::HasSubstr("number"), testing::HasSubstr("'abc'")));
  }
}

}  // namespace
}  // namespace larmor::flow
