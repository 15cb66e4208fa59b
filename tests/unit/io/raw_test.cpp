// SPDX-License-Identifier: Apache-2.0
#include <complex>
#include <larmor/io/raw.hpp>

#include "support.hpp"

namespace larmor::io {
namespace {

using test::caught;
using test::spill;
using test::TempFolder;

template <class T>
std::string bytes_of(const std::vector<T>& v, bool swapped) {
  std::string out;
  for (const T& x : v) {
    std::string b(reinterpret_cast<const char*>(&x), sizeof(T));
    if (swapped) std::reverse(b.begin(), b.end());
    out += b;
  }
  return out;
}

TEST(ReadRaw, EveryTypeInBothByteOrders) {
  const TempFolder dir;
  const auto check = [&]<class T>(const std::string& type, const std::vector<T>& values, DType wanted) {
    for (const bool big : {false, true}) {
      spill(dir / "a", bytes_of(values, big));
      const Array a = read_raw(dir / "a", {.type = type, .shape = {2, -1}, .big_endian = big});
      EXPECT_EQ(a.dtype(), wanted) << type;
      EXPECT_EQ(a.shape(), (Shape{2, static_cast<std::int64_t>(values.size() / 2)}));
      const Array d = a.cast(DType::f64);
      for (std::size_t i = 0; i < values.size(); ++i)
        EXPECT_EQ(d.span<const double>()[i], static_cast<double>(values[i])) << type << " at " << i;
    }
  };
  check("u8", std::vector<std::uint8_t>{0, 1, 200, 255}, DType::u8);
  check("i8", std::vector<std::int8_t>{-128, -1, 0, 127}, DType::i16);
  check("u16", std::vector<std::uint16_t>{0, 1, 40000, 65535}, DType::i32);
  check("i16", std::vector<std::int16_t>{-32768, -1, 0, 32767}, DType::i16);
  check("u32", std::vector<std::uint32_t>{0, 1, 4000000000U, 4294967295U}, DType::f64);
  check("i32", std::vector<std::int32_t>{-2000000000, -1, 0, 2000000000}, DType::i32);
  check("f32", std::vector<float>{-1.5F, 0, 3e20F, 0.1F}, DType::f32);
  check("f64", std::vector<double>{-1.5, 0, 3e200, 0.1}, DType::f64);
}

TEST(ReadRaw, HalfAndComplexNumbers) {
  const TempFolder dir;
  spill(dir / "h", bytes_of(std::vector<std::uint16_t>{0x3C00, 0xC000, 0x3555}, false));  // 1, -2, 1/3
  const Array h = read_raw(dir / "h", {.type = "f16"});
  EXPECT_EQ(h.span<const float>()[1], -2.0F);
  EXPECT_NEAR(h.span<const float>()[2], 1.0 / 3, 1e-3);  // 11 bits
  spill(dir / "c", bytes_of(std::vector<float>{1, 2, 3, 4}, true));
  const Array c = read_raw(dir / "c", {.type = "c64", .big_endian = true});
  EXPECT_EQ(c.span<const std::complex<float>>()[1], (std::complex<float>{3, 4}));
}

TEST(ReadRaw, RefusesWhatDoesNotFit) {
  const TempFolder dir;
  spill(dir / "a", std::string(10, 'x'));
  const auto code = [&](const RawLayout& layout) { return caught([&] { read_raw(dir / "a", layout); }).code(); };
  EXPECT_EQ(code({.type = "f33"}), Errc::unknown_name);
  EXPECT_EQ(code({.type = "u8", .shape = {3, 4}}), Errc::format);
  EXPECT_EQ(code({.type = "u8", .shape = {1LL << 62, 1LL << 62}}), Errc::format);  // no overflow
  EXPECT_EQ(code({.type = "u8", .shape = {3, -1}}), Errc::shape);
  EXPECT_EQ(code({.type = "u8", .shape = {-1, -1}}), Errc::shape);
  EXPECT_EQ(code({.type = "u8", .shape = {0}}), Errc::shape);
  EXPECT_EQ(code({.type = "u8", .offset = 11}), Errc::format);
  EXPECT_EQ(caught([&] { read_raw(dir / "b", {}); }).code(), Errc::file);
}

}  // namespace
}  // namespace larmor::io
