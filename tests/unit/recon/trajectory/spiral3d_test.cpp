// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/recon/trajectory/spiral3d.hpp>
#include <numbers>

#include "support.hpp"

namespace larmor::recon {
namespace {

using test::expect_limits;
using test::message_of;
using testing::HasSubstr;

constexpr double pi = std::numbers::pi;

FloretProtocol small_floret() {
  return {.fov = 0.2,
          .resolution = 0.2 / 40,
          .hubs = 3,
          .dwell = 4e-6,
          .limits = {.max_gradient = 40e-3, .max_slew = 150, .raster = 10e-6}};
}

double radius(const Trajectory& t, std::int64_t i, std::int64_t arm) {
  const std::int64_t samples = t.k.extent(0), arms = t.k.extent(1);
  const double* k = t.k.data<double>();
  return std::hypot(k[arm * samples + i], k[(arms + arm) * samples + i], k[(2 * arms + arm) * samples + i]);
}
Vec3 place(const Trajectory& t, std::int64_t i, std::int64_t arm) {
  const std::int64_t samples = t.k.extent(0), arms = t.k.extent(1);
  const double* k = t.k.data<double>();
  return {k[arm * samples + i], k[(arms + arm) * samples + i], k[(2 * arms + arm) * samples + i]};
}

TEST(Floret, LimitsHoldOnEveryCone) {
  for (const double alpha0 : {0.3, pi / 4, pi / 2})
    for (const double turns : {0.5, 4.0}) {
      FloretProtocol p = small_floret();
      p.alpha0 = alpha0, p.turns = turns;
      const ArmWaveforms waves = design_floret(p);
      for (const auto& arm : waves.arms) {
        const Waveform w = waveform_of(waves.waveforms, arm);
        expect_limits(w, p.limits);
        EXPECT_LT(w.gamma * norm(w.moment0()), 1e-8);
      }
    }
}

TEST(Floret, ArmsLieOnConesAroundTheAxisOfTheirHub) {
  const FloretProtocol p = small_floret();
  const Trajectory t = sample_arms(design_floret(p), {40, 40, 40}, "");
  const std::int64_t arms = floret_arms(p), samples = t.k.extent(0);
  ASSERT_EQ(t.k.extent(1), 3 * arms);
  for (std::int64_t hub = 0; hub < 3; ++hub)
    for (std::int64_t i = 0; i < arms; i += 7) {
      const double alpha = p.alpha0 * (2 * (static_cast<double>(i) + 0.5) / static_cast<double>(arms) - 1);
      for (std::int64_t s = samples / 4; s < samples; s += samples / 9) {
        const Vec3 k = place(t, s, hub * arms + i);
        // Hubs are around z, x, y. Chords leave 1e-4 of the radius.
        const double along = k[static_cast<std::size_t>((hub + 2) % 3)];
        EXPECT_NEAR(std::asin(along / norm(k)), alpha, 5e-4);
      }
      EXPECT_EQ(radius(t, 0, hub * arms + i), 0);
    }
  // The edge is reached, and not passed: the matrix stays as it was asked for.
  EXPECT_EQ(t.matrix, (std::vector<std::int64_t>{40, 40, 40}));
  EXPECT_GT(radius(t, samples - 1, 0), 19.5);
}

TEST(Floret, ShellsAreFilledEvenly) {
  // Length of all arms in parts of a shell by height, over their volume: FOV^2, so 1 in cycles/FOV. The mean over the
  // arms of a hub is exact but for the ends of the range, and for the radial part of the arms, which the design leaves
  // out: sqrt(1 + 1 / (c r^2)^2) at the radius r.
  FloretProtocol p = small_floret();
  p.hubs = 1;
  const Trajectory t = sample_arms(design_floret(p), {40, 40, 40}, "");
  const std::int64_t arms = t.k.extent(1), samples = t.k.extent(0);
  constexpr int parts = 4;
  std::array<double, parts> length{};
  const double inner = 12, outer = 18, top = std::sin(p.alpha0);
  for (std::int64_t a = 0; a < arms; ++a)
    for (std::int64_t i = 1; i < samples; ++i) {
      const Vec3 k = place(t, i, a), step = k - place(t, i - 1, a);
      if (norm(k) < inner || norm(k) >= outer) continue;
      const int part = static_cast<int>((k[2] / norm(k) / top + 1) / 2 * parts);
      length[static_cast<std::size_t>(std::clamp(part, 0, parts - 1))] += norm(step);
    }
  const double volume = 2 * pi / 3 * (outer * outer * outer - inner * inner * inner) * 2 * top / parts;
  for (const double one : length) EXPECT_NEAR(one / volume, 1, 0.05);
}

TEST(Floret, RefusesWhatItCannotDo) {
  const auto message = [](auto change) {
    FloretProtocol p = small_floret();
    change(p);
    return message_of([&] { design_floret(p); });
  };
  EXPECT_THAT(message([](auto& p) { p.hubs = 4; }), HasSubstr("4 hubs"));
  EXPECT_THAT(message([](auto& p) { p.alpha0 = 2; }), HasSubstr("an elevation of 2 rad"));
  EXPECT_THAT(message([](auto& p) { p.dwell = 1e-3; }), HasSubstr("the sampling limit"));
  EXPECT_THAT(message([](auto& p) { p.limits.max_slew = 0; }), HasSubstr("slew rate limit of 0"));
}

DistributedProtocol small_distributed(bool sphere) {
  return {.spiral = {.fov = 0.2,
                     .resolution = 5e-3,
                     .arms = 6,
                     .dwell = 4e-6,
                     .limits = {.max_gradient = 40e-3, .max_slew = 150, .raster = 10e-6},
                     .true_resolution = false},
          .fov_z = 0.1,
          .resolution_z = 5e-3,
          .sphere = sphere};
}

TEST(DistributedSpirals, LimitsHoldAndMomentsAreRewound) {
  for (const bool sphere : {false, true}) {
    const auto p = small_distributed(sphere);
    const ArmWaveforms waves = design_distributed(p);
    EXPECT_EQ(waves.arms.size(), sphere ? 80u : 120u);
    for (const auto& arm : waves.arms) {
      const Waveform w = waveform_of(waves.waveforms, arm);
      expect_limits(w, p.spiral.limits);
      EXPECT_LT(w.gamma * norm(w.moment0()), 1e-8);
      EXPECT_EQ(w.g.size(), waves.waveforms[0].g.size());
    }
  }
}

TEST(DistributedSpirals, EachArmHasItsOwnPlane) {
  for (const bool sphere : {false, true}) {
    const Trajectory t = sample_arms(design_distributed(small_distributed(sphere)), {40, 40, 20}, "");
    EXPECT_EQ(t.matrix, (std::vector<std::int64_t>{40, 40, 20}));
    const std::int64_t arms = t.k.extent(1), samples = t.k.extent(0);
    double below = -10;
    for (std::int64_t a = 0; a < arms; ++a) {
      const Vec3 first = place(t, 0, a), last = place(t, samples - 1, a);
      EXPECT_NEAR(first[2], last[2], 1e-9);
      EXPECT_GT(first[2], below);
      below = first[2];
      EXPECT_NEAR(std::hypot(first[0], first[1]), 0, 1e-6);
      // The edge is that of a cylinder or a sphere; the last sample lies up to two steps before it.
      const double z = first[2] / 10, edge = 20 * (sphere ? std::sqrt(1 - z * z) : 1);
      EXPECT_LE(std::hypot(last[0], last[1]), edge * (1 + 1e-9));
      EXPECT_GT(std::hypot(last[0], last[1]), edge * 0.9);
    }
  }
}

TEST(DistributedSpirals, ACancelStopsThem) {
  Cancel cancel;
  cancel.request();
  EXPECT_THROW(design_distributed(small_distributed(true), &cancel), Error);
}

}  // namespace
}  // namespace larmor::recon
