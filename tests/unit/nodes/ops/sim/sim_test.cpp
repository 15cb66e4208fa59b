// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <filesystem>
#include <larmor/io/pulseq.hpp>
#include <larmor/nodes/values/curve.hpp>
#include <larmor/nodes/values/report.hpp>
#include <larmor/nodes/values/scene.hpp>
#include <larmor/nodes/values/sequence.hpp>
#include <larmor/nodes/values/spins.hpp>
#include <larmor/nodes/values/trajectory.hpp>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::HasSubstr;

Sequence sequence(const Value& v) { return flow::ValueTraits<Sequence>::from(v); }
Curve curve(const Value& v) { return flow::ValueTraits<Curve>::from(v); }
Value numbers(std::vector<double> v) { return flow::ValueTraits<std::vector<double>>::to(v); }
Value pulse(Sets set, Ins in = {}) { return run("sim.pulse", std::move(in), std::move(set), "sequence"); }

/// 90 degrees, delay, 180 degrees, delay, samples around the echo at 20 ms.
Value spin_echo() {
  Value s = pulse({{"shape", "hard"}, {"duration", 0.01}});
  s = run("sim.delay", {{"before", s}}, {{"duration", 10.0}, {"until", "from_start"}}, "sequence");
  s = pulse({{"shape", "hard"}, {"duration", 0.01}, {"FA", 180.0}, {"phase", 90.0}, {"use", "refocusing"}},
            {{"before", s}});
  s = run("sim.delay", {{"before", s}}, {{"duration", 19.7}, {"until", "from_start"}}, "sequence");
  return run("sim.readout", {{"before", s}}, {{"samples", 61}, {"dwell", 10.0}}, "sequence");
}

TEST(SimSpins, GridsCloudsAndValues) {
  const Value v = run("sim.spins", {{"T2", numbers({0.05, 0.1})}},
                      {{"z", numbers({-5, 5, 11})}, {"D", 1e-3}, {"B1", numbers({0.9})}}, "spins");
  const auto s = flow::ValueTraits<sim::Spins>::from(v);
  EXPECT_EQ(s.shape, (Shape{11, 2}));
  EXPECT_EQ(s.axes, (Axes{"z", "T2"}));
  EXPECT_EQ(s.ticks[0][10], 5);
  EXPECT_EQ(s.T2[11], 0.1f);
  EXPECT_EQ(s.D[21], 1e-3f);
  const auto cloud = flow::ValueTraits<sim::Spins>::from(run(
      "sim.spin_cloud", {}, {{"count", 50}, {"size", numbers({2, 4, 6})}, {"centre", numbers({10, 0, 0})}}, "spins"));
  for (const double x : cloud.x) EXPECT_NEAR(x, 10, 1);
  EXPECT_THAT(error_of("sim.spins", {}, {{"T1", numbers({100})}, {"T2", numbers({300})}}, Errc::range),
              HasSubstr("above 2 T1"));
  EXPECT_THAT(error_of("sim.spins", {}, {{"T1", numbers({})}}, Errc::range), HasSubstr("no spins"));
  EXPECT_THAT(error_of("sim.spins", {}, {{"x", numbers({1, 2})}}, Errc::shape), HasSubstr("first, last, how many"));
  EXPECT_THAT(error_of("sim.spin_cloud", {}, {{"size", numbers({1})}}, Errc::shape), HasSubstr("'size'"));
}

TEST(SimBloch, SpinEchoOfACloud) {
  const Value spins = run("sim.spin_cloud", {}, {{"count", 1000}, {"df_sd", 1000.0}, {"T2", 80.0}}, "spins");
  const auto all =
      run_all("sim.bloch", {{"sequence", spin_echo()}, {"spins", spins}}, {{"scale", "mean"}, {"record_every", 2.0}});
  const auto s = complex_values(all.at("signal").array());
  ASSERT_EQ(s.size(), 61u);
  const auto most = std::max_element(s.begin(), s.end(), [](auto a, auto b) { return std::abs(a) < std::abs(b); });
  EXPECT_NEAR(static_cast<double>(most - s.begin()), 30, 2);  // samples of 10 us; pulses of 10 us
  EXPECT_NEAR(std::abs(*most), std::exp(-20.0 / 80), 1e-2);   // pulses of 10 us at offsets of some kHz
  const Array record = all.at("record").array();
  EXPECT_EQ(record.axes(), (Axes{"component", "spin", "t"}));
  EXPECT_EQ(record.extent(2),
            static_cast<std::int64_t>(flow::ValueTraits<std::vector<double>>::from(all.at("record_times")).size()));
  EXPECT_EQ(all.at("magnetisation").array().shape(), (Shape{3, 1000}));
  // Goes on where it was.
  const auto more = run_all("sim.bloch", {{"sequence", run("sim.delay", {}, {{"duration", 1e5}}, "sequence")},
                                          {"spins", spins},
                                          {"start", all.at("magnetisation")}});
  EXPECT_NEAR(values(more.at("magnetisation").array())[2], 1, 1e-5);
  EXPECT_THAT(
      error_of("sim.bloch", {{"sequence", run("sim.delay", {}, {{"duration", 0.0}}, "sequence")}, {"spins", spins}}, {},
               Errc::range),
      HasSubstr("1 blocks and 0 s"));
  // sim.scene shows it.
  const Value scene =
      run("sim.scene", {{"record", all.at("record")}, {"spins", spins}, {"times", all.at("record_times")}},
          {{"most", 20}}, "scene");
  const auto sc = flow::ValueTraits<Scene>::from(scene);
  ASSERT_EQ(sc.items.size(), 1 + 1 + 20 + 1u);  // sphere, arrows, paths, mean
  const auto& arrows = sc.items[1];
  EXPECT_EQ(arrows.directions.shape(), (Shape{3, 20, record.extent(2)}));
  EXPECT_EQ(arrows.values.shape(), (Shape{20, record.extent(2)}));
  EXPECT_EQ(static_cast<std::int64_t>(arrows.times.size()), record.extent(2));
  // At the beginning all are along z.
  EXPECT_NEAR(arrows.directions.data<float>()[2], 1, 1e-6);
  // Written and read again it is the same.
  EXPECT_EQ(flow::ValueTraits<Scene>::to(sc).hash(), scene.hash());
  const auto places =
      flow::ValueTraits<Scene>::from(run("sim.scene", {{"record", all.at("magnetisation")}, {"spins", spins}},
                                         {{"layout", "places"}, {"colour", "magnitude"}}, "scene"));
  EXPECT_EQ(places.unit, "mm");
  EXPECT_EQ(places.items.size(), 1u);
  EXPECT_THAT(error_of("sim.scene", {{"record", Array(DType::f32, {3, 7})}, {"spins", spins}}, {}, Errc::shape),
              HasSubstr("for 1000 spins"));
  EXPECT_THAT(
      error_of("sim.scene", {{"record", all.at("record")}, {"spins", spins}, {"times", numbers({1})}}, {}, Errc::shape),
      HasSubstr("1 times"));
}

TEST(SimBloch, SequencesOfPulseqFiles) {
  Value s = pulse({{"duration", 1.0}, {"FA", 40.0}});
  s = run("sim.delay", {{"before", s}}, {{"duration", 2.0}, {"until", "from_start"}}, "sequence");
  s = run("sim.waveforms", {{"before", s}, {"Gx", numbers({0, 2, 4, 5, 5, 3, 1, 0})}}, {{"samples", 8}}, "sequence");
  const auto path = std::filesystem::path(testing::TempDir()) / "larmor_sim.seq";
  io::write_pulseq(path, sequence(s));
  const Value back = run("io.read_pulseq", {}, {{"path", path.string()}}, "sequence");
  std::filesystem::remove(path);
  const Value spins = run("sim.spins", {}, {{"x", numbers({-20, 20, 9})}, {"df", numbers({-100, 100, 5})}}, "spins");
  const auto a = run_all("sim.bloch", {{"sequence", s}, {"spins", spins}}),
             b = run_all("sim.bloch", {{"sequence", back}, {"spins", spins}});
  // Shapes in the file are rounded to 1e-9, amplitudes to the digits that it writes.
  EXPECT_LT(gap(a.at("magnetisation").array(), b.at("magnetisation").array()), 1e-5);
  EXPECT_LT(gap(a.at("signal").array(), b.at("signal").array()), 5e-4);
}

TEST(SimProfile, SliceOfAPulse) {
  const auto p = run_all("sim.pulse", {}, {{"thickness", 5.0}, {"time_bandwidth", 8.0}});
  EXPECT_GT(p.at("B1_peak").number(), 5);
  const Value spins = run("sim.spins", {}, {{"z", numbers({-8, 8, 65})}}, "spins");
  const Value m = run("sim.bloch", {{"sequence", p.at("sequence")}, {"spins", spins}}, {}, "magnetisation");
  EXPECT_EQ(array(m).axes(), (Axes{"component", "z"}));
  const Curve c = curve(run("sim.profile", {{"magnetisation", m}, {"spins", spins}}, {}, "curve"));
  EXPECT_EQ(c.x_unit, "mm");
  // Half of the height at half of the thickness.
  double width = 0;
  for (const double v : c.y[3]) width += v > 0.5 ? 0.25 : 0;
  EXPECT_NEAR(width, 5, 0.5);
  EXPECT_GT(c.y[3][32], 0.95);  // 2 ms of T2
  EXPECT_THAT(
      error_of("sim.profile", {{"magnetisation", Array(DType::f32, {4, 2})}, {"spins", spins}}, {}, Errc::shape),
      HasSubstr("component"));
  EXPECT_THAT(error_of("sim.pulse", {}, {{"thickness", 0.01}}, Errc::range), HasSubstr("above the limit"));
}

TEST(SimBlocks, RepeatJoinGradientAndWaveforms) {
  const Value one = run("sim.readout", {{"before", pulse({{"FA", 10.0}})}}, {{"samples", 4}}, "sequence");
  const Sequence s = sequence(run("sim.repeat", {{"one", one}}, {{"times", 3}, {"phase_increment", 50.0}}, "sequence"));
  ASSERT_EQ(s.blocks.size(), 6u);
  EXPECT_NEAR(std::remainder(s.blocks[4].rf->phase_offset - s.blocks[0].rf->phase_offset - 150 * M_PI / 180, 2 * M_PI),
              0, 1e-9);
  EXPECT_NEAR(std::remainder(s.blocks[5].adc->phase_offset - 150 * M_PI / 180, 2 * M_PI), 0, 1e-9);
  EXPECT_EQ(sequence(run("sim.join", {{"in.1", one}, {"in.2", one}}, {}, "sequence")).blocks.size(), 4u);
  // One cycle per mm turns spins 1 mm apart by a turn: they meet again; half a mm apart they are opposite.
  const Value g = run("sim.gradient", {{"before", pulse({{"shape", "hard"}})}}, {{"area_x", 1.0}}, "sequence");
  const Value spins =
      run("sim.spins", {}, {{"x", numbers({0, 1, 3})}, {"T1", numbers({1e9})}, {"T2", numbers({1e9})}}, "spins");
  const auto m = values(array(run("sim.bloch", {{"sequence", g}, {"spins", spins}}, {}, "magnetisation")));
  EXPECT_NEAR(m[1], m[7], 1e-4);
  EXPECT_NEAR(m[1], -m[4], 1e-4);
  // A constant B1 of 10 us steps: gamma B1 t.
  const Array B1 = line(std::vector<double>(100, 10.0), "t");
  const Value w =
      run("sim.waveforms", {{"B1", B1}, {"Gx", numbers(std::vector<double>(50, 0.0))}}, {{"samples", 0}}, "sequence");
  EXPECT_NEAR(sequence(w).blocks[0].rf->flip_angle(), 2 * M_PI * proton_gamma * 10e-6 * 1e-3, 1e-9);
  EXPECT_THAT(error_of("sim.waveforms", {}, {}, Errc::range), HasSubstr("nothing"));
  EXPECT_THAT(error_of("sim.delay", {{"before", w}}, {{"duration", 0.1}, {"until", "from_start"}}, Errc::range),
              HasSubstr("takes 1 ms"));
  EXPECT_THAT(error_of("sim.gradient", {}, {{"area_x", 5.0}, {"duration", 0.1}}, Errc::range), HasSubstr("takes"));
}

TEST(SimDiagram, ShowsEveryRow) {
  const auto d = run_all("sim.diagram", {{"sequence", spin_echo()}}, {});
  const Curve c = curve(d.at("curve"));
  ASSERT_EQ(c.series.size(), 5u);
  EXPECT_EQ(c.series[0], "B1 [uT]");
  EXPECT_NEAR(*std::max_element(c.y[0].begin(), c.y[0].end()), 1e6 * M_PI / (2 * M_PI * proton_gamma * 1e-5), 1e-6);
  EXPECT_EQ(*std::max_element(c.y[4].begin(), c.y[4].end()), 1);
  const auto page = flow::ValueTraits<Page>::from(d.at("page"));
  EXPECT_THAT(page.html, HasSubstr("<svg"));
  EXPECT_THAT(page.html, HasSubstr("ADC"));
  EXPECT_THAT(error_of("sim.diagram", {{"sequence", spin_echo()}}, {{"from", 500.0}}, Errc::range),
              HasSubstr("500 to"));
}

TEST(SimEpg, TrainsOfTissues) {
  const auto fse = run_all("sim.epg_fse", {{"T2", numbers({0.05, 0.1})}}, {{"echoes", 4}, {"spacing", 10.0}});
  const auto s = complex_values(fse.at("signal").array());
  EXPECT_NEAR(std::abs(s[2]), std::exp(-20.0 / 50), 1e-5);
  EXPECT_NEAR(curve(fse.at("curve")).y[1][3], std::exp(-40.0 / 100), 1e-5);
  const auto spgr = run_all("sim.epg_spgr", {{"B1", numbers({1, 0.5})}}, {{"pulses", 50}});
  EXPECT_EQ(spgr.at("signal").array().shape(), (Shape{2, 50}));
  const auto bssfp = run_all("sim.epg_bssfp", {}, {{"pulses", 1000}});
  const double steady = std::abs(complex_values(bssfp.at("signal").array()).back());
  const double closed =
      array(run("sim.signal_bssfp", {{"T1", 1.0}, {"T2", 0.1}}, {}, "signal")).cast(DType::f64).data<double>()[0];
  EXPECT_NEAR(steady, closed, 0.02 * closed);  // 5 s: there, but for the TR that TE is a half of
  EXPECT_NE(error_of("sim.epg_fse", {}, {{"FA", numbers({180, 120})}, {"echoes", 3}}, Errc::shape), "");
}

TEST(SimSignals, OfMaps) {
  const auto brain = run_all("phantom.brain", {}, {{"size", numbers({32, 32})}});
  const Value s = run("sim.signal_spgr",
                      {{"T1", brain.at("T1")}, {"T2_star", brain.at("T2_star")}, {"M0", brain.at("PD")}}, {}, "signal");
  EXPECT_EQ(image(s).data.shape(), (Shape{32, 32, 1}));
  EXPECT_TRUE(std::isnan(values(image(s).data)[0]));  // air
  const double white =
      values(array(run("sim.signal_ir", {{"T1", 0.8}}, {{"TI", 0.8e3 * std::log(2.0)}, {"TR", 1e6}}, "signal")))[0];
  EXPECT_NEAR(white, 0, 1e-6);
  EXPECT_NEAR(
      values(array(run("sim.signal_spin_echo", {{"T1", 0.1}, {"T2", 0.05}}, {{"TE", 50.0}, {"TR", 1e5}}, "signal")))[0],
      std::exp(-1.0), 1e-6);
  EXPECT_THAT(error_of("sim.signal_ir", {{"T1", 1.0}}, {{"TI", 4000.0}}, Errc::range), HasSubstr("longer than TR"));
  EXPECT_NE(error_of("sim.signal_spgr", {{"T1", brain.at("T1")}, {"M0", line({1, 2})}}, {}, Errc::shape), "");
  // The same object by spins: sim.voxel_spins.
  const auto v =
      run_all("sim.voxel_spins",
              {{"PD", brain.at("PD")}, {"T1", brain.at("T1")}, {"T2", brain.at("T2")}, {"df", brain.at("df")}});
  const auto spins = flow::ValueTraits<sim::Spins>::from(v.at("spins"));
  EXPECT_EQ(static_cast<double>(spins.size()), v.at("count").number());
  EXPECT_NEAR(*std::max_element(spins.y.begin(), spins.y.end()), 0.9 * 120, 8);
  EXPECT_THAT(error_of("phantom.brain", {}, {{"size", numbers({32.5, 3})}}, Errc::range), HasSubstr("32.5"));
}

TEST(SimKspace, SumsAndEllipsoidsAgree) {
  Trajectory t{.k = Array::of<double>({16, 2}, {"sample", "d"}), .matrix = {16, 16}};
  for (int i = 0; i < 16; ++i) t.k.data<double>()[i] = i - 8, t.k.data<double>()[16 + i] = 0.3 * i - 2;
  const Value traj = flow::ValueTraits<Trajectory>::to(t);
  const Value disc = numbers({1, 0.5, 0.5, 0, 0, 0});
  const Array exact = array(run("phantom.ellipsoids", {{"traj", traj}, {"objects", disc}}, {}, "data"));
  const Array image =
      array(run("phantom.ellipses", {{"objects", disc}}, {{"size", numbers({256, 256})}, {"oversample", 2}}));
  const Array sums = array(run("sim.kspace", {{"density", image}, {"traj", traj}}, {}, "data"));
  // A grid 16 times as fine: its edges are off by less than a percent of the disc.
  EXPECT_LT(gap(exact, sums), 0.01 * 64 * M_PI / 4 * 4);
  EXPECT_GT(complex_values(exact)[8].real(), 0);
  // By transforms, with off-resonance and decay: the same.
  t.times.assign(16, 0);
  for (std::size_t i = 0; i < 16; ++i) t.times[i] = 1e-3 * static_cast<double>(i);
  const auto brain = run_all("phantom.brain", {}, {{"size", numbers({32, 32})}});
  const Ins all{{"density", brain.at("PD")},
                {"df", brain.at("df")},
                {"T2_star", brain.at("T2_star")},
                {"traj", flow::ValueTraits<Trajectory>::to(t)}};
  const Array a = array(run("sim.kspace", all, {{"method", "sums"}}, "data")),
              b = array(run("sim.kspace", all, {{"method", "nufft"}}, "data"));
  double most = 0;
  for (const auto& v : complex_values(a)) most = std::max(most, std::abs(v));
  EXPECT_LT(gap(a, b), 1e-3 * most);
  EXPECT_NE(error_of("phantom.ellipsoids", {{"traj", traj}, {"objects", numbers({1, 2})}}, {}, Errc::shape), "");
  EXPECT_NE(error_of("sim.kspace", {{"density", image}, {"traj", traj}, {"df", image}}, {}, Errc::range), "");
}

}  // namespace
}  // namespace larmor::nodes::test
