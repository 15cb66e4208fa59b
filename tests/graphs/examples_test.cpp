// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/io/cfl.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/nodes/files.hpp>

#include "run_graph.hpp"

namespace larmor::test {
namespace {

using testing::ElementsAre;

// Root of the mean square of a, of the part of an image's outermost frame of `width` voxels.
double in_frame(const std::vector<double>& a, int nx, int ny, int width) {
  double ss = 0, n = 0;
  for (int y = 0; y < ny; ++y)
    for (int x = 0; x < nx; ++x)
      if (x < width || y < width || x >= nx - width || y >= ny - width) {
        const double v = a[static_cast<std::size_t>(x + nx * y)];
        ss += v * v, n += 1;
      }
  return std::sqrt(ss / n);
}

// The same of the four corners, n x n voxels each: air.
double in_corners(const std::vector<double>& a, int nx, int ny, int n) {
  double ss = 0;
  for (int y = 0; y < ny; ++y)
    for (int x = 0; x < nx; ++x)
      if ((x < n || x >= nx - n) && (y < n || y >= ny - n)) {
        const double v = a[static_cast<std::size_t>(x + nx * y)];
        ss += v * v;
      }
  return std::sqrt(ss / (4 * n * n));
}

double relative_error(const std::vector<double>& a, const std::vector<double>& truth) {
  double ss = 0, rr = 0;
  for (std::size_t i = 0; i < a.size(); ++i) ss += (a[i] - truth[i]) * (a[i] - truth[i]), rr += truth[i] * truth[i];
  return std::sqrt(ss / rr);
}

TEST(ExampleGraphs, HaveNothingWrong) {
  for (const char* name : {"kspace_filter", "coil_combination", "partial_fourier", "sense", "few_samples", "cg_sense"})
    for (const auto& issue : flow::check(example(name), nodes::operations()))
      ADD_FAILURE() << name << " " << issue.node << " " << issue.port << ": " << issue.message;
}

TEST(KspaceFilter, TakesNoiseAndEdges) {
  const auto ran = run(example("kspace_filter"));
  const auto filtered = values(ran.array("filtered")), original = values(ran.array("original"));
  EXPECT_THAT(ran.array("filtered").shape(), ElementsAre(1, 180, 230));
  // The same object, with less noise in the air.
  EXPECT_GT(correlation(filtered, original), 0.97);
  EXPECT_LT(in_frame(filtered, 180, 230, 6), 0.75 * in_frame(original, 180, 230, 6));
}

TEST(KspaceFilter, OfARealBrain) {
  const auto path = data("kspace/brain.cfl");
  if (path.empty()) GTEST_SKIP() << "no kspace/brain.cfl in LARMOR_TEST_DATA";
  const auto ran = run(example("kspace_filter"), {{"kspace", nodes::read_file(path)}});
  const auto filtered = values(ran.array("filtered")), original = values(ran.array("original"));
  EXPECT_THAT(ran.array("filtered").shape(), ElementsAre(1, 180, 230));
  EXPECT_GT(correlation(filtered, original), 0.95);
  EXPECT_LT(in_frame(filtered, 180, 230, 6), in_frame(original, 180, 230, 6));
}

TEST(CoilCombination, AdaptiveIsTheObjectWithLessNoise) {
  const auto ran = run(example("coil_combination"));
  const auto rss = values(ran.array("rss")), adaptive = magnitudes(ran.array("adaptive"));
  EXPECT_THAT(ran.array("adaptive").axes(), ElementsAre("x", "y", "z"));
  EXPECT_GT(correlation(rss, adaptive), 0.99);
  // Noise of 12 coils has a root of the sum of squares of sqrt(24) sd; the largest eigenvalue of a block of 49 voxels
  // of pure noise is (1 + sqrt(12 / 49))^2 times the mean one, so that 0.43 of it is left.
  EXPECT_NEAR(in_corners(rss, 144, 90, 12), std::sqrt(24.0) * 0.03, 0.01);
  EXPECT_LT(in_corners(adaptive, 144, 90, 12), 0.5 * in_corners(rss, 144, 90, 12));
}

TEST(CoilCombination, OfRealTwelveCoilData) {
  const auto path = data("kspace/FFE_MS.npy");
  if (path.empty()) GTEST_SKIP() << "no kspace/FFE_MS.npy in LARMOR_TEST_DATA";
  const auto ran = run(example("coil_combination"), {{"kspace", nodes::read_file(path)}});
  const Array rss = ran.array("rss"), adaptive = ran.array("adaptive");
  EXPECT_THAT(rss.shape(), ElementsAre(144, 89, 3));
  const auto a = values(rss), b = magnitudes(adaptive);
  EXPECT_GT(correlation(a, b), 0.99);
  // An object in the middle and air around it, in every slice.
  for (int slice = 0; slice < 3; ++slice) {
    double middle = 0, corner = 0;
    for (int y = 0; y < 89; ++y)
      for (int x = 0; x < 144; ++x) {
        const double v = b[static_cast<std::size_t>(x + 144 * (y + 89 * slice))];
        if (std::abs(x - 72) < 15 && std::abs(y - 44) < 15) middle += v / (29 * 29);
        if (x < 10 && y < 10) corner += v / 100;
      }
    EXPECT_GT(middle, 5 * corner) << slice;
  }
  // Sensitivities of norm 1 in every voxel.
  const auto maps = magnitudes(ran.array("maps"));
  double norm = 0;
  for (std::size_t c = 0; c < 12; ++c) norm += maps[72 + 144 * 44 + 38448 * c] * maps[72 + 144 * 44 + 38448 * c];
  EXPECT_NEAR(norm, 1, 1e-5);
}

TEST(PartialFourier, NearerToTheTruthThanZeroFilling) {
  const auto ran = run(example("partial_fourier"));
  const auto truth = values(ran.array("truth"));
  const double homodyne = relative_error(values(ran.array("homodyne")), truth),
               zero = relative_error(values(ran.array("zero_filled")), truth);
  EXPECT_LT(homodyne, 0.5 * zero) << homodyne << " against " << zero;
  EXPECT_LT(homodyne, 0.08);
}

TEST(PartialFourier, OfARealEcho) {
  const auto path = data("kspace/partialEcho.npy");
  if (path.empty()) GTEST_SKIP() << "no kspace/partialEcho.npy in LARMOR_TEST_DATA";
  const auto ran = run(example("partial_fourier"), {{"kspace", nodes::read_file(path)}});
  EXPECT_THAT(ran.array("homodyne").shape(), ElementsAre(250, 250));
  const auto sharp = values(ran.array("homodyne")), blurred = values(ran.array("zero_filled"));
  EXPECT_GT(correlation(sharp, blurred), 0.9);
  // Detail along the readout: the mean square of differences of neighbours over the mean square.
  const auto detail = [](const std::vector<double>& v) {
    double d = 0, m = 0;
    for (std::size_t i = 250; i < v.size(); ++i) d += (v[i] - v[i - 250]) * (v[i] - v[i - 250]), m += v[i] * v[i];
    return d / m;
  };
  EXPECT_GT(detail(sharp), 1.2 * detail(blurred));
}

TEST(Sense, AThirdOfTheLinesAgainstAll) {
  const auto ran = run(example("sense"));
  // Noise of sd 0.01 in each part on an image of root mean square 0.3 or so, times the root of three and g of under 2.
  EXPECT_LT(values(ran.array("nrmse"))[0], 0.25);
  const auto image = magnitudes(ran.array("image")), full = magnitudes(ran.array("full"));
  EXPECT_GT(correlation(image, full), 0.95);
  for (const double g : values(ran.array("g")))
    if (g != 0) {
      ASSERT_GE(g, 1 - 1e-5);
    }
}

TEST(FewSamples, WaveletsAreNearerToTheObject) {
  const auto ran = run(example("few_samples"));
  const auto cg = magnitudes(ran.array("cg")), wavelet = magnitudes(ran.array("wavelet"));
  EXPECT_EQ(ran.array("wavelet").axes(), (Axes{"x", "y"}));
  EXPECT_GT(correlation(cg, wavelet), 0.85);
  EXPECT_LT(in_corners(wavelet, 160, 192, 8), in_corners(cg, 160, 192, 8) + 1e-12);
}

TEST(CgSense, SpiralAgainstThePhantom) {
  const auto ran = run(example("cg_sense"));
  // 0.105: edges of the phantom ring at a resolution of 120 voxels, and samples lie in a disc; 0.095 of it without
  // noise after 100 iterations.
  EXPECT_LT(values(ran.array("nrmse"))[0], 0.12);
  EXPECT_GT(correlation(magnitudes(ran.array("image")), values(ran.array("object"))), 0.98);
  EXPECT_GT(correlation(magnitudes(ran.array("quick")), magnitudes(ran.array("image"))), 0.9);
}

TEST(FewSamples, OfARealBrain) {
  const auto path = data("kspace/brain.cfl");
  if (path.empty()) GTEST_SKIP() << "no kspace/brain.cfl in LARMOR_TEST_DATA";
  const auto ran = run(example("few_samples"), {{"kspace", nodes::read_file(path)}});
  EXPECT_THAT(ran.array("wavelet").shape(), ElementsAre(180, 230));
  EXPECT_GT(correlation(magnitudes(ran.array("cg")), magnitudes(ran.array("wavelet"))), 0.8);
}

}  // namespace
}  // namespace larmor::test
