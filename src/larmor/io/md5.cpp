// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <larmor/io/pulseq.hpp>

namespace larmor::io {
namespace {

struct Md5 {
  std::array<std::uint32_t, 4> state{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};

  void block(const unsigned char* bytes) {
    static const auto sines = [] {
      std::array<std::uint32_t, 64> t{};
      for (int i = 0; i < 64; ++i) t[i] = static_cast<std::uint32_t>(std::abs(std::sin(i + 1.0)) * 4294967296.0);
      return t;
    }();
    constexpr int turns[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};
    std::array<std::uint32_t, 16> word{};
    for (int i = 0; i < 64; ++i) word[i / 4] |= static_cast<std::uint32_t>(bytes[i]) << (8 * (i % 4));
    auto [a, b, c, d] = state;
    for (int i = 0; i < 64; ++i) {
      const int round = i / 16;
      const std::uint32_t mix = round == 0   ? (b & c) | (~b & d)
                                : round == 1 ? (d & b) | (~d & c)
                                : round == 2 ? b ^ c ^ d
                                             : c ^ (b | ~d);
      const int k = round == 0 ? i : round == 1 ? (5 * i + 1) % 16 : round == 2 ? (3 * i + 5) % 16 : (7 * i) % 16;
      const std::uint32_t next = b + std::rotl(a + mix + sines[i] + word[k], turns[round][i % 4]);
      a = d, d = c, c = b, b = next;
    }
    state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  }
};

}  // namespace

std::string md5_of(std::string_view text) {
  std::string padded(text);
  padded += '\x80';
  while (padded.size() % 64 != 56) padded += '\0';
  for (int i = 0; i < 8; ++i) padded += static_cast<char>((static_cast<std::uint64_t>(text.size()) * 8) >> (8 * i));
  Md5 md5;
  for (std::size_t at = 0; at < padded.size(); at += 64)
    md5.block(reinterpret_cast<const unsigned char*>(padded.data()) + at);
  std::string out;
  for (const std::uint32_t word : md5.state)
    for (int i = 0; i < 4; ++i) out += fmt::format("{:02x}", (word >> (8 * i)) & 0xff);
  return out;
}

}  // namespace larmor::io
