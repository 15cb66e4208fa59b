// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>

#include "bloch_ode.hpp"
#include "support.hpp"

namespace larmor::sim::test {
namespace {

// One pulse and a few jumps in f32: some ten roundings of 6e-8.
constexpr double few_roundings = 2e-6;

TEST(Bloch, HardPulseTurnsByItsAngle) {
  SpinGrid grid;
  grid.T1 = grid.T2 = {forever};
  const Spins spin = spin_grid(grid);
  for (const double FA : {0.01, 0.5, pi / 2, 2.0, pi, 5.0})
    for (const double phase : {0.0, 1.0, -2.5}) {
      const auto m = final_of(simulate(sequence_of({pulse_block(hard(FA, phase))}), spin));
      // Left-handed about (cos, sin): z goes to the direction a quarter turn ahead.
      EXPECT_NEAR(m[0], -std::sin(FA) * std::sin(phase), few_roundings) << FA;
      EXPECT_NEAR(m[1], std::sin(FA) * std::cos(phase), few_roundings) << FA;
      EXPECT_NEAR(m[2], std::cos(FA), few_roundings) << FA;
    }
}

TEST(Bloch, TransmitFieldScalesTheAngle) {
  SpinGrid grid;
  grid.T1 = grid.T2 = {forever}, grid.B1 = {0, 0.5, 1, 1.5};
  const auto r = simulate(sequence_of({pulse_block(hard(1.0))}), spin_grid(grid));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(final_of(r, i)[2], std::cos(grid.B1[i]), few_roundings);
}

TEST(Bloch, RecoversAndDecays) {
  SpinGrid grid;
  grid.T1 = {0.3, 1, 4}, grid.T2 = {0.02, 0.1};
  const double wait = 0.05;
  const auto r = simulate(sequence_of({pulse_block(hard(pi / 2)), delay_block(wait)}), spin_grid(grid));
  for (std::size_t i = 0; i < 6; ++i) {
    const double T1 = grid.T1[i % 3], T2 = grid.T2[i / 3];
    const auto m = final_of(r, i);
    // Half of the pulse of 10 us counts; what is left is relaxation during it, at most (1 - 2 / pi) 5e-6 / T2.
    EXPECT_NEAR(m[1], std::exp(-(wait + 5e-6) / T2), 2e-4);
    EXPECT_NEAR(m[2], 1 - std::exp(-(wait + 5e-6) / T1), 2e-4);
  }
  // Longitudinal alone, to equilibrium from -1.
  const auto inverted =
      simulate(sequence_of({pulse_block(hard(pi)), delay_block(wait), delay_block(2 * wait)}), spin_grid(grid));
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_NEAR(final_of(inverted, i)[2], 1 - 2 * std::exp(-3 * wait / grid.T1[i]), 1e-3);
}

TEST(Bloch, NormIsKeptWithoutRelaxation) {
  SpinCloud cloud;
  cloud.n = 300, cloud.T1 = cloud.T2 = forever, cloud.df_sd = 200;
  const Spins spins = spin_cloud(cloud);
  PulseSpec sinc{.FA = 1.2, .duration = 2e-3};
  Sequence s;
  for (int i = 0; i < 20; ++i) {
    sinc.phase = 0.7 * i, sinc.frequency = 100.0 * i - 1000;
    s.blocks.push_back(pulse_block(sinc, 4, i % 3));
    s.blocks.push_back(gradient_block({{i % 2, trapezoid_of_area(3e-5)}, {2, trapezoid_of_area(-2e-5)}}));
  }
  BlochOptions o;
  // Coarse steps of exact rotations lose no length either.
  o.compile.tolerance = 1e-2;
  const auto r = simulate(s, spins, o);
  ASSERT_GT(r.rf_steps / 300, 1000);
  for (std::size_t i = 0; i < 300; ++i) {
    const auto m = final_of(r, i);
    // A random walk of roundings: 6e-8 a step times the root of some thousand steps, and a few for the worst of 300.
    EXPECT_NEAR(std::hypot(m[0], m[1], m[2]), 1, 3e-5);
  }
}

TEST(Bloch, SpinEchoComesAtItsTime) {
  SpinCloud cloud;
  cloud.n = 4000, cloud.df_sd = 40, cloud.T1 = 1, cloud.T2 = 0.08;
  const double half = 10e-3, dwell = 1e-3;
  // Samples of 1 ms around the echo, counted from the middle of the excitation.
  const Block read = samples(5, dwell);
  const auto r = simulate(sequence_of({pulse_block(hard(pi / 2)), delay_block(half - 1e-5),
                                       pulse_block(hard(pi, pi / 2)), delay_block(half - 0.5e-5 - 2.5 * dwell), read}),
                          spin_cloud(cloud));
  EXPECT_NEAR(r.sample_times[2] - 0.5e-5, 2 * half, 1e-9);
  const double echo = std::abs(signal_of(r, 2)) / 4000;
  EXPECT_NEAR(echo, std::exp(-2 * half / 0.08), 1e-3);  // of which 180 degrees of 10 us off resonance 5e-4
  for (const std::size_t i : {0u, 1u, 3u, 4u}) EXPECT_LT(std::abs(signal_of(r, i)) / 4000, 0.999 * echo);
  // A second later than 2 / df_sd nothing is in phase without refocusing.
  const auto fid =
      simulate(sequence_of({pulse_block(hard(pi / 2)), delay_block(2 * half), samples(1, dwell)}), spin_cloud(cloud));
  EXPECT_LT(std::abs(signal_of(fid, 0)) / 4000, 0.05);
}

TEST(Bloch, ReversibleDecayIsLorentzianAndRefocused) {
  SpinGrid grid;
  grid.T1 = {2}, grid.T2 = {0.1}, grid.T2_prime = 0.03, grid.isochromats = 2000;
  const Spins spins = spin_grid(grid);
  const auto r = simulate(sequence_of({pulse_block(hard(pi / 2, 0, 1e-6)), samples(40, 1e-3)}), spins);
  for (std::size_t i = 0; i < 40; i += 7) {
    const double t = r.sample_times[i] - 0.5e-6;
    // Some ten isochromats in the tails lie so far from each other that they do not average: 1 / 2000 each.
    EXPECT_NEAR(std::abs(signal_of(r, i)) / 2000, std::exp(-t / 0.1 - t / 0.03), 5e-3) << t;
  }
}

TEST(Bloch, SliceProfileIsThatOfTheOde) {
  PulseSpec sinc{.FA = pi / 2, .phase = 0.4, .duration = 2e-3, .time_bandwidth = 6};
  Sequence s = sequence_of({pulse_block(sinc, 5)});
  s.blocks.push_back(gradient_block({{2, trapezoid_of_area(rephasing_area(s.blocks[0]))}}));
  SpinGrid grid;
  grid.z = spaced(-6, 6, 13), grid.T1 = {0.5}, grid.T2 = {0.02}, grid.df = {35};
  const auto r = simulate(s, spin_grid(grid));
  EXPECT_LE(r.error_bound, 1e-4);
  for (std::size_t i = 0; i < 13; ++i) {
    const auto truth = bloch_ode(s, {.T1 = 0.5, .T2 = 0.02, .df = 35, .at = {0, 0, grid.z[i]}}, 1e-6);
    const auto m = final_of(r, i);
    // The bound on the steps and f32; the bound is of an angle.
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(m[c], truth[c], 1e-4 + 5e-6) << grid.z[i] << " " << c;
  }
  // The middle is turned by 90 degrees, the outside is not.
  EXPECT_LT(std::abs(final_of(r, 6)[2]), 0.1);
  EXPECT_GT(final_of(r, 0)[2], 0.98);
}

TEST(Bloch, PulsesWithFrequencyAndRampsAreThoseOfTheOde) {
  // Off-centre slice by frequency, a gradient that ramps under the pulse, both axes.
  PulseSpec gauss{
      .shape = PulseShape::gauss, .FA = 2.5, .phase = -1, .duration = 1.5e-3, .time_bandwidth = 3, .frequency = 700};
  Block b = pulse_block(gauss);
  Gradient ramp;
  ramp.trapezoid = Gradient::Trapezoid{8e-3, 4e-4, 7e-4, 4e-4};
  Gradient other;
  other.times = {0, 7.5e-4, 1.5e-3}, other.values = {0, -3e-3, 0};
  b.g[0] = std::make_shared<const Gradient>(ramp), b.g[1] = std::make_shared<const Gradient>(other);
  const Sequence s = sequence_of({b});
  SpinGrid grid;
  grid.x = {-3, 0, 2.5}, grid.y = {-2, 4}, grid.T1 = {1}, grid.T2 = {0.05};
  const auto r = simulate(s, spin_grid(grid));
  for (std::size_t i = 0; i < 6; ++i) {
    const auto truth = bloch_ode(s, {.T1 = 1, .T2 = 0.05, .at = {grid.x[i % 3], grid.y[i / 3], 0}}, 0.5e-6);
    for (std::size_t c = 0; c < 3; ++c) EXPECT_NEAR(final_of(r, i)[c], truth[c], 1e-4 + 5e-6) << i << " " << c;
  }
}

TEST(Bloch, StepsConvergeAsTheyPromise) {
  PulseSpec sinc{.FA = pi, .duration = 3e-3, .time_bandwidth = 4, .use = 'r'};
  const Sequence s = sequence_of({pulse_block(sinc, 3)});
  SpinGrid grid;
  grid.z = spaced(-4, 4, 33);
  const Spins spins = spin_grid(grid);
  BlochOptions o;
  o.compile.tolerance = 1e-5;
  const auto fine = simulate(s, spins, o);
  std::int64_t before = fine.rf_steps;
  for (const double tolerance : {1e-4, 1e-3, 1e-2}) {
    o.compile.tolerance = tolerance;
    const auto r = simulate(s, spins, o);
    EXPECT_LE(r.error_bound, tolerance * 1.001);
    // f32 adds 1e-8 for each of the 4,700 steps of the fine one.
    EXPECT_LE(gap(r.magnetisation, fine.magnetisation), tolerance + 5e-5) << tolerance;
    EXPECT_LT(r.rf_steps, before);
    before = r.rf_steps;
  }
}

TEST(Bloch, SpinsFarFromResonance) {
  // Turns beyond pi a step take parts; the field is constant, so one step is exact.
  SpinGrid grid;
  grid.df = {0, 3e4, 2.5e5, -9e5}, grid.T1 = grid.T2 = {forever};
  const Sequence s = sequence_of({pulse_block(hard(1.0, 0, 2e-5))});
  const auto r = simulate(s, spin_grid(grid));
  for (std::size_t i = 0; i < 4; ++i) {
    const double wx = 1.0, wz = 2 * pi * grid.df[i] * 2e-5, w = std::hypot(wx, wz);
    EXPECT_NEAR(final_of(r, i)[2], (wz * wz + wx * wx * std::cos(w)) / (w * w), 1e-5) << grid.df[i];
  }
}

TEST(Bloch, MapsAreTheSameStepByStep) {
  SpinCloud cloud;
  cloud.n = 500, cloud.df_sd = 20, cloud.T2 = 0.05;
  const Spins spins = spin_cloud(cloud);
  PulseSpec sinc{.FA = 0.35, .duration = 1e-3};
  Sequence one = sequence_of({pulse_block(sinc, 5)});
  one.blocks.push_back(gradient_block({{2, trapezoid_of_area(rephasing_area(one.blocks[0]))}}));
  one.blocks.push_back(readout_block(16, 1e-5, 200));
  one.blocks.push_back(gradient_block({{0, trapezoid_of_area(5e-5)}}));
  for (const double increment : {0.0, 117 * pi / 180}) {
    const Sequence train = repeated(one, 30, increment);
    BlochOptions o;
    const auto fast = simulate(train, spins, o);
    o.compile.maps = false;
    const auto slow = simulate(train, spins, o);
    EXPECT_GT(fast.mapped, 0);
    EXPECT_EQ(slow.mapped, 0);
    EXPECT_LT(10 * fast.rf_steps, slow.rf_steps);
    EXPECT_EQ(fast.signal.shape(), (Shape{16, 30, 1}));
    // f32 adds about 1e-8 a step, of the one or the other.
    const double rounding = 1e-8 * static_cast<double>(slow.rf_steps) / 500;
    EXPECT_LT(gap(fast.magnetisation, slow.magnetisation), rounding) << slow.rf_steps;
    EXPECT_LT(gap(fast.signal, slow.signal), rounding * 500);
  }
}

TEST(Bloch, InstructionSetsAndThreadsAgree) {
  SpinCloud cloud;
  cloud.n = 1000, cloud.df_sd = 50, cloud.D = 2e-3;
  const Spins spins = spin_cloud(cloud);
  PulseSpec sinc{.FA = 1, .duration = 1e-3};
  Sequence s = sequence_of({pulse_block(sinc, 5), delay_block(1e-3), readout_block(64, 2e-5, 100),
                            gradient_block({{1, trapezoid_of_area(1e-5)}})});
  const auto first = simulate(s, spins);
  const Isa level = isa();
  for (const Isa other : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(other)) continue;
    force_isa(other);
    const auto r = simulate(s, spins);
    // Fused or not: some hundred roundings. Random numbers are equal bits.
    EXPECT_LT(gap(r.magnetisation, first.magnetisation), 1e-5) << to_string(other);
    EXPECT_LT(gap(r.signal, first.signal), 1e-5 * 1000) << to_string(other);
  }
  force_isa(level);
  const int threads = thread_count();
  set_thread_count(threads == 1 ? 3 : 1);
  const auto again = simulate(s, spins);
  EXPECT_EQ(gap(again.signal, first.signal), 0);
  EXPECT_EQ(gap(again.magnetisation, first.magnetisation), 0);
  set_thread_count(threads);
}

/// A sequence of everything the kernel does: pulses with and without gradient and frequency, repeats that become maps,
/// precession, flow, diffusion, samples under gradients that change, coils, frames.
struct Everything {
  Spins spins;
  Sequence sequence;
  BlochOptions options;

  explicit Everything(bool moving) {
    SpinCloud cloud;
    cloud.n = 333, cloud.df_sd = 50, cloud.T1 = 0.4, cloud.T2 = 0.05;
    if (moving) cloud.D = 2e-3, cloud.velocity = {30, -10, 200};
    spins = spin_cloud(cloud);
    for (std::size_t i = 0; i < 2 * spins.size(); ++i)
      spins.coil.push_back(std::polar(1.0f + 0.001f * float(i), 0.01f * float(i)));
    for (std::size_t i = 0; i < spins.size(); ++i) spins.B1.push_back(0.9f + 0.0005f * float(i));
    PulseSpec sinc{.FA = 1, .duration = 1e-3};
    sequence = sequence_of({pulse_block(sinc, 5), delay_block(1e-3), readout_block(64, 2e-5, 100),
                            gradient_block({{1, trapezoid_of_area(1e-5)}}), pulse_block(hard(pi, 0.3)),
                            delay_block(2e-3), samples(70, 1e-5)});
    for (int repeat = 0; repeat < 12; ++repeat) {
      sequence.blocks.push_back(pulse_block(hard(0.3, repeat * 0.7)));
      sequence.blocks.push_back(delay_block(4e-3));
    }
    Gradient ramp;
    ramp.trapezoid = Gradient::Trapezoid{0.01, 3e-4, 1e-4, 3e-4};
    Block changing = gradient_block({{2, ramp}});
    changing.adc = std::make_shared<const Adc>(Adc{.samples = 60, .dwell = 1e-5});
    sequence.blocks.push_back(changing);
    options.compile.record_times = {1e-3, 6e-3};
  }
};

TEST(Bloch, TheFunctionOfACudaThreadIsThatOfTheLanes) {
  for (const bool moving : {false, true}) {
    Everything all(moving);
    const auto side_by_side = simulate(all.sequence, all.spins, all.options);
    all.options.one_by_one = true;
    const auto one_by_one = simulate(all.sequence, all.spins, all.options);
    EXPECT_EQ(side_by_side.mapped > 0, !moving);
    // Fused or not: some hundred roundings of a float; signals are sums over 333 spins.
    EXPECT_LT(gap(one_by_one.magnetisation, side_by_side.magnetisation), 2e-5) << moving;
    EXPECT_LT(gap(one_by_one.record, side_by_side.record), 2e-5) << moving;
    EXPECT_LT(gap(one_by_one.signal, side_by_side.signal), 2e-5 * 333) << moving;
    EXPECT_GT(std::abs(signal_of(one_by_one, 5)), 1) << moving;
  }
}

TEST(BlochCuda, EqualsCpu) {
  if (cuda_device_count() == 0) GTEST_SKIP() << cuda_why_not();
  for (const bool moving : {false, true}) {
    Everything all(moving);
    const auto cpu = simulate(all.sequence, all.spins, all.options);
    all.options.device = Device::cuda();
    const auto there = simulate(all.sequence, all.spins, all.options);
    EXPECT_LT(gap(there.magnetisation, cpu.magnetisation), 2e-5) << moving;
    EXPECT_LT(gap(there.record, cpu.record), 2e-5) << moving;
    EXPECT_LT(gap(there.signal, cpu.signal), 2e-5 * 333) << moving;
  }
}

TEST(Bloch, SamplesDoNotDependOnTheirSpacing) {
  SpinCloud cloud;
  cloud.n = 700, cloud.df_sd = 30, cloud.T2 = 0.03;
  const Spins spins = spin_cloud(cloud);
  Gradient wave;
  wave.raster = 1e-5;
  for (int i = 0; i < 400; ++i) wave.values.push_back(0.01 * std::sin(0.05 * i) + 0.004 * std::cos(0.013 * i * i));
  const auto with = [&](std::int64_t n, double dwell) {
    Adc adc;
    adc.samples = n, adc.dwell = dwell;
    Block b;
    b.duration = 4e-3;
    b.g[0] = b.g[2] = std::make_shared<const Gradient>(wave);
    b.adc = std::make_shared<const Adc>(adc);
    return simulate(sequence_of({pulse_block(hard(1.0)), b}), spins);
  };
  const auto coarse = with(133, 3e-5), fine = with(400, 1e-5);
  for (std::size_t i = 0; i < 133; ++i)  // sample i of 30 us lies where 3 i + 1 of 10 us does
    EXPECT_NEAR(std::abs(signal_of(coarse, i) - signal_of(fine, 3 * i + 1)) / 700, 0, 3e-6) << i;
  EXPECT_LT(gap(coarse.magnetisation, fine.magnetisation), 2e-6);
  // And by the sum of each spin's phase in double.
  const auto start = simulate(sequence_of({pulse_block(hard(1.0))}), spins);
  for (const std::size_t i : {0u, 63u, 64u, 65u, 399u}) {
    std::complex<double> sum;
    for (std::size_t q = 0; q < 700; ++q) {
      const auto m = final_of(start, q);
      const double t = fine.sample_times[i] - 1e-5;
      const double turns = spins.df[q] * t + spins.x[q] * fine.sample_k[i][0] + spins.z[q] * fine.sample_k[i][2];
      sum += std::complex<double>(m[0], m[1]) * std::polar(std::exp(-t / 0.03), -2 * pi * turns);
    }
    EXPECT_NEAR(std::abs(sum - signal_of(fine, i)) / 700, 0, 3e-6) << i;
  }
}

TEST(Bloch, RecordsDoNotChangeWhatTheySee) {
  SpinCloud cloud;
  cloud.n = 20;
  const Spins spins = spin_cloud(cloud);
  PulseSpec sinc{.FA = 1, .duration = 1e-3};
  const Sequence s = sequence_of({pulse_block(sinc, 5), delay_block(1e-3), readout_block(64, 1e-5, 100)});
  BlochOptions o;
  const auto plain = simulate(s, spins);
  o.compile.record_times = {0, 3e-4, 5.1e-4, 1e-3, 2.2e-3, 2.5e-3, s.duration()};
  const auto r = simulate(s, spins, o);
  EXPECT_EQ(r.record.shape(), (Shape{3, 20, 7}));
  EXPECT_LT(gap(r.signal, plain.signal), 20 * 1.2e-4);  // other steps, both within 1e-4
  EXPECT_LT(gap(r.magnetisation, plain.magnetisation), 1.2e-4);
  EXPECT_EQ(gap(r.record.slice(2, 6), r.magnetisation), 0);
  EXPECT_EQ(r.record.data<float>()[2], 1);  // along z before anything happened
}

TEST(Bloch, ErnstAngleAndSpoiledSteadyState) {
  const double TR = 10e-3, T1 = 0.8, ernst = std::acos(std::exp(-TR / T1));
  double best = 0, best_FA = 0;
  for (const double FA : {0.8 * ernst, 0.95 * ernst, ernst, 1.05 * ernst, 1.25 * ernst}) {
    SpinGrid grid;
    grid.T1 = {T1}, grid.T2 = {0.05};
    const Sequence one = sequence_of({pulse_block(hard(FA)), samples(1, 1e-5), spoil_block(TR - 2e-5)});
    const auto r = simulate(repeated(one, 600), spin_grid(grid));
    const double s = std::abs(signal_of(r, 599)), E1 = std::exp(-TR / T1);
    // Hard pulses of 10 us among 10 ms, and the steady state to exp(-6 / 0.8).
    EXPECT_NEAR(s, std::sin(FA) * (1 - E1) / (1 - std::cos(FA) * E1), 2e-3 * s) << FA;
    if (s > best) best = s, best_FA = FA;
  }
  EXPECT_EQ(best_FA, ernst);
}

TEST(Bloch, DiffusionAttenuatesAsStejskalAndTanner) {
  SpinCloud cloud;
  cloud.n = 20000, cloud.D = 1.5e-3, cloud.T1 = cloud.T2 = forever;
  cloud.low = {-50, -50, -50}, cloud.high = {50, 50, 50};
  const Spins spins = spin_cloud(cloud);
  Gradient g;
  g.trapezoid = Gradient::Trapezoid{0.03, 2e-4, 16e-3, 2e-4};
  const double space = 2e-3;
  const Sequence s =
      sequence_of({pulse_block(hard(pi / 2)), gradient_block({{0, g}}), delay_block(space),
                   pulse_block(hard(pi, pi / 2)), delay_block(space), gradient_block({{0, g}}), samples(1, 1e-6)});
  // b of trapezoids of flat top + ramp d, ramp e, D apart: Bernstein et al. (2004), eq. 9.11.
  const double G = 2 * pi * proton_gamma * 0.03 * 1e-3, d = 16.2e-3, e = 2e-4, apart = 16.4e-3 + 2 * space + 1e-5;
  const double b = G * G * (d * d * (apart - d / 3) + e * e * e / 30 - d * e * e / 6);
  const double expected = std::exp(-b * 1.5e-3);
  ASSERT_LT(expected, 0.9);
  ASSERT_GT(expected, 0.2);
  const auto r = simulate(s, spins);
  // 20,000 random phases: the mean is known to 1 / sqrt(2 x 20,000) = 0.5 %; four of these.
  EXPECT_NEAR(std::abs(signal_of(r, 0)) / 20000, expected, 0.02);
  // The same seed gives the same spins, another one others.
  BlochOptions o;
  EXPECT_EQ(gap(simulate(s, spins, o).signal, r.signal), 0);
  o.seed = 2;
  EXPECT_GT(gap(simulate(s, spins, o).signal, r.signal), 1);
}

TEST(Bloch, FlowGathersPhaseByTheFirstMoment) {
  SpinGrid grid;
  grid.x = {-20, 0, 30}, grid.velocity = {400, 0, 0}, grid.T1 = grid.T2 = {forever};
  Gradient plus, minus;
  plus.trapezoid = Gradient::Trapezoid{0.02, 2e-4, 6e-4, 2e-4};
  minus.trapezoid = Gradient::Trapezoid{-0.02, 2e-4, 6e-4, 2e-4};
  const auto r =
      simulate(sequence_of({pulse_block(hard(pi / 2)), gradient_block({{0, plus}}), gradient_block({{0, minus}})}),
               spin_grid(grid));
  // Two lobes of one area: the first moment is - area x the time between their middles, wherever the spin begins.
  const double turns = -proton_gamma * 1e-3 * 0.02 * 8e-4 * 1e-3 * 400;
  for (std::size_t i = 0; i < 3; ++i) {
    const auto m = final_of(r, i);
    EXPECT_NEAR(std::abs(std::complex<double>(m[0], m[1]) - std::polar(1.0, pi / 2 - 2 * pi * turns)), 0, 1e-5) << i;
  }
}

TEST(Bloch, FlowingSpinsInASlicePulseAreThoseSteppedFinely) {
  SpinGrid grid;
  grid.z = spaced(-3, 3, 7), grid.velocity = {0, 0, 500};
  PulseSpec sinc{.FA = 1, .duration = 2e-3};
  const Sequence s = sequence_of({pulse_block(sinc, 5)});
  BlochOptions o;
  const auto r = simulate(s, spin_grid(grid), o);
  o.compile.tolerance = 1e-6;
  EXPECT_LT(gap(r.magnetisation, simulate(s, spin_grid(grid), o).magnetisation), 2e-4);
  // Moving by 1 mm in the pulse is like standing still half a millimetre further on, to first order.
  SpinGrid still = grid;
  still.velocity = {};
  for (auto& z : still.z) z += 0.5 + 0.5 * 500 * 1e-5;
  const auto there = simulate(s, spin_grid(still));
  EXPECT_NEAR(final_of(r, 3)[2], final_of(there, 3)[2], 0.03);
}

TEST(Bloch, CoilsWeighTheirSpins) {
  SpinCloud cloud;
  cloud.n = 300;
  Spins spins = spin_cloud(cloud);
  const Sequence s = sequence_of({pulse_block(hard(1.0)), readout_block(70, 1e-5, 100)});
  const auto alone = simulate(s, spins);
  for (int q = 0; q < 3; ++q)
    for (std::size_t i = 0; i < 300; ++i)
      spins.coil.push_back(q == 0 ? std::complex<float>(0, 2) : q == 1 ? (i % 2 ? 1.0f : 0.0f) : (i % 2 ? 0.0f : 1.0f));
  const auto r = simulate(s, spins);
  ASSERT_EQ(r.signal.shape(), (Shape{70, 1, 3}));
  for (std::size_t i = 0; i < 70; ++i) {
    EXPECT_NEAR(std::abs(signal_of(r, i) - std::complex<double>(0, 2) * signal_of(alone, i)), 0, 1e-3);
    EXPECT_NEAR(std::abs(signal_of(r, 70 + i) + signal_of(r, 140 + i) - signal_of(alone, i)), 0, 1e-3);
  }
}

TEST(Bloch, ReceiverPhaseAndFrequency) {
  SpinGrid grid;
  grid.df = {250}, grid.T1 = grid.T2 = {forever};
  Adc adc;
  adc.samples = 50, adc.dwell = 1e-4, adc.frequency_offset = -250, adc.phase_offset = 0.7;
  Block b;
  b.duration = 5e-3, b.adc = std::make_shared<const Adc>(adc);
  const auto r = simulate(sequence_of({pulse_block(hard(pi / 2, 0, 1e-7)), b}), spin_grid(grid));
  // A spin at +250 Hz turns clockwise: its signal is at -250 Hz and stands still for a receiver there.
  for (std::size_t i = 0; i < 50; ++i) EXPECT_NEAR(std::abs(signal_of(r, i) - std::polar(1.0, pi / 2 - 0.7)), 0, 1e-3);
}

TEST(Bloch, StartsWhereAnotherEnded) {
  SpinGrid grid;
  grid.df = spaced(-30, 30, 7);
  const Spins spins = spin_grid(grid);
  const Block a = pulse_block(hard(1.1)), b = delay_block(3e-3), c = pulse_block(hard(2, 0.3));
  const auto whole = simulate(sequence_of({a, b, c}), spins), first = simulate(sequence_of({a, b}), spins);
  BlochOptions o;
  o.start = &first.magnetisation;
  EXPECT_LT(gap(simulate(sequence_of({c}), spins, o).magnetisation, whole.magnetisation), 1e-6);
}

}  // namespace
}  // namespace larmor::sim::test
