// SPDX-License-Identifier: Apache-2.0
// OSIPI signal to concentration: baseline s[1:numbaselinepts], sample 0 not tested. Allowed 1e-5 + 1e-5; target 1e-9
// mM.
#include <larmor/perfusion/dce/signal.hpp>
#include <numbers>
#include <numeric>

#include "osipi.hpp"

using namespace larmor;

TEST(OsipiConcentration, Spgr) {
  REQUIRE_OSIPI("conc/SI2Conc_data.csv");
  osipi::header();
  for (const auto& row : osipi::rows("conc/SI2Conc_data.csv")) {
    const auto s = osipi::numbers(row.at("s")), reference = osipi::numbers(row.at("conc"));
    const dce::Spgr spgr{.FA = std::stod(row.at("FA")) * std::numbers::pi / 180,
                         .TR = std::stod(row.at("TR")),
                         .r1 = std::stod(row.at("r1"))};
    const int last = std::stoi(row.at("numbaselinepts"));
    const float T10 = std::stof(row.at("T1base"));
    ASSERT_EQ(s.size(), reference.size());
    const double S0 = std::accumulate(s.begin() + 1, s.begin() + last, 0.0) / (last - 1);
    std::vector<double> exact(s.size());
    dce::spgr_concentration(s, S0, std::stod(row.at("T1base")), spgr, exact);
    osipi::Tally curve{"conc " + row.at("label"), 1e-5, 1e-5}, volume{"  as a volume (f32)", 1e-5, 1e-5};

    std::vector<double> times(s.size());
    std::iota(times.begin(), times.end(), 0.0);
    const auto converted =
        dce::signal_to_concentration(Array::from<double>(s, {1, static_cast<std::int64_t>(s.size())}), times, spgr,
                                     std::span(&T10, 1), {}, {}, {.baseline_first = 1, .baseline_last = last});
    for (std::size_t i = 1; i < s.size(); ++i) {
      curve.add(exact[i], reference[i]);
      volume.add(converted.concentration.data<float>()[i], reference[i]);
    }
    curve.print("largest <= 1e-9 mM");
    volume.print("largest <= 5e-6 mM");
    EXPECT_EQ(curve.inside, curve.n);
    EXPECT_LE(curve.largest, 1e-9);
    EXPECT_EQ(volume.inside, volume.n);
    EXPECT_LE(volume.largest, 5e-6);  // a few roundings of R1 / r1 in f32
  }
}
