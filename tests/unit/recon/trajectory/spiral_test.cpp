// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <numbers>

#include "support.hpp"

namespace larmor::recon {
namespace {

using test::expect_limits;
using test::message_of;
using testing::HasSubstr;

constexpr double pi = std::numbers::pi;

/// The published scan of a phantom, and the counts that its scanner recorded: 619 raster points in the readout, 642
/// after the ramp down, 769 after the rewinder, 825 samples.
SpiralProtocol real_protocol() {
  return {.fov = 0.24,
          .resolution = 1e-3,
          .arms = 79,
          .dwell = 4.8e-6,
          .limits = {.max_gradient = 20.249001e-3,
                     .max_slew = 139.998993,
                     .max_frequency = 1000,
                     .raster = 6.4e-6,
                     .gamma = 42.577469e6}};
}

/// A fast head scanner.
SpiralProtocol other_protocol() {
  return {.fov = 0.22,
          .resolution = 2e-3,
          .arms = 12,
          .dwell = 2e-6,
          .limits = {.max_gradient = 40e-3, .max_slew = 150, .raster = 10e-6}};
}

std::vector<SpiralProtocol> many_protocols() {
  std::vector<SpiralProtocol> all{real_protocol(), other_protocol()};
  for (const auto direction : {SpiralDirection::out, SpiralDirection::in, SpiralDirection::in_out})
    for (const auto end : {SpiralEnd::ramp, SpiralEnd::rewind, SpiralEnd::rewind_both, SpiralEnd::spoil}) {
      SpiralProtocol p = other_protocol();
      p.direction = direction, p.end = end;
      all.push_back(p);
    }
  for (const auto shape :
       {Undersampling::Shape::linear, Undersampling::Shape::quadratic, Undersampling::Shape::hanning})
    for (const double factor : {0.4, 3.0}) {
      SpiralProtocol p = real_protocol();
      p.undersampling = {.begin = 0.2, .end = 0.8, .factor = factor, .shape = shape};
      all.push_back(p);
      p.limits.max_frequency = 0;
      all.push_back(p);
    }
  for (const std::int64_t arms : {1, 3, 200}) {
    SpiralProtocol p = other_protocol();
    p.arms = arms;
    all.push_back(p);
  }
  return all;
}

TEST(Spiral, TheRealProtocolHasTheRecordedCounts) {
  const SpiralDesign d = design_spiral(real_protocol());
  EXPECT_EQ(d.readout_end, 619u);
  EXPECT_EQ(d.ramp_end, 642u);
  EXPECT_EQ(d.rewind_end, 769u);
  EXPECT_EQ(d.samples, 825);
  EXPECT_EQ(spiral_matrix(0.24, 1e-3, true), 300);
  // |k| = 0.451 of the matrix, rounded down to whole cycles: 135 of 300.
  EXPECT_DOUBLE_EQ(spiral_radius(0.24, 1e-3, true), 135);
}

TEST(Spiral, LimitsHoldAtEveryRasterPoint) {
  for (const auto& p : many_protocols()) expect_limits(design_spiral(p).waveform, p.limits);
}

TEST(Spiral, ALimitIsReachedAlmostAlways) {
  // As fast as the limits allow: after the first 20 rasters each point is at a limit. The last few per cent are lost to
  // ending on a raster point (1/619) and to chords at a changing slew rate.
  const SpiralProtocol p = real_protocol();
  const SpiralDesign d = design_spiral(p);
  const auto& g = d.waveform.g;
  for (std::size_t i = 20; i < d.readout_end; ++i) {
    const double gradient = norm(g[i]) / p.limits.max_gradient;
    const double slew = norm(g[i] - g[i - 1]) / p.limits.raster / p.limits.max_slew;
    const double angle = std::acos(std::min(1.0, dot(g[i], g[i - 1]) / norm(g[i]) / norm(g[i - 1])));
    const double frequency = angle / (2 * pi * p.limits.raster) / p.limits.max_frequency;
    EXPECT_GT(std::max({gradient, slew, frequency}), 0.97) << "raster " << i;
    EXPECT_LT(frequency, 1.001) << "raster " << i;
  }
}

TEST(Spiral, TheGradientDoesNotTurnFasterThanItsFrequencyLimit) {
  for (const double limit : {300.0, 1000.0, 3000.0}) {
    SpiralProtocol p = other_protocol();
    p.limits.max_frequency = limit;
    const SpiralDesign d = design_spiral(p);
    const auto& g = d.waveform.g;
    for (std::size_t i = 2; i < d.readout_end; ++i) {
      const double turn = std::atan2(g[i - 1][0] * g[i][1] - g[i - 1][1] * g[i][0], dot(g[i - 1], g[i]));
      // The rate is that at a place between both points.
      EXPECT_LT(turn / (2 * pi * p.limits.raster), limit * 1.005);
    }
  }
}

TEST(Spiral, PositionsAreTheIntegralOfTheGradient) {
  const SpiralDesign d = design_spiral(real_protocol());
  const Positions k(d.waveform);
  // A second integration: Simpson is exact for pieces that are linear.
  Vec3 sum{};
  for (std::size_t i = 1; i < d.waveform.g.size(); ++i) {
    const Vec3 a = d.waveform.g[i - 1], b = d.waveform.g[i];
    sum = sum + (d.waveform.gamma * d.waveform.raster / 6) * (a + 4 * (0.5 * (a + b)) + b);
    const Vec3 at = k.at(static_cast<double>(i) * d.waveform.raster);
    EXPECT_NEAR(norm(at - sum), 0, 1e-9);
  }
  // Between points k is the parabola that the linear gradient integrates to.
  const double t = 100.25 * d.waveform.raster;
  const Vec3 a = d.waveform.g[100], b = d.waveform.g[101];
  const Vec3 expected = k.points()[100] + (d.waveform.gamma * d.waveform.raster) * (0.25 * a + 0.03125 * (b - a));
  EXPECT_NEAR(norm(k.at(t) - expected), 0, 1e-9);
}

TEST(Spiral, MomentsAreZeroAfterTheRewinder) {
  for (const auto direction : {SpiralDirection::out, SpiralDirection::in, SpiralDirection::in_out})
    for (const bool both : {false, true}) {
      SpiralProtocol p = other_protocol();
      p.direction = direction;
      p.end = both ? SpiralEnd::rewind_both : SpiralEnd::rewind;
      const Waveform w = design_spiral(p).waveform;
      EXPECT_EQ(norm(w.g.front()), 0);
      EXPECT_EQ(norm(w.g.back()), 0);
      // Sums of 1e3 terms of 1e3 cycles/m: roundings of 1e-16 each leave some 1e-10.
      EXPECT_LT(w.gamma * norm(w.moment0()), 1e-9);
      if (both) {
        EXPECT_LT(w.gamma * norm(w.moment1()), 1e-9 * w.duration());
      }
    }
}

TEST(Spiral, NulledMomentsStayNullOfEveryOriginOfTime) {
  SpiralProtocol p = other_protocol();
  p.end = SpiralEnd::rewind_both;
  Waveform w = design_spiral(p).waveform;
  w.g.insert(w.g.begin(), 500, Vec3{});  // 5 ms later
  EXPECT_LT(w.gamma * norm(w.moment1()), 1e-9 * w.duration());
}

TEST(Spiral, TheReadoutReachesItsRadiusAndNoFurther) {
  for (const auto& p : many_protocols()) {
    const SpiralDesign d = design_spiral(p);
    const Positions k(d.waveform);
    double most = 0;
    for (std::size_t i = d.readout_begin; i <= d.readout_end; ++i) most = std::max(most, norm(k.points()[i]));
    const double radius = spiral_radius(p.fov, p.resolution, p.true_resolution) / p.fov;
    EXPECT_LT(most, radius * (1 + 1e-9));
    // What the chords of a raster lose, at most.
    EXPECT_GT(most, radius * (1 - 1e-3));
    EXPECT_NEAR(norm(k.at(d.centre_time())), 0, 1e-9 * radius);
  }
}

TEST(Spiral, ArmsLieOneCycleApartAlongTheRadius) {
  const SpiralProtocol p = real_protocol();
  const Path path = spiral_path(archimedean(p.fov, 79, 562.5, {}), 562.5);
  // theta grows by 2 pi / arms while r grows by 1 / FOV: the next arm passes there.
  for (std::size_t i = 100; i + 1 < path.size(); i += 100) {
    const double dr = path.r[i + 1] - path.r[i], dtheta = path.theta[i + 1] - path.theta[i];
    EXPECT_NEAR(dr / dtheta * (2 * pi / 79) * p.fov, 1, 1e-9);
  }
}

TEST(Spiral, SamplesAlongAnArmAreAtMostOneCycleApart) {
  SpiralProtocol p = other_protocol();
  p.dwell = 8e-6;  // 1 / (gamma fov dwell) = 13.3 mT/m: sampling is the limit
  const SpiralDesign d = design_spiral(p);
  const Positions k(d.waveform);
  for (std::int64_t i = 1; i < d.samples; ++i) {
    const double t = static_cast<double>(i) * p.dwell;
    EXPECT_LE(norm(k.at(t) - k.at(t - p.dwell)) * p.fov, 1 + 1e-9);
  }
}

TEST(Spiral, UndersamplingGrowsAlongItsShape) {
  using S = Undersampling::Shape;
  for (const S shape : {S::linear, S::quadratic, S::hanning}) {
    const Undersampling u{.begin = 0.25, .end = 0.75, .factor = 3, .shape = shape};
    EXPECT_EQ(u.at(0), 1);
    EXPECT_EQ(u.at(0.25), 1);
    EXPECT_EQ(u.at(0.75), 3);
    EXPECT_EQ(u.at(1), 3);
    EXPECT_NEAR(u.at(0.5), shape == S::quadratic ? 1.5 : 2.0, 1e-12);
    for (const double r : {0.3, 0.5, 0.7}) EXPECT_NEAR((u.at(r + 1e-6) - u.at(r - 1e-6)) / 2e-6, u.slope(r), 1e-6);
  }
  // A thinner outside is a shorter readout; the same number of arms then has larger gaps.
  SpiralProtocol p = real_protocol();
  const auto full = design_spiral(p).readout_end;
  p.undersampling = {.begin = 0.2, .end = 1, .factor = 3};
  EXPECT_LT(design_spiral(p).readout_end, 0.7 * static_cast<double>(full));
}

TEST(Spiral, InIsOutBackwards) {
  SpiralProtocol p = other_protocol();
  const SpiralDesign out = design_spiral(p);
  p.direction = SpiralDirection::in;
  const SpiralDesign in = design_spiral(p);
  const Positions a(out.waveform), b(in.waveform);
  ASSERT_EQ(in.readout_end - in.readout_begin, out.readout_end);
  for (std::size_t i = 0; i <= out.readout_end; ++i)
    EXPECT_NEAR(norm(a.points()[i] - b.points()[in.readout_end - i]), 0, 1e-8);
}

TEST(Spiral, ThroughTheCentreBothHalvesAreMirrorImages) {
  SpiralProtocol p = other_protocol();
  p.direction = SpiralDirection::in_out;
  const SpiralDesign d = design_spiral(p);
  const Positions k(d.waveform);
  for (std::size_t i = 0; d.centre + i <= d.readout_end; ++i) {
    const Vec3 before = k.points()[d.centre - i], after = k.points()[d.centre + i];
    EXPECT_NEAR(before[0], -after[0], 1e-8);
    EXPECT_NEAR(before[1], after[1], 1e-8);
  }
  // It does not stop there: coming from rest twice would take longer.
  EXPECT_GT(norm(d.waveform.g[d.centre]), 0.05 * p.limits.max_gradient);
}

TEST(Spiral, AMatchedSpiralSamplesAsTheSignalDecays) {
  SpiralProtocol p = real_protocol();
  p.limits.max_frequency = 0;
  p.T2_match = 8e-3;
  p.end = SpiralEnd::ramp;
  const SpiralDesign d = design_spiral(p);
  EXPECT_GT(d.readout_end, design_spiral(real_protocol()).readout_end);
  const Positions k(d.waveform);
  // Density of samples in an Archimedean spiral is one over the speed: it falls as exp(-t / T2) wherever the match is
  // the limit, from where the slew rate has let go of it.
  const auto speed = [&](std::size_t i) { return norm(d.waveform.g[i]); };
  const std::size_t a = 250, b = d.readout_end;
  const double t = static_cast<double>(b - a) * p.limits.raster;
  EXPECT_NEAR(speed(a) / speed(b), std::exp(-t / p.T2_match), 0.002);
}

TEST(Spiral, SpoilingLeavesTheCyclesThatWereAskedFor) {
  SpiralProtocol p = real_protocol();
  p.end = SpiralEnd::spoil;
  const Waveform w = design_spiral(p).waveform;
  EXPECT_GE(w.gamma * norm(w.moment0()) * p.resolution, p.spoil_cycles);
  // And it is faster than to stop, come back and spoil after that.
  SpiralProtocol back = p;
  back.end = SpiralEnd::rewind;
  const double lobe = static_cast<double>(shortest_lobe(p.spoil_cycles / p.resolution / w.gamma, p.limits).length);
  EXPECT_LT(static_cast<double>(w.g.size()), static_cast<double>(design_spiral(back).waveform.g.size()) + lobe);
}

TEST(Spiral, ArmsAreTurnedCopies) {
  const SpiralProtocol p = other_protocol();
  const SpiralDesign d = design_spiral(p);
  const std::vector<Waveform> waves{d.waveform};
  for (const auto order : {ArmOrder::against, ArmOrder::with, ArmOrder::golden}) {
    const auto angles = arm_angles(p.arms, order);
    const auto arms = turned_arms(angles);
    const Trajectory t =
        sample_arms(waves, arms, {.samples = d.samples, .dwell = p.dwell}, {p.fov, p.fov}, {138, 138}, "");
    const std::int64_t n = d.samples;
    const double* k = t.k.data<double>();
    for (std::int64_t a = 0; a < p.arms; ++a)
      for (std::int64_t i = 0; i < n; i += 37) {
        const double x = k[i], y = k[p.arms * n + i], c = std::cos(angles[static_cast<std::size_t>(a)]),
                     s = std::sin(angles[static_cast<std::size_t>(a)]);
        EXPECT_NEAR(k[a * n + i], c * x - s * y, 1e-10);
        EXPECT_NEAR(k[(p.arms + a) * n + i], s * x + c * y, 1e-10);
      }
  }
}

TEST(Spiral, ADelayShiftsAnAxisByPartsOfASample) {
  const SpiralProtocol p = real_protocol();
  const SpiralDesign d = design_spiral(p);
  const std::vector<Waveform> waves{d.waveform};
  const auto arms = turned_arms({0.3});
  Sampling s{.samples = d.samples, .dwell = p.dwell};
  s.delay = {1.7e-6, -9e-6, 0};
  const Trajectory t = sample_arms(waves, arms, s, {p.fov, p.fov}, {300, 300}, "");
  const Waveform turned = waveform_of(waves, arms[0]);
  const Positions k(turned);
  for (std::int64_t i = 0; i < d.samples; ++i) {
    const double time = static_cast<double>(i) * p.dwell;
    EXPECT_NEAR(t.k.data<double>()[i], p.fov * k.at(time - 1.7e-6)[0], 1e-10);
    EXPECT_NEAR(t.k.data<double>()[d.samples + i], p.fov * k.at(time + 9e-6)[1], 1e-10);
  }
}

TEST(Spiral, GoesOnAlongItsCurveForMoreSamples) {
  SpiralProtocol p = real_protocol();
  const SpiralDesign plain = design_spiral(p);
  p.least_samples = 860;
  const SpiralDesign longer = design_spiral(p);
  EXPECT_GE(longer.samples, 860);
  EXPECT_LE(longer.samples, 864);
  const Positions a(plain.waveform), b(longer.waveform);
  // Ending on a raster stretches each by up to a raster of its 620: a cycle/FOV along the arm at most, at its end.
  for (std::int64_t i = 0; i < plain.samples; ++i) {
    const double t = static_cast<double>(i) * p.dwell;
    EXPECT_LT(norm(a.at(t) - b.at(t)) * p.fov, 1.4 * static_cast<double>(i) / 825 + 0.01);
  }
  p.least_samples = 2000;
  EXPECT_THAT(message_of([&] { design_spiral(p); }), HasSubstr("2000 samples of 4.8 us are 9.6 ms"));
}

TEST(Spiral, SaysWhichLimitCannotBeMet) {
  const auto design = [](auto change) {
    return message_of([&] {
      SpiralProtocol p = real_protocol();
      change(p);
      design_spiral(p);
    });
  };
  EXPECT_EQ(design([](auto&) {}), "");
  EXPECT_THAT(design([](auto& p) { p.limits.max_gradient = 0; }), HasSubstr("gradient limit of 0 T/m"));
  EXPECT_THAT(design([](auto& p) { p.limits.max_slew = -1; }), HasSubstr("slew rate limit of -1 T/m/s"));
  EXPECT_THAT(design([](auto& p) { p.limits.max_frequency = NAN; }), HasSubstr("gradient frequency limit of nan Hz"));
  EXPECT_THAT(design([](auto& p) { p.limits.raster = 10; }), HasSubstr("gradient raster of 10 s"));
  EXPECT_THAT(design([](auto& p) { p.dwell = 1e-3; }), HasSubstr("the sampling limit: a dwell time of 1000 us"));
  EXPECT_THAT(design([](auto& p) { p.T2_match = 1e-3; }), HasSubstr("cannot be matched to a T2 of 1 ms"));
  EXPECT_THAT(design([](auto& p) { p.undersampling = {.begin = 0.5, .end = 0.5, .factor = 2}; }),
              HasSubstr("undersampling that jumps to 2"));
  EXPECT_THAT(design([](auto& p) { p.arms = 0; }), HasSubstr("0 arms"));
  EXPECT_THAT(design([](auto& p) { p.resolution = 0.2; }),
              HasSubstr("a resolution of 0.2 m in a field of view of 0.24"));
  EXPECT_THAT(design([](auto& p) { p.resolution = 1e-6, p.arms = 1; }), HasSubstr("turns out to"));
  // Minutes of readout: said at once, not tried.
  EXPECT_THAT(design([](auto& p) { p.resolution = 5e-5, p.arms = 1, p.dwell = 1e-5; }),
              testing::AllOf(HasSubstr("under the sampling limit"), HasSubstr("1000000 are the most")));
  EXPECT_THAT(design([](auto& p) { p.resolution = 1e-4, p.arms = 1, p.limits.max_gradient = 1e-6; }),
              testing::AllOf(HasSubstr("under the gradient limit"), HasSubstr("1000000 are the most")));
  EXPECT_THAT(message_of([] { spiral_end("rewnd"); }), HasSubstr("did you mean rewind?"));
  EXPECT_THAT(message_of([] { spiral_direction("inout"); }), HasSubstr("did you mean in-out?"));
}

TEST(Lobe, TheShortestLobeHasItsAreaAndOneRasterLessDoesNot) {
  const GradientLimits limits = real_protocol().limits;
  for (const double area : {1e-8, 1e-6, 3e-6, 1.3e-5, 1e-4}) {
    const Lobe lobe = shortest_lobe(area, limits);
    EXPECT_GE(max_lobe_area(lobe.length, limits), area * (1 - 1e-9));
    EXPECT_LT(max_lobe_area(lobe.length - 1, limits), area);
    Waveform w{.raster = limits.raster, .gamma = limits.gamma, .g = {Vec3{}}};
    append_lobe(w, {0.6 * area, 0, 0.8 * area}, lobe.length, limits);
    expect_limits(w, limits);
    EXPECT_NEAR(norm(w.moment0()), area, 1e-12 * area);
    EXPECT_EQ(w.g.size(), lobe.length + 1);
  }
  EXPECT_THAT(message_of([&] { shortest_lobe(1e3, limits); }), HasSubstr("under the gradient limit of 0.02025 T/m"));
}

}  // namespace
}  // namespace larmor::recon
