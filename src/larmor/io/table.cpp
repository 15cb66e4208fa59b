// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <larmor/core/error.hpp>
#include <larmor/io/file.hpp>
#include <larmor/io/table.hpp>
#include <optional>

namespace larmor::io {
namespace {

std::string_view trimmed(std::string_view s) {
  const auto from = s.find_first_not_of(" \t\r\n");
  return from == std::string_view::npos ? std::string_view{} : s.substr(from, s.find_last_not_of(" \t\r\n") - from + 1);
}

std::optional<double> parse_number(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Row {
  std::vector<std::string> cells;
  std::size_t line;  // where it begins, from 1
};

// RFC 4180: a quoted cell may hold separators, line ends and doubled quotes.
std::vector<Row> split(const std::string& text, char separator, const std::string& name) {
  std::vector<Row> rows;
  std::size_t at = 0, line = 1;
  bool top = true;
  while (at < text.size()) {
    if (top && text[at] == '#') {
      at = std::min(text.find('\n', at), text.size() - 1) + 1;
      ++line;
      continue;
    }
    Row row{{}, line};
    bool end_of_row = false, blank = true;
    while (!end_of_row) {
      std::string cell;
      std::size_t start = at;
      while (start < text.size() && text[start] == ' ') ++start;
      if (start < text.size() && text[start] == '"') {
        at = start + 1;
        blank = false;
        for (;; ++at) {
          if (at >= text.size())
            throw Error(Errc::format, fmt::format("{}: the quote opened in line {} is never closed", name, row.line));
          if (text[at] == '\n') ++line;
          if (text[at] != '"') {
            cell += text[at];
          } else if (at + 1 < text.size() && text[at + 1] == '"') {
            cell += '"', ++at;
          } else {
            break;
          }
        }
        ++at;
        const auto stop = std::min(text.find_first_of(std::string{separator, '\n'}, at), text.size());
        if (const auto rest = trimmed(std::string_view(text).substr(at, stop - at)); !rest.empty())
          throw Error(Errc::format, fmt::format("{}: line {} has '{}' after a closing quote", name, line, rest),
                      "double the quotes inside a quoted cell");
        at = stop;
      } else {
        const auto stop = std::min(text.find_first_of(std::string{separator, '\n'}, at), text.size());
        cell = trimmed(std::string_view(text).substr(at, stop - at));
        at = stop;
      }
      row.cells.push_back(std::move(cell));
      end_of_row = at >= text.size() || text[at] == '\n';
      ++at;
    }
    ++line;
    top = false;
    if (row.cells.size() > 1 || !row.cells[0].empty() || !blank) rows.push_back(std::move(row));
  }
  return rows;
}

std::string quoted(const std::string& cell, char separator) {
  const bool plain = cell.find_first_of(std::string{separator, '"', '\n', '\r'}) == std::string::npos &&
                     trimmed(cell).size() == cell.size() && !cell.starts_with('#');
  if (plain) return cell;
  std::string out = "\"";
  for (const char c : cell) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

}  // namespace

std::size_t Table::column(std::string_view name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) throw unknown_name("column", name, columns).at(source);
  return static_cast<std::size_t>(found - columns.begin());
}

const std::string& Table::cell(std::size_t row, std::string_view name) const {
  if (row >= rows.size())
    throw Error(Errc::range, fmt::format("row {} of a table of {} rows", row, rows.size())).at(source);
  return rows[row][column(name)];
}

double Table::number(std::size_t row, std::string_view name) const {
  const std::string& text = cell(row, name);
  if (const auto value = parse_number(text)) return *value;
  throw Error(Errc::format, fmt::format("row {}, column '{}': '{}' is not a number", row + 1, name, text)).at(source);
}

std::vector<double> Table::numbers(std::string_view name) const {
  std::vector<double> out(rows.size());
  for (std::size_t row = 0; row < rows.size(); ++row) out[row] = number(row, name);
  return out;
}

std::vector<double> Table::vector(std::size_t row, std::string_view name) const {
  const std::string& text = cell(row, name);
  std::string_view rest = trimmed(text);
  const bool open = rest.starts_with('['), close = rest.ends_with(']');
  if (open != close)
    throw Error(Errc::format, fmt::format("row {}, column '{}': '{}' has one bracket of two", row + 1, name, text))
        .at(source);
  if (open) rest = rest.substr(1, rest.size() - 2);
  std::vector<double> out;
  constexpr std::string_view separators = " \t\r\n,;";
  for (;;) {
    const auto from = rest.find_first_not_of(separators);
    if (from == std::string_view::npos) return out;
    rest.remove_prefix(from);
    const auto word = rest.substr(0, rest.find_first_of(separators));
    const auto value = parse_number(word);
    if (!value)
      throw Error(Errc::format, fmt::format("row {}, column '{}': '{}' is not a number", row + 1, name, word))
          .at(source);
    out.push_back(*value);
    rest.remove_prefix(word.size());
  }
}

Table read_table(const std::filesystem::path& path) {
  const std::string text = read_text(path), name = path.string();
  if (text.find('\0') != std::string::npos)
    throw Error(Errc::format, fmt::format("{} is not a table of text: it holds zero bytes", name),
                "give a .csv or .tsv file (UTF-8)");
  // The separator shows in the first line that is not a comment.
  std::size_t first = 0;
  while (first < text.size() && text[first] == '#') first = std::min(text.find('\n', first), text.size() - 1) + 1;
  const auto head = std::string_view(text).substr(first, text.find('\n', first) - first);
  const char separator = head.find('\t') != std::string_view::npos ? '\t' : ',';
  auto rows = split(text, separator, name);
  if (rows.empty()) throw Error(Errc::format, fmt::format("{} holds no table: it is empty", name));
  Table table;
  table.source = name;
  const bool headless = std::all_of(rows[0].cells.begin(), rows[0].cells.end(),
                                    [](const std::string& cell) { return parse_number(cell).has_value(); });
  if (headless) {
    for (std::size_t i = 0; i < rows[0].cells.size(); ++i) table.columns.push_back(fmt::format("c{}", i + 1));
  } else {
    table.columns = std::move(rows[0].cells);
    rows.erase(rows.begin());
  }
  for (auto& row : rows) {
    if (row.cells.size() != table.columns.size())
      throw Error(Errc::format, fmt::format("{}: line {} has {} cells, the first line has {}", name, row.line,
                                            row.cells.size(), table.columns.size()));
    table.rows.push_back(std::move(row.cells));
  }
  return table;
}

void write_table(const std::filesystem::path& path, const Table& table, const std::vector<std::string>& comments) {
  const char separator = path.extension() == ".tsv" ? '\t' : ',';
  std::string text;
  for (std::string line : comments) {
    std::replace(line.begin(), line.end(), '\n', ' ');
    text += "# " + line + '\n';
  }
  const auto add = [&](const std::vector<std::string>& cells) {
    if (cells.size() != table.columns.size())
      throw Error(Errc::shape,
                  fmt::format("a row of {} cells in a table of {} columns", cells.size(), table.columns.size()))
          .at(path.string());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) text += separator;
      text += quoted(cells[i], separator);
    }
    // A lone empty cell would read back as an empty line.
    if (cells.size() == 1 && cells[0].empty()) text += "\"\"";
    text += '\n';
  };
  add(table.columns);
  for (const auto& row : table.rows) add(row);
  write_text(path, text);
}

}  // namespace larmor::io
