// SPDX-License-Identifier: Apache-2.0
#include <larmor/recon/trajectory/edit.hpp>
#include <larmor/recon/trajectory/radial.hpp>
#include <numbers>

#include "support.hpp"

namespace larmor::recon {
namespace {

using test::message_of;
using testing::HasSubstr;

constexpr double pi = std::numbers::pi;

ArmWaveforms spiral_arms(SpiralDirection direction = SpiralDirection::out) {
  SpiralProtocol p{.fov = 0.24,
                   .resolution = 4e-3,
                   .arms = 6,
                   .dwell = 4.8e-6,
                   .limits = {.max_gradient = 20e-3, .max_slew = 140, .max_frequency = 1000, .raster = 6.4e-6}};
  p.direction = direction;
  const SpiralDesign d = design_spiral(p);
  return {.waveforms = {d.waveform},
          .arms = turned_arms(arm_angles(6, ArmOrder::against)),
          .sampling = {.samples = d.samples, .dwell = p.dwell, .start = d.readout_start(), .centre = d.centre_time()},
          .limits = p.limits,
          .fov = {0.24, 0.24}};
}

Trajectory spiral() { return sample_arms(spiral_arms(), {76, 76}, "spiral"); }

TEST(Stack, PartitionsAreTurnedCopiesAtWholeSteps) {
  const Trajectory plane = spiral();
  const double angle = 0.4;
  const Trajectory t = stack(plane, 5, 100, angle);
  EXPECT_EQ(t.k.axes(), (Axes{"sample", "arm", "partition", "d"}));
  EXPECT_EQ(t.matrix.back(), 5);
  EXPECT_EQ(t.fov.back(), 100);
  const std::int64_t n = plane.size();
  const double *k = t.k.data<double>(), *p = plane.k.data<double>();
  for (std::int64_t z = 0; z < 5; ++z)
    for (std::int64_t i = 0; i < n; i += 11) {
      const double c = std::cos(angle * static_cast<double>(z)), s = std::sin(angle * static_cast<double>(z));
      EXPECT_NEAR(k[z * n + i], c * p[i] - s * p[n + i], 1e-12);
      EXPECT_NEAR(k[(5 + z) * n + i], s * p[i] + c * p[n + i], 1e-12);
      EXPECT_EQ(k[(10 + z) * n + i], static_cast<double>(z - 2));
    }
  EXPECT_THAT(message_of([&] { stack(t, 2, 100); }), HasSubstr("3 coordinates"));
  EXPECT_THAT(message_of([&] { stack(plane, 0, 100); }), HasSubstr("0 partitions"));
}

TEST(Delay, IsThatOfTheWaveform) {
  ArmWaveforms waves = spiral_arms();
  const Trajectory plain = sample_arms(waves, {76, 76}, "");
  waves.sampling.delay = {3e-6, -2.2e-6, 0};
  const Trajectory exact = sample_arms(waves, {76, 76}, ""), moved = delayed(plain, 4.8e-6, {3e-6, -2.2e-6, 0});
  const std::int64_t n = plain.k.extent(0);
  double most = 0;
  for (std::int64_t row = 0; row < 12; ++row)
    for (std::int64_t i = 2; i + 2 < n; ++i)
      most = std::max(most, std::abs(exact.k.data<double>()[row * n + i] - moved.k.data<double>()[row * n + i]));
  // What is left is the change of the slew rate within two samples: 280 T/m/s over (4.8 us)^2 gamma FOV / 12.
  EXPECT_LT(most, 0.01);
  // There and back again.
  const Trajectory back = delayed(moved, 4.8e-6, {-3e-6, 2.2e-6, 0});
  for (std::int64_t i = 3; i + 3 < n; ++i) EXPECT_NEAR(back.k.data<double>()[i], plain.k.data<double>()[i], 0.01);
  EXPECT_THAT(message_of([&] { delayed(plain, 0, {}); }), HasSubstr("a dwell time of 0 s"));
  EXPECT_THAT(message_of([&] { delayed(plain, 4.8e-6, {1, 0, 0}); }), HasSubstr("give at most half of an arm"));
}

TEST(Positions, ComeInEveryUnit) {
  const std::vector<float> k{-8, 0, 4, 1, 2, 3};  // (3 samples, 1 arm, 2)
  const auto with = [&](KUnit unit, double scale) {
    std::vector<float> scaled = k;
    for (float& v : scaled) v = static_cast<float>(v * scale);
    return from_positions(Array::from<float>(scaled, {3, 1, 2}), unit, {16, 16}, {200, 200});
  };
  for (const auto& [unit, scale] : {std::pair{KUnit::cycles_per_fov, 1.0},
                                    {KUnit::cycles_per_pixel, 1.0 / 16},
                                    {KUnit::radians_per_pixel, 2 * pi / 16},
                                    {KUnit::cycles_per_metre, 5.0}}) {
    const Trajectory t = with(unit, scale);
    EXPECT_EQ(t.k.axes(), (Axes{"sample", "arm", "d"}));
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(t.k.data<double>()[i], k[i], 1e-5);
  }
  EXPECT_THAT(message_of([&] { with(KUnit::cycles_per_pixel, 1.01 / 16); }),
              HasSubstr("beyond +-8 (0.5 cycles/pixel of 16)"));
  EXPECT_THAT(message_of([&] { with(KUnit::cycles_per_fov, NAN); }), HasSubstr("kx of sample 0 is nan"));
  EXPECT_THAT(message_of([&] {
                from_positions(Array::from<float>(k, {3, 1, 2}), KUnit::cycles_per_fov, {16}, {});
              }),
              HasSubstr("1 matrix sizes for 2 coordinates"));
  EXPECT_THAT(message_of([&] {
                from_positions(Array::from<float>(k, {3, 1, 2}), KUnit::cycles_per_metre, {16, 16}, {});
              }),
              HasSubstr("give the field of view"));
  EXPECT_THAT(message_of([] { k_unit("cycle/FOV"); }), HasSubstr("did you mean cycles/FOV?"));
}

TEST(SequenceOfArms, SamplesWhereTheTrajectoryDoes) {
  for (const auto direction : {SpiralDirection::out, SpiralDirection::in, SpiralDirection::in_out})
    for (const double flip : {0.0, 0.3}) {
      const ArmWaveforms waves = spiral_arms(direction);
      const Trajectory expected = sample_arms(waves, {76, 76}, "");
      const Sequence s = to_sequence(waves, {.flip_angle = flip, .TR = 20e-3});
      // The wait is rounded up to the raster.
      EXPECT_NEAR(s.duration(), 6 * 20e-3, 6 * 6.4e-6);
      if (flip > 0) {
        EXPECT_NEAR(s.blocks[0].rf->flip_angle(s.gamma), flip, 1e-12);
      }
      const Trajectory t = sequence_trajectory(s, {0.24, 0.24});
      ASSERT_EQ(t.k.shape(), expected.k.shape());
      for (std::int64_t i = 0; i < t.k.size(); ++i)
        EXPECT_NEAR(t.k.data<double>()[i], expected.k.data<double>()[i], 1e-7);
    }
  EXPECT_THAT(message_of([] { to_sequence(spiral_arms(), {.TR = 1e-3}); }), HasSubstr("the TR is 1 ms"));
}

TEST(SequenceOfArms, LinesOfATrainAreBlocksOfTheirOwn) {
  for (const std::int64_t shots : {1, 3})
    for (const double raster : {10e-6, 6.4e-6}) {
      const EpiProtocol p{.line = {.fov = 0.22,
                                   .resolution = 0.22 / 32,
                                   .dwell = raster == 10e-6 ? 5e-6 : 4.8e-6,
                                   .limits = {.max_gradient = 40e-3, .max_slew = 150, .raster = raster}},
                          .fov_y = 0.22,
                          .lines = 30,
                          .shots = shots};
      const ArmWaveforms waves = design_epi(p);
      const Trajectory expected = sample_arms(waves, {32, 32}, "");
      const Sequence s = to_sequence(waves, {.flip_angle = 0.3});
      ASSERT_EQ(static_cast<std::int64_t>(s.blocks.size()), shots + 30);
      for (const auto& block : s.blocks) {
        if (!block.adc) continue;
        // On a whole microsecond, and the gradients go on where the block before ended.
        EXPECT_NEAR(1e6 * block.adc->delay, std::round(1e6 * block.adc->delay), 1e-6);
        EXPECT_EQ(block.adc->samples, 32);
      }
      const Trajectory t = sequence_trajectory(s, {0.22, 0.22});
      ASSERT_EQ(t.k.shape(), (Shape{32, 30, 2}));
      for (std::int64_t i = 0; i < t.k.size(); ++i)
        ASSERT_NEAR(t.k.data<double>()[i], expected.k.data<double>()[i], 1e-7);
    }
}

TEST(SequenceOfArms, RunsNeedARasterBetweenThem) {
  ArmWaveforms waves = spiral_arms();
  waves.sampling.samples = 2, waves.sampling.runs = {0, 10e-6};
  EXPECT_THAT(message_of([&] { to_sequence(waves); }), HasSubstr("less than a raster between samples 0 and 1"));
  waves.sampling.runs[1] = 100e-6;
  EXPECT_EQ(to_sequence(waves).blocks.size(), 12u);
}

TEST(SequenceOfArms, WhereNoRasterFitsGradientsArePlayedAPartOfAMicrosecondLater) {
  SpiralProtocol p{.fov = 0.24, .resolution = 4e-3, .arms = 6, .dwell = 5e-6};
  const SpiralDesign d = design_spiral(p);
  ArmWaveforms waves;
  waves.waveforms = {d.waveform}, waves.arms = turned_arms(arm_angles(6, ArmOrder::against));
  waves.sampling = {.samples = d.samples, .dwell = p.dwell};
  waves.limits = p.limits, waves.fov = {0.24, 0.24};
  const Trajectory expected = sample_arms(waves, {76, 76}, ""),
                   t = sequence_trajectory(to_sequence(waves), {0.24, 0.24});
  double most = 0;
  for (std::int64_t i = 0; i < t.k.size(); ++i)
    most = std::max(most, std::abs(t.k.data<double>()[i] - expected.k.data<double>()[i]));
  // Half a slew rate times late (raster - late), in cycles/FOV.
  const double bound = 0.24 * proton_gamma * 0.5 * p.limits.max_slew * 0.5e-6 * 9.5e-6;
  EXPECT_LT(most, 2 * bound);
  EXPECT_GT(most, 1e-6);
}

TEST(SequenceOfArms, ARefocusingPulseTurnsTheSign) {
  // Excite, go to k0, refocus: -k0; read back through the centre.
  const double g = 0.01, t = 1e-3;
  const auto trapezoid = [&](double flat) {
    return std::make_shared<const Gradient>(Gradient{.trapezoid = Gradient::Trapezoid{g, 1e-4, flat, 1e-4}});
  };
  const auto pulse = [](double flip, char use) {
    const double b1 = flip / (2 * pi * proton_gamma * 1e-4);
    return std::make_shared<const Rf>(Rf{.magnitude = {b1, b1}, .phase = {0, 0}, .times = {0, 1e-4}, .use = use});
  };
  for (const char use : {'r', 'u'}) {
    Sequence s;
    s.blocks.push_back({.duration = 1e-4, .rf = pulse(pi / 2, use == 'u' ? 'u' : 'e')});
    Block dephase{.duration = 1.2e-3};
    dephase.g[0] = trapezoid(t);
    s.blocks.push_back(dephase);
    s.blocks.push_back({.duration = 1e-4, .rf = pulse(pi, use)});
    Block read{.duration = 2.3e-3,
               .adc = std::make_shared<const Adc>(Adc{.samples = 201, .dwell = 1e-5, .delay = 9.5e-5})};
    read.g[0] = trapezoid(2 * t);
    s.blocks.push_back(read);
    const Trajectory traj = sequence_trajectory(s, {0.2, 0.2});
    const double* k = traj.k.data<double>();
    // Sample i lies at 1e-4 + 1e-5 i, after the ramp: k0 of the first trapezoid is g (t + 1e-4).
    for (std::int64_t i = 0; i < 201; ++i)
      EXPECT_NEAR(k[i], 0.2 * proton_gamma * g * (-(t + 1e-4) + 0.5e-4 + 1e-5 * static_cast<double>(i)), 1e-9);
  }
  EXPECT_THAT(message_of([] { sequence_trajectory({}, {0.2, 0.2}); }), HasSubstr("nothing is sampled"));
}

}  // namespace
}  // namespace larmor::recon
