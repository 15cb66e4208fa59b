// SPDX-License-Identifier: Apache-2.0
// OSIPI T1 mapping by variable flip angles: R1 within 0.05 + 5 % of the reference (1/s).
#include <larmor/perfusion/dce/t1.hpp>
#include <numbers>

#include "osipi.hpp"

using namespace larmor;

namespace {
double measured_R1(const osipi::Row& row, const std::string& method) {
  auto FA = osipi::numbers(row.at("FA"));
  for (double& a : FA) a *= std::numbers::pi / 180;
  const auto s = osipi::numbers(row.at("s"));
  const auto result =
      dce::t1_methods().get(method).map(Array::from<double>(s, {1, static_cast<std::int64_t>(s.size())}),
                                        {.FA = FA, .TR = osipi::numbers(row.at("TR"))}, {}, {}, {}, nullptr);
  return 1.0 / result.T1[0];
}
}  // namespace

TEST(OsipiT1, Brain) {
  REQUIRE_OSIPI("t1/t1_brain_data.csv");
  osipi::header();
  for (const std::string method : {"t1.vfa_nonlinear", "t1.vfa_linear"}) {
    osipi::Tally R1{"t1_brain " + method, 0.05, 0.05}, relative{"  relative", 1e-3, 0};
    for (const auto& row : osipi::rows("t1/t1_brain_data.csv")) {
      const double reference = std::stod(row.at("R1")), R = measured_R1(row, method);
      R1.add(R, reference);
      relative.add(R / reference - 1, 0);
    }
    const bool nonlinear = method == "t1.vfa_nonlinear";
    R1.print("76 inside");
    relative.print(nonlinear ? "sd <= 1e-4" : "");
    EXPECT_EQ(R1.n, 76);
    EXPECT_EQ(R1.inside, R1.n) << method;
    if (nonlinear) {
      EXPECT_LE(relative.sd(), 1e-4);
      EXPECT_EQ(relative.inside, relative.n);
    }
  }
}

TEST(OsipiT1, Quiba) {
  REQUIRE_OSIPI("t1/t1_quiba_data.csv");
  osipi::header();
  for (const std::string method : {"t1.vfa_nonlinear", "t1.vfa_linear"}) {
    osipi::Tally R1{"t1_quiba " + method, 0.05, 0.05};
    for (const auto& row : osipi::rows("t1/t1_quiba_data.csv"))
      R1.add(measured_R1(row, method), 1000 * std::stod(row.at("R1")));  // the file has 1/ms
    R1.print("45 inside");
    EXPECT_EQ(R1.n, 45);
    EXPECT_EQ(R1.inside, R1.n) << method;
  }
}
