// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <functional>
#include <larmor/sim/epg.hpp>

#include "support.hpp"

namespace larmor::sim::test {
namespace {

using testing::HasSubstr;

std::string error_of(Errc code, const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& e) {
    EXPECT_EQ(to_string(e.code()), to_string(code)) << e.what();
    return e.what();
  }
  ADD_FAILURE() << "no error";
  return {};
}

const double nan = std::numeric_limits<double>::quiet_NaN();

TEST(BadSpins, AreNamed) {
  const auto with = [](const std::function<void(SpinGrid&)>& change) {
    SpinGrid grid;
    change(grid);
    return spin_grid(grid);
  };
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.T1 = {1, nan}; }); }), HasSubstr("T1 = nan s"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.T2 = {-0.1}; }); }), HasSubstr("T2 = -0.1 s of spin 0"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.T1 = {0.1}, g.T2 = {0.3}; }); }),
              HasSubstr("T2 = 0.3 s is above 2 T1 = 0.2 s"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.T2 = {1e-7}; }); }), HasSubstr("seconds"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.x = {}; }); }), HasSubstr("no spins"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.z = {0, nan}; }); }), HasSubstr("z of spin 1 is nan"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.D = -1; }); }), HasSubstr("D of spin 0 is -1"));
  // Places and offsets whose turns within a step are beyond all digits.
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) {
                                            g.z = {0, -1e12};
                                          }); }),
              HasSubstr("z of spin 1 is -1e+12 mm"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.df = {1e300}; }); }),
              HasSubstr("df of spin 0 is 1e+300 Hz"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.B1 = {-1}; }); }), HasSubstr("B1"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.T2_prime = -1; }); }), HasSubstr("T2'"));
  EXPECT_THAT(error_of(Errc::range, [&] { with([](auto& g) { g.x = g.y = spaced(0, 1, 40000); }); }),
              HasSubstr("1.6e+09 spins"));
  EXPECT_THAT(error_of(Errc::range, [&] { spin_cloud({.n = 0}); }), HasSubstr("0 spins"));
  EXPECT_THAT(error_of(Errc::range, [&] { spaced(0, 1, 0); }), HasSubstr("0 values"));
  Spins s = spin_grid({});
  s.coil = {};
  s.y.push_back(1);
  EXPECT_THAT(error_of(Errc::shape, [&] { s.check(); }), HasSubstr("2 values of y for 1 spins"));
}

TEST(BadVoxels, AreNamed) {
  VoxelMaps maps{.PD = Array::from<float>(std::vector<float>{1, 0}, {2, 1}),
                 .T1 = Array(DType::f32, {2, 1}),
                 .T2 = Array(DType::f32, {1, 1})};
  EXPECT_THAT(error_of(Errc::shape, [&] { voxel_spins(maps); }), HasSubstr("'T2'"));
  maps.T2 = Array(DType::f32, {2, 1});
  EXPECT_THAT(error_of(Errc::range, [&] { voxel_spins(maps); }), HasSubstr("T1 = 0 s"));
  maps.T1 = Array::from<float>(std::vector<float>{1, 1}, {2, 1}),
  maps.T2 = Array::from<float>(std::vector<float>{0.05f, 1}, {2, 1});
  maps.T2_star = Array::from<float>(std::vector<float>{0.2f, 1}, {2, 1});
  EXPECT_THAT(error_of(Errc::range, [&] { voxel_spins(maps); }), HasSubstr("T2* = 0.2 s is longer than T2 = 0.05 s"));
  maps.T2_star = {}, maps.coils = Array(DType::c64, {3, 1, 2});
  EXPECT_THAT(error_of(Errc::shape, [&] { voxel_spins(maps); }), HasSubstr("coils are"));
  maps.coils = {}, maps.per_axis = 0;
  EXPECT_THAT(error_of(Errc::range, [&] { voxel_spins(maps); }), HasSubstr("0 spins a voxel"));
}

TEST(BadSequences, AreNamed) {
  const Spins spin = spin_grid({});
  const auto run = [&](const Sequence& s, const BlochOptions& o = {}) { simulate(s, spin, o); };
  EXPECT_THAT(error_of(Errc::range, [&] { run({}); }), HasSubstr("0 blocks and 0 s"));
  EXPECT_THAT(error_of(Errc::range, [&] { run(sequence_of({delay_block(0)})); }), HasSubstr("1 blocks and 0 s"));
  Gradient strong;
  strong.trapezoid = Gradient::Trapezoid{40, 1e-4, 1e-3, 1e-4};
  EXPECT_THAT(error_of(Errc::range,
                       [&] {
                         run(sequence_of({gradient_block({{0, strong}})}));
                       }),
              HasSubstr("40 T/m in block 0"));
  Block both = pulse_block(hard(1, 0, 1e-3));
  both.adc = readout_block(10, 1e-4).adc;
  EXPECT_THAT(error_of(Errc::range, [&] { run(sequence_of({both})); }), HasSubstr("at the same time in block 0"));
  BlochOptions o;
  o.compile.tolerance = 0;
  EXPECT_THAT(error_of(Errc::range, [&] { run(sequence_of({delay_block(1)}), o); }), HasSubstr("tolerance of 0"));
  o = {};
  o.compile.record_times = {0.5, 0.2};
  EXPECT_THAT(error_of(Errc::range, [&] { run(sequence_of({delay_block(1)}), o); }), HasSubstr("0.2 s, after 0.5 s"));
  o.compile.record_times = {1.5};
  EXPECT_THAT(error_of(Errc::range, [&] { run(sequence_of({delay_block(1)}), o); }), HasSubstr("of a sequence of 1 s"));
  o = {};
  const Array wrong(DType::f32, {3, 2});
  o.start = &wrong;
  EXPECT_THAT(error_of(Errc::shape, [&] { run(sequence_of({delay_block(1)}), o); }), HasSubstr("for 1 spins"));
  Cancel cancel;
  cancel.request();
  error_of(Errc::cancelled, [&] { simulate(sequence_of({delay_block(1)}), spin, {}, &cancel); });
  if (cuda_device_count() == 0) {
    o = {};
    o.device = Device::cuda();
    EXPECT_THAT(error_of(Errc::device, [&] { run(sequence_of({delay_block(1)}), o); }), HasSubstr("no cuda"));
  }
}

TEST(BadBlocks, AreNamed) {
  EXPECT_THAT(error_of(Errc::range, [] { pulse_block(hard(1, 0, 0)); }), HasSubstr("a pulse of 0 s"));
  EXPECT_THAT(error_of(Errc::range, [] { pulse_block(hard(nan)); }), HasSubstr("flip angle of nan"));
  EXPECT_THAT(error_of(Errc::range, [] { pulse_block({}, 0.1); }), HasSubstr("above the limit of 0.04 T/m"));
  EXPECT_THAT(error_of(Errc::range, [] { pulse_block({}, -1); }), HasSubstr("-1 mm"));
  EXPECT_THAT(error_of(Errc::range, [] { pulse_block({.apodisation = 0.7}); }), HasSubstr("apodisation of 0.7"));
  EXPECT_THAT(error_of(Errc::range, [] { pulse_block({}, 5, 3); }), HasSubstr("axis 3"));
  EXPECT_THAT(error_of(Errc::range, [] { trapezoid_of_area(1e-4, 1e-3); }), HasSubstr("in 0.001 s takes"));
  EXPECT_THAT(error_of(Errc::range, [] { trapezoid_of_top(0.05, 1e-3); }), HasSubstr("0.05 T/m is above"));
  EXPECT_THAT(error_of(Errc::range, [] { delay_block(-1); }), HasSubstr("delay of -1 s"));
  EXPECT_THAT(error_of(Errc::range, [] { readout_block(0, 1e-5); }), HasSubstr("0 samples"));
  EXPECT_THAT(error_of(Errc::range, [] { readout_block(10, 0); }), HasSubstr("dwell time of 0"));
  EXPECT_THAT(error_of(Errc::range, [] { repeated(sequence_of({delay_block(1)}), 0); }), HasSubstr("0 repeats"));
}

TEST(BadPhaseGraphs, AreNamed) {
  const EpgTissue tissue{.T1 = {1}, .T2 = {0.1f}};
  EXPECT_THAT(error_of(Errc::range, [&] { epg_run({EpgOp::pulse(1)}, tissue); }), HasSubstr("nothing is read"));
  EXPECT_THAT(error_of(Errc::range, [&] { epg_run(epg_spgr(1, 0.01, 0.02, 3), tissue); }), HasSubstr("lasts -0.01 s"));
  EXPECT_THAT(error_of(Errc::range, [&] { epg_run(epg_spgr(nan, 0.01, 0.005, 3), tissue); }), HasSubstr("nan"));
  EXPECT_THAT(error_of(Errc::range, [&] { epg_spgr(1, 0.01, 0.005, 0); }), HasSubstr("0 pulses"));
  EXPECT_THAT(error_of(Errc::shape, [&] { epg_run({EpgOp::read()}, {.T1 = {1, 2}, .T2 = {0.1f}}); }), HasSubstr("T2"));
  EXPECT_THAT(error_of(Errc::range, [&] { epg_run({EpgOp::read()}, {}); }), HasSubstr("no spins"));
}

}  // namespace
}  // namespace larmor::sim::test
