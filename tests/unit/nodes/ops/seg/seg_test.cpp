// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <filesystem>
#include <larmor/flow/value_traits.hpp>
#include <larmor/nn/trainer.hpp>
#include <larmor/nodes/values/table.hpp>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

Image labels() {
  Image i;
  i.data = Array::from<std::uint8_t>(std::vector<std::uint8_t>{0, 1, 1, 2, 0, 0, 0, 2}, {2, 2, 2});
  i.affine = Affine::scaling(1, 2, 0.5);
  return i;
}

TEST(SegVolumes, CountsVoxelsTimesTheirVolume) {
  auto out = run_all("seg.volumes", {{"labels", value(labels())}});
  const auto table = flow::ValueTraits<io::Table>::from(out.at("volumes"));
  EXPECT_EQ(table.cell(0, "mm3"), "2");
  EXPECT_EQ(table.cell(1, "voxels"), "2");
  EXPECT_EQ(out.at("total").number(), 4);
  EXPECT_NE(error_of("seg.volumes", {{"labels", value(labels())}}, {{"highest", Value(1.0)}}, Errc::range), "");
}

TEST(SegPredict, RunsAModelOfAFile) {
  nn::UNetSpec spec;
  spec.filters = {4, 6}, spec.supervised = 0;
  const auto path =
      std::filesystem::temp_directory_path() / ("larmor_seg_op_" + std::to_string(::getpid()) + ".safetensors");
  nn::write_weights(path, nn::initial_weights(spec, 1));
  Image image;
  image.data = random({12, 14, 10}, {"x", "y", "z"}, DType::f32);
  auto out = run_all("seg.predict", {{"image", value(image)}}, {{"model", Value(path.string())}});
  const auto l = test::image(out.at("labels"));
  EXPECT_EQ(l.data.shape(), image.data.shape());
  EXPECT_EQ(test::image(out.at("probabilities")).data.extent(3), 3);
  EXPECT_NE(error_of("seg.predict", {{"image", value(image)}}, {{"model", Value("/nowhere.safetensors")}}, Errc::file),
            "");
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace larmor::nodes::test
