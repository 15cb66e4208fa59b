// SPDX-License-Identifier: Apache-2.0
#include <chrono>
#include <larmor/core/isa.hpp>
#include <larmor/sim/epg.hpp>
#include <larmor/sim/signals.hpp>
#include <thread>

#include "support.hpp"

namespace larmor::sim::test {
namespace {

const EpgTissue white_matter{.T1 = {0.8f}, .T2 = {0.07f}};

std::complex<double> at(const Array& a, std::size_t i) {
  return std::complex<double>(a.data<std::complex<float>>()[i]);
}

TEST(Epg, RefocusingByHalfTurnsDecaysWithT2) {
  const auto r = epg_run(epg_fse(std::vector<double>(10, pi), 10e-3), white_matter);
  for (std::size_t n = 0; n < 10; ++n)
    EXPECT_NEAR(std::abs(at(r, n) - std::complex<double>(0, std::exp(-0.01 * static_cast<double>(n + 1) / 0.07))), 0,
                1e-6);
}

TEST(Epg, StimulatedEchoIsHalf) {
  // Three pulses of 90 degrees without relaxation: the stimulated echo has half the magnetisation (Hahn 1950).
  const EpgTissue none{.T1 = {INFINITY}, .T2 = {INFINITY}};
  const auto r = epg_run({EpgOp::pulse(pi / 2), EpgOp::evolve(1e-2, 1), EpgOp::pulse(pi / 2), EpgOp::evolve(1e-2, 3),
                          EpgOp::pulse(pi / 2), EpgOp::evolve(1e-2, 1), EpgOp::read()},
                         none);
  EXPECT_NEAR(std::abs(at(r, 0)), 0.5, 1e-6);
  // The spin echo of two 90-degree pulses too.
  const auto echo = epg_run(
      {EpgOp::pulse(pi / 2), EpgOp::evolve(1e-2, 1), EpgOp::pulse(pi / 2), EpgOp::evolve(1e-2, 1), EpgOp::read()},
      none);
  EXPECT_NEAR(std::abs(at(echo, 0)), 0.5, 1e-6);
  // Shifts there and back are nothing, whatever their signs.
  const auto back =
      epg_run({EpgOp::pulse(1), EpgOp::evolve(0, 3), EpgOp::evolve(0, -5), EpgOp::evolve(0, 2), EpgOp::read()}, none);
  EXPECT_NEAR(std::abs(at(back, 0)), std::sin(1.0), 1e-6);
}

/// The same operations for isochromats spread evenly over one turn of an order, one by one in double: the definition
/// that configurations are the Fourier series of.
std::vector<std::complex<double>> isochromats(const EpgSequence& sequence, double T1, double T2, double B1, double df,
                                              int n) {
  std::vector<std::complex<double>> out;
  std::vector<std::array<double, 3>> m(static_cast<std::size_t>(n), {0, 0, 1});
  for (const auto& op : sequence) {
    std::complex<double> sum;
    for (int i = 0; i < n; ++i) {
      auto& v = m[static_cast<std::size_t>(i)];
      std::complex<double> xy(v[0], v[1]);
      if (op.kind == EpgOp::Kind::pulse) {
        xy *= std::polar(1.0, -op.phase);
        const double c = std::cos(op.FA * B1), s = std::sin(op.FA * B1);
        const double y = c * xy.imag() + s * v[2], z = c * v[2] - s * xy.imag();  // about x, z to y
        xy = std::complex<double>(xy.real(), y) * std::polar(1.0, op.phase), v[2] = z;
      } else if (op.kind == EpgOp::Kind::evolve) {
        const double E1 = std::exp(-op.tau / T1);
        xy *= std::polar(std::exp(-op.tau / T2), -2 * pi * df * op.tau + 2 * pi * op.shift * (i + 0.5) / n);
        v[2] = 1 + (v[2] - 1) * E1;
      } else {
        sum += xy * std::polar(1.0 / n, -op.phase);
      }
      v[0] = xy.real(), v[1] = xy.imag();
    }
    if (op.kind == EpgOp::Kind::read) out.push_back(sum);
  }
  return out;
}

TEST(Epg, IsTheMeanOfIsochromats) {
  EpgTissue t{.T1 = {0.8f, 2.5f}, .T2 = {0.07f, 0.3f}, .B1 = {1, 0.8f}, .df = {0, 13}};
  EpgSequence mixed = epg_fse({2.1, 2.8, 1.4, 3, 0.6}, 12e-3, false);
  for (const auto& op : epg_spgr(0.7, 8e-3, 3e-3, 20)) mixed.push_back(op);
  mixed.push_back(EpgOp::evolve(2e-3, -2));
  for (const auto& op : epg_spgr(1.1, 8e-3, 3e-3, 5, 0.3)) mixed.push_back(op);
  const std::pair<const char*, EpgSequence> all[] = {{"spgr", epg_spgr(0.5, 10e-3, 4e-3, 60)},
                                                     {"fse", epg_fse(std::vector<double>(16, 2.1), 10e-3)},
                                                     {"bssfp", epg_bssfp(0.6, 5e-3, 80)},
                                                     {"mixed", mixed}};
  for (const auto& [name, sequence] : all) {
    const auto r = epg_run(sequence, t);
    for (std::size_t tissue = 0; tissue < 2; ++tissue) {
      // More isochromats than twice the orders: the mean over them is the series' constant term exactly.
      const auto truth = isochromats(sequence, static_cast<double>(t.T1[tissue]), static_cast<double>(t.T2[tissue]),
                                     static_cast<double>(t.B1[tissue]), static_cast<double>(t.df[tissue]), 200);
      ASSERT_EQ(static_cast<std::size_t>(r.extent(1)), truth.size());
      for (std::size_t i = 0; i < truth.size(); ++i)
        EXPECT_NEAR(std::abs(at(r, 2 * i + tissue) - truth[i]), 0, 1e-5) << name << " " << tissue << " " << i;
    }
  }
}

TEST(Epg, IsTheBlochSimulationOfASpreadVoxel) {
  // A spoiler that turns the spins of 1 mm by one turn against each other; 64 of them.
  const double TR = 10e-3, TE = 3e-3, FA = 0.4, increment = 50 * pi / 180;
  SpinGrid grid;
  grid.x = spaced(-0.5 + 1.0 / 128, 0.5 - 1.0 / 128, 64), grid.T1 = {0.8}, grid.T2 = {0.07};
  const Gradient spoiler = trapezoid_of_area(1 / (proton_gamma * 1e-3));
  const double d = 1e-6;  // of the pulse
  Sequence one = sequence_of(
      {pulse_block(hard(FA, 0, d)), delay_block(TE - d / 2 - 5e-7), samples(1, 1e-6), gradient_block({{0, spoiler}})});
  one.blocks.push_back(delay_block(TR - one.duration()));
  const auto spins = simulate(repeated(one, 30, increment), spin_grid(grid));
  const auto graph = epg_run(epg_spgr(FA, TR, TE, 30, increment), white_matter);
  for (std::size_t i = 0; i < 30; ++i)
    EXPECT_NEAR(std::abs(signal_of(spins, i) / 64.0 - at(graph, i)), 0, 2e-4) << i;  // pulses of 1 us in 10 ms
}

TEST(Epg, RfSpoilingComesNearTheErnstEquation) {
  const auto r = epg_run(epg_spgr(0.26, 10e-3, 0, 400), white_matter);
  const double ernst = spgr_signal(1, 0.8, INFINITY, 0.26, 10e-3, 0);
  // 117 degrees: known to be within some percent (Zur 1991).
  EXPECT_NEAR(std::abs(at(r, 399)), ernst, 0.05 * ernst);
  // Without phase cycling the echoes add up.
  EXPECT_GT(std::abs(at(epg_run(epg_spgr(0.26, 10e-3, 0, 400, 0), white_matter), 399)), 1.1 * ernst);
}

TEST(Epg, DiffusionOfASpinEcho) {
  // 90, order 1 over tau, 180, order 1 over tau: b = 2 dk^2 tau / 3 of two triangles of k.
  EpgTissue t{.T1 = {INFINITY}, .T2 = {INFINITY}, .D = {2e-3f}};
  const double dk = 60, tau = 20e-3;
  const auto r = epg_run(epg_fse({pi}, 2 * tau), t, {.dk = dk});
  EXPECT_NEAR(std::abs(at(r, 0)), std::exp(-2e-3 * 2 * dk * dk * tau / 3), 1e-5);
}

TEST(Epg, OrdersLeftOutAreThoseNobodySees) {
  const auto sequence = epg_spgr(0.5, 10e-3, 4e-3, 40);
  const auto all = epg_run(sequence, white_matter);
  EXPECT_EQ(gap(all, epg_run(sequence, white_matter, {.max_orders = 1000})), 0);
  // Few orders are an approximation that can be asked for.
  EXPECT_LT(gap(all, epg_run(sequence, white_matter, {.max_orders = 15})), 0.02);
  EXPECT_GT(gap(all, epg_run(sequence, white_matter, {.max_orders = 2})), 1e-4);
}

TEST(Epg, InstructionSetsAgree) {
  EpgTissue t;
  for (int i = 0; i < 37; ++i)
    t.T1.push_back(0.3f + 0.05f * static_cast<float>(i)), t.T2.push_back(0.02f + 0.005f * static_cast<float>(i));
  const auto sequence = epg_fse(std::vector<double>(20, 2.0), 8e-3);
  const Isa level = isa();
  const auto first = epg_run(sequence, t);
  for (const Isa other : {Isa::baseline, Isa::v3, Isa::v4})
    if (isa_available(other)) {
      force_isa(other);
      EXPECT_LT(gap(first, epg_run(sequence, t)), 2e-6) << to_string(other);
    }
  force_isa(level);
}

TEST(Epg, OneLongTrainCanBeCancelledAndIsRunInParts) {
  EpgTissue t;
  t.T1 = {1}, t.T2 = {0.1f};
  // 300,000 pulses would take minutes.
  Cancel cancel;
  std::thread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    cancel.request();
  });
  EXPECT_THROW(epg_run(epg_spgr(0.3, 5e-3, 2e-3, 300000, 2.04), t, {}, &cancel), Error);
  later.join();
  // What is seen of the first pulses does not hang on how many parts the train has: 4000 pulses are several.
  const Array few = epg_run(epg_spgr(0.3, 5e-3, 2e-3, 40, 2.04), t),
              many = epg_run(epg_spgr(0.3, 5e-3, 2e-3, 4000, 2.04), t);
  for (int i = 0; i < 40; ++i) EXPECT_EQ(few.data<std::complex<float>>()[i], many.data<std::complex<float>>()[i]) << i;
}

// --- closed forms ---

TEST(Signals, SpoiledGradientEcho) {
  EXPECT_NEAR(spgr_signal(2, 1, 0.05, pi / 2, 1e3, 0), 2, 1e-12);  // all recovered
  const double ernst = ernst_angle(0.8, 10e-3);
  const auto s = [](double FA) { return spgr_signal(1, 0.8, 0.05, FA, 10e-3, 5e-3); };
  EXPECT_GT(s(ernst), s(ernst * 1.001));
  EXPECT_GT(s(ernst), s(ernst * 0.999));
  EXPECT_TRUE(std::isnan(spgr_signal(1, 0, 0.05, 1, 1, 0)));
}

TEST(Signals, InversionRecoveryAndSpinEchoAreTheirSimulations) {
  const double T1 = 0.6, T2 = 0.08, TR = 1.5, TI = 0.3, TE = 20e-3;
  SpinGrid grid;
  grid.T1 = {T1}, grid.T2 = {T2};
  const Spins spin = spin_grid(grid);
  const double d = 1e-6;
  const Sequence ir = sequence_of({pulse_block(hard(2.8, 0, d)), spoil_block(TI - d), pulse_block(hard(pi / 2, 0, d)),
                                   delay_block(TE - d), samples(1, d), spoil_block(TR - TI - TE - d)});
  EXPECT_NEAR(signal_of(simulate(repeated(ir, 6), spin), 5).imag(),
              inversion_recovery_signal(1, T1, T2, TI, TR, TE, 2.8), 1e-4);
  EXPECT_LT(inversion_recovery_signal(1, T1, T2, 0.1, TR, TE, pi), 0);
  const Sequence se =
      sequence_of({pulse_block(hard(pi / 2, 0, d)), delay_block(TE / 2 - d), pulse_block(hard(pi, pi / 2, d)),
                   delay_block(TE / 2 - d), samples(1, d), spoil_block(TR - TE - d)});
  EXPECT_NEAR(std::abs(signal_of(simulate(repeated(se, 6), spin), 5)), spin_echo_signal(1, T1, T2, TR, TE), 1e-4);
}

TEST(Signals, BalancedSteadyStateIsItsSimulation) {
  const double T1 = 0.6, T2 = 0.08, TR = 5e-3, FA = 0.7, d = 1e-7;
  for (const double df : {0.0, 30.0, 70.0, -95.0}) {
    SpinGrid grid;
    grid.T1 = {T1}, grid.T2 = {T2}, grid.df = {df};
    const Sequence one =
        sequence_of({pulse_block(hard(FA, 0, d)), delay_block(TR / 2 - d), samples(1, d), delay_block(TR / 2 - d)});
    const auto r = simulate(repeated(one, 1001, 0, true), spin_grid(grid));
    EXPECT_NEAR(std::abs(signal_of(r, 1000) - bssfp_signal(1, T1, T2, FA, TR, df)), 0, 2e-4) << df;
  }
  // The band is at 1 / (2 TR).
  EXPECT_LT(std::abs(bssfp_signal(1, T1, T2, FA, TR, 100)), 0.3 * std::abs(bssfp_signal(1, T1, T2, FA, TR, 0)));
}

}  // namespace
}  // namespace larmor::sim::test
