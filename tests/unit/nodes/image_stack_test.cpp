// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/flow/engine.hpp>
#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

Image sample() {
  Image image;
  image.data = Array::of<float>({2, 3, 4, 5});
  for (std::int64_t i = 0; i < image.data.size(); ++i) image.data.data<float>()[i] = static_cast<float>(i);
  image.affine = Affine::scaling(2, 3, 5);
  image.affine.m[0][2] = 0.5;  // oblique: the place of a slice moves in x too
  image.affine.m[2][3] = -40;
  image.times = {0, 1, 2, 3, 5};
  return image;
}

flow::NodeTypes with_identity() {
  flow::NodeTypes types = make_operations();
  types.add("t.source", flow::NodeType{.title = "Source"}.out<Image>("out", "image").run([](flow::Ports& io) {
    io.out("out") = sample();
  }));
  types.add("t.same", flow::NodeType{.title = "Same"}
                          .in<Gridded>("in", "image")
                          .out<Gridded>("out", "the same")
                          .run([](flow::Ports& io) {
                            const auto in = io.in<Gridded>("in");
                            io.out("out") = in.with(in.data.clone());
                          }));
  return types;
}

TEST(ImageStack, MappingNothingOverAnyAxisGivesTheImageBack) {
  const auto types = with_identity();
  for (const char* axis : {"x", "y", "z", "t"}) {
    flow::Graph g;
    g.nodes["source"].op = "t.source";
    g.nodes["same"].op = "t.same";
    g.nodes["same"].map = flow::MapOver{axis};
    g.wires["same.in"] = "source.out";
    flow::Engine engine(types);
    ASSERT_EQ(engine.run(g).state, "done") << axis;
    EXPECT_EQ(engine.value(g, "same.out").hash(), flow::ValueTraits<Image>::to(sample()).hash()) << axis;
  }
}

TEST(ImageStack, ASliceLiesWhereItWas) {
  const auto types = with_identity();
  const auto slice = types.types.get("image").slice(flow::ValueTraits<Image>::to(sample()), "z", 3);
  const Image image = flow::ValueTraits<Image>::from(slice);
  EXPECT_EQ(image.affine.apply(1, 2, 0), sample().affine.apply(1, 2, 3));
  EXPECT_EQ(image.times, sample().times);
  EXPECT_THROW(types.types.get("image").slice(slice, "coil", 0), Error);
}

}  // namespace
}  // namespace larmor::nodes
