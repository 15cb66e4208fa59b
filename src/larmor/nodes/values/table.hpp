// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/value_traits.hpp>
#include <larmor/io/table.hpp>

namespace larmor::flow {

/// {columns: list of texts, rows: list of lists of texts, source}. Numbers in a cell are written as texts.
template <>
struct ValueTraits<io::Table> {
  static constexpr const char* type = "table";
  static Value to(const io::Table& table);
  /// Errors   Errc::type, Errc::shape for a row of another length
  static io::Table from(const Value& value);
};

}  // namespace larmor::flow
