// SPDX-License-Identifier: Apache-2.0
// OSIPI population AIFs: whole blood, time in minutes. The collection allows 1e-4 + 1 %; the target here is 1e-6 mM.
#include <larmor/perfusion/dce/aif_models.hpp>

#include "osipi.hpp"

namespace {
void compare(const std::string& file, const std::string& id) {
  const auto& model = larmor::dce::aif_models().get(id);
  ASSERT_FALSE(model.plasma);
  std::map<std::string, osipi::Tally> tallies;
  for (const auto& row : osipi::rows(file)) {
    const std::string label = row.at("label");
    auto& tally = tallies.try_emplace(label, osipi::Tally{id + " " + label, 1e-4, 0.01}).first->second;
    const double delay = row.count("delay") ? std::stod(row.at("delay")) : 0;  // s
    tally.add(model.value(60 * std::stod(row.at("time")) - delay), std::stod(row.at("Cb")));
  }
  ASSERT_FALSE(tallies.empty());
  osipi::header();
  for (const auto& [label, tally] : tallies) {
    tally.print("largest <= 1e-6");
    EXPECT_EQ(tally.inside, tally.n) << label;
    EXPECT_LE(tally.largest, 1e-6) << label;
  }
}
}  // namespace

TEST(OsipiAif, Parker) {
  REQUIRE_OSIPI("aif/ParkerAIF_ref.csv");
  compare("aif/ParkerAIF_ref.csv", "aif.parker");
}
// Not independent: the digits behind table 3 were fitted to this curve (see aifs/georgiou.cpp). It guards them; the
// check against the table itself is AifModels.GeorgiouIsItsTable.
TEST(OsipiAif, Georgiou) {
  REQUIRE_OSIPI("aif/GeorgiouAIF_ref.csv");
  compare("aif/GeorgiouAIF_ref.csv", "aif.georgiou");
}
