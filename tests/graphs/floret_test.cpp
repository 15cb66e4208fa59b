// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/trajectory.hpp>

#include "run_graph.hpp"

namespace larmor::test {
namespace {

using testing::ElementsAre;

TEST(FloretGraph, HasNothingWrong) {
  for (const auto& issue : flow::check(example("floret"), nodes::operations()))
    ADD_FAILURE() << issue.node << " " << issue.port << ": " << issue.message;
}

TEST(FloretGraph, GivesTheHeadBack) {
  const auto ran = run(example("floret"));
  EXPECT_THAT(ran.array("image").shape(), ElementsAre(40, 40, 40));
  const auto truth = values(ran.array("truth"));
  const double all = correlation(values(ran.array("image")), truth);
  // 0.990: edges of the skull ring in a sphere of 40 voxels across; nothing else is lost.
  EXPECT_GT(all, 0.97);
  const auto traj = flow::ValueTraits<Trajectory>::from(ran.outputs.at("trajectory"));
  EXPECT_EQ(traj.matrix, (std::vector<std::int64_t>{40, 40, 40}));
  const auto slew = flow::ValueTraits<nodes::Curve>::from(ran.outputs.at("slew"));
  for (std::size_t i = 0; i < slew.x.size(); ++i) ASSERT_LE(slew.y[3][i], slew.y[4][i] * (1 + 1e-9));

  // One hub leaves the cones around its axis empty: 0.963.
  flow::Graph one = example("floret");
  one.nodes.at("floret").settings["hubs"] = 1;
  EXPECT_LT(correlation(values(run(one).array("image")), truth), all - 0.015);
}

}  // namespace
}  // namespace larmor::test
