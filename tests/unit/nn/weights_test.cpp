// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <larmor/core/error.hpp>
#include <larmor/nn/event_file.hpp>
#include <larmor/nn/weights.hpp>
#include <limits>

namespace larmor::nn {
namespace {

using testing::HasSubstr;

Weights two() {
  Weights w;
  w.tensors["a"] = {{2, 3}, {1, 2, 3, 4, 5, 6}};
  w.tensors["b"] = {{1}, {-0.5f}};
  w.meta["net"] = "{\"kind\":\"test\"}";
  return w;
}
std::string why(std::vector<std::byte> bytes) {
  try {
    decode(bytes);
  } catch (const Error& e) {
    EXPECT_EQ(to_string(e.code()), "format");
    return e.what();
  }
  return "fine";
}
/// A file with any header, and `data` zeros behind it.
std::vector<std::byte> file_of(const std::string& header, std::size_t data) {
  std::vector<std::byte> out(8 + header.size() + data);
  const std::uint64_t n = header.size();
  std::memcpy(out.data(), &n, 8);
  std::memcpy(out.data() + 8, header.data(), header.size());
  return out;
}

TEST(Weights, GoThereAndBack) {
  const auto w = two();
  const auto again = decode(encode(w));
  EXPECT_EQ(again.tensors.at("a").values, w.tensors.at("a").values);
  EXPECT_EQ(again.tensors.at("a").shape, w.tensors.at("a").shape);
  EXPECT_EQ(again.meta.at("net"), w.meta.at("net"));
  EXPECT_EQ(again.meta.at("sha256"), sha256_of(w));
  EXPECT_EQ(again.parameters(), 7);
}

TEST(Weights, HalfIsTheNearestOfSixteenBits) {
  // Eleven bits of significand: every whole number to 2048 is kept, and nothing is further than 2^-11 of its size.
  Weights w;
  auto& v = w.tensors["a"].values;
  for (int i = -2048; i <= 2048; ++i) v.push_back(static_cast<float>(i));
  for (int i = 0; i < 4000; ++i) v.push_back(std::ldexp(1.0f + static_cast<float>(i) / 4000, i % 30 - 15));
  for (int i = 0; i < 1024; ++i) v.push_back(static_cast<float>(i) * 0x1p-24f);  // denormal numbers: exact too
  v.insert(v.end(), {2049.0f, 2051.0f, 65504.0f, 70000.0f, -70000.0f, -0.0f});
  w.tensors["a"].shape = {static_cast<std::int64_t>(v.size())};
  const auto bytes = encode(w, Precision::half);
  const auto again = decode(bytes).tensors.at("a").values;
  ASSERT_EQ(again.size(), v.size());
  for (std::size_t i = 0; i < 4097; ++i) EXPECT_EQ(again[i], v[i]);
  for (std::size_t i = 4097; i < 8097; ++i)
    EXPECT_LE(std::abs(again[i] - v[i]), std::max(0x1p-11f * std::abs(v[i]), 0x1p-25f)) << v[i];
  for (std::size_t i = 8097; i < 9121; ++i) EXPECT_EQ(again[i], v[i]);
  const std::vector<float> rest(again.begin() + 9121, again.end());
  const float far = std::numeric_limits<float>::infinity();
  EXPECT_EQ(rest, (std::vector<float>{2048, 2052, 65504, far, -far, 0}));  // ties go to even
  EXPECT_TRUE(std::signbit(rest[5]));
  EXPECT_LT(bytes.size(), 2 * v.size() + 400);
}

TEST(Weights, LayoutIsThatOfSafetensors) {
  const auto bytes = encode(two());
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), 8);
  EXPECT_EQ((8 + length) % 8, 0u);
  const std::string header(reinterpret_cast<const char*>(bytes.data()) + 8, length);
  EXPECT_THAT(header, HasSubstr(R"("a":{"data_offsets":[0,24],"dtype":"F32","shape":[2,3]})"));
  EXPECT_EQ(bytes.size(), 8 + length + 28);
}

TEST(Weights, ReadsHalves) {
  // 1.5 as F16 is 0x3e00, -2 as BF16 is 0xc000
  auto bytes = file_of(
      R"({"h":{"dtype":"F16","shape":[1],"data_offsets":[0,2]},"b":{"dtype":"BF16","shape":[1],"data_offsets":[2,4]}})",
      4);
  const std::uint16_t values[2] = {0x3e00, 0xc000};
  std::memcpy(bytes.data() + bytes.size() - 4, values, 4);
  const auto w = decode(bytes);
  EXPECT_EQ(w.tensors.at("h").values[0], 1.5f);
  EXPECT_EQ(w.tensors.at("b").values[0], -2.0f);
}

TEST(Weights, EveryFlippedByteIsFound) {
  const auto good = encode(two());
  std::uint64_t length = 0;
  std::memcpy(&length, good.data(), 8);
  for (std::size_t i = 8 + length; i < good.size(); ++i) {
    auto bad = good;
    bad[i] ^= std::byte{1};
    EXPECT_THAT(why(bad), HasSubstr("SHA-256")) << i;
  }
}

TEST(Weights, SaysWhatIsDamaged) {
  auto bytes = encode(two());
  EXPECT_THAT(why({bytes.begin(), bytes.begin() + 5}), HasSubstr("5 bytes hold no header"));
  EXPECT_THAT(why({bytes.begin(), bytes.end() - 4}), HasSubstr("'b' lies at bytes 24 to 28 of 24"));
  auto longer = bytes;
  longer.resize(longer.size() + 4);
  EXPECT_THAT(why(longer), HasSubstr("the tensors have 28 bytes, the file 32"));
  auto head = bytes;
  head[7] = std::byte{0x7f};
  EXPECT_THAT(why(head), HasSubstr("the header says it has"));
  EXPECT_THAT(why(file_of("{nonsense", 0)), HasSubstr("cannot be read"));
  EXPECT_THAT(why(file_of("[1,2]     ", 0)), HasSubstr("no JSON object"));
  EXPECT_THAT(why(file_of(R"({"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}})", 8)), HasSubstr("known are F32"));
  EXPECT_THAT(why(file_of(R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)),
              HasSubstr("8 bytes for 3 numbers"));
  EXPECT_THAT(why(file_of(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,8]}})", 8)),
              HasSubstr("has the shape"));
  EXPECT_THAT(why(file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8)),
              HasSubstr("lies at bytes 8 to 0"));
  EXPECT_THAT(why(file_of(R"({"a":{"dtype":"F32"}})", 8)), HasSubstr("cannot be read"));
}

TEST(Weights, NamesTheNearest) {
  try {
    two().get("aa");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("tensor"));
  }
}

TEST(Weights, FilesAreWholeOrNot) {
  const auto folder = std::filesystem::temp_directory_path() / ("larmor_weights_test_" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  write_weights(folder / "w.safetensors", two());
  EXPECT_EQ(read_weights(folder / "w.safetensors").parameters(), 7);
  int files = 0;
  for (const auto& e : std::filesystem::directory_iterator(folder)) files += e.exists();
  EXPECT_EQ(files, 1);  // nothing temporary stays
  std::ofstream(folder / "w.safetensors", std::ios::app) << "x";
  try {
    read_weights(folder / "w.safetensors");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), HasSubstr("w.safetensors"));
  }
  EXPECT_THROW(read_weights(folder / "none"), Error);
  EXPECT_THROW(write_weights("/dev/full/w", two()), Error);
  std::filesystem::remove_all(folder);
}

TEST(Crc32c, KnownAnswers) {
  // RFC 3720, B.4: 32 zeros, 32 ones, 0 .. 31; and the check value of the CRC catalogue.
  std::vector<std::byte> bytes(32, std::byte{0});
  EXPECT_EQ(crc32c(bytes), 0x8a9136aau);
  bytes.assign(32, std::byte{0xff});
  EXPECT_EQ(crc32c(bytes), 0x62a8ab43u);
  for (int i = 0; i < 32; ++i) bytes[static_cast<std::size_t>(i)] = static_cast<std::byte>(i);
  EXPECT_EQ(crc32c(bytes), 0x46dd794eu);
  const std::string digits = "123456789";
  EXPECT_EQ(crc32c(std::as_bytes(std::span(digits.data(), digits.size()))), 0xe3069283u);
}

TEST(EventFile, RecordsAreFramed) {
  const auto folder = std::filesystem::temp_directory_path() / ("larmor_event_test_" + std::to_string(::getpid()));
  std::filesystem::remove_all(folder);
  EventFile events(folder);
  events.scalar("loss", 3, 0.5f);
  std::ifstream in(events.path(), std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::size_t at = 0;
  std::vector<std::string> records;
  while (at + 16 <= text.size()) {
    std::uint64_t n = 0;
    std::memcpy(&n, text.data() + at, 8);
    ASSERT_LE(at + 16 + n, text.size());
    const auto check = [&](std::size_t from, std::size_t size, std::size_t where) {
      std::uint32_t found = 0;
      std::memcpy(&found, text.data() + where, 4);
      const std::uint32_t rotated = found - 0xa282ead8u;
      EXPECT_EQ((rotated << 15) | (rotated >> 17), crc32c(std::as_bytes(std::span(text.data() + from, size))));
    };
    check(at, 8, at + 8);
    check(at + 12, n, at + 12 + n);
    records.push_back(text.substr(at + 12, n));
    at += 16 + n;
  }
  EXPECT_EQ(at, text.size());
  ASSERT_EQ(records.size(), 2u);
  EXPECT_THAT(records[0], HasSubstr("brain.Event:2"));
  // field 2 (step) = 3; summary { value { tag "loss", simple_value 0.5 } }
  EXPECT_THAT(records[1], HasSubstr(std::string("\x10\x03", 2)));
  EXPECT_THAT(records[1], HasSubstr(std::string("\x0a\x04loss\x15\x00\x00\x00\x3f", 11)));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace larmor::nn
