// SPDX-License-Identifier: Apache-2.0
#include <larmor/flow/engine.hpp>
#include <larmor/flow/provenance.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/image.hpp>

#include "../unit/io/support.hpp"

namespace larmor::nodes {
namespace {

using flow::State;
using flow::Value;
using flow::ValueTraits;

/// Reads an image and writes it again under another name.
struct Copying {
  test::TempFolder dir;
  flow::Engine engine{operations(), {.disk_cache = dir / "cache", .disk_from_seconds = 0}};
  flow::Graph graph;
  flow::RunOptions run;
  Copying() {
    graph.nodes["read"] = {.op = "io.read_image", .settings = {{"path", "in/a.nii.gz"}}};
    graph.nodes["write"] = {.op = "io.write_image", .settings = {{"path", "out/b.nii.gz"}}};
    graph.wires["write.image"] = "read.image";
    run.base = run.out = dir.path;
    Image image;
    image.data = Array::of<float>({2, 2, 2}, {"x", "y", "z"});
    image.meta["FlipAngle"] = 15.0;
    write_file(dir / "in/a.nii.gz", ValueTraits<Image>::to(image));
  }
  double flip_angle() { return engine.value(graph, "read.image", run).field("meta").field("FlipAngle").number(); }
};

TEST(FilesInGraphs, AChangedSidecarIsReadAgain) {
  Copying g;
  ASSERT_EQ(g.engine.run(g.graph, g.run).state, "done");
  EXPECT_EQ(g.flip_angle(), 15);
  EXPECT_EQ(g.engine.run(g.graph, g.run).nodes.at("read").state, State::cached);
  test::spill(g.dir / "in/a.json", R"({"FlipAngle": 7.25})");
  const auto again = g.engine.run(g.graph, g.run);
  EXPECT_EQ(again.nodes.at("read").state, State::done);
  EXPECT_EQ(g.flip_angle(), 7.25);
  EXPECT_EQ(again.nodes.at("write").state, State::done);
  // A file of another name beside it is nobody's business.
  test::spill(g.dir / "in/ab.json", "{}");
  EXPECT_EQ(g.engine.run(g.graph, g.run).nodes.at("read").state, State::cached);
}

TEST(FilesInGraphs, WhatWasWrittenHoldsTheGraphAndComesBackWhenItIsGone) {
  Copying g;
  ASSERT_EQ(g.engine.run(g.graph, g.run).state, "done");
  const auto made = flow::parse_provenance(read_provenance(g.dir / "out/b.nii.gz"));
  EXPECT_EQ(flow::to_json(made.graph), flow::to_json(g.graph));
  EXPECT_EQ(made.node, "write");
  EXPECT_EQ(made.files.count("in/a.nii.gz"), 1U);
  test::fs::remove(g.dir / "out/b.nii.gz");
  EXPECT_EQ(g.engine.run(g.graph, g.run).nodes.at("write").state, State::done);
  EXPECT_TRUE(test::fs::exists(g.dir / "out/b.nii.gz"));
  EXPECT_EQ(g.engine.run(g.graph, g.run).nodes.at("write").state, State::cached);
}

}  // namespace
}  // namespace larmor::nodes
