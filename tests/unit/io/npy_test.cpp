// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <larmor/io/npy.hpp>
#include <limits>

#include "support.hpp"

using namespace larmor;
using namespace larmor::io;
using namespace larmor::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

/// What numpy.save writes: mark, version, length, dictionary padded with blanks to 64, data.
std::string npy(const std::string& dict, const std::string& data, int version = 1) {
  std::string text = dict;
  while ((text.size() + 1 + (version == 1 ? 10 : 12)) % 64) text += ' ';
  text += '\n';
  std::string out("\x93NUMPY", 6);
  out += static_cast<char>(version);
  out += '\0';
  for (int i = 0; i < (version == 1 ? 2 : 4); ++i) out += static_cast<char>(text.size() >> 8 * i);
  return out + text + data;
}

std::string dict(const std::string& type, const std::string& order, const std::string& shape) {
  return "{'descr': '" + type + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

template <class T>
std::string raw(std::initializer_list<T> values, bool swap = false) {
  std::string out;
  for (const T v : values) {
    std::string bytes(reinterpret_cast<const char*>(&v), sizeof v);
    if (swap) std::reverse(bytes.begin(), bytes.end());
    out += bytes;
  }
  return out;
}

Array read(const std::string& bytes) {
  TempFolder dir;
  spill(dir / "a.npy", bytes);
  return read_npy(dir / "a.npy");
}

std::vector<double> values(const Array& a) {
  const Array d = a.cast(DType::f64);
  return {d.span<double>().begin(), d.span<double>().end()};
}

}  // namespace

TEST(Npy, EveryTypeOfArrayComesBack) {
  TempFolder dir;
  for (const DType type :
       {DType::boolean, DType::u8, DType::i16, DType::i32, DType::f32, DType::f64, DType::c64, DType::c128})
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3}, Shape{2, 3, 4, 1}, Shape{0, 3}}) {
      Array a = Array(DType::u8, shape);
      for (std::int64_t i = 0; i < a.size(); ++i) a.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i % 2);
      a = a.cast(type);
      write_npy(dir / "a.npy", a);
      const Array back = read_npy(dir / "a.npy");
      ASSERT_EQ(back.dtype(), type);
      ASSERT_EQ(back.shape(), shape);
      EXPECT_EQ(std::memcmp(back.raw(), a.raw(), a.bytes()), 0);
      EXPECT_EQ((fs::file_size(dir / "a.npy") - a.bytes()) % 64, 0u);
    }
}

TEST(Npy, ViewsAreWrittenAsSeen) {
  TempFolder dir;
  const Array a = Array::from<float>(std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3}).permuted(std::vector<int>{1, 0});
  write_npy(dir / "a.npy", a);
  EXPECT_THAT(values(read_npy(dir / "a.npy")), ElementsAre(1, 3, 5, 2, 4, 6));
}

TEST(Npy, BothMemoryOrdersMeanTheSameIndices) {
  // [[0, 1, 2], [3, 4, 5]]: C order keeps rows together, Fortran order columns.
  const Array c = read(npy(dict("<i2", "False", "(2, 3)"), raw<std::int16_t>({0, 1, 2, 3, 4, 5})));
  const Array f = read(npy(dict("<i2", "True", "(2, 3)"), raw<std::int16_t>({0, 3, 1, 4, 2, 5})));
  for (const Array& a : {c, f}) {
    EXPECT_EQ(a.shape(), (Shape{2, 3}));
    EXPECT_EQ(a.axes(), (Axes{"x", "y"}));
    EXPECT_TRUE(a.contiguous());
    EXPECT_THAT(values(a), ElementsAre(0, 3, 1, 4, 2, 5));  // first axis fastest
  }
}

TEST(Npy, OtherTypesWidenAndBytesTurn) {
  for (const bool swap : {false, true}) {
    const std::string o = swap ? ">" : "<";
    const auto read_as = [&](const std::string& type, const std::string& data, DType expected) {
      const Array a = read(npy(dict(o + type, "True", "(2,)"), data, swap ? 2 : 1));
      EXPECT_EQ(a.dtype(), expected) << type;
      return values(a);
    };
    EXPECT_THAT(read_as("i1", raw<std::int8_t>({-128, 7}), DType::i16), ElementsAre(-128, 7));
    EXPECT_THAT(read_as("u2", raw<std::uint16_t>({65535, 258}, swap), DType::i32), ElementsAre(65535, 258));
    EXPECT_THAT(read_as("u4", raw<std::uint32_t>({UINT32_MAX, 1}, swap), DType::f64), ElementsAre(4294967295., 1));
    EXPECT_THAT(read_as("i8", raw<std::int64_t>({-1, 1ll << 40}, swap), DType::f64), ElementsAre(-1, 1099511627776.));
    EXPECT_THAT(read_as("u8", raw<std::uint64_t>({0, 258}, swap), DType::f64), ElementsAre(0, 258));
    EXPECT_THAT(read_as("f8", raw<double>({0.1, -1e300}, swap), DType::f64), ElementsAre(0.1, -1e300));
    // Halves as numpy.float16 stores them: 0.5 and the least subnormal, 2^-24; -65504 and infinity.
    EXPECT_THAT(read_as("f2", raw<std::uint16_t>({0x3800, 0x0001}, swap), DType::f32), ElementsAre(0.5, 0x1p-24));
    EXPECT_THAT(read_as("f2", raw<std::uint16_t>({0xFBFF, 0x7C00}, swap), DType::f32),
                ElementsAre(-65504, std::numeric_limits<double>::infinity()));
  }
  const Array c = read(npy(dict(">c8", "False", "(1,)"), raw<float>({1.5f, -2.f}, true)));
  EXPECT_EQ(c.span<std::complex<float>>()[0], std::complex<float>(1.5f, -2.f));
  // Any byte other than 0 is true, and reads as exactly 1.
  EXPECT_THAT(values(read(npy(dict("|b1", "False", "(3,)"), std::string("\0\x07\x01", 3)))), ElementsAre(0, 1, 1));
}

TEST(Npy, RealKspaceOfNumpy) {
  const char* data = std::getenv("LARMOR_TEST_DATA");
  const fs::path file = fs::path(data ? data : LARMOR_SOURCE_DIR "/../shared/data") / "kspace" / "spiral_T1.npy";
  if (!fs::exists(file)) GTEST_SKIP() << "missing " << file;
  const Array a = read_npy(file);
  EXPECT_EQ(a.dtype(), DType::c64);
  EXPECT_EQ(a.shape(), (Shape{5, 79, 825}));
}

TEST(Npy, BadFiles) {
  const auto what = [](const std::string& bytes) { return std::string(caught([&] { read(bytes); }).what()); };
  const std::string good = dict("<f4", "False", "(2,)"), data = raw<float>({1, 2});
  EXPECT_THAT(what(""), HasSubstr("it is empty"));
  EXPECT_THAT(what("PK\3\4........"), HasSubstr("not a .npy file"));
  EXPECT_THAT(what(npy(good, data).substr(0, 130)),
              HasSubstr("2 numbers of 4 bytes from byte 128 on do not fit in a file of 130 bytes"));
  EXPECT_THAT(what(npy(good, data, 9)), HasSubstr("version 9"));
  EXPECT_THAT(what(npy(dict("<f4", "Maybe", "(2,)"), data)), HasSubstr("neither True nor False"));
  EXPECT_THAT(what(npy(dict("<f4", "True", "(-2,)"), data)), HasSubstr("shape"));
  EXPECT_THAT(what(npy(dict("<f4", "True", "(99999999999999999999,)"), data)), HasSubstr("shape"));
  EXPECT_THAT(what(npy(dict("<f4", "True", "(4611686018427387904, 4)"), data)), HasSubstr("do not fit"));
  EXPECT_THAT(what(npy(dict("<f16", "True", "(2,)"), data)), HasSubstr("'<f16'"));
  EXPECT_THAT(what(npy(dict("|O", "True", "(2,)"), data)), HasSubstr("'|O'"));
  EXPECT_THAT(what(npy("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }", data)),
              HasSubstr("structured"));
  EXPECT_THAT(what(npy("{'descr': '<f4', 'shape': (2,), }", data)), HasSubstr("lacks"));
  EXPECT_THAT(what(npy("{'descr': '<f4', 'evil': 1}", data)), HasSubstr("unknown key 'evil'"));
  EXPECT_THAT(what(npy(good, "")), HasSubstr("a.npy"));
}

TEST(Npy, SurvivesDamage) {
  TempFolder dir;
  write_npy(dir / "a.npy", Array::of<float>({4, 3}));
  for (const std::string& valid : {slurp(dir / "a.npy"), npy(dict("<f2", "False", "(3, 2)"), std::string(12, 'x'), 2)})
    torture(dir / "b.npy", valid, 3000, 6, [](const fs::path& file) { read_npy(file); });
}
