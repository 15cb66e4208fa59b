// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/recon/trajectory/line.hpp>
#include <larmor/recon/trajectory/radial.hpp>
#include <numbers>

#include "support.hpp"

namespace larmor::recon {
namespace {

using test::expect_limits;
using test::message_of;
using testing::HasSubstr;

constexpr double pi = std::numbers::pi;

LineProtocol small_line() {
  return {.fov = 0.22,
          .resolution = 0.22 / 64,
          .oversampling = 1,
          .dwell = 5e-6,
          .limits = {.max_gradient = 40e-3, .max_slew = 150, .raster = 10e-6}};
}

struct Places {
  const double* k;
  std::int64_t samples, arms;
  explicit Places(const Trajectory& t) : k(t.k.data<double>()), samples(t.k.extent(0)), arms(t.k.extent(1)) {}
  double at(std::int64_t i, std::int64_t arm, std::int64_t d) const { return k[(d * arms + arm) * samples + i]; }
};

TEST(Line, SamplesLieOneCycleApartAndOneAtTheCentre) {
  for (const double oversampling : {1.0, 2.0}) {
    LineProtocol p = small_line();
    p.oversampling = oversampling;
    const Line line = design_line(p);
    expect_limits(line.waveform, p.limits);
    const Positions k(line.waveform);
    const std::int64_t n = line.sampling.samples;
    EXPECT_EQ(n, static_cast<std::int64_t>(64 * oversampling));
    for (std::int64_t i = 0; i < n; ++i) {
      const double t = line.sampling.start + static_cast<double>(i) * p.dwell;
      EXPECT_NEAR(k.at(t)[0] * p.fov, static_cast<double>(i - n / 2) / oversampling, 1e-9);
    }
    EXPECT_NEAR(norm(k.at(line.sampling.centre)), 0, 1e-8);
    EXPECT_LT(line.waveform.gamma * norm(line.waveform.moment0()), 1e-9);
  }
}

TEST(Line, SaysThatTheGradientLimitIsBrokenAndWhatWouldDo) {
  LineProtocol p = small_line();
  p.dwell = 1e-6;
  const std::string text = message_of([&] { design_line(p); });
  EXPECT_THAT(text,
              HasSubstr("the gradient limit: a dwell time of 1 us over 0.22 m takes 106.8 mT/m, and the limit is 40"));
  EXPECT_THAT(text, HasSubstr("sample for 2.669 us or longer"));
  p.dwell = 2.67e-6;
  EXPECT_EQ(message_of([&] { design_line(p); }), "");
  p.oversampling = 0.5;
  EXPECT_THAT(message_of([&] { design_line(p); }), HasSubstr("an oversampling of 0.5"));
}

TEST(Cartesian, LinesAreThoseOfTheGrid) {
  const CartesianProtocol p{.line = small_line(), .fov_y = 0.18, .fov_z = 0.1, .n_y = 48, .n_z = 6};
  const ArmWaveforms waves = design_cartesian(p);
  ASSERT_EQ(waves.arms.size(), 48u * 6u);
  for (const auto& arm : waves.arms) {
    const Waveform w = waveform_of(waves.waveforms, arm);
    expect_limits(w, p.line.limits);
    EXPECT_LT(w.gamma * norm(w.moment0()), 1e-9);
  }
  const Trajectory t = sample_arms(waves, {64, 48, 6}, "");
  EXPECT_EQ(t.matrix, (std::vector<std::int64_t>{64, 48, 6}));
  const Places k(t);
  for (std::int64_t z = 0; z < 6; ++z)
    for (std::int64_t y = 0; y < 48; ++y)
      for (std::int64_t i = 0; i < 64; i += 21) {
        EXPECT_NEAR(k.at(i, z * 48 + y, 0), static_cast<double>(i - 32), 1e-9);
        EXPECT_NEAR(k.at(i, z * 48 + y, 1), static_cast<double>(y - 24), 1e-9);
        EXPECT_NEAR(k.at(i, z * 48 + y, 2), static_cast<double>(z - 3), 1e-9);
      }
}

TEST(Epi, LinesOfAllShotsFillTheGridWithinTheLimits) {
  for (const std::int64_t shots : {1, 4}) {
    const EpiProtocol p{.line = small_line(), .fov_y = 0.22, .lines = 64, .shots = shots};
    const ArmWaveforms epi = design_epi(p);
    ASSERT_EQ(epi.arms.size(), static_cast<std::size_t>(shots));
    for (const auto& w : epi.waveforms) {
      expect_limits(w, p.line.limits);
      EXPECT_LT(w.gamma * norm(w.moment0()), 1e-9);
      EXPECT_EQ(w.g.size(), epi.waveforms[0].g.size());
    }
    const Trajectory t = sample_arms(epi, {64, 64}, "");
    EXPECT_EQ(t.matrix, (std::vector<std::int64_t>{64, 64}));
    const Places k(t);
    const std::int64_t n = epi.sampling.samples;
    ASSERT_EQ(k.samples, n * 64 / shots);
    for (std::int64_t shot = 0; shot < shots; ++shot)
      for (std::int64_t line = 0; line < 64 / shots; ++line)
        for (std::int64_t i = 0; i < n; ++i) {
          EXPECT_NEAR(k.at(line * n + i, shot, 1), static_cast<double>(shot + line * shots - 32), 1e-8);
          // To and fro: both ways have a sample at k = 0.
          const double x = static_cast<double>(i - n / 2) * (line % 2 == 0 ? 1 : -1);
          EXPECT_NEAR(k.at(line * n + i, shot, 0), x, 1e-8);
        }
    // Times grow by the dwell time in a line, and pass 0 at the centre.
    EXPECT_NEAR(t.times[1] - t.times[0], 5e-6, 1e-12);
    EXPECT_TRUE(std::is_sorted(t.times.begin(), t.times.end()));
    EXPECT_LT(t.times.front(), 0);
    EXPECT_GT(t.times.back(), 0);
  }
}

TEST(Epi, PartialLinesLeaveOutTheFirst) {
  const EpiProtocol p{.line = small_line(), .fov_y = 0.22, .lines = 64, .partial = 0.75};
  const Trajectory t = sample_arms(design_epi(p), {64, 64}, "");
  const Places k(t);
  EXPECT_EQ(k.samples, 48 * 64);
  EXPECT_NEAR(k.at(0, 0, 1), -16, 1e-8);
  EXPECT_THAT(message_of([&] {
                EpiProtocol bad = p;
                bad.partial = 0.3;
                design_epi(bad);
              }),
              HasSubstr("0.3 of the lines"));
}

TEST(Radial, SpokesAreStraightEvenAndNyquistAtTheEdge) {
  const RadialProtocol p{.line = small_line()};
  const ArmWaveforms waves = design_radial(p);
  const Trajectory t = sample_arms(waves, {64, 64}, "");
  EXPECT_EQ(t.matrix, (std::vector<std::int64_t>{64, 64}));
  const Places k(t);
  EXPECT_EQ(k.arms, 101);  // pi / 2 64 = 100.5
  // Ends of neighbouring spokes are at most a cycle apart.
  for (std::int64_t a = 1; a < k.arms; ++a)
    EXPECT_LE(std::hypot(k.at(0, a, 0) - k.at(0, a - 1, 0), k.at(0, a, 1) - k.at(0, a - 1, 1)), 1 + 1e-9);
  for (std::int64_t a = 0; a < k.arms; a += 10)
    for (std::int64_t i = 0; i < k.samples; ++i) {
      const double along = static_cast<double>(i - 32), angle = pi * static_cast<double>(a) / 101;
      EXPECT_NEAR(k.at(i, a, 0), along * std::cos(angle), 1e-8);
      EXPECT_NEAR(k.at(i, a, 1), along * std::sin(angle), 1e-8);
    }
}

TEST(Radial, GoldenAnglesLeaveGapsOfAtMostThreeSizesAndNoLargeOnes) {
  for (const std::int64_t n : {13, 34, 100, 233}) {
    RadialProtocol p{.line = small_line(), .spokes = n, .golden = true};
    const Trajectory t = sample_arms(design_radial(p), {64, 64}, "");
    const Places k(t);
    std::vector<double> angles;
    for (std::int64_t a = 0; a < n; ++a)
      angles.push_back(std::fmod(std::atan2(k.at(0, a, 1), k.at(0, a, 0)) + 2 * pi, pi));
    std::sort(angles.begin(), angles.end());
    double most = angles.front() + pi - angles.back(), least = most;
    for (std::size_t i = 1; i < angles.size(); ++i) {
      most = std::max(most, angles[i] - angles[i - 1]);
      least = std::min(least, angles[i] - angles[i - 1]);
    }
    // The three-gap theorem: the sizes are in golden ratios, so the largest is at most golden ratio squared of the
    // least.
    EXPECT_LT(most, least * golden_ratio * golden_ratio * (1 + 1e-6));
  }
}

TEST(Radial, FromTheCentreTheRampIsSampledToo) {
  RadialProtocol p{.line = small_line()};
  p.line.from_centre = true;
  const ArmWaveforms waves = design_radial(p);
  expect_limits(waves.waveforms[0], p.line.limits);
  EXPECT_LT(waves.waveforms[0].gamma * norm(waves.waveforms[0].moment0()), 1e-8);
  const Trajectory t = sample_arms(waves, {64, 64}, "");
  const Places k(t);
  EXPECT_EQ(k.at(0, 5, 0), 0);
  EXPECT_GT(std::hypot(k.at(k.samples - 1, 5, 0), k.at(k.samples - 1, 5, 1)), 31);
  for (std::int64_t i = 1; i < k.samples; ++i) EXPECT_LE(k.at(i, 0, 0) - k.at(i - 1, 0, 0), 1 + 1e-9);
}

TEST(Kooshball, DirectionsAreEvenOverTheSphere) {
  for (const bool golden : {false, true}) {
    const auto all = sphere_directions(4000, false, golden);
    Vec3 mean{};
    Matrix3 second{};
    for (const auto& d : all) {
      EXPECT_NEAR(norm(d), 1, 1e-12);
      mean = mean + (1.0 / 4000) * d;
      for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 3; ++j) second[i][j] += d[i] * d[j] / 4000;
    }
    // Even directions: no mean, and a third of the square along each axis. 4000 points of low discrepancy: under 0.01.
    EXPECT_LT(norm(mean), 0.01);
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(second[i][j], i == j ? 1.0 / 3 : 0, 0.01);
    // Caps of any direction hold their share.
    for (const Vec3& axis : {Vec3{1, 0, 0}, Vec3{0, 0, 1}, Vec3{0.48, -0.6, 0.64}}) {
      const auto inside = std::count_if(all.begin(), all.end(), [&](const Vec3& d) { return dot(d, axis) > 0.8; });
      EXPECT_NEAR(static_cast<double>(inside) / 4000, 0.1, 0.01);
    }
  }
  for (const auto& d : sphere_directions(500, true, false)) EXPECT_GE(d[2], 0);
}

TEST(Kooshball, NeighboursAreACycleApartAtTheEdge) {
  RadialProtocol p{.line = small_line()};
  p.line.resolution = p.line.fov / 16;
  const Trajectory t = sample_arms(design_kooshball(p), {16, 16, 16}, "");
  const Places k(t);
  EXPECT_EQ(k.arms, static_cast<std::int64_t>(std::ceil(pi / 2 * 256)));
  // A cell of a cycle^2 has its centre at most 0.71 from its corners; golden cells are not square: a tenth more or two.
  for (std::int64_t a = 0; a < k.arms; a += 17) {
    double nearest = 1e9;
    for (std::int64_t b = 0; b < k.arms; ++b)
      if (b != a)
        nearest = std::min(nearest, std::hypot(k.at(0, a, 0) - k.at(0, b, 0), k.at(0, a, 1) - k.at(0, b, 1),
                                               k.at(0, a, 2) - k.at(0, b, 2)));
    EXPECT_LT(nearest, 1.2);
    EXPECT_GT(nearest, 0.6);
  }
}

TEST(Propeller, BladesAreParallelLinesAndCoverTheDisc) {
  const PropellerProtocol p{.line = small_line(), .lines = 12};
  const ArmWaveforms waves = design_propeller(p);
  const auto blades = blades_needed(64, 12);
  EXPECT_EQ(blades, 9);  // pi / 2 64 / 12 = 8.4
  ASSERT_EQ(waves.arms.size(), static_cast<std::size_t>(blades * 12));
  for (const auto& arm : waves.arms) expect_limits(waveform_of(waves.waveforms, arm), p.line.limits);
  const Trajectory t = sample_arms(waves, {64, 64}, "");
  const Places k(t);
  for (std::int64_t b = 0; b < blades; ++b) {
    const double angle = pi * static_cast<double>(b) / static_cast<double>(blades), c = std::cos(angle),
                 s = std::sin(angle);
    for (std::int64_t l = 0; l < 12; ++l)
      for (std::int64_t i = 0; i < 64; i += 7) {
        const double x = static_cast<double>(i - 32), y = static_cast<double>(l) - 5.5;
        EXPECT_NEAR(k.at(i, b * 12 + l, 0), c * x - s * y, 1e-8);
        EXPECT_NEAR(k.at(i, b * 12 + l, 1), s * x + c * y, 1e-8);
      }
  }
  // Everywhere in the disc a sample lies within a cycle: blades overlap in the middle and touch at the edge.
  for (double angle = 0; angle < 2 * pi; angle += 0.05)
    for (const double r : {3.0, 15.0, 31.0}) {
      double nearest = 1e9;
      for (std::int64_t a = 0; a < k.arms; ++a)
        for (std::int64_t i = 0; i < 64; ++i)
          nearest =
              std::min(nearest, std::hypot(k.at(i, a, 0) - r * std::cos(angle), k.at(i, a, 1) - r * std::sin(angle)));
      EXPECT_LT(nearest, 1.0);
    }
  EXPECT_THAT(message_of([&] { design_propeller({.line = small_line(), .lines = 65}); }),
              HasSubstr("65 lines for a matrix of 64"));
}

}  // namespace
}  // namespace larmor::recon
