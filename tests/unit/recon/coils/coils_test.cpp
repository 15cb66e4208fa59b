// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <larmor/core/fft.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/recon/coil_combine.hpp>
#include <larmor/recon/coils/calibration.hpp>
#include <larmor/recon/coils/compress.hpp>
#include <larmor/recon/coils/noise.hpp>
#include <larmor/sim/coils.hpp>
#include <larmor/sim/phantom.hpp>

#include "../support.hpp"

namespace larmor::recon {
namespace {

using test::C;
using test::error_of;
using test::random;
using testing::HasSubstr;

struct Scan {
  Array object, maps, images, kspace;  // maps of norm 1 over the coils
};
Scan scan(int coils = 6, Shape shape = {64, 48}) {
  Scan s;
  s.object = sim::raster(sim::shepp_logan(), shape, 2);
  s.maps = sim::coil_sensitivities({.n_coils = coils}, shape).with_axes({"x", "y", "coil"});
  const int axis = 2;
  s.maps = nd::apply(nd::Binary::divide, s.maps, nd::reduce(nd::Reduction::norm, s.maps, std::span(&axis, 1)));
  s.images = nd::apply(nd::Binary::multiply, s.maps, s.object);
  s.kspace = fft(s.images, {0, 1}, {.norm = FftNorm::unitary, .centred = true});
  return s;
}

// 1 - |<a, b>| / (|a| |b|) over the coils, the largest and mean over voxels where `inside` is not 0.
struct Misfit {
  double largest = 0, mean = 0;
};
Misfit misfit(const Array& a, const Array& b, const Array& inside) {
  const auto u = test::complex_values(a), v = test::complex_values(b), in = test::complex_values(inside);
  const std::size_t n = in.size(), coils = u.size() / n;
  Misfit out;
  double count = 0;
  for (std::size_t i = 0; i < n; ++i) {
    if (std::abs(in[i]) < 0.05) continue;
    C ab;
    double aa = 0, bb = 0;
    for (std::size_t c = 0; c < coils; ++c)
      ab += std::conj(u[i + n * c]) * v[i + n * c], aa += std::norm(u[i + n * c]), bb += std::norm(v[i + n * c]);
    const double gap = aa > 0 && bb > 0 ? 1 - std::abs(ab) / std::sqrt(aa * bb) : 1;
    out.largest = std::max(out.largest, gap), out.mean += gap, count += 1;
  }
  out.mean /= count;
  return out;
}

TEST(Noise, WhitenedNoiseIsWhite) {
  // Correlated noise made by a known mixture: its covariance is the mixture's.
  const int n = 20000;
  const Array white = random({n, 3}, {"sample", "coil"}, DType::c64, 4);
  Matrix mix(3, 3);
  mix(0, 0) = 1, mix(1, 0) = C(0.4, 0.3), mix(1, 1) = 2, mix(2, 1) = C(0, -0.5), mix(2, 2) = 0.7;
  const Array noise = mix_coils(white, 1, mix);
  const Matrix covariance = noise_covariance(noise, 1);
  const Matrix truth = product(mix, conjugate_transpose(mix));
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t b = 0; b < 3; ++b)  // sd 1 in each part: twice the variance; 5 standard errors of 20000 samples
      EXPECT_LT(std::abs(covariance(a, b) - 2.0 * truth(a, b)), 5 * 2 * 5 / std::sqrt(n)) << a << b;
  const Matrix after = noise_covariance(mix_coils(noise, 1, whitening(covariance)), 1);
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t b = 0; b < 3; ++b) EXPECT_NEAR(std::abs(after(a, b) - (a == b ? 1.0 : 0.0)), 0, 1e-5);  // f32
}

TEST(Noise, SaysWhatIsWrong) {
  EXPECT_THAT(error_of(Errc::range,
                       [] {
                         noise_covariance(random({3, 4}, {"s", "coil"}), 1);
                       }),
              HasSubstr("3 samples of noise for 4 coils"));
  Array twice = random({50, 2}, {"s", "coil"});
  for (int i = 0; i < 50; ++i) twice.data<C>()[50 + i] = twice.data<C>()[i] * 3.0;
  EXPECT_NE(error_of(Errc::numeric, [&] { whitening(noise_covariance(twice, 1)); }), "");
  for (int i = 0; i < 50; ++i) twice.data<C>()[50 + i] = 0;
  EXPECT_THAT(error_of(Errc::numeric, [&] { whitening(noise_covariance(twice, 1)); }), HasSubstr("coil 1"));
  EXPECT_THAT(error_of(Errc::shape,
                       [] {
                         mix_coils(random({5, 2}, {"s", "coil"}), 1, Matrix(3, 3));
                       }),
              HasSubstr("3 x 3 for 2 coils"));
  EXPECT_NE(error_of(Errc::type, [] { noise_covariance(Array(DType::f32, {9, 2}), 1); }), "");
}

TEST(Compression, KeepsAllThatFewCoilsHold) {
  // Eight coils that are mixtures of three: three virtual ones are enough.
  const auto s = scan(3);
  Matrix mix(8, 3);
  const Array numbers = random({8, 3}, {"r", "c"}, DType::c128, 9);
  std::copy(numbers.data<C>(), numbers.data<C>() + 24, mix.data.begin());
  const Array eight = mix_coils(s.kspace, 2, mix);
  const auto svd = svd_compression(eight, 2, 3);
  ASSERT_EQ(svd.energy.size(), 8u);
  EXPECT_NEAR(svd.energy[2], 1, 1e-9);
  EXPECT_LT(svd.energy[0], 0.99999);
  // Rows are orthonormal, so the energy is that of before.
  const Array three = mix_coils(eight, 2, svd.matrix);
  EXPECT_EQ(three.extent(2), 3);
  EXPECT_NEAR(norm(three), norm(eight), 1e-5 * norm(eight));
  const auto geometric = geometric_compression(eight, 2, 0, 3);
  EXPECT_NEAR(geometric.energy, 1, 1e-9);
  EXPECT_NEAR(norm(geometric.kspace), norm(eight), 1e-5 * norm(eight));
  // The root of the sum of squares of the images knows nothing of the mixture within 3 dimensions.
  const auto rss = [](const Array& k) {
    return root_sum_of_squares(ifft(k, {0, 1}, {.norm = FftNorm::unitary, .centred = true}), 2);
  };
  EXPECT_LT(test::relative_gap(rss(geometric.kspace), rss(eight)), 1e-5);
  EXPECT_THAT(error_of(Errc::range, [&] { svd_compression(eight, 2, 9); }), HasSubstr("9 virtual coils of 8"));
  EXPECT_NE(error_of(Errc::range, [&] { geometric_compression(eight, 2, 2, 3); }), "");
}

TEST(Compression, GeometricKeepsMoreWithFewer) {
  const auto s = scan(12);
  for (const int n : {3, 4, 5})
    EXPECT_GE(geometric_compression(s.kspace, 2, 0, n).energy,
              svd_compression(s.kspace, 2, n).energy[static_cast<std::size_t>(n - 1)] - 1e-9);
  // Neighbours agree: the compressed coils' images are as smooth along x as the object lets them be.
  const Array k = geometric_compression(s.kspace, 2, 0, 4).kspace;
  EXPECT_EQ(k.extent(2), 4);
}

TEST(Espirit, FindsTheSensitivities) {
  const auto s = scan();
  const auto e = espirit(s.kspace, {"x", "y"}, "coil");
  EXPECT_THAT(e.maps.axes(), testing::ElementsAre("x", "y", "coil"));
  EXPECT_THAT(e.eigenvalues.shape(), testing::ElementsAre(64, 48));
  const auto m = misfit(e.maps, s.maps, s.object);
  EXPECT_LT(m.mean, 1e-3);  // measured 5e-5: 24 of 64 samples do not hold the sharp edges of the object
  EXPECT_LT(m.largest, 0.05);
  // Norm 1 or 0; eigenvalues near 1 inside, never above.
  const auto maps = test::complex_values(e.maps), values = test::complex_values(e.eigenvalues),
             object = test::complex_values(s.object);
  for (std::size_t i = 0; i < values.size(); ++i) {
    double square = 0;
    for (std::size_t c = 0; c < 6; ++c) square += std::norm(maps[i + values.size() * c]);
    if (values[i].real() >= 0.8)
      ASSERT_NEAR(square, 1, 1e-5);
    else
      ASSERT_EQ(square, 0);
    ASSERT_LT(values[i].real(), 1.001);
    if (object[i].real() > 0.05) {
      ASSERT_GT(values[i].real(), 0.95);
    }
  }
}

TEST(Espirit, IsThatOfEachSliceAndInThreeDimensions) {
  const auto s = scan(4, {32, 32});
  // The same plane twice, as slices, in another order of axes.
  Array two(DType::c64, {32, 32, 4, 2}, {"x", "y", "coil", "z"});
  for (int z = 0; z < 2; ++z)
    std::copy(s.kspace.data<std::complex<float>>(), s.kspace.data<std::complex<float>>() + s.kspace.size(),
              two.data<std::complex<float>>() + z * s.kspace.size());
  const auto one = espirit(s.kspace, {"x", "y"}, "coil", {.calibration = 16}),
             both = espirit(two, {"x", "y"}, "coil", {.calibration = 16});
  EXPECT_THAT(both.maps.axes(), testing::ElementsAre("x", "y", "coil", "z"));
  for (int z = 0; z < 2; ++z) EXPECT_LT(test::relative_gap(both.maps.slice(3, z), one.maps), 1e-6);
  // A volume whose planes are alike has maps that are alike.
  const Shape shape{24, 20, 8};
  const Array object =
      sim::raster(std::vector<sim::Ellipsoid>{{1, {0.7, 0.8, 0.9}}, {0.5, {0.3, 0.2, 0.4}, {0.2, 0.1, 0.1}}}, shape, 2);
  Array maps = sim::coil_sensitivities({.n_coils = 4}, shape).with_axes({"x", "y", "z", "coil"});
  const Array k =
      fft(nd::apply(nd::Binary::multiply, maps, object), {0, 1, 2}, {.norm = FftNorm::unitary, .centred = true});
  const auto e = espirit(k, {"x", "y", "z"}, "coil", {.calibration = 12, .kernel = 4});
  EXPECT_LT(misfit(e.maps, maps, object).mean, 5e-3);
}

TEST(Espirit, TwoMapsWhereTheFieldOfViewFolds) {
  // Half the field of view along y: two voxels lie on one, and one set of sensitivities cannot explain both.
  const auto s = scan(8, {64, 64});
  Array folded(DType::c64, {64, 32, 8}, {"x", "y", "coil"});
  for (int c = 0; c < 8; ++c)
    for (int y = 0; y < 32; ++y)
      for (int x = 0; x < 64; ++x)
        folded.data<std::complex<float>>()[x + 64 * (y + 32 * c)] =
            s.kspace.data<std::complex<float>>()[x + 64 * (2 * y + 64 * c)];
  const auto e = espirit(folded, {"x", "y"}, "coil", {.calibration = 20, .maps = 2});
  ASSERT_THAT(e.maps.axes(), testing::ElementsAre("x", "y", "coil", "map"));
  // One set explains nearly all of the whole field of view, and not of the folded one.
  const auto whole = espirit(s.kspace, {"x", "y"}, "coil", {.calibration = 20, .maps = 2});
  const auto mean_of_second = [](const Array& values) {
    const Array v = values.slice(2, 1).contiguous_copy();
    double sum = 0;
    for (const float f : v.span<float>()) sum += static_cast<double>(f) / static_cast<double>(v.size());
    return sum;
  };
  EXPECT_GT(mean_of_second(e.eigenvalues), 1.5 * mean_of_second(whole.eigenvalues));
  // The two are orthogonal.
  const auto m = test::complex_values(e.maps);
  for (std::size_t i = 0; i < 2048; i += 7) {
    C ab;
    for (std::size_t c = 0; c < 8; ++c) ab += std::conj(m[i + 2048 * c]) * m[i + 2048 * (c + 8)];
    ASSERT_LT(std::abs(ab), 1e-3) << i;
  }
}

TEST(Espirit, CropsAndSaysWhatIsWrong) {
  const auto s = scan(4, {32, 32});
  const auto soft = espirit(s.kspace, {"x", "y"}, "coil", {.calibration = 16, .soft_crop = true});
  const auto m = test::complex_values(soft.maps), v = test::complex_values(soft.eigenvalues);
  for (std::size_t i = 0; i < v.size(); ++i) {
    double square = 0;
    for (std::size_t c = 0; c < 4; ++c) square += std::norm(m[i + v.size() * c]);
    if (v[i].real() > 0.9)
      ASSERT_NEAR(square, 1, 1e-5);
    else
      ASSERT_LT(square, 1 + 1e-5);
  }
  Array hole = s.kspace.clone();
  for (int c = 0; c < 4; ++c) hole.data<std::complex<float>>()[10 + 32 * (14 + 32 * c)] = 0;
  EXPECT_THAT(error_of(Errc::range, [&] { espirit(hole, {"x", "y"}, "coil"); }), HasSubstr("1 of the 576 samples"));
  hole.data<std::complex<float>>()[10 + 32 * 14] = NAN;
  EXPECT_NE(error_of(Errc::range, [&] { espirit(hole, {"x", "y"}, "coil"); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { espirit(s.kspace, {"x"}, "coil"); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { espirit(s.kspace, {"x", "y"}, "coil", {.kernel = 25}); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { espirit(s.kspace, {"x", "y"}, "coil", {.maps = 5}); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { espirit(s.kspace, {"x", "y"}, "coil", {.crop = 1}); }), "");
  EXPECT_NE(error_of(Errc::unknown_name, [&] { espirit(s.kspace, {"x", "z"}, "coil"); }), "");
}

TEST(Calibration, TheMiddleEndsBeforeWhatIsMissing) {
  using C = std::complex<float>;
  const auto without = [](std::int64_t x, std::int64_t y) {
    Array k(DType::c64, {12, 10, 2}, {"x", "y", "coil"});
    for (auto& v : k.span<C>()) v = 1;
    if (x >= 0) k.data<C>()[x + 12 * y] = k.data<C>()[x + 12 * (y + 10)] = 0;
    return measured_middle(k, {"x", "y"}, 24);
  };
  EXPECT_EQ(without(-1, 0), 24);
  EXPECT_EQ(without(9, 5), 6);    // 3 above the middle: samples 3 to 8 are left
  EXPECT_EQ(without(3, 5), 5);    // 3 below: 4 to 8
  EXPECT_EQ(without(6, 1), 7);    // 4 below along y
  EXPECT_EQ(without(11, 9), 10);  // the farther axis decides
  EXPECT_EQ(without(6, 5), 0);
}

TEST(LowResolutionMaps, AreNearTheSensitivities) {
  const auto s = scan();
  const Array maps = low_resolution_maps(s.kspace, {"x", "y"}, "coil");
  EXPECT_EQ(maps.axes(), s.kspace.axes());
  EXPECT_LT(misfit(maps, s.maps, s.object).mean, 0.01);
  const auto e = espirit(s.kspace, {"x", "y"}, "coil");
  EXPECT_LT(misfit(e.maps, s.maps, s.object).mean, misfit(maps, s.maps, s.object).mean);
  EXPECT_NE(error_of(Errc::range, [&] { low_resolution_maps(s.kspace, {"x"}, "coil", {.threshold = 1}); }), "");
}

TEST(Adaptive, PhaseOfTheBlockIsSmoothWhereACoilReceivesNothing) {
  // Coil 0 is the strongest and has a zero with a winding phase in the middle; coil 1 sees everything alike.
  const int n = 32;
  Array images(DType::c64, {n, n, 2}, {"x", "y", "coil"});
  auto* d = images.data<std::complex<float>>();
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) {
      d[x + n * y] = {0.3f * (static_cast<float>(x) - 15.5f), 0.3f * (static_cast<float>(y) - 15.5f)};
      d[x + n * y + n * n] = 1;
    }
  const auto jump = [&](AdaptivePhase phase) {  // largest turn of coil 1's map between neighbours near the middle
    const auto m = test::complex_values(combine_adaptive(images, 2, {.block = 5, .phase = phase}).sensitivities);
    double most = 0;
    for (std::size_t y = 12; y < 20; ++y)
      for (std::size_t x = 12; x < 19; ++x)
        most = std::max(most, std::abs(std::arg(m[1024 + x + 32 * y] * std::conj(m[1024 + x + 1 + 32 * y]))));
    return most;
  };
  EXPECT_GT(jump(AdaptivePhase::strongest_coil), 1.0);
  EXPECT_LT(jump(AdaptivePhase::block_mean), 0.5);
  // The magnitude is the same.
  const auto a = combine_adaptive(images, 2, {.phase = AdaptivePhase::strongest_coil}).image,
             b = combine_adaptive(images, 2, {.phase = AdaptivePhase::block_mean}).image;
  EXPECT_LT(test::relative_gap(nd::apply(nd::Unary::abs, b), nd::apply(nd::Unary::abs, a)), 1e-5);
}

}  // namespace
}  // namespace larmor::recon
