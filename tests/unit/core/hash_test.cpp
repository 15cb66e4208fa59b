// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <larmor/core/hash.hpp>
#include <random>
#include <string>

using larmor::Sha256;

namespace {
std::string of(const std::string& text) {
  const auto digits = Sha256().add(text.data(), text.size()).hex();
  EXPECT_EQ(Sha256(true).add(text.data(), text.size()).hex(), digits);
  return digits;
}
}  // namespace

// Examples of FIPS 180-4 (NIST, Cryptographic Standards and Guidelines: SHA-256), and the empty message.
TEST(Sha256, KnownAnswers) {
  EXPECT_EQ(of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(of(std::string(1000000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, PiecesAreOneMessage) {
  std::mt19937 rng(1);
  for (std::size_t size : {1u, 55u, 56u, 63u, 64u, 65u, 119u, 120u, 128u, 1000u}) {
    std::string text(size, ' ');
    for (char& c : text) c = static_cast<char>(rng());
    Sha256 pieces;
    for (std::size_t at = 0; at < size;) {
      const std::size_t n = std::min<std::size_t>(1 + rng() % 70, size - at);
      pieces.add(text.data() + at, n), at += n;
    }
    EXPECT_EQ(pieces.hex(), of(text)) << size;
    text[size / 2] ^= 1;
    EXPECT_NE(of(text), Sha256().add(text.data(), size - 1).hex());
  }
}
