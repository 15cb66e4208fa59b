// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <complex>
#include <filesystem>
#include <fstream>
#include <larmor/io/npy.hpp>
#include <larmor/nodes/values/trajectory.hpp>
#include <larmor/recon/nufft/nudft.hpp>
#include <larmor/recon/nufft/nufft.hpp>
#include <larmor/recon/spikes.hpp>
#include <random>

#include "run_graph.hpp"

namespace larmor::test {
namespace {

using C = std::complex<float>;
using Z = std::complex<double>;

Trajectory trajectory(const Ran& ran) { return flow::ValueTraits<Trajectory>::from(ran.outputs.at("trajectory")); }

/// The exact weighted adjoint of samples (sample, arm, slice) at some voxels, against the graph's images.
double error(const Ran& ran, const Array& samples, std::array<double, 2> shift) {
  const auto traj = trajectory(ran);
  const Array images = ran.array("image");
  const Shape n{images.extent(0), images.extent(1)};
  const Array weights = recon::shift_phase(traj, n, ran.array("dcf"), shift);
  Array weighted = samples.cast(DType::c64).clone();
  for (std::int64_t i = 0; i < weighted.size(); ++i) weighted.data<C>()[i] *= weights.data<C>()[i % traj.size()];
  std::mt19937 random(5);
  std::vector<std::int64_t> at;
  for (int i = 0; i < 100; ++i) at.push_back(static_cast<std::int64_t>(random() % static_cast<unsigned>(n[0] * n[1])));
  const Array exact = recon::nudft_adjoint_at(traj, n, weighted, {}, at);
  const Array packed = images.contiguous_copy();
  double dd = 0, qq = 0;
  for (std::int64_t b = 0; b < images.extent(2); ++b)
    for (std::size_t i = 0; i < at.size(); ++i) {
      const Z e = exact.data<Z>()[static_cast<std::int64_t>(i) + 100 * b];
      dd += std::norm(Z(packed.data<C>()[at[i] + n[0] * n[1] * b]) - e), qq += std::norm(e);
    }
  return std::sqrt(dd / qq);
}

flow::Graph with_files(const std::filesystem::path& kspace, const std::filesystem::path& protocol) {
  flow::Graph graph = example("spiral");
  graph.nodes.at("kspace").settings["path"] = kspace.string();
  graph.nodes.at("protocol").settings["path"] = protocol.string();
  return graph;
}

/// A scan of two Gaussians in two slices, by the protocol's own trajectory, with one wild sample.
TEST(SpiralGraph, MakesImagesOfAGeneratedScan) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("larmor_spiral_" + std::to_string(std::random_device{}()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "p.json") << R"({"fov_m": 0.24, "resolution_m": 0.004, "arms": 16, "dwell_ms": 0.005,
    "max_gradient_mT_per_m": 20, "max_slew_mT_per_m_per_ms": 120,
    "reconstruction_settings": {"density_compensation_iterations": 12, "taper": 0.1, "shift_y_pixels": 4}})";
  flow::Graph only = with_files(folder / "k.npy", folder / "p.json");
  flow::Engine engine(nodes::operations());
  flow::RunOptions to_there;
  to_there.targets = {"trajectory"};
  ASSERT_EQ(engine.run(only, to_there).state, "done");
  const auto traj = flow::ValueTraits<Trajectory>::from(engine.value(only, "trajectory.trajectory", to_there));
  const std::int64_t n = traj.k.extent(0), arms = traj.k.extent(1), M = traj.size();
  Array samples = Array::of<C>({n, arms, 2}, {"sample", "arm", "slice"});
  const Array k = traj.k.cast(DType::f64).contiguous_copy();
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t j = 0; j < M; ++j) {
      const double kx = k.data<double>()[j], ky = k.data<double>()[j + M], width = 0.05, x = b ? 0.2 : -0.1;
      const Z s = std::polar(M_PI * width * width * std::exp(-M_PI * M_PI * width * width * (kx * kx + ky * ky)),
                             -2 * M_PI * (kx * x + ky * 0.05));
      samples.data<C>()[j + M * b] = C(s);
    }
  Array spoilt = samples.clone();
  spoilt.data<C>()[n * 3 + n / 2] = {1e6f, 0};
  const std::array reversed{2, 1, 0};
  io::write_npy(folder / "k.npy", spoilt.permuted(reversed).contiguous_copy());
  const auto ran = run(with_files(folder / "k.npy", folder / "p.json"));
  std::filesystem::remove_all(folder);
  const Array image = ran.array("image");
  const auto size = traj.matrix[0];
  ASSERT_EQ(image.shape(), (Shape{size, size, 2}));
  EXPECT_EQ(image.axes(), (Axes{"x", "y", "slice"}));
  EXPECT_LE(error(ran, samples, {0, 4}), 5e-4);  // the mended sample is a line, not the truth
  // The middle of each Gaussian has its height, 1, and lies where it was put, 4 voxels up.
  for (std::int64_t b = 0; b < 2; ++b) {
    const auto px = static_cast<std::int64_t>(std::lround((b ? 0.2 : -0.1) * double(size))) + size / 2;
    const auto py = static_cast<std::int64_t>(std::lround(0.05 * double(size))) + size / 2 + 4;
    EXPECT_NEAR(std::abs(image.slice(2, b).contiguous_copy().data<C>()[px + size * py]), 1, 0.05);
  }
}

/// Scans of the same scanner with other settings: each value of the protocol differs from the real one's somewhere. The
/// samples are the exact sum over a disc and a bar, one brighter in each slice.
TEST(SpiralGraph, OfSiblingScans) {
  struct Sibling {
    std::string protocol;
    std::int64_t slices, matrix;
    std::array<double, 2> shift;
  };
  const std::string limits = R"json("max_gradient_mT_per_m": 22.5, "max_slew_mT_per_m_per_ms": 120.5,
    "max_gradient_frequency_kHz": 0.8, "gamma_kHz_per_mT": 42.577469, "spiral_type": "ARCH (2D Archimedean)")json";
  const std::vector<Sibling> siblings{
      {R"json({"fov_m": 0.3, "resolution_m": 0.004, "arms": 17, "dwell_ms": 0.0052, "gradient_raster_ms": 0.01, )json" +
           limits +
           R"json(, "in_out": "out", "gradient_end": "ramped down", "t2_match": 0, "TR_ms": 90, "TE_ms": 1.4,
        "recorded_raster_points": {"nt": 999}, "reconstruction_settings_used_by_the_authors": {"x_delay_us": -3.5,
        "y_delay_us": 4, "density_compensation_iterations": 9, "effective_matrix": 94, "taper": 0.25,
        "shift_x_pixels": 3, "shift_y_pixels": 6.5, "grid_matrix": 141}})json",
       3,
       94,
       {3, 6.5}},
      {R"json({"fov_m": 0.21, "resolution_m": 0.003, "arms": 12, "dwell_ms": 0.0044, "gradient_raster_ms": 0.0064, )json" +
           limits + R"json(, "undersampling": [0.4, 0.8, 1.6], "in_out": "in", "gradient_end": "first moment nulled",
        "reconstruction_settings_used_by_the_authors": {"density_compensation_iterations": 20, "taper": 0}})json",
       2,
       88,
       {0, 0}},
      {R"json({"fov_m": 0.24, "resolution_m": 0.004, "arms": 24, "read_samples": 835, "dwell_ms": 0.0048, )json" +
           limits +
           R"json(, "in_out": "in/out", "reconstruction_settings": {"x_delay_us": 2, "shift_y_pixels": -7}})json",
       1,
       76,
       {0, -7}}};
  const auto folder =
      std::filesystem::temp_directory_path() / ("larmor_sibling_" + std::to_string(std::random_device{}()));
  std::filesystem::create_directories(folder);
  for (const auto& scan : siblings) {
    SCOPED_TRACE(scan.protocol);
    std::ofstream(folder / "p.json") << scan.protocol;
    const flow::Graph graph = with_files(folder / "k.npy", folder / "p.json");
    flow::Engine engine(nodes::operations());
    flow::RunOptions to_there;
    to_there.targets = {"trajectory"};
    ASSERT_EQ(engine.run(graph, to_there).state, "done");
    const auto traj = flow::ValueTraits<Trajectory>::from(engine.value(graph, "trajectory.trajectory", to_there));
    ASSERT_EQ(traj.matrix, (std::vector<std::int64_t>{scan.matrix, scan.matrix}));
    const std::int64_t n = scan.matrix;
    Array object(DType::c64, {n, n, scan.slices}, {"x", "y", "slice"});
    for (std::int64_t b = 0; b < scan.slices; ++b)
      for (std::int64_t y = 0; y < n; ++y)
        for (std::int64_t x = 0; x < n; ++x) {
          const double u = double(x - n / 2) / double(n), v = double(y - n / 2) / double(n);
          const bool disc = std::hypot(u + 0.1, v) < 0.15, bar = std::abs(u - 0.2) < 0.04 && std::abs(v - 0.05) < 0.2;
          object.data<C>()[x + n * (y + n * b)] = std::polar(disc ? 1.0f + float(b) : bar ? 1.0f : 0.0f, float(v));
        }
    const Array samples =
        recon::nudft_forward(traj, object).cast(DType::c64).contiguous_copy().with_axes({"sample", "arm", "slice"});
    const std::array reversed{2, 1, 0};
    io::write_npy(folder / "k.npy", samples.permuted(reversed).contiguous_copy());
    const auto ran = run(graph);
    EXPECT_EQ(ran.array("image").shape(), (Shape{n, n, scan.slices}));
    EXPECT_LE(error(ran, samples, scan.shift), 2e-4);
    // The disc is where it was put, moved by the shift, and as bright as it was.
    const Array image = ran.array("image").contiguous_copy();
    const auto at = [&](double u, double v, std::int64_t b) {
      const auto x = std::lround(u * double(n) + scan.shift[0]) + n / 2,
                 y = std::lround(v * double(n) + scan.shift[1]) + n / 2;
      return double(std::abs(image.data<C>()[x + n * (y + n * b)])) / double(n * n);
    };
    for (std::int64_t b = 0; b < scan.slices; ++b) {
      EXPECT_NEAR(at(-0.1, 0, b), 1 + double(b), 0.15 * (1 + double(b)));
      EXPECT_NEAR(at(0.2, 0.05, b), 1, 0.3);
      EXPECT_LT(at(0.05, -0.3, b), 0.15 * (1 + double(b)));
    }
  }
  std::filesystem::remove_all(folder);
}

TEST(SpiralGraph, OfARealPhantom) {
  const auto kspace = data("kspace/spiral_T1.npy"), protocol = data("kspace/spiral_T1.json");
  if (kspace.empty()) GTEST_SKIP() << "no kspace/spiral_T1.npy under LARMOR_TEST_DATA";
  const auto ran = run(with_files(kspace, protocol));
  const Array image = ran.array("image");
  ASSERT_EQ(image.shape(), (Shape{300, 300, 5}));
  const std::array order{2, 1, 0};
  const Array samples = recon::despike(io::read_npy(kspace).permuted(order).with_axes({"sample", "arm", "slice"})).data;
  EXPECT_LE(error(ran, samples, {0, -10}), 2e-4);
  // The file holds 8 wild samples; without them the air around the phantom is dark.
  const Array clean = image.contiguous_copy();
  for (std::int64_t b = 0; b < 5; ++b) {
    double corner = 0, all = 0;
    for (std::int64_t y = 0; y < 300; ++y)
      for (std::int64_t x = 0; x < 300; ++x) {
        const double m = std::norm(clean.data<C>()[x + 300 * (y + 300 * b)]);
        const bool in_corner = (x < 40 || x >= 260) && (y < 40 || y >= 260);
        (in_corner ? corner : all) += m / (in_corner ? 6400 : 83600);
      }
    EXPECT_LT(corner, 0.06 * all) << b;  // with the wild samples: as bright as the rest
  }
}

TEST(SpiralGraph, SlicesSideBySideAreTheSameAsMapped) {
  const auto kspace = data("kspace/spiral_T1.npy"), protocol = data("kspace/spiral_T1.json");
  if (kspace.empty()) GTEST_SKIP() << "no kspace/spiral_T1.npy under LARMOR_TEST_DATA";
  auto bulk = with_files(kspace, protocol);
  bulk.nodes.at("image").map.reset();
  const Array a = run(bulk).array("image"), b = run(with_files(kspace, protocol)).array("image");
  const auto p = magnitudes(a), q = magnitudes(b);
  double dd = 0, qq = 0;
  for (std::size_t i = 0; i < p.size(); ++i) dd += (p[i] - q[i]) * (p[i] - q[i]), qq += q[i] * q[i];
  EXPECT_LT(std::sqrt(dd / qq), 2e-4);  // their windows may differ: both are within the tolerance
}

}  // namespace
}  // namespace larmor::test
