// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/core/fft.hpp>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/recon/coils/calibration.hpp>
#include <larmor/recon/parallel/grappa.hpp>
#include <larmor/recon/parallel/pocs.hpp>
#include <larmor/recon/parallel/sense.hpp>
#include <larmor/recon/solvers/pics.hpp>
#include <larmor/sim/coils.hpp>
#include <larmor/sim/phantom.hpp>

#include "../support.hpp"

namespace larmor::recon {
namespace {

using test::C;
using test::error_of;
using test::random;
using testing::ElementsAre;
using testing::HasSubstr;

const FftOptions unitary{.norm = FftNorm::unitary, .centred = true};

struct Scan {
  Array object, maps, kspace;
};
Scan scan(int coils = 8, Shape shape = {48, 60}) {
  Scan s;
  s.object = sim::raster(sim::shepp_logan(), shape, 2);
  s.maps = sim::coil_sensitivities({.n_coils = coils}, shape).with_axes({"x", "y", "coil"});
  s.kspace = fft(nd::apply(nd::Binary::multiply, s.maps, s.object), {0, 1}, unitary);
  return s;
}
Array undersampled(const Array& k, const std::vector<std::int64_t>& factors, const MaskOptions& o = {},
                   std::int64_t moved = 0) {
  const Array mask = undersampling_mask({"x", "y"}, {k.extent(0), k.extent(1)}, factors, o);
  Array m = mask.clone();
  for (std::int64_t i = 0; i < m.size(); ++i)
    m.data<float>()[i] = mask.data<float>()[(i + m.size() - moved * m.extent(0)) % m.size()];
  return nd::apply(nd::Binary::multiply, k, m);
}
Array magnitude(const Array& a) { return nd::apply(nd::Unary::abs, a); }

TEST(Sampling, LatticesAreFound) {
  const Array k = random({12, 10, 2}, {"x", "y", "coil"}, DType::c64);
  const auto lattice = [&](const Array& a, const std::vector<std::int64_t>& f = {}) {
    return find_lattice(sampled_mask(a, {"x", "y"}), f);
  };
  EXPECT_THAT(lattice(k).factor, ElementsAre(1, 1));
  const auto l = lattice(undersampled(k, {3, 2}, {}, 1));
  EXPECT_THAT(l.factor, ElementsAre(3, 2));
  EXPECT_THAT(l.offset, ElementsAre(0, 0));  // the middle is line 5; moved by one it is even
  EXPECT_EQ(l.size(), 6);
  const Array acs = undersampled(k, {1, 3}, {.calibration = 4});
  EXPECT_THAT(error_of(Errc::range, [&] { lattice(acs); }), HasSubstr("of axis y is"));
  EXPECT_THAT(lattice(acs, {1, 3}).offset, ElementsAre(0, 2));
  EXPECT_THAT(error_of(Errc::range, [&] { lattice(acs, {1, 2}); }), HasSubstr("every 2. line"));
  EXPECT_NE(error_of(Errc::range, [&] { lattice(Array(DType::c64, {12, 10, 2}, {"x", "y", "coil"})); }), "");
  Array one = undersampled(k, {1, 2});
  for (int c = 0; c < 2; ++c) one.data<std::complex<float>>()[3 + 12 * (5 + 10 * c)] = 0;
  EXPECT_THAT(error_of(Errc::range, [&] { lattice(one); }), HasSubstr("the sample at x 3, y 5 is missing"));
}

TEST(Sampling, MasksHaveTheirNumbers) {
  const Array regular = undersampling_mask({"x", "y"}, {10, 30}, {1, 3}, {.calibration = 9});
  double sum = 0;
  for (const float v : regular.span<float>()) sum += v;
  EXPECT_EQ(sum, 10 * (10 + 6));  // 10 lines, and 9 of which 3 are among them
  const Array drawn = undersampling_mask({"y", "z"}, {64, 48}, {2, 2}, {.calibration = 12, .random = true, .seed = 4});
  double all = 0, middle = 0, rim = 0;
  for (int z = 0; z < 48; ++z)
    for (int y = 0; y < 64; ++y) {
      const float v = drawn.data<float>()[y + 64 * z];
      all += v;
      if (std::abs(y - 32) < 6 && std::abs(z - 24) < 6) middle += v;
      if (y < 8) rim += v;
    }
  EXPECT_EQ(all, 64 * 48 / 4);
  EXPECT_EQ(middle, 121);
  EXPECT_LT(rim, 0.1 * 8 * 48);
  EXPECT_NE(error_of(Errc::range, [] { undersampling_mask({"y"}, {8}, {9}); }), "");
  EXPECT_NE(error_of(Errc::shape, [] { undersampling_mask({"y"}, {8, 9}, {2}); }), "");
}

TEST(Sense, ExactWithoutNoise) {
  const auto s = scan();
  for (const auto& [factors, moved] :
       {std::pair{std::vector<std::int64_t>{1, 1}, 0}, {{1, 2}, 0}, {{1, 3}, 1}, {{1, 4}, 2}, {{2, 2}, 1}}) {
    const auto r = sense(undersampled(s.kspace, factors, {}, moved), s.maps, {"x", "y"}, "coil");
    EXPECT_THAT(r.image.axes(), ElementsAre("x", "y"));
    // Single precision, times the noise factor of up to 10 of four-fold acceleration.
    EXPECT_LT(test::relative_gap(r.image, s.object), 2e-5) << factors[0] << factors[1];
  }
  // An odd extent, whose middle is not at a multiple of the factor.
  const auto odd = scan(8, {45, 63});
  EXPECT_LT(test::relative_gap(sense(undersampled(odd.kspace, {3, 1}, {}, 0), odd.maps, {"x", "y"}, "coil").image,
                               odd.object),
            2e-5);
  // Calibration lines are looked over when the factor is told.
  const auto r =
      sense(undersampled(s.kspace, {1, 3}, {.calibration = 16}), s.maps, {"x", "y"}, "coil", {.factors = {1, 3}});
  EXPECT_LT(test::relative_gap(r.image, s.object), 2e-5);
}

TEST(Sense, NoiseFactorIsWhatNoiseDoes) {
  const auto s = scan(6, {24, 24});
  const Shape shape = s.kspace.shape();
  const auto r = sense(undersampled(s.kspace, {1, 3}), s.maps, {"x", "y"}, "coil");
  // 400 realisations of noise of variance 1 (sd 0.7071 in each part): the image's variance is g^2 R / sum |s|^2.
  std::vector<double> variance(576, 0);
  const int repeats = 400;
  for (int n = 0; n < repeats; ++n) {
    Array noise = random(shape, s.kspace.axes(), DType::c64, 1000 + static_cast<unsigned>(n));
    scale(std::sqrt(0.5), noise);
    const auto v = test::complex_values(sense(undersampled(noise, {1, 3}), s.maps, {"x", "y"}, "coil").image);
    for (std::size_t i = 0; i < v.size(); ++i) variance[i] += std::norm(v[i]) / repeats;
  }
  const auto g = test::complex_values(r.g), maps = test::complex_values(s.maps);
  double ratio = 0;
  for (std::size_t i = 0; i < 576; ++i) {
    double squares = 0;
    for (std::size_t c = 0; c < 6; ++c) squares += std::norm(maps[i + 576 * c]);
    const double expected = std::norm(g[i]) * 3 / squares;
    ratio += variance[i] / expected / 576;
    ASSERT_NEAR(variance[i] / expected, 1, 0.3);  // relative error of a variance of 400 complex numbers: 0.05
    ASSERT_GE(g[i].real(), 1 - 1e-5);
  }
  EXPECT_NEAR(ratio, 1, 0.01);
  // Without acceleration there is none, and regularisation lowers it.
  for (const auto v : test::complex_values(sense(s.kspace, s.maps, {"x", "y"}, "coil").g))
    ASSERT_NEAR(v.real(), 1, 1e-5);
  const auto regular =
      test::complex_values(sense(undersampled(s.kspace, {1, 3}), s.maps, {"x", "y"}, "coil", {.l2 = 0.05}).g);
  for (std::size_t i = 0; i < 576; ++i) ASSERT_LE(regular[i].real(), g[i].real() + 1e-5);
}

TEST(Sense, SaysWhatIsWrong) {
  const auto s = scan(4, {24, 20});
  EXPECT_THAT(error_of(Errc::shape,
                       [&] {
                         sense(undersampled(s.kspace, {1, 3}), s.maps, {"x", "y"}, "coil");
                       }),
              HasSubstr("20 lines along y are no multiple of the acceleration 3"));
  EXPECT_THAT(error_of(Errc::shape,
                       [&] {
                         sense(s.kspace, random({24, 20, 3}, {"x", "y", "coil"}), {"x", "y"}, "coil");
                       }),
              HasSubstr("3 along coil and k-space has 4"));
  Array nan = s.kspace.clone();
  nan.data<std::complex<float>>()[24 * 3] = {NAN, 0};
  EXPECT_THAT(error_of(Errc::range, [&] { sense(nan, s.maps, {"x", "y"}, "coil"); }), HasSubstr("x 0, y 3, coil 0"));
  EXPECT_NE(error_of(Errc::range, [&] { sense(s.kspace, s.maps, {"x", "y"}, "coil", {.l2 = -1}); }), "");
  EXPECT_NE(error_of(Errc::type, [&] { sense(magnitude(s.kspace), s.maps, {"x", "y"}, "coil"); }), "");
  // Two coils that see alike cannot tell voxels apart: NaN, not a plausible number. With l2 there is one.
  Array same = s.maps.clone();
  for (int i = 480; i < 480 * 4; ++i) same.data<std::complex<float>>()[i] = same.data<std::complex<float>>()[i % 480];
  for (int i = 0; i < 480 * 4; ++i) same.data<std::complex<float>>()[i] = {1, 0};
  const auto lost = sense(undersampled(s.kspace, {1, 2}), same, {"x", "y"}, "coil");
  EXPECT_TRUE(std::isnan(lost.image.data<std::complex<float>>()[5].real()));
  EXPECT_TRUE(std::isnan(lost.g.data<float>()[5]));
  EXPECT_TRUE(
      std::isfinite(sense(undersampled(s.kspace, {1, 2}), same, {"x", "y"}, "coil", {.l2 = 0.1}).g.data<float>()[5]));
  // Outside of the maps there is nothing.
  Array masked = s.maps.clone();
  for (int c = 0; c < 4; ++c) masked.data<std::complex<float>>()[7 + 480 * c] = 0;
  const auto r = sense(undersampled(s.kspace, {1, 2}), masked, {"x", "y"}, "coil");
  EXPECT_EQ(r.image.data<std::complex<float>>()[7], std::complex<float>(0));
  EXPECT_EQ(r.g.data<float>()[7], 0);
}

TEST(Pics, IterationsReachWhatUnfoldingFinds) {
  const auto s = scan();
  const Array k = undersampled(s.kspace, {1, 3});
  const Op A = cartesian_sense_op(s.maps, {"x", "y"}, "coil", sampled_mask(k, {"y"}));
  const Array image = sense(k, s.maps, {"x", "y"}, "coil").image;
  for (const Solver solver : {Solver::cg, Solver::lsqr, Solver::lsmr}) {
    const auto r = pics(*A, k, {"x", "y"}, {.solver = solver, .iterations = 150, .tolerance = 1e-7});
    EXPECT_LT(test::relative_gap(r.x, image), 2e-3) << static_cast<int>(solver);  // f32, g up to 5
  }
  // Random sampling with a sparse answer: nearer to the truth than least squares.
  const Array mask = undersampling_mask({"y"}, {60}, {3}, {.calibration = 10, .random = true, .seed = 2});
  Array noise = random(s.kspace.shape(), s.kspace.axes(), DType::c64, 5);
  scale(0.05, noise);
  const Array drawn = nd::apply(nd::Binary::multiply, nd::apply(nd::Binary::add, s.kspace, noise), mask);
  const Op B = cartesian_sense_op(s.maps, {"x", "y"}, "coil", mask);
  const double plain = test::relative_gap(pics(*B, drawn, {"x", "y"}, {.iterations = 60}).x, s.object);
  const auto wavelet = pics(*B, drawn, {"x", "y"}, {.solver = Solver::fista, .iterations = 80, .wavelet = 3e-3});
  const auto tv = pics(*B, drawn, {"x", "y"}, {.solver = Solver::admm, .iterations = 60, .tv = 3e-3});
  EXPECT_LT(test::relative_gap(wavelet.x, s.object), 0.8 * plain);
  EXPECT_LT(test::relative_gap(tv.x, s.object), 0.6 * plain);
  EXPECT_LT(tv.cost.back(), tv.cost.front());
  EXPECT_THAT(error_of(Errc::usage, [&] { pics(*B, drawn, {"x", "y"}, {.tv = 0.1}); }), HasSubstr("admm"));
  EXPECT_NE(error_of(Errc::usage, [&] { pics(*B, drawn, {"x", "y"}, {.solver = Solver::fista, .tv = 0.1}); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { pics(*B, drawn, {"x", "y"}, {.l2 = -1}); }), "");
}

TEST(Grappa, FillsWhatIsMissing) {
  const auto s = scan(8, {48, 64});
  const Array full = magnitude(ifft(s.kspace, {0, 1}, unitary));
  for (const auto& [factors, calibration, limit] : {std::tuple{std::vector<std::int64_t>{1, 2}, 20, 0.01},
                                                    {std::vector<std::int64_t>{1, 3}, 26, 0.03},
                                                    {std::vector<std::int64_t>{2, 2}, 24, 0.04}}) {
    const Array k = undersampled(s.kspace, factors, {.calibration = calibration});
    const auto r = grappa(k, {"x", "y"}, "coil");
    const double error = test::relative_gap(magnitude(ifft(r.kspace, {0, 1}, unitary)), full),
                 zero = test::relative_gap(magnitude(ifft(k, {0, 1}, unitary)), full);
    EXPECT_LT(error, limit) << factors[0] << factors[1];
    EXPECT_LT(error, 0.2 * zero);
    // What was measured is as it was.
    EXPECT_EQ(test::relative_gap(nd::apply(nd::Binary::multiply, r.kspace, sampled_mask(k, {"x", "y"})), k), 0);
    EXPECT_GE(r.calibration.extent(1), calibration);
    EXPECT_GT(r.kernels, 0);
  }
}

TEST(Grappa, NoiseFactorIsWhatNoiseDoes) {
  // The weights come from the calibration lines alone, so what noise on the other lines makes is linear in it.
  const Shape shape{24, 160};
  const auto s = scan(6, shape);
  const Array clean = undersampled(s.kspace, {1, 2}, {.calibration = 20});
  const auto r = grappa(clean, {"x", "y"}, "coil");
  ASSERT_FALSE(r.g.empty());
  Array outside = undersampling_mask({"x", "y"}, shape, {1, 2}).clone();
  for (std::int64_t i = 0; i < outside.size(); ++i)
    if (std::abs(i / 24 - 80) <= 10) outside.data<float>()[i] = 0;
  const Array maps = low_resolution_maps(clean, {"x", "y"}, "coil", {.calibration = 20, .threshold = 0});
  const auto p = test::complex_values(maps);
  const std::size_t voxels = 24 * 160;
  std::vector<double> variance(voxels, 0);
  const int repeats = 24;
  for (int n = 0; n < repeats; ++n) {
    const Array noise = nd::apply(
        nd::Binary::multiply, random(clean.shape(), clean.axes(), DType::c64, 50 + static_cast<unsigned>(n)), outside);
    const Array k = grappa(nd::apply(nd::Binary::add, clean, noise), {"x", "y"}, "coil", {.noise = false}).kspace;
    const auto v = test::complex_values(ifft(combination(1, k, -1, r.kspace), {0, 1}, unitary));
    for (std::size_t i = 0; i < voxels; ++i) {
      C sum;
      for (std::size_t c = 0; c < 6; ++c) sum += std::conj(p[i + voxels * c]) * v[i + voxels * c];
      variance[i] += std::norm(sum) / 2 / repeats;  // sd 1 in each part; the maps have norm 1
    }
  }
  // Of 80 lines of the lattice, 70 carry noise, and lines next to the calibration region are filled from it.
  double ratio = 0, mean = 0;
  for (std::size_t i = 0; i < voxels; ++i) {
    const double g = r.g.data<float>()[i];
    ratio += variance[i] / (g * g * 2 * 70 / 80) / static_cast<double>(voxels), mean += g / static_cast<double>(voxels);
  }
  EXPECT_NEAR(ratio, 1, 0.1);
  // Every second line is made of its neighbours, with weights that add little noise: 1.046. A mean much under 1 would
  // say that the fill smooths, which least squares with l2 of 1e-4 hardly does.
  EXPECT_GT(mean, 0.97);
  EXPECT_LT(mean, 2);
  // More acceleration, more noise.
  const auto three = grappa(undersampled(s.kspace, {1, 3}, {.calibration = 24}), {"x", "y"}, "coil");
  double of_three = 0;
  for (const float g : three.g.span<float>()) of_three += g / static_cast<double>(three.g.size());
  EXPECT_GT(of_three, mean);
}

TEST(Grappa, SaysWhatIsWrong) {
  const auto s = scan(8, {32, 36});
  EXPECT_THAT(error_of(Errc::range,
                       [&] {
                         grappa(s.kspace, {"x", "y"}, "coil");
                       }),
              HasSubstr("every sample was measured"));
  EXPECT_THAT(error_of(Errc::range,
                       [&] {
                         grappa(undersampled(s.kspace, {1, 2}, {.calibration = 4}), {"x", "y"}, "coil");
                       }),
              HasSubstr("equations for"));
  EXPECT_THAT(error_of(Errc::range,
                       [&] {
                         grappa(undersampled(s.kspace, {2, 2}, {.calibration = 8, .random = true}), {"x", "y"}, "coil");
                       }),
              HasSubstr("use recon.pics"));
  Array nan = undersampled(s.kspace, {1, 2}, {.calibration = 20});
  nan.data<std::complex<float>>()[32 * 18] = NAN;
  EXPECT_NE(error_of(Errc::range, [&] { grappa(nan, {"x", "y"}, "coil"); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { grappa(s.kspace, {"x"}, "coil"); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { grappa(s.kspace, {"x", "y"}, "coil", {.lines = 3}); }), "");
  EXPECT_THAT(error_of(Errc::range,
                       [&] {
                         grappa(random({8, 8, 2, 3}, {"x", "y", "coil", "z"}, DType::c64), {"x", "y"}, "coil");
                       }),
              HasSubstr("every sample was measured"));
}

TEST(Grappa, SlicesAreFilledOneByOne) {
  const auto s = scan(4, {32, 48});
  const Array one = undersampled(s.kspace, {1, 2}, {.calibration = 20}),
              other = undersampled(s.kspace, {1, 3}, {.calibration = 24}, 1);
  const Array both = nd::stack(std::vector{one, other}, "slice");
  const int order[] = {0, 3, 1, 2};  // (x, slice, y, coil)
  const auto r = grappa(both.permuted(order), {"x", "y"}, "coil");
  ASSERT_EQ(r.kspace.axes(), (Axes{"x", "slice", "y", "coil"}));
  ASSERT_EQ(r.g.axes(), (Axes{"x", "y", "slice"}));
  EXPECT_EQ(r.calibration.extent(r.calibration.axis("slice")), 2);
  for (std::int64_t i = 0; i < 2; ++i) {
    const auto alone = grappa(i == 0 ? one : other, {"x", "y"}, "coil");
    EXPECT_EQ(test::relative_gap(r.kspace.slice(1, i), alone.kspace), 0);
    EXPECT_EQ(test::relative_gap(r.g.slice(2, i), alone.g), 0);
  }
  // The slice that is wrong is named.
  const Array bad = nd::stack(std::vector{one, s.kspace}, "slice");
  try {
    grappa(bad, {"x", "y"}, "coil");
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.where(), ElementsAre("slice 1"));
  }
}

TEST(Pocs, KeepsTheDataAndIsNearerThanZeroFilling) {
  const Shape shape{64, 48};
  const Array object = sim::raster(sim::shepp_logan(), shape, 2);
  // A phase that changes slowly, as the low-resolution image can know it.
  Array phase(DType::c64, shape);
  for (int y = 0; y < 48; ++y)
    for (int x = 0; x < 64; ++x)
      phase.data<std::complex<float>>()[x + 64 * y] =
          std::polar(1.0f, 0.5f + 0.02f * static_cast<float>(x) - 0.0008f * static_cast<float>(y * y));
  const Array truth = nd::apply(nd::Binary::multiply, phase, object);
  const Array full = fft(truth, {0, 1}, unitary);
  const Sampled part{64, 22, 64};
  Array k = full.clone();
  for (int y = 0; y < 48; ++y)
    for (int x = 0; x < 22; ++x) k.data<std::complex<float>>()[x + 64 * y] = 0;
  const int axes[] = {0, 1};
  const auto r = pocs(k, 0, axes, part, {.iterations = 30, .tolerance = 0});
  const double error = test::relative_gap(magnitude(r.image), magnitude(truth)),
               zero = test::relative_gap(magnitude(ifft(k, {0, 1}, unitary)), magnitude(truth));
  EXPECT_LT(error, 0.5 * zero) << error << " " << zero;
  EXPECT_LT(r.change.back(), 0.1 * r.change.front());
  const Array back = fft(r.image, {0, 1}, unitary);
  EXPECT_LT(test::relative_gap(back.range(0, 22, 64), full.range(0, 22, 64)), 1e-5);
  // Everything measured: the image.
  EXPECT_LT(test::relative_gap(pocs(full, 0, axes, {64, 0, 64}).image, truth), 1e-5);
  EXPECT_NE(error_of(Errc::range, [&] { pocs(k, 0, axes, part, {.iterations = 0}); }), "");
  EXPECT_NE(error_of(Errc::shape, [&] { pocs(k, 1, axes, part); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { pocs(k, 0, axes, {64, 31, 64}); }), "");
}

}  // namespace
}  // namespace larmor::recon
