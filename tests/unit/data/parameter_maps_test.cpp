// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <larmor/data/parameter_maps.hpp>

using namespace larmor;

TEST(ParameterMaps, FindsByNameOrSuggests) {
  ParameterMaps maps;
  maps.maps.push_back(
      {.name = "Ktrans", .symbol = "Ktrans", .unit = "1/s", .title = "", .values = {}, .standard_error = {}});
  maps.maps.push_back({.name = "ve", .symbol = "v_e", .unit = "1", .title = "", .values = {}, .standard_error = {}});
  EXPECT_TRUE(maps.has("ve"));
  EXPECT_FALSE(maps.has("vp"));
  EXPECT_EQ(maps.get("ve").symbol, "v_e");
  try {
    maps.get("ktrnas");
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::unknown_name);
    EXPECT_THAT(e.what(), testing::HasSubstr("did you mean Ktrans?"));
  }
  EXPECT_THROW(ParameterMaps{}.get("ve"), Error);
}
