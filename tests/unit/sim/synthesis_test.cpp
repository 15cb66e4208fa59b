// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/core/isa.hpp>
#include <larmor/sim/brain.hpp>
#include <larmor/sim/synthesis.hpp>
#include <larmor/sim/time_segments.hpp>
#include <random>

#include "support.hpp"

namespace larmor::sim::test {
namespace {

using testing::HasSubstr;

Trajectory random_places(std::int64_t n, std::vector<std::int64_t> matrix, std::vector<double> times = {}) {
  const auto d = static_cast<std::int64_t>(matrix.size());
  Trajectory t{.k = Array::of<double>({n, d}, {"sample", "d"}), .matrix = matrix, .times = std::move(times)};
  std::mt19937 random(7);
  for (std::int64_t a = 0; a < d; ++a) {
    const double half = static_cast<double>(matrix[static_cast<std::size_t>(a)]) / 2;
    std::uniform_real_distribution<double> place(-half, half * 0.999);
    for (std::int64_t i = 0; i < n; ++i) t.k.data<double>()[a * n + i] = i == 0 ? 0 : place(random);
  }
  return t;
}

TEST(EllipsoidSignal, IsTheTransformAtEverySample) {
  for (const int dims : {2, 3}) {
    const auto object = dims == 2 ? shepp_logan(true) : shepp_logan_3d();
    const auto traj =
        random_places(1003, dims == 2 ? std::vector<std::int64_t>{200, 160} : std::vector<std::int64_t>{96, 96, 64});
    const Array s = ellipsoid_signal(object, traj);
    EXPECT_EQ(s.shape(), (Shape{1003}));
    double voxels = 1;
    for (const auto n : traj.matrix) voxels *= static_cast<double>(n) / 2;
    const double most = voxels * content(object, dims);
    for (std::int64_t i = 0; i < 1003; ++i) {
      std::vector<double> k;
      for (int a = 0; a < dims; ++a) k.push_back(traj.k.data<double>()[a * 1003 + i] / 2);
      const auto truth = voxels * transform_at(object, k);
      EXPECT_NEAR(std::abs(std::complex<double>(s.data<std::complex<float>>()[i]) - truth), 0, 2e-7 * most)
          << dims << " " << i;
    }
    EXPECT_NEAR(s.data<std::complex<float>>()[0].real(), most, 1e-6 * most);
  }
}

TEST(EllipsoidSignal, InstructionSetsAgree) {
  const auto traj = random_places(100, {128, 128});
  const auto object = shepp_logan(false);
  const Isa level = isa();
  const Array first = ellipsoid_signal(object, traj);
  for (const Isa other : {Isa::baseline, Isa::v3, Isa::v4})
    if (isa_available(other)) {
      force_isa(other);
      EXPECT_LT(gap(first, ellipsoid_signal(object, traj)), 1e-3);  // 2e-7 of the sum of 1e4 voxels
    }
  force_isa(level);
  Ellipsoid flat;
  flat.semi[0] = 0;
  EXPECT_THROW(ellipsoid_signal(std::span(&flat, 1), traj), Error);
}

TEST(VoxelSignal, IsItsDefinition) {
  std::vector<double> times;
  for (int i = 0; i < 50; ++i) times.push_back(2e-4 * i);
  const auto traj = random_places(50, {12, 10}, times);
  VoxelObject o{.density = Array::of<float>({12, 10}), .TE = 3e-3};
  o.df = Array::of<float>({12, 10}), o.T2_star = Array::of<float>({12, 10});
  o.coils = Array(DType::c64, {12, 10, 9}, {"x", "y", "coil"});
  std::mt19937 random(1);
  std::uniform_real_distribution<float> u(0.1f, 1);
  for (std::int64_t i = 0; i < 120; ++i) {
    o.density.data<float>()[i] = i % 7 ? u(random) : 0;
    o.df.data<float>()[i] = 200 * (u(random) - 0.5f), o.T2_star.data<float>()[i] = 0.05f * u(random);
  }
  for (std::int64_t i = 0; i < o.coils.size(); ++i) o.coils.data<std::complex<float>>()[i] = {u(random), -u(random)};
  const Array s = voxel_signal(o, traj);
  ASSERT_EQ(s.shape(), (Shape{50, 9}));
  EXPECT_EQ(s.axes(), (Axes{"sample", "coil"}));
  for (std::int64_t q = 0; q < 9; q += 4)
    for (std::int64_t i = 0; i < 50; ++i) {
      std::complex<double> sum;
      const double t = 3e-3 + times[static_cast<std::size_t>(i)];
      for (std::int64_t p = 0; p < 120; ++p) {
        const double x = (static_cast<double>(p % 12) - 6) / 12, y = (static_cast<double>(p / 12) - 5) / 10;
        const double turns = traj.k.data<double>()[i] * x + traj.k.data<double>()[50 + i] * y +
                             static_cast<double>(o.df.data<float>()[p]) * t;
        sum += std::complex<double>(o.coils.data<std::complex<float>>()[p + 120 * q]) *
               static_cast<double>(o.density.data<float>()[p]) *
               std::polar(std::exp(-t / static_cast<double>(o.T2_star.data<float>()[p])), -2 * pi * turns);
      }
      EXPECT_NEAR(std::abs(std::complex<double>(s.data<std::complex<float>>()[50 * q + i]) - sum), 0, 1e-4)
          << q << " " << i;
    }
}

TEST(TimeSegments, FewTransformsAreTheSum) {
  std::vector<double> times;
  for (int i = 0; i < 60; ++i) times.push_back(5e-4 * i);
  const auto traj = random_places(60, {12, 10}, times);
  VoxelObject o{.density = Array::of<float>({12, 10}), .TE = 2e-3};
  o.df = Array::of<float>({12, 10}), o.T2_star = Array::of<float>({12, 10});
  for (std::int64_t i = 0; i < 120; ++i) {
    o.density.data<float>()[i] = i % 5 ? 1 : 0;
    o.df.data<float>()[i] = static_cast<float>(i % 12) * 15 - 80,
    o.T2_star.data<float>()[i] = 0.03f + 0.001f * static_cast<float>(i);
  }
  const Array truth = voxel_signal(o, traj);
  std::size_t before = 0;
  for (const double tolerance : {1e-2, 1e-5}) {
    const auto segments = time_segments(o, traj, tolerance);
    EXPECT_LE(segments.error, tolerance);
    EXPECT_GT(segments.times.size(), before);
    before = segments.times.size();
    // 30 ms times a spread of 165 Hz is five turns: some segments a turn.
    EXPECT_LT(segments.times.size(), 20u);
    std::vector<std::complex<double>> sum(60);
    for (std::size_t l = 0; l < segments.times.size(); ++l) {
      const Array part = voxel_signal({.density = object_at(o, traj, segments.times[l])}, traj);
      for (std::size_t i = 0; i < 60; ++i)
        sum[i] += segments.weights[l * 60 + i] * std::complex<double>(part.data<std::complex<float>>()[i]);
    }
    for (std::size_t i = 0; i < 60; ++i)
      // An error of tolerance in each of 96 voxels, and f32 times the weights.
      EXPECT_NEAR(std::abs(sum[i] - std::complex<double>(truth.data<std::complex<float>>()[i])), 0,
                  96 * tolerance + 2e-3)
          << i;
  }
  EXPECT_EQ(time_segments({.density = o.density}, traj, 1e-5).times.size(), 1u);
  EXPECT_THROW(time_segments(o, traj, 0), Error);
  // Least squares in double ends near 1e-9.
  EXPECT_THROW(time_segments(o, traj, 1e-16), Error);
}

TEST(VoxelSignal, AFinerGridComesNearTheEllipses) {
  const auto traj = random_places(200, {32, 32});
  const std::vector<Ellipsoid> object{{1, {0.6, 0.4, 1}, {0.1, -0.05, 0}, 0.5}};
  const Array truth = ellipsoid_signal(object, traj);
  double before = 1e9;
  for (const std::int64_t n : {32, 64, 128}) {
    const Array s = voxel_signal({.density = raster(object, {n, n}, 4)}, traj);
    const double off = gap(s, truth);
    EXPECT_LT(off, 0.75 * before) << n;
    before = off;
  }
  EXPECT_LT(before, 0.02 * 1024 * content(object, 2) / 4);
}

TEST(VoxelSignal, SaysWhatIsMissing) {
  const auto traj = random_places(4, {8, 8});
  const auto error = [&](const VoxelObject& o) {
    try {
      voxel_signal(o, traj);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const Array one = raster(shepp_logan(true), {8, 8});
  EXPECT_THAT(error({.density = Array::of<float>({8, 8, 8})}), HasSubstr("for a trajectory of 2 dimensions"));
  EXPECT_THAT(error({.density = one, .df = one}), HasSubstr("need times of the samples"));
  EXPECT_THAT(error({.density = one, .coils = Array(DType::c64, {7, 8, 2})}), HasSubstr("coils are"));
  EXPECT_THAT(error({.density = one, .df = Array::of<float>({4})}), HasSubstr("'df'"));
}

TEST(Brain, HasItsTissuesWhereTheyBelong) {
  const auto maps = brain_phantom({128, 128}, 80);
  std::array<int, 6> count{};
  for (std::int64_t p = 0; p < maps.PD.size(); ++p) {
    const int label = maps.labels.data<std::uint8_t>()[p];
    ASSERT_LT(label, 6);
    ++count[static_cast<std::size_t>(label)];
    const auto& t = brain_tissues()[static_cast<std::size_t>(label)];
    EXPECT_EQ(maps.T1.data<float>()[p], static_cast<float>(t.T1));
    EXPECT_EQ(maps.T2_star.data<float>()[p], static_cast<float>(t.T2_star));
    EXPECT_LE(std::abs(maps.df.data<float>()[p] - static_cast<float>(t.shift)), 80.001f);
    EXPECT_TRUE(label == 0 || (t.T2_star <= t.T2 && t.T2 < t.T1)) << t.name;
  }
  for (const int n : count) EXPECT_GT(n, 200);
  EXPECT_GT(count[5], count[4]);  // this slice has more white matter than grey
  EXPECT_EQ(maps.labels.data<std::uint8_t>()[0], 0);
  // Halves are mirror images: voxel 64 + i and 64 - i.
  int differ = 0;
  for (int y = 0; y < 128; ++y)
    for (int i = 1; i < 64; ++i)
      differ += (maps.PD.data<float>()[64 + i + 128 * y] == 0) != (maps.PD.data<float>()[64 - i + 128 * y] == 0);
  EXPECT_EQ(differ, 0);
  EXPECT_EQ(brain_phantom({16, 16, 12}).PD.shape(), (Shape{16, 16, 12}));
  EXPECT_THROW(brain_phantom({16}), Error);
  EXPECT_THROW(brain_phantom({16, 16}, std::numeric_limits<double>::quiet_NaN()), Error);
}

TEST(VoxelSpins, CarryTheirVoxelsDensity) {
  const auto maps = brain_phantom({16, 16}, 0);
  VoxelMaps v{.PD = maps.PD, .T1 = maps.T1, .T2 = maps.T2, .df = maps.df, .T2_star = maps.T2_star};
  v.voxel = {12, 12, 5}, v.per_axis = 2, v.isochromats = 3;
  const Spins s = voxel_spins(v);
  double sum = 0, want = 0;
  for (const float m : s.M0) sum += static_cast<double>(m);
  for (std::int64_t p = 0; p < 256; ++p) want += static_cast<double>(maps.PD.data<float>()[p]);
  EXPECT_NEAR(sum, want, 1e-4);
  EXPECT_EQ(s.size() % 12, 0u);
  // Spins fill the voxels: none lies beyond the field of view of 192 mm.
  for (const double x : s.x) EXPECT_TRUE(x > -102 && x < 96);
}

}  // namespace
}  // namespace larmor::sim::test
