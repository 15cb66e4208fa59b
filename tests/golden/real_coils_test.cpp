// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/io/cfl.hpp>
#include <larmor/io/npy.hpp>
#include <larmor/recon/coil_combine.hpp>
#include <larmor/recon/coils/calibration.hpp>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/parallel/grappa.hpp>
#include <larmor/recon/parallel/sense.hpp>
#include <larmor/recon/solvers/pics.hpp>

/// Measured k-space: a phantom of twelve coils that was sampled in full (gpilab/examples), three times undersampled
/// after the fact, and a brain of eight coils that was measured with an eighth of the samples (mrirecon/bart-workshop).
namespace larmor {
namespace {

std::filesystem::path data(const char* name) {
  const char* folder = std::getenv("LARMOR_TEST_DATA");
  return std::filesystem::path(folder ? folder : LARMOR_SOURCE_DIR "/../shared/data") / "kspace" / name;
}

double nrmse(const Array& a, const Array& truth) {
  const Array x = a.cast(DType::c128).contiguous_copy(), y = truth.cast(DType::c128).contiguous_copy();
  return recon::norm(recon::combination(1, x, -1, y)) / recon::norm(y);
}
Array undersampled(const Array& k, const char* axis, std::int64_t factor, const recon::MaskOptions& o = {}) {
  return nd::apply(nd::Binary::multiply, k, recon::undersampling_mask({axis}, {k.extent(k.axis(axis))}, {factor}, o));
}
const FftOptions unitary{.norm = FftNorm::unitary, .centred = true};

// Root of the mean square of noise over the combined image: from the corners, where there is no object.
double noise_part(const Array& image) {
  const Array c = image.cast(DType::c128).contiguous_copy();
  const std::int64_t nx = c.extent(0), ny = c.extent(1);
  double noise = 0, all = 0, n = 0;
  for (std::int64_t y = 0; y < ny; ++y)
    for (std::int64_t x = 0; x < nx; ++x) {
      const double v = std::norm(c.data<std::complex<double>>()[x + nx * y]);
      all += v;
      if ((x < 8 || x >= nx - 8) && (y < 8 || y >= ny - 8)) noise += v, n += 1;
    }
  return std::sqrt(noise / n * static_cast<double>(nx * ny) / all);
}

TEST(RealCoils, PhantomThreeTimesUndersampled) {
  const auto path = data("FFE_MS.npy");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set LARMOR_TEST_DATA)";
  const Array all = io::read_npy(path).with_axes({"coil", "z", "y", "x"});
  for (std::int64_t slice = 0; slice < 3; ++slice) {
    const int order[] = {2, 1, 0};
    const Array k = all.slice(1, slice).permuted(order).contiguous_copy();  // (x, y, coil)
    // Without a crop: the combination of all samples is over the whole field of view.
    const auto e = recon::espirit(k, {"x", "y"}, "coil", {.crop = 0});
    const Array images = ifft(k, {0, 1}, unitary);
    const Array full = recon::combine(images, e.maps, "coil");
    const double explained = nrmse(nd::apply(nd::Binary::multiply, e.maps, full), images);
    const auto s = recon::sense(undersampled(k, "x", 3), e.maps, {"x", "y"}, "coil");
    const double error = nrmse(s.image, full);
    double mean = 0, most = 0;
    for (const float g : s.g.span<float>())
      mean += static_cast<double>(g), most = std::max(most, static_cast<double>(g));
    mean /= static_cast<double>(s.g.size());
    const auto rss = [&](const Array& a) { return recon::root_sum_of_squares(ifft(a, {0, 1}, unitary), 2); };
    const auto g = recon::grappa(undersampled(k, "x", 3, {.calibration = 24}), {"x", "y"}, "coil");
    const double by_grappa = nrmse(rss(g.kspace), rss(k));
    const Array folded = recon::combine(ifft(undersampled(k, "x", 3), {0, 1}, unitary), e.maps, "coil");
    const Array three = Array::from<float>(std::vector<float>{3}, {}, {});
    const double without = nrmse(nd::apply(nd::Binary::multiply, folded, three), full);
    std::printf(
        "phantom, slice %d: noise %.4f of the image; maps leave %.4f; R = 3: SENSE NRMSE %.4f (g mean %.2f, largest "
        "%.2f), "
        "GRAPPA %.4f, folded %.2f\n",
        static_cast<int>(slice), noise_part(full), explained, error, mean, most, by_grappa, without);
    // The first slice is a few small vials, from which coils are known at few places only. What is measured, and about
    // a third: the same equations in NumPy on sensitivities of BART's ecalib leave 0.228, 0.043 and 0.041.
    EXPECT_LT(explained, slice == 0 ? 0.13 : 0.045);
    EXPECT_LT(error, slice == 0 ? 0.31 : 0.06);
    EXPECT_LT(by_grappa, slice == 0 ? 0.31 : 0.06);
    EXPECT_GT(without, 4 * error);
    EXPECT_GE(mean, 1);
  }
}

TEST(RealCoils, BrainOfAnEighthOfTheSamples) {
  const auto path = data("brain.cfl");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << " (set LARMOR_TEST_DATA)";
  const Array file = io::read_cfl(path);  // x is one element: the plane is y, z
  const Array k = file.slice(file.axis("x"), 0).contiguous_copy().with_axes({"x", "y", "coil"});
  const Array mask = recon::sampled_mask(k, {"x", "y"});
  const auto e = recon::espirit(k, {"x", "y"}, "coil", {.calibration = 20});
  // Every tenth sample outside the calibration region is held out, and then predicted.
  Array used(DType::f32, mask.shape(), mask.axes()), held(DType::f32, mask.shape(), mask.axes());
  double n = 0, counted = 0;
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    if (!mask.data<bool>()[i]) continue;
    const bool middle = std::abs(i % 180 - 90) <= 10 && std::abs(i / 180 - 115) <= 10;
    const bool out = !middle && static_cast<std::int64_t>(n) % 10 == 9;
    n += 1, counted += out;
    (out ? held : used).data<float>()[i] = 1;
  }
  const auto A = recon::cartesian_sense_op(e.maps, {"x", "y"}, "coil", used);
  const auto predict = recon::cartesian_sense_op(e.maps, {"x", "y"}, "coil", held);
  const Array y = nd::apply(nd::Binary::multiply, k, used), truth = nd::apply(nd::Binary::multiply, k, held);
  const auto score = [&](const recon::PicsOptions& o) {
    return nrmse(predict->forward(recon::pics(*A, y, {"x", "y"}, o).x), truth);
  };
  const double nothing = 1, zero = nrmse(predict->forward(recon::pics(*A, y, {"x", "y"}, {.iterations = 1}).x), truth);
  const double cg = score({.iterations = 30, .l2 = 0.01});
  const double wavelet = score({.solver = recon::Solver::fista, .iterations = 60, .wavelet = 2e-3});
  const double tv = score({.solver = recon::Solver::admm, .iterations = 40, .tv = 1e-3});
  std::printf(
      "brain, %.1f %% of the samples; %d held out and predicted: one step %.3f, CG %.3f, wavelets %.3f, total "
      "variation %.3f\n",
      100 * n / static_cast<double>(mask.size()), static_cast<int>(counted), zero, cg, wavelet, tv);
  EXPECT_LT(cg, 0.9 * nothing);
  EXPECT_LT(wavelet, cg);
  EXPECT_LT(tv, cg);
  // What a regular acceleration of three would cost with these coils.
  Array some(DType::c64, k.shape(), k.axes());
  for (auto& v : some.span<std::complex<float>>()) v = 1;
  const auto s = recon::sense(undersampled(some, "x", 3), e.maps, {"x", "y"}, "coil");
  double mean = 0, inside = 0, most = 0;
  for (const float g : s.g.span<float>())
    if (g > 0) mean += static_cast<double>(g), inside += 1, most = std::max(most, static_cast<double>(g));
  std::printf("brain: g of R = 3 along x: mean %.2f, largest %.2f, inside %.1f %% of the image\n", mean / inside, most,
              100 * inside / static_cast<double>(s.g.size()));
  EXPECT_LT(mean / inside, 2.5);
  EXPECT_GT(inside / static_cast<double>(s.g.size()), 0.4);
}

}  // namespace
}  // namespace larmor
