// SPDX-License-Identifier: Apache-2.0
#include "text_table.hpp"

#include <algorithm>

namespace larmor::cli {
namespace {
// Columns of a terminal that UTF-8 text takes (every code point one: enough for what we print).
std::size_t columns_of(const std::string& s) {
  return static_cast<std::size_t>(std::count_if(s.begin(), s.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}
bool numeric(const std::string& s) {
  return !s.empty() && s.find_first_not_of("0123456789+-.,e% ") == std::string::npos;
}
}  // namespace

std::string text_table(const std::vector<std::vector<std::string>>& rows, std::size_t indent) {
  std::vector<std::size_t> width;
  std::vector<bool> right;
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      if (c >= width.size()) width.push_back(0), right.push_back(true);
      width[c] = std::max(width[c], columns_of(rows[r][c]));
      if (r > 0 && !rows[r][c].empty() && rows[r][c] != "nan" && rows[r][c] != "inf" && !numeric(rows[r][c]))
        right[c] = false;
    }
  std::string out;
  for (const auto& row : rows) {
    std::string line(indent, ' ');
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string pad(width[c] - columns_of(row[c]), ' ');
      line += (c ? "  " : "") + (right[c] ? pad + row[c] : row[c] + pad);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace larmor::cli
