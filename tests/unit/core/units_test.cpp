// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <larmor/core/error.hpp>
#include <larmor/core/units.hpp>
#include <set>

using namespace larmor;

namespace {
std::string failure(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& e) {
    return std::string(to_string(e.code())) + ": " + e.what();
  }
  return "no error";
}
std::string parse_failure(const std::string& text) {
  return failure([&] { units::parse(text); });
}
constexpr double ulps = 4e-16;  // two roundings: a division and a product
}  // namespace

TEST(Units, EveryNameSurvivesTheWayToTheEngineAndBack) {
  ASSERT_GT(units::names().size(), 30U);
  for (const auto& name : units::names()) {
    const auto unit = units::parse(name);
    const std::string inside = units::engine_unit(name);
    EXPECT_EQ(units::parse(inside).scale, 1.0) << name << " -> " << inside;
    EXPECT_EQ(units::parse(inside).dimension, unit.dimension) << name << " -> " << inside;
    EXPECT_NEAR(units::convert(units::convert(7.3, name, inside), inside, name) / 7.3, 1.0, ulps) << name;
    EXPECT_EQ(units::factor(name, name), 1.0);
  }
}

TEST(Units, PowersQuotientsAndProductsFollowAlgebra) {
  for (const auto& name : units::names()) {
    const double s = units::parse(name).scale;
    EXPECT_DOUBLE_EQ(units::parse(name + "2").scale, s * s);
    EXPECT_DOUBLE_EQ(units::parse("1/" + name).scale, 1 / s);
    EXPECT_EQ(units::parse(name + "-1").dimension, units::parse("1/" + name).dimension);
    EXPECT_EQ(units::parse(name + "/" + name).dimension, units::parse("1").dimension);
    EXPECT_NEAR(units::parse("5" + name).scale / s, 5, 5 * ulps);
  }
  EXPECT_NEAR(units::factor("m3", "L"), 1000, 1e-12);
  EXPECT_NEAR(units::factor("mol/L", "M"), 1, ulps);
  EXPECT_NEAR(units::factor("mmol/L", "mM"), 1, ulps);
}

TEST(Units, KnownConversions) {
  EXPECT_NEAR(units::convert(0.25, "1/min", "1/s"), 0.25 / 60, 1e-18);
  EXPECT_NEAR(units::convert(60, "mL/100mL/min", "1/s"), 0.01, 1e-17);
  EXPECT_NEAR(units::convert(0.01, "1/s", "mL/min/100mL"), 60, 1e-13);
  EXPECT_NEAR(units::convert(60, "mL/min/100g", "mm3/(g s)"), 10, 1e-14);
  EXPECT_NEAR(units::convert(180, "deg", "rad"), std::acos(-1.0), 1e-15);
  EXPECT_NEAR(units::convert(4.5, "1/(mM s)", "L/mmol/s"), 4.5, 1e-15);
  EXPECT_NEAR(units::convert(5, "ms", "s"), 0.005, 1e-18);
  EXPECT_NEAR(units::convert(1, "um2/ms", "mm2/s"), 1e-3, 1e-18);
  EXPECT_NEAR(units::convert(30, "%", "1"), 0.3, 1e-16);
  EXPECT_NEAR(units::convert(4, "mL/100mL", "1"), 0.04, 1e-17);
  EXPECT_NEAR(units::convert(63.86, "MHz", "Hz"), 63.86e6, 1e-7);
}

TEST(Units, SpellingsOfOneUnitAgree) {
  for (const char* text : {"mm^2/s", "mm2 s-1", "mm2*s^-1", " mm2 / s ", "mm\xC2\xB2/s",
                           "mm\xC2\xB2\xC2\xB7s\xE2\x81\xBB\xC2\xB9", "(mm2)/(s)", "1/(s/mm2)"})
    EXPECT_EQ(units::engine_unit(text), "mm2/s") << text;
  EXPECT_DOUBLE_EQ(units::parse("\xC2\xB5s").scale, 1e-6);
  EXPECT_DOUBLE_EQ(units::parse("\xCE\xBCM").scale, 1e-3);
  EXPECT_DOUBLE_EQ(units::parse("\xC2\xB0").scale, units::degree);
}

TEST(Units, EngineUnitsReadAsPeopleWriteThem) {
  EXPECT_EQ(units::engine_unit("mL/100mL/min"), "1/s");
  EXPECT_EQ(units::engine_unit("mM min"), "mM s");
  EXPECT_EQ(units::engine_unit("L/mmol/s"), "1/(mM s)");
  EXPECT_EQ(units::engine_unit("Hz"), "1/s");
  EXPECT_EQ(units::engine_unit("%"), "1");
  EXPECT_EQ(units::engine_unit("deg/s"), "rad/s");
  EXPECT_EQ(units::engine_unit("a.u."), "a.u.");
  EXPECT_EQ(units::engine_unit("s/mm2"), "s/mm2");
}

TEST(Units, TheConstantsAreThoseOfTheTable) {
  EXPECT_DOUBLE_EQ(units::parse("1/min").scale, units::per_minute);
  EXPECT_DOUBLE_EQ(units::parse("mL/100mL/min").scale, units::mL_per_100mL_per_minute);
  EXPECT_DOUBLE_EQ(units::parse("ms").scale, units::millisecond);
  EXPECT_DOUBLE_EQ(units::parse("deg").scale, units::degree);
}

TEST(Units, BadTextIsNamedWithWhatWouldDo) {
  EXPECT_NE(parse_failure("mL/100mL/mni").find("unknown_name: no unit called 'mni'; did you mean min?"),
            std::string::npos)
      << parse_failure("mL/100mL/mni");
  EXPECT_NE(parse_failure("mL/100mL/mni").find("at: unit 'mL/100mL/mni'"), std::string::npos);
  EXPECT_NE(parse_failure("HZ").find("did you mean Hz?"), std::string::npos);
  EXPECT_NE(parse_failure("").find("usage: unit '': it is empty"), std::string::npos);
  EXPECT_NE(parse_failure("   ").find("it is empty"), std::string::npos);
  EXPECT_NE(parse_failure("1/").find("ends where a unit is expected"), std::string::npos);
  EXPECT_NE(parse_failure("/s").find("'/s' is not expected"), std::string::npos);
  EXPECT_NE(parse_failure("s)").find("')' is not expected"), std::string::npos);
  EXPECT_NE(parse_failure("1/(s mM").find("a ')' is missing"), std::string::npos);
  EXPECT_NE(parse_failure("s^").find("a power is missing"), std::string::npos);
  EXPECT_NE(parse_failure("s^x").find("a power is missing"), std::string::npos);
  EXPECT_NE(parse_failure("mm99").find("a power beyond 9"), std::string::npos);
  EXPECT_NE(parse_failure("mm9 mm9").find("a power beyond 12"), std::string::npos);
  EXPECT_NE(parse_failure("0 s").find("not positive"), std::string::npos);
  EXPECT_NE(parse_failure("s$").find("'$' is not expected"), std::string::npos);
  EXPECT_NE(parse_failure("-s").find("is not expected"), std::string::npos);
  EXPECT_NE(parse_failure(std::string(300, 's')).find("longer than 200"), std::string::npos);
  EXPECT_NE(parse_failure(std::string(150, '(')).find("nest deeper"), std::string::npos);
  EXPECT_NE(parse_failure(std::string(150, '9')).find("no error"), std::string::npos);  // 1e150 is a number
  std::string tiny;
  for (int i = 0; i < 60; ++i) tiny += "%9 ";  // 1e-1080
  EXPECT_NE(parse_failure(tiny).find("its size is not a number that fits"), std::string::npos);
}

TEST(Units, DifferentDimensionsNameBoth) {
  const auto text = failure([] { units::convert(1, "ms", "mm"); });
  EXPECT_NE(text.find("usage: 'ms' does not convert to 'mm': one is measured in s, the other in mm"), std::string::npos)
      << text;
  EXPECT_NE(failure([] { units::convert(1, "Hz", "rad/s"); }).find("1/s, the other in rad/s"), std::string::npos);
  EXPECT_NE(failure([] { units::convert(1, "mL/min/100g", "mL/min/100mL"); }).find("does not convert"),
            std::string::npos);
}

TEST(Quantities, EveryOneConvertsAndHasItsWords) {
  std::set<std::string_view> seen;
  for (const auto& q : units::quantities()) {
    EXPECT_TRUE(seen.insert(q.name).second) << q.name << " is there twice";
    EXPECT_FALSE(q.symbol.empty() || q.title.empty() || q.lexicon.empty()) << q.name;
    EXPECT_EQ(units::parse(q.engine).scale, 1.0) << q.name << ": " << q.engine << " is no engine unit";
    EXPECT_EQ(units::engine_unit(q.engine), q.engine) << q.name;
    const double there = units::convert(0.37, q.engine, q.display);
    EXPECT_NEAR(units::convert(there, q.display, q.engine) / 0.37, 1.0, ulps) << q.name;
    EXPECT_EQ(units::display_unit(q.name, q.engine), q.display);
  }
  EXPECT_EQ(units::quantity("Ktrans").display, "1/min");
  EXPECT_EQ(units::quantity("Fp").display, "mL/min/100mL");
  EXPECT_EQ(units::quantity("T1").display, "s");
}

TEST(Quantities, UnknownNamesKeepTheirUnitOrAreAnError) {
  EXPECT_EQ(units::display_unit("gamma", "1/s"), "1/s");
  EXPECT_EQ(units::display_unit("D", "1/s"), "1/s");  // somebody else's D
  EXPECT_EQ(units::find_quantity("gamma"), nullptr);
  EXPECT_NE(failure([] { units::quantity("Ktarns"); }).find("did you mean Ktrans?"), std::string::npos);
}
