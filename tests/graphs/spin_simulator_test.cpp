// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/scene.hpp>

#include "run_graph.hpp"

namespace larmor::test {
namespace {

TEST(SpinSimulator, EchoProfileAndScene) {
  for (const auto& issue : flow::check(example("spin_simulator"), nodes::operations()))
    ADD_FAILURE() << issue.node << " " << issue.port << ": " << issue.message;
  const auto ran = run(example("spin_simulator"));
  const auto curve = [&](const char* name) { return flow::ValueTraits<nodes::Curve>::from(ran.outputs.at(name)); };
  // The echo is in the middle of the readout, 20 ms after the excitation, and the strongest sample.
  const auto echo = curve("echo");
  const auto most = std::max_element(echo.y[0].begin(), echo.y[0].end()) - echo.y[0].begin();
  EXPECT_NEAR(static_cast<double>(most), 49.5, 2);
  EXPECT_GT(echo.y[0][49], 3 * echo.y[0][0]);
  // The slice of 5 mm within 12 mm: its share of the spins in phase, less T2.
  EXPECT_NEAR(echo.y[0][49], 5.0 / 12 * std::exp(-20.0 / 80), 0.06);
  const auto profile = curve("profile");
  double width = 0;
  for (const double v : profile.y[3]) width += v > 0.5 ? 0.25 : 0;
  EXPECT_NEAR(width, 5, 0.6);
  const auto scene = flow::ValueTraits<nodes::Scene>::from(ran.outputs.at("scene"));
  EXPECT_EQ(scene.items[1].directions.extent(1), 441);
  EXPECT_GT(scene.items[1].directions.extent(2), 200);
  EXPECT_THAT(flow::ValueTraits<nodes::Page>::from(ran.outputs.at("page")).html, testing::HasSubstr("<svg"));
  EXPECT_EQ(curve("course").x_unit, "s");
}

}  // namespace
}  // namespace larmor::test
