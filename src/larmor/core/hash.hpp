// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace larmor {

/// SHA-256 of bytes given in any number of pieces; the same digits as sha256sum.
///
/// Source   FIPS PUB 180-4 (2015), 6.2
class Sha256 {
 public:
  /// plain: without the processor's instructions for it (tests compare the two)
  explicit Sha256(bool plain = false) : plain_(plain) {}
  Sha256& add(const void* data, std::size_t size);
  /// 64 hexadecimal digits; nothing can be added afterwards.
  std::string hex();

 private:
  std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                      0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
  std::array<unsigned char, 64> rest_{};
  std::uint64_t size_ = 0;
  bool plain_;
};

}  // namespace larmor
