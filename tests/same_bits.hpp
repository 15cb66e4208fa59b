// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstring>
#include <larmor/core/array.hpp>

namespace larmor {

/// The same bytes, NaNs included; two empty arrays are the same (memcmp takes no null pointer, even for no bytes).
inline bool same_bits(const Array& a, const Array& b) {
  const auto n = static_cast<std::size_t>(a.bytes());
  return a.bytes() == b.bytes() &&
         (n == 0 || std::memcmp(a.contiguous_copy().raw(), b.contiguous_copy().raw(), n) == 0);
}

}  // namespace larmor
