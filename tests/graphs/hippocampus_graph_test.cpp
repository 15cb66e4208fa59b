// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/nodes/shipped_graphs.hpp>
#include <larmor/nodes/values/hippocampus.hpp>

#include "../unit/io/dicom/make_series.hpp"
#include "../unit/nodes/run_op.hpp"
#include "run_graph.hpp"

namespace larmor::test {
namespace {

using testing::HasSubstr;

constexpr int nx = 33, ny = 41, nz = 30;
bool inside(int i, int j, int k) { return (i - 16) * (i - 16) + (j - 20) * (j - 20) + (k - 15) * (k - 15) < 81; }

SeriesSpec crop() {
  SeriesSpec s;
  s.columns = nx, s.rows = ny, s.slices = nz;
  s.value = [](int i, int j, int k) { return 100 + 3 * i + 2 * j + k - (inside(i, j, k) ? 40 : 0); };
  return s;
}

/// A ball in the world of crop(), its front half anterior, on a grid of its own (RAS).
Value labels() {
  Image image;
  image.affine = Affine::scaling(1, 1, 1);
  image.affine.m[0][3] = 5 - (nx - 1), image.affine.m[1][3] = 4 - (ny - 1), image.affine.m[2][3] = -3;
  image.data = Array::of<std::uint8_t>({nx, ny, nz});
  for (int k = 0; k < nz; ++k)
    for (int j = 0; j < ny; ++j)
      for (int i = 0; i < nx; ++i)
        if (inside(i, j, k)) image.data.data<std::uint8_t>()[(k * ny + ny - 1 - j) * nx + nx - 1 - i] = j < 20 ? 1 : 2;
  return flow::ValueTraits<Image>::to(image);
}

struct Run {
  double total = 0;
  std::string error;
};
Run measure(const fs::path& study, const fs::path& out) {
  auto graph = nodes::shipped_graph("hippocampus");
  graph.nodes.at("choose").settings["study"] = study.string();
  graph.nodes.at("choose").settings["side"] = "left";
  graph.nodes.at("write").settings["folder"] = out.string();
  flow::Engine engine(nodes::operations());
  flow::RunOptions options;
  options.inputs["labels"] = labels();
  options.policy = flow::Policy::keep;
  const auto report = engine.run(graph, options);
  Run r;
  for (const auto& [path, node] : report.nodes)
    if (!node.error.empty()) r.error += path + ": " + node.error + "\n";
  if (r.error.empty()) r.total = engine.value(graph, "total", options).number();
  return r;
}

TEST(HippocampusGraph, StudyToResults) {
  Folder in, out;
  write_series(in.path, crop());
  const auto run = measure(in.path, out.path / "results");
  ASSERT_EQ(run.error, "");
  double voxels = 0;
  for (int k = 0; k < nz; ++k)
    for (int j = 0; j < ny; ++j)
      for (int i = 0; i < nx; ++i) voxels += inside(i, j, k);
  EXPECT_EQ(run.total, voxels);
  for (const char* file :
       {"seg.dcm", "sr.dcm", "report.dcm", "page.dcm", "report.pdf", "labels.nii.gz", "results.json", "results.csv"})
    EXPECT_TRUE(fs::exists(out.path / "results" / file)) << file;
  const auto seg = dicom::Dataset::read(out.path / "results" / "seg.dcm");
  EXPECT_EQ(seg.text("PatientName"), "Doe^Jane");
  EXPECT_EQ(seg.text("StudyTime"), "030405");
}

TEST(HippocampusGraph, OrderAndOrientationOfSlicesDoNotMatter) {
  Folder plain, shuffled, mirrored, out;
  auto s = crop();
  write_series(plain.path, s);
  for (int k = 0; k < nz; ++k) {
    s.change = [k](dicom::Dataset& d, int) { d.set("InstanceNumber", (7 * k + 3) % nz + 1); };
    make_slice(s, k).write(shuffled.path / (std::to_string((7 * k + 3) % nz) + ".dcm"));
  }
  s.change = {};
  s.row = {-1, 0, 0}, s.origin[0] += nx - 1;
  s.value = [](int i, int j, int k) { return crop().value(nx - 1 - i, j, k); };
  // The normal of mirrored rows points to the feet.
  s.dz = -1;
  write_series(mirrored.path, s);
  const auto a = measure(plain.path, out.path / "a"), b = measure(shuffled.path, out.path / "b"),
             c = measure(mirrored.path, out.path / "c");
  EXPECT_EQ(a.error + b.error + c.error, "");
  EXPECT_GT(a.total, 2500);
  EXPECT_EQ(a.total, b.total);
  EXPECT_EQ(a.total, c.total);
}

TEST(HippocampusGraph, ABadStudyIsRefusedAndNothingIsWritten) {
  Folder in, out;
  auto s = crop();
  s.value = [](int, int, int) { return 0; };
  write_series(in.path, s);
  EXPECT_THAT(measure(in.path, out.path / "r").error, HasSubstr("an empty image"));
  EXPECT_FALSE(fs::exists(out.path / "r"));
  fs::remove(in.path / "7.dcm");
  EXPECT_THAT(measure(in.path, out.path / "r").error, HasSubstr("1 slice is missing between 6.dcm and 8.dcm"));
}

TEST(HippocampusGraph, OperationsOneByOne) {
  Folder in;
  write_series(in.path, crop());
  auto read = run_op("dicom.read_series", {}, {{"folder", in.path.string()}, {"series", "hippo"}});
  EXPECT_EQ(flow::ValueTraits<Image>::from(read.at("image")).grid(), (std::array<std::int64_t, 3>{nx, ny, nz}));
  auto chosen = run_op("hippocampus.choose", {}, {{"study", in.path.string()}, {"side", "right"}});
  EXPECT_EQ(chosen.at("sides").number(), 1);
  const auto series = again(chosen.at("series"));
  EXPECT_EQ(flow::ValueTraits<nodes::ChosenSeries>::from(series).side, "right");
  auto segmented = run_op("hippocampus.segment", {{"image", chosen.at("image")}, {"labels", labels()}});
  auto measured = run_op(
      "hippocampus.measure",
      {{"series", series}, {"image", chosen.at("image")}, {"segmentation", again(segmented.at("segmentation"))}});
  const auto back = flow::ValueTraits<nodes::Measured>::from(again(measured.at("hippocampus")));
  EXPECT_EQ(back.side.volume("total").mm3, measured.at("total").number());
  EXPECT_THROW(
      run_op("hippocampus.write", {{"hippocampus", measured.at("hippocampus")}, {"other", measured.at("hippocampus")}},
             {{"folder", (in.path / "x").string()}}),
      Error);
}

}  // namespace
}  // namespace larmor::test
