// SPDX-License-Identifier: Apache-2.0
#include "print_json.hpp"

#include <fmt/format.h>

#include <cmath>
#include <larmor/core/cancel.hpp>
#include <nlohmann/json.hpp>

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

std::string text_of(const json& j, int indent) { return j.dump(indent, ' ', false, json::error_handler_t::replace); }

std::string number(const Column& column, std::size_t i) {
  return fmt::format("{:.{}g}", column.values[i], column.digits);
}

}  // namespace

void print_json(const json& document) { fmt::print("{}\n", text_of(document, 2)); }

void print_columns(const Call& call, const json& facts, const std::vector<Column>& columns) {
  constexpr std::size_t often = 4096;  // rows between two looks at whether somebody wants it to end
  if (call.json) {
    // Written piece by piece: a table may have millions of rows.
    const char* before = "{\n  ";
    for (const auto& [key, value] : facts.items()) {
      fmt::print("{}{}: {}", before, text_of(key, -1), text_of(value, -1));
      before = ",\n  ";
    }
    for (const auto& c : columns) {
      fmt::print("{}{}: [", before, text_of(c.key.empty() ? c.name : c.key, -1));
      for (std::size_t i = 0; i < c.values.size(); ++i) {
        if (i % often == 0) Cancel::interrupt().check();
        fmt::print("{}{}", i > 0 ? ", " : "", std::isfinite(c.values[i]) ? number(c, i) : "null");
      }
      fmt::print("]");
      before = ",\n  ";
    }
    fmt::print("\n}}\n");
    return;
  }
  for (std::size_t k = 0; k < columns.size(); ++k) fmt::print("{}{}", k > 0 ? "," : "", columns[k].name);
  fmt::print("\n");
  for (std::size_t i = 0; i < columns.at(0).values.size(); ++i) {
    if (i % often == 0) Cancel::interrupt().check();
    for (std::size_t k = 0; k < columns.size(); ++k) fmt::print("{}{}", k > 0 ? "," : "", number(columns[k], i));
    fmt::print("\n");
  }
}

}  // namespace larmor::cli
