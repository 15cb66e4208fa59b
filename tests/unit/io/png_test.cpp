// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/io/png.hpp>

#include "support.hpp"

using namespace larmor;
using namespace larmor::io;
using namespace larmor::test;
using testing::HasSubstr;

namespace {

Picture noise(int width, int height, int channels) {
  Picture p{width, height, channels, {}};
  std::mt19937 rng(9);
  for (int i = 0; i < width * height * channels; ++i) p.pixels.push_back(static_cast<std::uint8_t>(rng()));
  return p;
}

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> unhex(const std::string& hex) {
  std::vector<std::byte> out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    out.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return out;
}

}  // namespace

TEST(Png, PicturesAndTextComeBack) {
  const std::vector<std::pair<std::string, std::string>> text{{"larmor", "{\"unit\": \"\xC2\xB5m\"}"},
                                                              {"long", std::string(5000, 'x')}};
  for (const int channels : {1, 3, 4}) {
    const Picture p = noise(17, 5, channels);
    std::vector<std::pair<std::string, std::string>> found;
    const Picture back = decode_png(encode_png(p, text), &found);
    EXPECT_EQ(back.width, 17);
    EXPECT_EQ(back.height, 5);
    EXPECT_EQ(back.channels, channels);
    EXPECT_EQ(back.pixels, p.pixels);
    EXPECT_EQ(found, text);
  }
}

TEST(Png, FilesOfOtherKindsBecomeEightBit) {
  // Made by Python's zlib and struct: 2 x 1 pixels from a palette in 1 bit; one pixel of grey and alpha in 16 bits.
  const Picture palette = decode_png(unhex(
      "89504e470d0a1a0a0000000d4948445200000002000000010103000000ceecedc900000006504c5445ff00000000ff6ca1fd8e00000"
      "00a49444154789c63700000004200412937f4ef0000000049454e44ae426082"));
  EXPECT_EQ(palette.channels, 3);
  EXPECT_THAT(palette.pixels, testing::ElementsAre(255, 0, 0, 0, 0, 255));
  const Picture grey = decode_png(unhex(
      "89504e470d0a1a0a0000000d4948445200000001000000011004000000e58cd0410000000d49444154789c63686070600000028500c"
      "11ac225240000000049454e44ae426082"));
  EXPECT_EQ(grey.channels, 4);
  EXPECT_THAT(grey.pixels, testing::ElementsAre(128, 128, 128, 64));
}

TEST(Png, FilesComeBack) {
  TempFolder dir;
  const Picture p = noise(3, 2, 3);
  write_png(dir / "a.png", p);
  EXPECT_EQ(read_png(dir / "a.png").pixels, p.pixels);
  EXPECT_EQ(slurp(dir / "a.png").substr(1, 3), "PNG");
}

TEST(Png, BadPicturesAndFiles) {
  TempFolder dir;
  EXPECT_EQ(caught([] { encode_png({2, 2, 4, {1, 2, 3}}); }).code(), Errc::format);
  EXPECT_EQ(caught([] { encode_png({0, 2, 4, {}}); }).code(), Errc::format);
  EXPECT_EQ(caught([] { encode_png({1, 1, 2, {1, 2}}); }).code(), Errc::format);
  const std::vector<std::pair<std::string, std::string>> text{{std::string(80, 'k'), ""}};
  EXPECT_EQ(caught([&] { encode_png(noise(1, 1, 1), text); }).code(), Errc::format);
  spill(dir / "a.png", "GIF89a..........");
  EXPECT_THAT(caught([&] { read_png(dir / "a.png"); }).what(), HasSubstr("a.png"));
  EXPECT_EQ(caught([&] { read_png(dir / "b.png"); }).code(), Errc::file);
  // A header of a million by a million pixels with its checksum right is still refused.
  std::string huge = text_of(encode_png(noise(1, 1, 1)));
  huge.replace(16, 8, std::string("\0\x0f\x42\x40\0\x0f\x42\x40", 8));
  std::uint32_t crc = 0xFFFFFFFF;  // of PNG, bit by bit
  for (std::size_t i = 12; i < 29; ++i) {
    crc ^= static_cast<std::uint8_t>(huge[i]);
    for (int k = 0; k < 8; ++k) crc = crc & 1 ? crc >> 1 ^ 0xEDB88320 : crc >> 1;
  }
  crc = ~crc;
  for (std::size_t i = 0; i < 4; ++i) huge[29 + i] = static_cast<char>(crc >> (24 - 8 * i));
  spill(dir / "huge.png", huge);
  EXPECT_THAT(caught([&] { read_png(dir / "huge.png"); }).what(), HasSubstr("size claimed"));
}

TEST(Png, SurvivesDamage) {
  TempFolder dir;
  const std::vector<std::pair<std::string, std::string>> text{{"key", "value"}};
  for (const int channels : {1, 4})
    torture(dir / "a.png", text_of(encode_png(noise(9, 7, channels), text)), 2000, 5,
            [](const fs::path& file) { read_png(file); });
}

TEST(Colour, EndsAndMiddlesOfTheMaps) {
  // Published tables at 0, 1/2 and 1 (matplotlib; Moreland 2009; Mikhailov 2019); the polynomials stay within 6 of 255,
  // the one published for turbo within 32.
  const auto near = [](const char* map, double t, int r, int g, int b) {
    const auto c = colour(map, t);
    const int most = std::string(map) == "turbo" ? 32 : 6;
    EXPECT_LE(std::abs(c[0] - r), most) << map << " " << t;
    EXPECT_LE(std::abs(c[1] - g), most) << map << " " << t;
    EXPECT_LE(std::abs(c[2] - b), most) << map << " " << t;
  };
  near("viridis", 0, 68, 1, 84), near("viridis", 0.5, 33, 145, 140), near("viridis", 1, 253, 231, 37);
  near("inferno", 0, 0, 0, 4), near("inferno", 0.5, 188, 55, 84), near("inferno", 1, 252, 255, 164);
  near("turbo", 0, 48, 18, 59), near("turbo", 0.5, 164, 252, 60), near("turbo", 1, 122, 4, 3);
  near("coolwarm", 0, 59, 76, 192), near("coolwarm", 0.5, 221, 221, 221), near("coolwarm", 1, 180, 4, 38);
  near("grey", 0.5, 128, 128, 128);
  EXPECT_EQ(colour("viridis", -3), colour("viridis", 0));
  EXPECT_EQ(colour("viridis", 7), colour("viridis", 1));
  EXPECT_EQ(colour("viridis", std::nan("")), colour("viridis", 0));
  EXPECT_THAT(caught([] { colour("virdis", 0); }).what(), HasSubstr("did you mean viridis?"));
}

TEST(Colour, SequentialMapsGrowLighterAllTheWay) {
  for (const char* map : {"grey", "viridis", "inferno"}) {
    double before = -1;
    for (int i = 0; i <= 100; ++i) {
      const auto c = colour(map, i / 100.0);
      const double light = 0.2126 * c[0] + 0.7152 * c[1] + 0.0722 * c[2];
      EXPECT_GT(light, before - 0.5) << map << " at " << i;  // half a count of rounding
      before = std::max(before, light);
    }
  }
}
