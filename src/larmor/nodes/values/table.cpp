// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/values/table.hpp>

namespace larmor::flow {
namespace {

std::string cell_of(const Value& v) {
  if (v.kind() == Value::Kind::text) return v.text();
  if (v.kind() == Value::Kind::number) return fmt::format("{}", v.number());
  if (v.none()) return {};
  throw Error(Errc::type, "a cell of a table is " + v.describe(), "give texts and numbers");
}

}  // namespace

Value ValueTraits<io::Table>::to(const io::Table& table) {
  Value::List rows;
  for (const auto& row : table.rows) rows.emplace_back(Value::List(row.begin(), row.end()));
  return Value::record("table", {{"columns", Value::List(table.columns.begin(), table.columns.end())},
                                 {"rows", std::move(rows)},
                                 {"source", table.source}});
}

io::Table ValueTraits<io::Table>::from(const Value& value) {
  if (value.type() != "table")
    throw Error(Errc::type, "a table is needed and this is " + value.describe(), "read one with io.read_table");
  io::Table table;
  for (const auto& name : value.field("columns").list()) table.columns.push_back(cell_of(name));
  for (const auto& row : value.field("rows").list()) {
    table.rows.emplace_back();
    for (const auto& cell : row.list()) table.rows.back().push_back(cell_of(cell));
    if (table.rows.back().size() != table.columns.size())
      throw Error(Errc::shape,
                  fmt::format("row {} of a table holds {} cells for {} columns", table.rows.size(),
                              table.rows.back().size(), table.columns.size()),
                  "give one cell a column");
  }
  if (const Value source = value.field("source"); source.kind() == Value::Kind::text) table.source = source.text();
  return table;
}

}  // namespace larmor::flow
