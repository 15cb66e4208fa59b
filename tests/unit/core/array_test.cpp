// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <larmor/core/array.hpp>
#include <limits>
#include <numeric>

using namespace larmor;

namespace {

Array counted(Shape shape, Axes axes = {}) {
  Array a = Array::of<float>(std::move(shape), std::move(axes));
  std::iota(a.span<float>().begin(), a.span<float>().end(), 0.0F);
  return a;
}

template <class T = float>
std::vector<T> values(const Array& a) {
  const Array packed = a.contiguous_copy();
  const auto s = packed.span<T>();
  return {s.begin(), s.end()};
}

std::string failure(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return std::string(to_string(e.code())) + ": " + e.message();
  }
  return "no error";
}

}  // namespace

TEST(Array, StartsAtZeroWithTheFirstAxisFastest) {
  const Array a = counted({3, 4, 2});
  EXPECT_EQ(a.strides(), (Shape{1, 3, 12}));
  EXPECT_EQ(a.axes(), (Axes{"x", "y", "z"}));
  EXPECT_EQ(a.size(), 24);
  EXPECT_EQ(a.bytes(), 96U);
  EXPECT_EQ(a.extent(2), 2);
  EXPECT_EQ(a.extent(7), 1);
  EXPECT_EQ(a.axis("y"), 1);
  EXPECT_EQ(a.describe(), "f32 (3 x, 4 y, 2 z) on cpu");
  for (const DType t :
       {DType::boolean, DType::u8, DType::i16, DType::i32, DType::f32, DType::f64, DType::c64, DType::c128}) {
    const Array zero(t, {5, 3});
    const auto* bytes = static_cast<const std::byte*>(zero.raw());
    for (std::size_t i = 0; i < zero.bytes(); ++i) EXPECT_EQ(bytes[i], std::byte{0});
    EXPECT_EQ(zero.bytes(), 15 * size_of(t));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(zero.raw()) % 64, 0U);
  }
  EXPECT_EQ(Array(DType::u8, {1, 1, 1, 1, 1, 1}).axes(), (Axes{"x", "y", "z", "t", "a4", "a5"}));
}

TEST(Array, EmptyScalarAndDefaultMade) {
  const Array nothing;
  EXPECT_TRUE(nothing.empty());
  EXPECT_EQ(nothing.size(), 0);
  EXPECT_EQ(nothing.raw(), nullptr);
  EXPECT_TRUE(values(nothing).empty());
  EXPECT_EQ(nothing.cast(DType::f64).size(), 0);
  EXPECT_EQ(nothing.clone().size(), 0);

  const Array empty = Array::of<float>({3, 0, 2});
  EXPECT_TRUE(empty.empty());
  EXPECT_TRUE(empty.contiguous());
  EXPECT_EQ(empty.cast(DType::i16).shape(), (Shape{3, 0, 2}));
  EXPECT_EQ(empty.reshaped({0}).size(), 0);
  EXPECT_EQ(values(empty.range(0, 1, 2)).size(), 0U);

  Array scalar = Array::of<double>({});
  EXPECT_EQ(scalar.size(), 1);
  scalar.span<double>()[0] = 4;
  EXPECT_EQ(scalar.cast(DType::i32).span<std::int32_t>()[0], 4);
  EXPECT_EQ(scalar.reshaped({1, 1}).data<double>()[0], 4);
}

TEST(Array, CopiesShareAndClonesDoNot) {
  Array a = counted({4});
  Array shared = a, own = a.clone();
  a.span<float>()[0] = 9;
  EXPECT_EQ(shared.span<float>()[0], 9);
  EXPECT_EQ(own.span<float>()[0], 0);
  EXPECT_EQ(a.contiguous_copy().raw(), a.raw());
  EXPECT_EQ(a.cast(DType::f32).raw(), a.raw());
  EXPECT_EQ(a.to(Device::cpu()).raw(), a.raw());
}

TEST(Array, UninitialisedIsAnArrayLikeAnyOther) {
  Array a = Array::uninitialised(DType::f32, {3, 4}, {"coil", "x"});
  std::iota(a.span<float>().begin(), a.span<float>().end(), 0.0F);
  EXPECT_EQ(values(a), values(counted({3, 4})));
  EXPECT_EQ(a.axes(), (Axes{"coil", "x"}));
  EXPECT_EQ(failure([] { Array::uninitialised(DType::f32, {-1}); }).substr(0, 6), "shape:");
  // Beyond 8 MB memory comes in large pages: aligned, whole, and zero where it was asked for.
  const Array large(DType::u8, {9, 1 << 20});
#if !defined(__SANITIZE_ADDRESS__)  // which gives out all memory itself
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large.raw()) % (2 << 20), 0U);
#endif
  EXPECT_TRUE(std::ranges::all_of(large.span<std::uint8_t>(), [](auto v) { return v == 0; }));
  EXPECT_TRUE(std::ranges::equal(large.clone().span<std::uint8_t>(), large.span<std::uint8_t>()));
}

TEST(Array, SlicesAndRangesAreViews) {
  Array a = counted({3, 4, 2});
  EXPECT_EQ(values(a.slice(0, 1)), (std::vector<float>{1, 4, 7, 10, 13, 16, 19, 22}));
  EXPECT_EQ(a.slice(0, 1).axes(), (Axes{"y", "z"}));
  EXPECT_EQ(values(a.slice(1, 2)), (std::vector<float>{6, 7, 8, 18, 19, 20}));
  EXPECT_EQ(values(a.slice(2, 1).slice(1, 3)), (std::vector<float>{21, 22, 23}));
  EXPECT_EQ(values(a.range(1, 1, 3)), (std::vector<float>{3, 4, 5, 6, 7, 8, 15, 16, 17, 18, 19, 20}));
  EXPECT_EQ(a.range(2, 1, 1).size(), 0);
  EXPECT_EQ(a.range(2, 2, 2).shape(), (Shape{3, 4, 0}));
  a.slice(2, 1).data<float>()[0] = -1;
  EXPECT_EQ(a.span<float>()[12], -1);
}

TEST(Array, PermutingThereAndBackIsTheIdentity) {
  const Array a = counted({3, 4, 2}, {"coil", "x", "t"});
  const int order[] = {2, 0, 1}, back[] = {1, 2, 0};
  const Array p = a.permuted(order);
  EXPECT_EQ(p.shape(), (Shape{2, 3, 4}));
  EXPECT_EQ(p.axes(), (Axes{"t", "coil", "x"}));
  EXPECT_FALSE(p.contiguous());
  EXPECT_EQ(values(p.permuted(back)), values(a));
  for (std::int64_t t = 0; t < 2; ++t)
    for (std::int64_t c = 0; c < 3; ++c)
      for (std::int64_t x = 0; x < 4; ++x)
        EXPECT_EQ(values(p)[std::size_t(t + 2 * c + 6 * x)], values(a)[std::size_t(c + 3 * x + 12 * t)]);
}

TEST(Array, ReshapingKeepsTheOrderOfElements) {
  const Array a = counted({3, 4, 2});
  EXPECT_EQ(a.reshaped({12, 2}).raw(), a.raw());
  EXPECT_EQ(values(a.reshaped({2, 12})), values(a));
  EXPECT_EQ(a.reshaped({24}, {"voxel"}).axes(), (Axes{"voxel"}));
  const int order[] = {1, 0, 2};
  EXPECT_EQ(values(a.permuted(order).reshaped({24})), values(a.permuted(order)));
}

TEST(Array, AxesOfOneElementDoNotBreakContiguity) {
  const Array a = counted({4, 1, 3});
  const int order[] = {1, 0, 2};
  EXPECT_TRUE(a.permuted(order).contiguous());  // one element has no neighbour to be far from
  EXPECT_TRUE(a.range(2, 1, 2).contiguous());
  EXPECT_TRUE(counted({4, 5}).range(1, 2, 4).contiguous());
  EXPECT_FALSE(counted({4, 5}).range(0, 1, 3).contiguous());
}

TEST(Array, CastsRoundSaturateAndKeepValues) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::nan("");
  const std::vector<double> in{-1e300, -40000, -1.5, -0.5, 0, 0.5, 1.5, 2.4999, 300, 1e300, inf, -inf, nan};
  const Array a = Array::from<double>(in, {13});
  EXPECT_EQ(values<std::uint8_t>(a.cast(DType::u8)),
            (std::vector<std::uint8_t>{0, 0, 0, 0, 0, 0, 2, 2, 255, 255, 255, 0, 0}));
  EXPECT_EQ(values<std::int16_t>(a.cast(DType::i16)),
            (std::vector<std::int16_t>{-32768, -32768, -2, 0, 0, 0, 2, 2, 300, 32767, 32767, -32768, 0}));
  const auto i = values<std::int32_t>(a.cast(DType::i32));
  EXPECT_EQ(i[0], std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(i[9], std::numeric_limits<std::int32_t>::max());
  EXPECT_EQ(values<std::complex<double>>(a.range(0, 8, 9).cast(DType::c128))[0], std::complex<double>(300, 0));
  const Array truth = a.cast(DType::boolean);
  EXPECT_FALSE(truth.span<bool>()[4]);
  EXPECT_TRUE(truth.span<bool>()[5]);
  EXPECT_TRUE(truth.span<bool>()[8]);
  // Every real type survives the way through f64.
  for (const DType t : {DType::boolean, DType::u8, DType::i16, DType::i32, DType::f32})
    EXPECT_EQ(values(counted({2}).cast(t).cast(DType::f64).cast(t).cast(DType::f32)), (std::vector<float>{0, 1}));
}

TEST(Array, LargeCastsReachEveryElement) {
  const std::int64_t n = 1'000'003;  // several pieces of the pool, and a rest
  Array a = Array::of<std::int32_t>({n});
  std::iota(a.span<std::int32_t>().begin(), a.span<std::int32_t>().end(), -5);
  const auto d = values<double>(a.cast(DType::f64));
  for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(d[std::size_t(i)], double(i - 5));
}

TEST(Array, CastsOfViewsReadTheView) {
  const Array a = counted({3, 4});
  const int order[] = {1, 0};
  const auto d = values<double>(a.permuted(order).cast(DType::f64));
  EXPECT_EQ(d[1], 3);
  EXPECT_EQ(a.permuted(order).cast(DType::f64).axes(), (Axes{"y", "x"}));
}

TEST(Array, MistakesAreNamed) {
  const Array a = counted({3, 4, 2});
  const int twice[] = {0, 0, 1}, few[] = {0, 1}, beyond[] = {0, 1, 3};
  EXPECT_EQ(failure([] { Array(DType::f32, {2, -1}); }), "shape: an axis of -1 elements in a shape of 2 x -1");
  EXPECT_EQ(failure([] {
              Array(DType::f32, {1LL << 40, 1LL << 40});
            }),
            "shape: a shape of 1099511627776 x 1099511627776 is more than memory can address");
  EXPECT_EQ(failure([] { Array(DType::f32, {0, 1LL << 62, 1LL << 62}); }).substr(0, 6), "shape:");
  EXPECT_EQ(failure([] { Array(DType::f32, {1LL << 50}); }).substr(0, 23), "numeric: out of memory:");
  EXPECT_EQ(failure([] { Array(DType::f32, {2, 2}, {"x"}); }), "shape: 1 axis names for an array of 2 axes");
  EXPECT_EQ(failure([] {
              Array::from<float>(std::vector<float>{1, 2}, {3});
            }),
            "shape: 2 values for a shape of 3 (3 elements)");
  EXPECT_EQ(failure([&] { a.axis("tt"); }), "unknown_name: no axis called 'tt'");
  EXPECT_EQ(failure([&] { (void)a.data<double>(); }), "type: an array of f32 was read as f64");
  const int order[] = {2, 1, 0};
  EXPECT_EQ(failure([&] { (void)a.permuted(order).span<float>(); }),
            "shape: a strided view was read as contiguous memory");
  EXPECT_EQ(failure([&] { a.slice(3, 0); }), "range: axis 3 of an array of 3 axes");
  EXPECT_EQ(failure([&] { a.slice(1, 4); }), "range: index 4 of axis 'y', which has 4");
  EXPECT_EQ(failure([&] { a.slice(1, std::numeric_limits<std::int64_t>::max()); }).substr(0, 6), "range:");
  EXPECT_EQ(failure([&] { a.range(1, 3, 2); }), "range: [3, 2) of axis 'y', which has 4");
  EXPECT_EQ(failure([&] { a.permuted(twice); }), "shape: axis order 0,0,1 for an array of 3 axes");
  EXPECT_EQ(failure([&] { a.permuted(few); }), "shape: axis order 0,1 for an array of 3 axes");
  EXPECT_EQ(failure([&] { a.permuted(beyond); }), "shape: axis order 0,1,3 for an array of 3 axes");
  EXPECT_EQ(failure([&] { a.reshaped({5, 5}); }), "shape: cannot reshape 3 x 4 x 2 (24 elements) to 5 x 5");
  EXPECT_EQ(failure([&] { a.reshaped({-4, -6}); }).substr(0, 6), "shape:");
  EXPECT_EQ(failure([&] { a.with_axes({"x"}); }), "shape: 1 axis names for 3 axes");
  EXPECT_EQ(failure([] { Array::of<std::complex<float>>({2}).cast(DType::f32); }),
            "type: complex c64 has no value as f32");
}
