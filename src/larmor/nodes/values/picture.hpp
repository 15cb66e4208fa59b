// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/value_traits.hpp>
#include <larmor/io/png.hpp>

namespace larmor::flow {

/// {data: u8 (channel, x, y)}: rows from the top, 1 (grey), 3 (RGB) or 4 (RGBA) channels.
template <>
struct ValueTraits<io::Picture> {
  static constexpr const char* type = "picture";
  static Value to(const io::Picture& picture);
  /// Errors   Errc::type, Errc::shape
  static io::Picture from(const Value& value);
};

}  // namespace larmor::flow
