// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace larmor::io {

/// A table of text with named columns.
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
  std::string source;

  /// Errors   Errc::unknown_name
  std::size_t column(std::string_view name) const;
  const std::string& cell(std::size_t row, std::string_view name) const;
  /// Column as numbers. Errors   Errc::format naming row, column and text
  std::vector<double> numbers(std::string_view name) const;
  double number(std::size_t row, std::string_view name) const;
  /// A cell that holds several numbers separated by spaces, commas or semicolons, in [ ] or not.
  std::vector<double> vector(std::size_t row, std::string_view name) const;
};

/// CSV (RFC 4180 quotes) or TSV by content (a tab in the first line means TSV). A byte order mark, CRLF and `#` comment
/// lines at the top are accepted. A first line that is all numbers is data: the columns are then named c1, c2, ...
/// Errors   Errc::file, Errc::format (a row of another length, with its line number and both counts)
Table read_table(const std::filesystem::path& path);
/// TSV for .tsv, else CSV; atomic. `comments` become `#` lines at the top.
void write_table(const std::filesystem::path& path, const Table& table, const std::vector<std::string>& comments = {});

}  // namespace larmor::io
