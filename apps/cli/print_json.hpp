// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "command.hpp"

namespace larmor::cli {

/// What --json prints: one document and nothing else. Bytes that are no UTF-8 (of file names, say) are replaced.
void print_json(const nlohmann::ordered_json& document);

/// A column of a table of numbers, as digits that are worth printing.
struct Column {
  std::string name;
  std::vector<double> values = {};
  int digits = 9;
  std::string key = {};  // the name in JSON, with its unit; empty: `name`
};
/// The table as CSV; with --json one document of `facts` and a list for each column. What is not finite is null there.
void print_columns(const Call& call, const nlohmann::ordered_json& facts, const std::vector<Column>& columns);

}  // namespace larmor::cli
