// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <numbers>

#include "../run.hpp"

namespace larmor::nodes::test {
namespace {

using testing::HasSubstr;

double energy(const Value& v) { return std::pow(values(array(run("reduce.norm", {{"in", v}})))[0], 2); }

TEST(Fourier, InverseUndoes) {
  const Array a = random({8, 9, 5, 3}, {"x", "y", "z", "coil"}, DType::c128);
  for (const bool centred : {true, false})
    for (const char* axes : {"x", "y, x", "x, y, z, coil"}) {
      const Value k = run("fourier.fft", {{"in", a}}, {{"axes", axes}, {"centred", centred}, {"scaling", "none"}});
      const Value back = run("fourier.ifft", {{"in", k}}, {{"axes", axes}, {"centred", centred}, {"scaling", "by_n"}});
      EXPECT_LT(gap(array(back), a), 1e-13) << axes;
    }
}

TEST(Fourier, Parseval) {
  const Array a = random({12, 7}, {"x", "y"}, DType::c128);
  EXPECT_NEAR(energy(run("fourier.fft", {{"in", a}})) / energy(a), 1, 1e-13);
}

TEST(Fourier, ShiftTheorem) {
  const Array a = random({16}, {"x"}, DType::c128);
  const auto plain = complex_values(array(run("fourier.fft", {{"in", a}}, {{"axes", "x"}})));
  const auto moved = complex_values(
      array(run("fourier.fft", {{"in", run("array.roll", {{"in", a}}, {{"by", "x=3"}})}}, {{"axes", "x"}})));
  for (int k = 0; k < 16; ++k) {
    const auto turn = std::polar(1.0, -2 * std::numbers::pi * (k - 8) * 3 / 16);
    EXPECT_LT(std::abs(moved[static_cast<std::size_t>(k)] - plain[static_cast<std::size_t>(k)] * turn), 1e-13);
  }
}

TEST(Fourier, ConstantIsOnePointInTheMiddle) {
  const Array one = array(run("math.add", {{"a", Array::of<float>({6, 5}, {"x", "y"})}}, {{"value", 1.0}}));
  const auto k = complex_values(array(run("fourier.fft", {{"in", one}}, {{"scaling", "none"}})));
  for (std::size_t i = 0; i < k.size(); ++i) EXPECT_NEAR(std::abs(k[i]), i == 3 + 6 * 2 ? 30 : 0, 1e-5);
}

TEST(Fourier, ZeroFillingInterpolates) {
  // A sum of low frequencies is known between its samples.
  const int n = 16, m = 48;
  const auto wave = [](double x) {
    return 1 + std::cos(2 * std::numbers::pi * 3 * x) - 2 * std::sin(2 * std::numbers::pi * x);
  };
  std::vector<double> coarse, fine;
  for (int i = 0; i < n; ++i) coarse.push_back(wave(static_cast<double>(i - n / 2) / n));
  for (int i = 0; i < m; ++i) fine.push_back(wave(static_cast<double>(i - m / 2) / m));
  const Value k = run("fourier.fft", {{"in", line(coarse)}}, {{"axes", "x"}, {"scaling", "by_n"}});
  const Array x = array(run("fourier.ifft", {{"in", k}}, {{"axes", "x"}, {"size", "x=48"}, {"scaling", "none"}}));
  EXPECT_LT(gap(array(run("complex.real", {{"in", x}})), line(fine)), 1e-13);
}

TEST(Fourier, SizeKeepsThePlaceOfVoxels) {
  Image in = marked({2, 3, 3}, {8, 6, 7});
  const Value k = run("fourier.fft", {{"in", value(in)}}, {{"axes", "x, y"}});
  for (const char* size : {"x=24, y=12", "x=8, y=6"}) {
    const Value fine = run("fourier.ifft", {{"in", k}}, {{"axes", "x, y"}, {"size", size}});
    const Image out = image(run("math.abs", {{"in", fine}}));
    EXPECT_LT(distance(mark_position(out), mark_position(in)), 1e-12) << size;
  }
  const Image padded = image(run("fourier.fft", {{"in", value(in)}}, {{"axes", "x"}, {"size", "x=11"}}));
  const Image back = image(run("math.abs", {{"in", run("fourier.ifft", {{"in", value(padded)}}, {{"axes", "x"}})}}));
  EXPECT_LT(distance(mark_position(back), mark_position(in)), 1e-12);
}

TEST(Fourier, Errors) {
  const Array a = Array::of<float>({4, 4});
  EXPECT_THAT(error_of("fourier.fft", {{"in", a}}, {{"axes", ""}}, Errc::usage), HasSubstr("no axes"));
  EXPECT_THAT(error_of("fourier.fft", {{"in", a}}, {{"axes", "x, q"}}, Errc::unknown_name), HasSubstr("'q'"));
  EXPECT_THAT(error_of("fourier.fft", {{"in", a}}, {{"axes", "x"}, {"size", "y=8"}}, Errc::usage), HasSubstr("'y'"));
  EXPECT_THAT(error_of("fourier.fft", {{"in", a}}, {{"size", "x=much"}}, Errc::format), HasSubstr("much"));
  EXPECT_THAT(error_of("fourier.fft", {{"in", a}}, {{"size", "12"}}, Errc::format), HasSubstr("which axis"));
  EXPECT_THAT(error_of("fourier.fft", {{"in", a}}, {{"size", "x=1.5"}}, Errc::format), HasSubstr("whole"));
  EXPECT_NE(error_of("fourier.ifft", {{"in", a}}, {{"size", "x=0"}}, Errc::range), "");
}

TEST(FourierShift, UndoesItselfAndCentres) {
  for (const std::int64_t n : {6, 7}) {
    const Array a = random({n}, {"x"});
    const Value there = run("fourier.shift", {{"in", a}});
    EXPECT_EQ(gap(array(run("fourier.shift", {{"in", there}}, {{"inverse", true}})), a), 0);
    EXPECT_EQ(values(array(there))[static_cast<std::size_t>(n / 2)], values(a)[0]);
  }
}

TEST(FourierWindow, IsOneAtTheCentreEvenAndFalling) {
  for (const char* w :
       {"rectangle", "triangle", "hann", "hamming", "blackman", "cosine", "tukey", "gaussian", "kaiser", "fermi"})
    for (const bool radial : {false, true}) {
      const Array one = array(run("math.add", {{"a", Array::of<double>({65, 64}, {"x", "y"})}}, {{"value", 1.0}}));
      const auto v = values(array(run("fourier.window", {{"in", one}}, {{"window", w}, {"radial", radial}})));
      const auto at = [&](int x, int y) { return v[static_cast<std::size_t>(x + 65 * y)]; };
      EXPECT_NEAR(at(32, 32), 1, 1e-12) << w;
      for (int d = 1; d <= 31; ++d) {
        EXPECT_NEAR(at(32 - d, 32), at(32 + d, 32), 1e-15) << w;
        EXPECT_NEAR(at(40, 32 - d), at(40, 32 + d), 1e-15) << w;
        EXPECT_LE(at(32 + d, 32), at(32 + d - 1, 32) + 1e-15) << w;
      }
    }
}

TEST(FourierWindow, KnownValues) {
  const auto half = [](const char* w, Sets set) {
    set["window"] = w;
    return values(
        array(run("fourier.window", {{"in", Array::of<double>({64}, {"x"})}}, set, "weights")))[48];  // u = 1/2
  };
  EXPECT_NEAR(half("hann", {}), 0.5, 1e-15);
  EXPECT_NEAR(half("hamming", {}), 0.54, 1e-15);
  EXPECT_NEAR(half("blackman", {}), 0.34, 1e-15);
  EXPECT_NEAR(half("triangle", {}), 0.5, 1e-15);
  EXPECT_NEAR(half("cosine", {}), std::sqrt(0.5), 1e-15);
  EXPECT_NEAR(half("gaussian", {{"parameter", 0.5}}), std::exp(-0.5), 1e-15);
  EXPECT_NEAR(half("tukey", {{"parameter", 1.0}}), 0.5, 1e-15);
  // I0(6 sqrt(3)/2) / I0(6), Abramowitz and Stegun table 9.8: I0(5.196152) = 32.63117, I0(6) = 67.234407.
  EXPECT_NEAR(half("kaiser", {{"parameter", 6.0}}), std::cyl_bessel_i(0.0, 6 * std::sqrt(0.75)) / 67.23440697647798,
              1e-12);
  EXPECT_NEAR(half("fermi", {{"radius", 0.5}}), 0.5, 1e-8);  // the edge is where u = 1
}

TEST(FourierWindow, Errors) {
  const Array a = Array::of<float>({8});
  EXPECT_NE(error_of("fourier.window", {{"in", a}}, {{"window", "han"}}, Errc::unknown_name), "");
  EXPECT_THAT(error_of("fourier.window", {{"in", a}}, {{"window", "tukey"}, {"parameter", 2.0}}, Errc::range),
              HasSubstr("2"));
  EXPECT_THAT(error_of("fourier.window", {{"in", a}}, {{"window", "gaussian"}, {"parameter", 0.0}}, Errc::range),
              HasSubstr("0"));
  EXPECT_NE(error_of("fourier.window", {{"in", a}}, {{"radius", 0.0}}, Errc::range), "");
}

}  // namespace
}  // namespace larmor::nodes::test
