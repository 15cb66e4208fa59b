// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/nodes/axes.hpp>
#include <larmor/nodes/values/table.hpp>

namespace larmor::nodes {
namespace {

std::string cell(const flow::Value& v) {
  switch (v.kind()) {
    case flow::Value::Kind::none:
      return "";
    case flow::Value::Kind::number:
      return fmt::format("{:.9g}", v.number());
    case flow::Value::Kind::text:
      return v.text();
    case flow::Value::Kind::array:
      if (v.array().size() == 1 && v.array().dtype() != DType::c64 && v.array().dtype() != DType::c128)
        return fmt::format("{:.9g}", flow::ValueTraits<double>::from(v));
      return v.describe();
    default:
      return flow::to_json(v);
  }
}

// One row for each value; records have a column for each field.
io::Table of_values(const std::vector<flow::Value>& values, const std::vector<std::string>& names) {
  io::Table out;
  for (const auto& v : values)
    if (v.kind() == flow::Value::Kind::record)
      for (const auto& [name, field] : v.fields())
        if (std::find(out.columns.begin(), out.columns.end(), name) == out.columns.end()) out.columns.push_back(name);
  const bool records = !out.columns.empty();
  if (!records) out.columns = {"name", "value"};
  std::size_t row = 0;
  for (const auto& v : values) {
    ++row;
    std::vector<std::string> cells;
    if (!records)
      cells = {row <= names.size() ? names[row - 1] : std::to_string(row), cell(v)};
    else
      for (const auto& column : out.columns)
        cells.push_back(v.kind() == flow::Value::Kind::record ? cell(v.field(column)) : "");
    out.rows.push_back(std::move(cells));
  }
  return out;
}

io::Table of_array(const Array& array, const std::vector<std::string>& names) {
  if (array.rank() < 1 || array.rank() > 2 || array.dtype() == DType::c64 || array.dtype() == DType::c128)
    throw Error(Errc::shape, "a table of " + array.describe(), "give a real array of one or two axes");
  const Array a = array.to(Device::cpu()).cast(DType::f64).contiguous_copy();
  io::Table out;
  const std::int64_t rows = a.extent(0), columns = a.extent(1);
  if (!names.empty() && static_cast<std::int64_t>(names.size()) != columns)
    throw Error(Errc::shape, fmt::format("{} names for {} columns", names.size(), columns),
                "give one for each, or none");
  for (std::int64_t c = 0; c < columns; ++c)
    out.columns.push_back(names.empty() ? fmt::format("c{}", c + 1) : names[static_cast<std::size_t>(c)]);
  for (std::int64_t r = 0; r < rows; ++r) {
    std::vector<std::string> cells;
    for (std::int64_t c = 0; c < columns; ++c) cells.push_back(fmt::format("{:.9g}", a.data<double>()[r + rows * c]));
    out.rows.push_back(std::move(cells));
  }
  return out;
}

void compute(flow::Ports& io) {
  const auto names = names_in(io.setting("names"));
  auto values = io.all("in");
  if (values.size() == 1 && values[0].kind() == flow::Value::Kind::list) values = flow::Value::List(values[0].list());
  const Array* array = values.size() == 1 ? array_of(values[0]) : nullptr;
  io.out("table") = array && array->size() > 1 ? of_array(*array, names) : of_values(values, names);
}

void from_text(flow::Ports& io) {
  io::Table out;
  std::string line;
  const std::string text = io.setting("text").str() + "\n";
  for (const char c : text) {
    if (c == '\r') continue;
    if (c != '\n') {
      line += c;
      continue;
    }
    if (line.find_first_not_of(" \t") != std::string::npos) {
      std::vector<std::string> cells{""};
      const char between = line.find('\t') != std::string::npos ? '\t' : ',';
      for (const char d : line)
        if (d == between)
          cells.emplace_back();
        else
          cells.back() += d;
      for (auto& cell : cells) {
        const auto first = cell.find_first_not_of(' ');
        cell = first == std::string::npos ? "" : cell.substr(first, cell.find_last_not_of(' ') - first + 1);
      }
      if (out.columns.empty()) {
        out.columns = cells;
      } else if (cells.size() == out.columns.size()) {
        out.rows.push_back(cells);
      } else {
        throw Error(Errc::format,
                    fmt::format("row {} has {} cells and the first line {}", out.rows.size() + 1, cells.size(),
                                out.columns.size()),
                    "give every row the same number of cells");
      }
    }
    line.clear();
  }
  if (out.columns.empty()) throw Error(Errc::format, "a table without columns", "write their names in the first line");
  io.out("out") = out;
}

}  // namespace

/// view.table and source.table.
void register_view_table(flow::NodeTypes& nodes) {
  nodes.add("view.table",
            flow::NodeType{.title = "Table of values",
                           .does = "Makes a table of numbers, texts, records or an array",
                           .help = "An array of one or two axes gives its rows and columns; records a row "
                                   "each with a column for each field; other values a row each.",
                           .tags = {"list", "CSV", "columns"}}
                .in<flow::Value>("in", "values, a list of them, or an array", {.repeated = true})
                .out<io::Table>("table", "the table")
                .set({"names", "names of the rows, or of an array's columns, like: mean, sd", ""})
                .run(compute));
  nodes.add("source.table",
            flow::NodeType{.title = "Table", .does = "Gives a table that is written here", .tags = {"CSV", "constant"}}
                .out<io::Table>("out", "the table")
                .set(flow::Setting{"text", "names of the columns, then rows; commas or tabs between cells", ""}.lines())
                .run(from_text));
}

}  // namespace larmor::nodes
