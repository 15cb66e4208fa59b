// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <complex>
#include <filesystem>
#include <larmor/io/npy.hpp>
#include <larmor/io/pulseq.hpp>
#include <larmor/nodes/files.hpp>
#include <larmor/nodes/traj_ports.hpp>
#include <larmor/nodes/values/sequence.hpp>
#include <larmor/recon/trajectory/spiral.hpp>
#include <larmor/sim/bloch.hpp>
#include <numbers>

#include "../run_op.hpp"

namespace larmor {
namespace {

using flow::Value;
using flow::ValueTraits;
using testing::HasSubstr;

std::filesystem::path shared_kspace(const char* name) {
  const char* folder = std::getenv("LARMOR_TEST_DATA");
  const std::filesystem::path root = folder && *folder ? folder : LARMOR_SOURCE_DIR "/../shared/data";
  return root / "kspace" / name;
}

Trajectory trajectory_of(const std::map<std::string, Value>& out) {
  return ValueTraits<Trajectory>::from(out.at("trajectory"));
}

/// sum of data exp(2 pi i k x) over the samples inside the radius n / 2, weighted by the area that each stands for.
std::vector<std::complex<double>> exact_image(const Trajectory& traj, const Array& data, std::int64_t slice, int n) {
  const std::int64_t samples = traj.k.extent(0), arms = traj.k.extent(1);
  const double* kx = traj.k.data<double>();
  const double* ky = kx + samples * arms;
  std::vector<std::complex<double>> image(static_cast<std::size_t>(n) * static_cast<std::size_t>(n)), row(n), column(n);
  const auto phases = [&](double k, std::vector<std::complex<double>>& out) {
    for (int i = 0; i < n; ++i) out[i] = std::polar(1.0, 2 * std::numbers::pi * k * (i - n / 2) / n);
  };
  for (std::int64_t a = 0; a < arms; ++a)
    for (std::int64_t i = 1; i + 1 < samples; ++i) {
      const std::int64_t at = a * samples + i;
      const double r = std::hypot(kx[at], ky[at]);
      if (r > n / 2.0) break;
      const double dr = (std::hypot(kx[at + 1], ky[at + 1]) - std::hypot(kx[at - 1], ky[at - 1])) / 2;
      // (slice, arm, sample) in the file, first axis fastest here.
      const std::complex<float> d = data.data<std::complex<float>>()[slice + data.extent(0) * (a + data.extent(1) * i)];
      const std::complex<double> value = r * dr * std::complex<double>(d);
      phases(kx[at], row), phases(ky[at], column);
      for (int y = 0; y < n; ++y) {
        const auto v = value * column[y];
        for (int x = 0; x < n; ++x) image[static_cast<std::size_t>(y * n + x)] += v * row[x];
      }
    }
  return image;
}

/// Mean magnitude outside a disc of 0.44 FOV over that inside 0.36 FOV, both around the phantom's middle, which the
/// protocol says lies 10 of 300 pixels along y.
double outside_over_inside(const std::vector<std::complex<double>>& image, int n) {
  double in = 0, out = 0, n_in = 0, n_out = 0;
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) {
      const double r = std::hypot(x - n / 2, y - n / 2 - n * 10.0 / 300) / n;
      const double v = std::abs(image[static_cast<std::size_t>(y * n + x)]);
      if (r < 0.36) in += v, ++n_in;
      if (r > 0.44 && r < 0.5) out += v, ++n_out;
    }
  return out / n_out / (in / n_in);
}

TEST(TrajOps, TheSpiralOfTheRealProtocolMakesAnImageOfTheRealScan) {
  const auto json = shared_kspace("spiral_T1.json"), npy = shared_kspace("spiral_T1.npy");
  if (!std::filesystem::exists(json) || !std::filesystem::exists(npy)) GTEST_SKIP() << "no " << npy;
  const Value protocol = nodes::read_file(json);
  std::vector<std::string> warnings;
  const auto out =
      test::run_op("traj.spiral", {{"protocol", protocol}}, {}, {.warn = [&](auto& w) { warnings.push_back(w); }});
  EXPECT_TRUE(warnings.empty()) << warnings.front();
  EXPECT_EQ(out.at("points").field("readout_end").number(), 619);
  EXPECT_EQ(out.at("points").field("ramp_end").number(), 642);
  EXPECT_EQ(out.at("points").field("rewind_end").number(), 769);
  const Trajectory traj = trajectory_of(out);
  EXPECT_EQ(traj.k.shape(), (Shape{825, 79, 2}));
  EXPECT_EQ(traj.matrix, (std::vector<std::int64_t>{300, 300}));
  EXPECT_NEAR(traj.times[0], 0.9716e-3, 1e-9);

  // The last slice is a full disc.
  const Array data = io::read_npy(npy).contiguous_copy();
  const int n = 96;
  const double right = outside_over_inside(exact_image(traj, data, 4, n), n);
  // Ringing at the edge of the disc is what is left: 0.046.
  EXPECT_LT(right, 0.06);
  // Its gradients act 9 us earlier than intended: other delays, the wrong sense of turning from arm to arm, and the
  // frequency limit left out do worse.
  const auto with = [&](const Value& p, std::map<std::string, Value> settings) {
    const Trajectory t = trajectory_of(test::run_op("traj.spiral", {{"protocol", p}}, std::move(settings)));
    return outside_over_inside(exact_image(t, data, 4, n), n);
  };
  EXPECT_GT(with(protocol, {{"delay_x", 9.0}, {"delay_y", 9.0}}), 1.5 * right);
  EXPECT_GT(with(protocol, {{"order", "with"}}), 3 * right);
  auto fields = protocol.fields();
  for (auto& [name, value] : fields)
    if (name == "max_gradient_frequency_kHz") value = 0.0;
  EXPECT_GT(with(Value::record("", fields), {}), 2 * right);
}

TEST(TrajOps, SpikesOfTheRealScanAreFound) {
  const auto npy = shared_kspace("spiral_T1.npy");
  if (!std::filesystem::exists(npy)) GTEST_SKIP() << "no " << npy;
  std::vector<std::string> warnings;
  const Array data = io::read_npy(npy).with_axes({"slice", "arm", "sample"});
  const auto out = test::run_op("recon.despike", {{"in", data}}, {}, {.warn = [&](auto& w) { warnings.push_back(w); }});
  // Eight samples of the five slices hold 50 to 18000, between neighbours of 0.1 to 8.
  EXPECT_EQ(out.at("count").number(), 8);
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_THAT(warnings[0], HasSubstr("8 of 325875 samples"));
}

TEST(TrajOps, ASpiralComesWithItsWaveformsAndTheLimits) {
  const auto out = test::run_op("traj.spiral", {}, {{"arms", 16}, {"max_frequency", 2.0}});
  const auto gradient = ValueTraits<nodes::Curve>::from(out.at("gradient"));
  EXPECT_EQ(gradient.series, (std::vector<std::string>{"x", "y", "magnitude", "limit"}));
  EXPECT_EQ(gradient.unit, "mT/m");
  for (std::size_t i = 0; i < gradient.x.size(); ++i) {
    EXPECT_LE(gradient.y[2][i], gradient.y[3][i] * (1 + 1e-9));
    EXPECT_NEAR(gradient.y[2][i], std::hypot(gradient.y[0][i], gradient.y[1][i]), 1e-12);
  }
  const auto slew = ValueTraits<nodes::Curve>::from(out.at("slew"));
  EXPECT_EQ(slew.unit, "T/m/s");
  for (std::size_t i = 0; i < slew.x.size(); ++i) EXPECT_LE(slew.y[2][i], slew.y[3][i] * (1 + 1e-9));
  const auto k = ValueTraits<nodes::Curve>::from(out.at("kspace"));
  EXPECT_NEAR(k.y[0].back(), 0, 1e-6);
}

TEST(TrajOps, WaveformsTravelOnAWire) {
  const auto out = test::run_op("traj.spiral", {}, {{"arms", 5}});
  const auto before = ValueTraits<nodes::ArmWaveforms>::from(out.at("waveforms"));
  const auto after = ValueTraits<nodes::ArmWaveforms>::from(test::again(out.at("waveforms")));
  ASSERT_EQ(after.arms.size(), 5u);
  EXPECT_EQ(after.waveforms[0].g, before.waveforms[0].g);
  EXPECT_EQ(after.arms[3].map, before.arms[3].map);
  EXPECT_EQ(after.sampling.samples, before.sampling.samples);
  EXPECT_EQ(after.limits.max_slew, before.limits.max_slew);
  EXPECT_THROW(ValueTraits<nodes::ArmWaveforms>::from(Value(1.0)), Error);
}

TEST(TrajOps, AProtocolThatDiffersFromTheDesignIsToldAbout) {
  const Value protocol = flow::from_json(
      R"({"fov_m": 0.2, "arms": 20, "dwell_ms": 0.005, "read_samples": 100, "recorded_raster_points": {"na": 3},
          "spiral_type": "FLORET", "reconstruction_settings": {"kmax_convention": "as it is", "effective_matrix": 301}})");
  std::vector<std::string> warnings;
  const auto out =
      test::run_op("traj.spiral", {{"protocol", protocol}}, {}, {.warn = [&](auto& w) { warnings.push_back(w); }});
  ASSERT_EQ(warnings.size(), 4u);
  EXPECT_THAT(warnings[0], HasSubstr("'floret'"));
  EXPECT_THAT(warnings[1], HasSubstr("'as it is'"));
  EXPECT_THAT(warnings[2], HasSubstr("the end of the readout at 3 rasters"));
  EXPECT_THAT(warnings[3], HasSubstr("100 samples"));
  EXPECT_EQ(trajectory_of(out).matrix, (std::vector<std::int64_t>{301, 301}));
}

TEST(TrajOps, TheRecordedLengthTellsHowTheRadiusWasRounded) {
  // A design that goes out by 2/sqrt(pi) without rounding down to whole cycles, as another scanner may.
  recon::SpiralProtocol p{.fov = 0.2, .resolution = 2e-3, .arms = 20, .dwell = 5e-6};
  p.limits.max_gradient = 20e-3, p.limits.max_slew = 100;
  p.radius = 50 * 2 / std::sqrt(std::numbers::pi);
  const auto design = recon::design_spiral(p);
  p.radius = 0;
  ASSERT_NE(recon::design_spiral(p).readout_end, design.readout_end);
  std::vector<std::string> warnings;
  const auto out =
      test::run_op("traj.spiral",
                   {{"protocol", flow::from_json(R"({"fov_m": 0.2, "resolution_m": 0.002, "arms": 20, "dwell_ms": 0.005,
          "max_gradient_mT_per_m": 20, "max_slew_mT_per_m_per_ms": 100, "recorded_raster_points": {"na": )" +
                                                 std::to_string(design.readout_end) +
                                                 ", \"nb\": " + std::to_string(design.ramp_end) + "}}")}},
                   {}, {.warn = [&](auto& w) { warnings.push_back(w); }});
  EXPECT_THAT(warnings, testing::IsEmpty());
  EXPECT_EQ(out.at("points").field("readout_end").number(), static_cast<double>(design.readout_end));
}

TEST(TrajOps, AProtocolThatMakesNoSenseIsRefused) {
  const auto message = [](const char* text) {
    try {
      test::run_op("traj.spiral", {{"protocol", flow::from_json(text)}});
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(message(R"({"arms": 20})"), HasSubstr("'fov_m' or 'arms' is not there"));
  EXPECT_THAT(message(R"({"arms": 20, "fov_m": "wide"})"), HasSubstr("'fov_m' is 'wide'"));
  EXPECT_THAT(message(R"({"arms": 20, "fov_m": 0.2, "undersampling": [1, 2]})"), HasSubstr("[begin, end, factor]"));
  EXPECT_THAT(message(R"({"arms": 20, "fov_m": 0.2, "in_out": "inn"})"), HasSubstr("did you mean in?"));
  EXPECT_THAT(message(R"({"arms": 20, "fov_m": 0.2, "reconstruction_settings": {"effective_matrix": 0.5}})"),
              HasSubstr("effective_matrix of 0.5"));
  EXPECT_THAT(message(R"({"arms": 20, "fov_m": 0.2, "max_slew_mT_per_m_per_ms": 0})"),
              HasSubstr("slew rate limit of 0"));
}

TEST(TrajOps, SequencesTravelOnAWireAndThroughFiles) {
  Sequence s;
  const auto trapezoid =
      std::make_shared<const Gradient>(Gradient{.trapezoid = Gradient::Trapezoid{0.01, 1e-4, 1e-3, 1e-4}});
  const auto shape = std::make_shared<const Gradient>(Gradient{.values = {0, 0.02, 0}, .times = {0, 1e-4, 2e-4}});
  const auto pulse =
      std::make_shared<const Rf>(Rf{.magnitude = {1e-5, 2e-5}, .phase = {0, 1}, .raster = 1e-6, .use = 'e'});
  s.blocks.push_back(
      {.duration = 1.2e-3, .rf = pulse, .g = {trapezoid, shape, trapezoid}, .labels = {{"SLC", 4, false}}});
  s.blocks.push_back({.duration = 1e-3, .adc = std::make_shared<const Adc>(Adc{.samples = 10, .dwell = 1e-5})});
  s.define("Name", "two blocks");
  const auto expect_same = [&](const Sequence& back) {
    ASSERT_EQ(back.blocks.size(), 2u);
    EXPECT_NEAR(back.duration(), s.duration(), 1e-12);
    EXPECT_EQ(back.blocks[0].g[0], back.blocks[0].g[2]);  // one object still
    EXPECT_NEAR(back.blocks[0].g[1]->values[1], 0.02, 1e-12);
    EXPECT_NEAR(back.blocks[0].rf->magnitude[0], 1e-5, 1e-13);
    EXPECT_EQ(back.blocks[0].labels, s.blocks[0].labels);
    EXPECT_EQ(back.blocks[1].adc->samples, 10);
    EXPECT_EQ(*back.definition("Name"), "two blocks");
  };
  const Value value = ValueTraits<Sequence>::to(s);
  expect_same(ValueTraits<Sequence>::from(test::again(value)));
  EXPECT_EQ(*ValueTraits<Sequence>::from(value).blocks[0].rf, *pulse);
  EXPECT_THROW(ValueTraits<Sequence>::from(Value(1.0)), Error);

  const auto path =
      std::filesystem::temp_directory_path() / ("larmor_traj_test_" + std::to_string(::getpid()) + ".seq");
  test::run_op("io.write_pulseq", {{"sequence", value}}, {{"path", path.string()}},
               {.provenance = [] { return std::string(R"({"colour": "#123456"})"); }});
  expect_same(
      ValueTraits<Sequence>::from(test::run_op("io.read_pulseq", {}, {{"path", path.string()}}).at("sequence")));
  EXPECT_EQ(flow::from_json(nodes::read_provenance(path)).field("colour").text(), "#123456");
  std::filesystem::remove(path);
}

TEST(TrajOps, EveryDesignGivesATrajectoryAndWaveformsWithinTheLimits) {
  struct Case {
    const char* id;
    std::map<std::string, Value> settings;
    Axes axes;
    std::vector<std::int64_t> matrix;
  };
  const std::vector<Case> cases{
      {"traj.radial", {{"resolution", 4.0}}, {"sample", "arm", "d"}, {60, 60}},
      {"traj.radial", {{"from_centre", true}, {"golden", true}, {"spokes", 34}}, {"sample", "arm", "d"}, {120, 120}},
      {"traj.kooshball", {{"spokes", 500}, {"resolution", 4.0}}, {"sample", "arm", "d"}, {60, 60, 60}},
      {"traj.propeller", {{"resolution", 4.0}}, {"sample", "line", "blade", "d"}, {60, 60}},
      {"traj.cartesian", {{"resolution", 4.0}}, {"sample", "line", "d"}, {60, 60}},
      {"traj.cartesian", {{"lines", 8}, {"partitions", 4}}, {"sample", "line", "partition", "d"}, {120, 8, 4}},
      {"traj.epi", {{"resolution", 4.0}, {"shots", 2}}, {"sample", "arm", "d"}, {60, 60}},
      {"traj.floret", {{"resolution", 8.0}}, {"sample", "arm", "hub", "d"}, {30, 30, 30}},
      {"traj.distributed_spiral", {{"resolution", 8.0}, {"resolution_z", 8.0}}, {"sample", "arm", "d"}, {30, 30, 16}}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.id);
    const auto out = test::run_op(c.id, {}, c.settings);
    const Trajectory traj = trajectory_of(out);
    EXPECT_EQ(traj.k.axes(), c.axes);
    EXPECT_EQ(traj.matrix, c.matrix);
    EXPECT_EQ(traj.fov.size(), c.matrix.size());
    EXPECT_FALSE(traj.times.empty());
    for (const char* port : {"gradient", "slew"}) {
      const auto curve = ValueTraits<nodes::Curve>::from(out.at(port));
      const std::size_t magnitude = curve.y.size() - 2;
      for (std::size_t i = 0; i < curve.x.size(); ++i)
        ASSERT_LE(curve.y[magnitude][i], curve.y[magnitude + 1][i] * (1 + 1e-9));
    }
    const auto k = ValueTraits<nodes::Curve>::from(out.at("kspace"));
    EXPECT_NEAR(k.y[0].back(), 0, 1e-6);
  }
}

TEST(TrajOps, ADelayOfTheDesignIsThatOfTheOperation) {
  const auto plain = test::run_op("traj.radial", {}, {{"spokes", 3}});
  const auto late = test::run_op("traj.radial", {}, {{"spokes", 3}, {"delay_x", 2.5}});
  const auto moved = test::run_op("traj.delay", {{"trajectory", plain.at("trajectory")}}, {{"delay_x", 2.5}});
  const Trajectory a = trajectory_of(late), b = trajectory_of(moved);
  // On the flat top of a line k is linear in time.
  for (std::int64_t i = 0; i < a.k.size(); ++i) EXPECT_NEAR(a.k.data<double>()[i], b.k.data<double>()[i], 0.02);
}

TEST(TrajOps, ArraysAndStacksBecomeTrajectories) {
  const Array k = Array::from<float>(std::vector<float>{-0.5f, 0, 0.25f, 0, 0.1f, 0.2f}, {3, 1, 2});
  const auto plane =
      test::run_op("traj.from_array", {{"positions", k}},
                   {{"unit", "cycles/pixel"}, {"matrix", Value::List{64.0}}, {"fov", Value::List{240.0}}});
  EXPECT_NEAR(trajectory_of(plane).k.data<double>()[0], -32, 1e-5);
  const auto volume =
      test::run_op("traj.stack", {{"trajectory", plane.at("trajectory")}}, {{"partitions", 4}, {"fov_z", 80.0}});
  EXPECT_EQ(trajectory_of(volume).k.shape(), (Shape{3, 1, 4, 3}));
  const auto message = [&](double most) {
    try {
      test::run_op("traj.from_array",
                   {{"positions", Array::from<float>(std::vector<float>{static_cast<float>(most), 0}, {1, 1, 2})}},
                   {{"unit", "cycles/pixel"}});
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  EXPECT_THAT(message(0.6), HasSubstr("0.5 cycles/pixel of 256"));
  EXPECT_THAT(message(NAN), HasSubstr("is nan"));
}

TEST(TrajOps, ASequenceOfArmsSamplesTheSameTrajectory) {
  const auto spiral =
      test::run_op("traj.spiral", {}, {{"arms", 8}, {"raster", 6.4}, {"dwell", 4.8}, {"resolution", 4.0}});
  const auto sequence =
      test::run_op("traj.sequence", {{"waveforms", spiral.at("waveforms")}}, {{"FA", 20.0}, {"TR", 15.0}});
  // Through a file as well.
  const auto path =
      std::filesystem::temp_directory_path() / ("larmor_traj_arms_" + std::to_string(::getpid()) + ".seq");
  test::run_op("io.write_pulseq", {{"sequence", sequence.at("sequence")}}, {{"path", path.string()}});
  const auto read = test::run_op("io.read_pulseq", {}, {{"path", path.string()}});
  std::filesystem::remove(path);
  const Trajectory a = trajectory_of(spiral),
                   b = trajectory_of(test::run_op("traj.from_sequence", {{"sequence", read.at("sequence")}}));
  ASSERT_EQ(a.k.shape(), b.k.shape());
  // Shapes are rounded to 1e-9 of the gradient limit, some hundred of which add up.
  for (std::int64_t i = 0; i < a.k.size(); ++i) ASSERT_NEAR(a.k.data<double>()[i], b.k.data<double>()[i], 1e-5);
}

/// Written for a scanner, read again and played to a spin: everything has the positions of the design.
TEST(TrajOps, EveryDesignIsASequenceThatSamplesTheSame) {
  struct Case {
    const char* id;
    std::map<std::string, Value> settings;
    double most;  // of the distance from the design [cycles/FOV]
  };
  // A dwell time of 5 us begins on no whole microsecond: lines wait for one, spirals are played half of one later.
  const double rounding = 1e-5, late = 4e-3;
  const std::vector<Case> cases{{"traj.radial", {}, rounding},
                                {"traj.radial", {{"dwell", 4.8}, {"raster", 6.4}}, rounding},
                                {"traj.kooshball", {{"spokes", 20}}, rounding},
                                {"traj.propeller", {}, rounding},
                                {"traj.cartesian", {{"partitions", 4}}, rounding},
                                {"traj.epi", {{"shots", 3}}, rounding},
                                {"traj.epi", {{"partial", 0.7}, {"oversampling", 2.0}}, rounding},
                                {"traj.epi", {{"dwell", 4.8}, {"raster", 6.4}}, rounding},
                                {"traj.radial", {{"from_centre", true}}, late},
                                {"traj.spiral", {}, late},
                                {"traj.spiral", {{"direction", "in"}}, late},
                                {"traj.spiral", {{"direction", "in-out"}, {"end", "spoil"}}, late},
                                {"traj.spiral", {{"dwell", 4.0}}, rounding},
                                {"traj.floret", {{"arms", 20}}, late},
                                {"traj.distributed_spiral", {{"resolution_z", 8.0}}, late}};
  for (const auto& c : cases) {
    SCOPED_TRACE(c.id);
    auto settings = c.settings;
    settings.emplace("resolution", 6.0);
    const auto out = test::run_op(c.id, {}, settings);
    const auto made = test::run_op("traj.sequence", {{"waveforms", out.at("waveforms")}}, {{"FA", 20.0}});
    const Sequence sequence = io::parse_pulseq(io::format_pulseq(ValueTraits<Sequence>::from(made.at("sequence"))));
    const Trajectory designed = trajectory_of(out),
                     played = trajectory_of(
                         test::run_op("traj.from_sequence", {{"sequence", ValueTraits<Sequence>::to(sequence)}}));
    ASSERT_EQ(played.k.size(), designed.k.size());
    for (std::int64_t i = 0; i < played.k.size(); ++i)
      ASSERT_NEAR(played.k.data<double>()[i], designed.k.data<double>()[i], c.most) << i;

    // The first arm, from its pulse on, played to one spin.
    const auto arm = ValueTraits<nodes::ArmWaveforms>::from(out.at("waveforms"));
    Sequence first = sequence;
    first.blocks.resize(1 + std::max<std::size_t>(1, arm.sampling.runs.size()));
    sim::SpinGrid grid;
    const std::array<double, 3> at{17, -9, 5};  // [mm]
    grid.x = {at[0]}, grid.y = {at[1]}, grid.z = {at[2]}, grid.T1 = {1e6}, grid.T2 = {1e6};
    const auto ran = sim::simulate(first, sim::spin_grid(grid));
    const auto signal = ran.signal.contiguous_copy();
    ASSERT_EQ(signal.size(), arm.sampling.count());
    const auto spin = [&](std::int64_t i) { return std::complex<double>(signal.data<std::complex<float>>()[i]); };
    const auto expected = [&](std::int64_t i) {
      double turns = 0;
      for (std::int64_t d = 0; d < designed.dimensions(); ++d)
        turns += designed.k.data<double>()[d * designed.size() + i] * at[static_cast<std::size_t>(d)] /
                 designed.fov[static_cast<std::size_t>(d)];
      return std::polar(std::sin(20 * std::numbers::pi / 180), std::numbers::pi / 2 - 2 * std::numbers::pi * turns);
    };
    // A spin 17 mm from the middle turns by 2 pi 0.07 a cycle/FOV and axis; the rest is single precision.
    for (std::int64_t i = 0; i < signal.size(); ++i)
      ASSERT_LT(std::abs(spin(i) - expected(i)), 2e-5 + c.most) << i << " " << spin(i) << " " << expected(i);
  }
}

}  // namespace
}  // namespace larmor
