// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>

namespace larmor::io {

/// IEEE binary128, of which x86 has no hardware type: 1 sign, 15 exponent, 112 fraction bits.
struct Quad {
  std::uint64_t low, high;
  operator double() const {
    const int exponent = static_cast<int>(high >> 48 & 0x7FFF);
    const double sign = high >> 63 ? -1.0 : 1.0;
    const std::uint64_t fraction_high = high & 0xFFFFFFFFFFFFull;
    if (exponent == 0x7FFF) return fraction_high || low ? std::nan("") : sign * std::numeric_limits<double>::infinity();
    const double fraction =
        std::ldexp(static_cast<double>(fraction_high), -48) + std::ldexp(static_cast<double>(low), -112);
    return sign * std::ldexp((exponent ? 1.0 : 0.0) + fraction, (exponent ? exponent : 1) - 16383);
  }
};

/// IEEE binary16: 1 sign, 5 exponent, 10 fraction bits.
struct Half {
  std::uint16_t bits;
  operator double() const {
    const int exponent = bits >> 10 & 0x1F, fraction = bits & 0x3FF;
    const double sign = bits >> 15 ? -1.0 : 1.0;
    if (exponent == 0x1F) return fraction ? std::nan("") : sign * std::numeric_limits<double>::infinity();
    return sign * (exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24));
  }
};

/// One number from bytes in any place, in the other byte order when `swap`.
template <class Raw, bool swap>
Raw load(const std::byte* from) {
  std::array<std::byte, sizeof(Raw)> bytes;
  std::memcpy(bytes.data(), from, sizeof(Raw));
  if constexpr (swap) std::reverse(bytes.begin(), bytes.end());
  return std::bit_cast<Raw>(bytes);
}

template <class Raw, bool swap, class To>
void convert(const std::byte* from, To* to, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<To>(load<Raw, swap>(from + i * sizeof(Raw)));
}

template <class Raw, bool swap, class To>
void convert_scaled(const std::byte* from, To* to, std::size_t count, double slope, double inter) {
  for (std::size_t i = 0; i < count; ++i)
    to[i] = static_cast<To>(static_cast<double>(load<Raw, swap>(from + i * sizeof(Raw))) * slope + inter);
}

}  // namespace larmor::io
