// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/nodes/operations.hpp>
#include <larmor/nodes/values/image.hpp>

namespace larmor::nodes {
namespace {

Image sample() {
  Image image;
  image.data = Array::of<float>({2, 3, 4, 5});
  image.affine = Affine::scaling(2, 2, 5);
  image.times = {0, 1, 2, 3, 5};
  image.meta["RepetitionTime"] = 0.005;
  image.meta["SliceTiming"] = std::vector<double>{0, 1};
  image.meta["Manufacturer"] = std::string("Larmor");
  image.meta["Labels"] = std::vector<std::string>{"a", "b"};
  image.meta["On"] = true;
  image.source = "a.nii.gz";
  return image;
}

TEST(ImageValue, RoundTripKeepsEverything) {
  const Image image = sample();
  const auto value = flow::ValueTraits<Image>::to(image);
  const auto encoded = flow::encode(value);
  const Image back = flow::ValueTraits<Image>::from(flow::decode(encoded.head, encoded.buffers));
  EXPECT_EQ(back.affine.m, image.affine.m);
  EXPECT_EQ(back.times, image.times);
  EXPECT_EQ(back.meta, image.meta);
  EXPECT_EQ(back.source, image.source);
  EXPECT_EQ(back.data.axes(), image.data.axes());
}

TEST(ImageValue, GeometryGoesThroughOperations) {
  const auto& nodes = operations();
  const auto out = flow::run_operation(nodes.get("array.cast"), nodes.types,
                                       {{"in", flow::ValueTraits<Image>::to(sample())}}, {{"dtype", "f64"}});
  ASSERT_EQ(out.at("out").type(), "image");
  const Image image = flow::ValueTraits<Image>::from(out.at("out"));
  EXPECT_EQ(image.data.dtype(), DType::f64);
  EXPECT_EQ(image.affine.m, sample().affine.m);
  const auto plain =
      flow::run_operation(nodes.get("array.cast"), nodes.types, {{"in", Array::of<float>({2})}}, {{"dtype", "i16"}});
  EXPECT_EQ(plain.at("out").type(), "array");
}

TEST(ImageValue, GeometryGoesWhenTheGridDoes) {
  const auto gridded = flow::ValueTraits<Gridded>::from(flow::ValueTraits<Image>::to(sample()));
  EXPECT_FALSE(gridded.with(Array::of<float>({2, 3})).geometry);
  EXPECT_TRUE(gridded.with(Array::of<float>({2, 3, 4})).geometry->times.empty());
  EXPECT_EQ(gridded.with(Array::of<float>({2, 3, 4, 5})).geometry->times.size(), 5U);
}

TEST(ImageValue, AnArrayIsNoImage) {
  EXPECT_THROW(flow::ValueTraits<Image>::from(flow::Value(Array::of<float>({2, 2, 2}))), Error);
  EXPECT_THROW(need_axis(Array::of<float>({2, 2}), "z"), Error);
}

}  // namespace
}  // namespace larmor::nodes
