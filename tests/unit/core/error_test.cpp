// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <larmor/core/error.hpp>
#include <larmor/core/registry.hpp>

using namespace larmor;

TEST(Error, SaysWhatWhereAndWhatToDo) {
  Error e(Errc::shape, "'PLD' holds 3 values for 40 slices", "give one PLD, or 40 of them [s]");
  e.at("node 'cbf'").at("graph perfusion.json");
  EXPECT_STREQ(e.what(),
               "'PLD' holds 3 values for 40 slices\n  at: node 'cbf'\n  at: graph perfusion.json\n"
               "  do: give one PLD, or 40 of them [s]");
}

TEST(Error, NearestName) {
  const std::vector<std::string> ids{"dce.tofts", "dce.extended_tofts", "dce.patlak"};
  EXPECT_EQ(nearest("dce.tfots", ids), "dce.tofts");
  EXPECT_EQ(nearest("patlack", ids), "dce.patlak");
  EXPECT_EQ(nearest("zebra", ids), "");
}

TEST(Registry, ResolvesIdsSuffixesAndAliases) {
  Registry<int> r("model", "larmor list models");
  r.add("dce.tofts", 1);
  r.add("dce.extended_tofts", 2, {"etofts"});
  EXPECT_EQ(r.get("dce.tofts"), 1);
  EXPECT_EQ(r.get("extended_tofts"), 2);
  EXPECT_EQ(r.get("etofts"), 2);
  try {
    r.get("tofs");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::unknown_name);
    EXPECT_NE(e.message().find("did you mean dce.tofts?"), std::string::npos);
  }
  EXPECT_THROW(r.add("dce.tofts", 3), Error);
}
