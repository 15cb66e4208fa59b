// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/io/table.hpp>

#include "support.hpp"

using namespace larmor;
using namespace larmor::io;
using namespace larmor::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

Table table_of(const std::string& text, const std::string& name = "t.csv") {
  TempFolder dir;
  spill(dir / name, text);
  return read_table(dir / name);
}

}  // namespace

TEST(Table, WhatIsWrittenIsReadBack) {
  TempFolder dir;
  const Table table{
      {"name", "a,b", "q\"q"},
      {{"plain", "with,comma", "with\ttab"}, {"two\nlines", "say \"hi\"", ""}, {" blanks ", "#hash", "\xC3\xA4"}},
      ""};
  for (const char* name : {"t.csv", "t.tsv"}) {
    write_table(dir / name, table);
    const Table back = read_table(dir / name);
    EXPECT_EQ(back.columns, table.columns) << name;
    EXPECT_EQ(back.rows, table.rows) << name;
  }
  const Table lonely{{"x"}, {{"1"}, {""}, {"2"}}, ""};
  write_table(dir / "one.csv", lonely);
  EXPECT_EQ(read_table(dir / "one.csv").rows, lonely.rows);
}

TEST(Table, AcceptsWhatSpreadsheetsWrite) {
  const Table t =
      table_of("\xEF\xBB\xBF# made by hand\r\n# twice\r\nt, value ,label\r\n0,+1.5,\"a\"\"b\"\r\n\r\n1e1,-2,x\r\n");
  EXPECT_THAT(t.columns, ElementsAre("t", "value", "label"));
  EXPECT_THAT(t.numbers("t"), ElementsAre(0, 10));
  EXPECT_THAT(t.numbers("value"), ElementsAre(1.5, -2));
  EXPECT_EQ(t.cell(0, "label"), "a\"b");
  const Table tabs = table_of("a\tb,c\n1\t2\n", "t.csv");  // by content, not by name
  EXPECT_THAT(tabs.columns, ElementsAre("a", "b,c"));
}

TEST(Table, NumbersWithoutAHeading) {
  const Table t = table_of("0,1.5\n1,2.5\n");
  EXPECT_THAT(t.columns, ElementsAre("c1", "c2"));
  EXPECT_THAT(t.numbers("c2"), ElementsAre(1.5, 2.5));
  EXPECT_TRUE(std::isnan(table_of("x\nnan\n").number(0, "x")));
}

TEST(Table, VectorsInsideACell) {
  const Table t = table_of("v\n\"[1, 2;3   4e0]\"\n 5  6 \n\"\"\n[]\n1 x\n[1\n");
  EXPECT_THAT(t.vector(0, "v"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(t.vector(1, "v"), ElementsAre(5, 6));
  EXPECT_THAT(t.vector(2, "v"), IsEmpty());
  EXPECT_THAT(t.vector(3, "v"), IsEmpty());
  EXPECT_THAT(caught([&] { t.vector(4, "v"); }).what(), HasSubstr("'x' is not a number"));
  EXPECT_THAT(caught([&] { t.vector(5, "v"); }).what(), HasSubstr("one bracket"));
}

TEST(Table, ErrorsNameRowAndColumn) {
  const Table t = table_of("time,Ca\n0,1\n1,abc\n");
  const auto e = caught([&] { t.numbers("Ca"); });
  EXPECT_EQ(e.code(), Errc::format);
  EXPECT_THAT(e.what(), HasSubstr("row 2, column 'Ca': 'abc' is not a number"));
  EXPECT_THAT(caught([&] { t.column("tme"); }).what(), HasSubstr("did you mean time?"));
  EXPECT_EQ(caught([&] { t.cell(2, "Ca"); }).code(), Errc::range);
  EXPECT_THAT(caught([] { table_of("a,b\n1,2\n1,2,3\n"); }).what(),
              HasSubstr("line 3 has 3 cells, the first line has 2"));
  EXPECT_THAT(caught([] { table_of("a,b\n\"1,2\n"); }).what(), HasSubstr("quote opened in line 2"));
  EXPECT_THAT(caught([] { table_of("a,b\n\"1\"x,2\n"); }).what(), HasSubstr("after a closing quote"));
  EXPECT_THAT(caught([] { table_of(""); }).what(), HasSubstr("empty"));
  EXPECT_THAT(caught([] { table_of("# only talk"); }).what(), HasSubstr("empty"));
  EXPECT_THAT(caught([] { table_of(std::string("a,b\n\0", 5)); }).what(), HasSubstr("zero bytes"));
  EXPECT_EQ(caught([] { read_table("/no/such/table.csv"); }).code(), Errc::file);
  TempFolder dir;
  EXPECT_EQ(caught([&] { write_table(dir / "t.csv", Table{{"a"}, {{"1", "2"}}, ""}); }).code(), Errc::shape);
  EXPECT_THAT(dir.names(), IsEmpty());
}

TEST(Table, SurvivesDamage) {
  TempFolder dir;
  torture(dir / "t.csv", "name,\"va\"\"lue\",x\n# no\n\"a\nb\",1,2\nc,3,[4 5]\r\n", 3000, 1, [](const fs::path& file) {
    const Table t = read_table(file);
    for (const auto& row : t.rows) ASSERT_EQ(row.size(), t.columns.size());
    if (!t.rows.empty()) t.vector(0, t.columns.back());
  });
}
