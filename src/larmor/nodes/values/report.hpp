// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/value_traits.hpp>
#include <string>

namespace larmor::nodes {

/// One self-contained page of HTML.
struct Page {
  std::string title, html;
};

}  // namespace larmor::nodes

namespace larmor::flow {

template <>
struct ValueTraits<nodes::Page> {
  static constexpr const char* type = "report";
  static Value to(const nodes::Page& page);
  /// Errors   Errc::type
  static nodes::Page from(const Value& value);
};

}  // namespace larmor::flow
