// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <map>
#include <string>
#include <vector>

namespace larmor::cli {

/// Descriptions of the operations and of the types on wires: JSON (an array), and rows of a table with their head.
std::string operations_json();
std::vector<std::vector<std::string>> operation_rows();
std::string wire_types_json();
std::vector<std::vector<std::string>> wire_type_rows();
/// Reference pages by file name: one a category, and README.md which lists them and the types.
std::map<std::string, std::string> operation_pages();
std::vector<std::string> operation_ids();

}  // namespace larmor::cli
