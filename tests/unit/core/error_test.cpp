// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
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
  EXPECT_EQ(nearest("PATLAK", ids), "dce.patlak");
  EXPECT_EQ(nearest("ext", ids), "dce.extended_tofts");
  EXPECT_EQ(nearest("", ids), "");
  EXPECT_EQ(nearest("dce.tofts", {}), "");
  const std::vector<std::string> short_ones{"x", "ve", "vp"};
  EXPECT_EQ(nearest("tt", short_ones), "");  // two letters wrong of two are no likeness
  EXPECT_EQ(nearest("y", short_ones), "");
  EXPECT_EQ(nearest("ev", short_ones), "ve");
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
  try {
    r.get("etoft");  // one letter from an alias of the one, two from the other's own name
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()),
              "no model called 'etoft'; did you mean dce.extended_tofts?\n  do: see all with: larmor list models");
  }
  EXPECT_THROW(r.add("dce.tofts", 3), Error);
  EXPECT_THROW(r.add("etofts", 3), Error);
  EXPECT_THROW(r.add("dce.new", 3, {"fresh", "etofts"}), Error);
  EXPECT_FALSE(r.has("dce.new"));
  EXPECT_TRUE(r.aliases_of("dce.new").empty());  // a failed add leaves nothing behind
  EXPECT_EQ(r.aliases_of("dce.extended_tofts"), (std::vector<std::string>{"etofts"}));
  EXPECT_EQ(r.size(), 2U);
}

TEST(Registry, AmbiguousEmptyAndMisspeltNames) {
  Registry<int> r("method");
  r.add("t1.linear", 1);
  r.add("dce.linear", 2);
  r.add("dce.lm", 3, {"levenberg"});
  const auto failure = [&](const std::string& name) {
    try {
      r.get(name);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(failure("linear"), "more than one method is called 'linear'\n  do: write one of: dce.linear, t1.linear");
  EXPECT_EQ(failure(""), "no method called ''\n  do: use one of: dce.linear, dce.lm, t1.linear");
  EXPECT_EQ(failure("levenburg"),
            "no method called 'levenburg'; did you mean dce.lm?\n  do: use one of: dce.linear, dce.lm, t1.linear");
  EXPECT_EQ(failure(".linear").substr(0, 26), "no method called '.linear'");
  EXPECT_EQ(failure("near").substr(0, 23), "no method called 'near'");  // a suffix counts only after a dot
}

TEST(Error, EveryCodeHasItsName) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Errc::internal); ++i) names.push_back(to_string(static_cast<Errc>(i)));
  std::ranges::sort(names);
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(Error, AdviceIsReplacedAndPlacesAdded) {
  Error e(Errc::range, "x is 3");
  EXPECT_STREQ(e.what(), "x is 3");
  e.advise("give 2").at("here");
  EXPECT_STREQ(e.what(), "x is 3\n  at: here\n  do: give 2");
  EXPECT_EQ(e.where().size(), 1U);
}
