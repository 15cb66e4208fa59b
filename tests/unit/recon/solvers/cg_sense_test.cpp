// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cstdio>
#include <larmor/core/fft.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/recon/coil_combine.hpp>
#include <larmor/recon/operators/nufft_op.hpp>
#include <larmor/recon/parallel/sense.hpp>
#include <larmor/recon/solvers/pics.hpp>
#include <larmor/sim/harmonic_coils.hpp>
#include <numbers>

#include "../support.hpp"

namespace larmor::recon {
namespace {

using test::C;
using test::error_of;
using test::random;
using testing::HasSubstr;

constexpr std::int64_t matrix = 96;

Trajectory trajectory(Array k) { return {.k = std::move(k), .matrix = {matrix, matrix}}; }

Trajectory radial(int spokes, int samples = 192) {
  Array k(DType::f64, {samples, spokes, 2}, {"sample", "arm", "d"});
  for (int a = 0; a < spokes; ++a)
    for (int s = 0; s < samples; ++s) {
      const double r = (s - samples / 2) * static_cast<double>(matrix) / samples, angle = std::numbers::pi * a / spokes;
      k.data<double>()[s + samples * a] = r * std::cos(angle);
      k.data<double>()[s + samples * (a + spokes)] = r * std::sin(angle);
    }
  return trajectory(k);
}
// Archimedean, so many turns an arm that all arms together have one turn a cycle/FOV.
Trajectory spiral(int arms, int of, int samples = 700) {
  Array k(DType::f64, {samples, arms, 2}, {"sample", "arm", "d"});
  for (int a = 0; a < arms; ++a)
    for (int s = 0; s < samples; ++s) {
      const double r = static_cast<double>(matrix) / 2 * std::sqrt(static_cast<double>(s) / samples);
      const double angle = 2 * std::numbers::pi * (r / of + static_cast<double>(a) / arms);
      k.data<double>()[s + samples * a] = r * std::cos(angle);
      k.data<double>()[s + samples * (a + arms)] = r * std::sin(angle);
    }
  return trajectory(k);
}
// All of the grid, as a trajectory: what an unitary transform of it gives is the truth at this resolution.
Trajectory grid() {
  Array k(DType::f64, {matrix, matrix, 2}, {"sample", "arm", "d"});
  for (std::int64_t i = 0; i < matrix * matrix; ++i) {
    k.data<double>()[i] = static_cast<double>(i % matrix - matrix / 2);
    k.data<double>()[i + matrix * matrix] = static_cast<double>(i / matrix - matrix / 2);
  }
  return trajectory(k);
}

const FftOptions unitary{.norm = FftNorm::unitary, .centred = true};

// Samples of radial and spiral trajectories lie in a disc; the corners of the grid hold sharp detail, too.
Array in_disc(const Array& image) {
  Array k = fft(image.cast(DType::c64).with_axes({"x", "y"}), {0, 1}, unitary).contiguous_copy();
  for (std::int64_t i = 0; i < k.size(); ++i)
    if (std::hypot(static_cast<double>(i % matrix - matrix / 2), static_cast<double>(i / matrix - matrix / 2)) >
        matrix / 2 - 2)
      k.data<std::complex<float>>()[i] = 0;
  return ifft(k, {0, 1}, unitary);
}

TEST(NufftOp, IsAdjointAndOnAGridTheFourierTransform) {
  const Op A = nufft_op(Nufft(radial(20, 60), {matrix, matrix + 4}, {.tolerance = 1e-3}), {3}, {"coil"});
  EXPECT_LT(adjoint_gap(*A), 1e-6);
  const Op G = nufft_op(Nufft(grid(), {}, {.tolerance = 1e-5}));
  const Array x = random({matrix, matrix}, {"x", "y"}, DType::c64);
  EXPECT_LT(test::relative_gap(G->forward(x).with_axes({"x", "y"}), fft(x, {0, 1}, unitary)), 2e-5);
}

TEST(HarmonicCoils, SamplesAreWhatASumOverAFineImageGives) {
  // A broad ellipse, sampled finely: the sum over voxels comes to the integral but for the edge of the ellipse.
  const std::vector<sim::Ellipsoid> object{{1, {0.5, 0.35}, {0.1, -0.2}, 0.4}};
  const sim::HarmonicCoils coils{.n_coils = 3};
  Array k(DType::f64, {5, 2}, {"sample", "d"});
  const double at[] = {0, 1.3, -2.2, 3.5, 0.4, 0, -0.7, 1.9, 2.5, -3.1};
  std::copy(at, at + 10, k.data<double>());
  const Trajectory traj{.k = k, .matrix = {8, 8}};
  const auto got = test::complex_values(sim::harmonic_samples(object, coils, traj));
  const std::int64_t n = 256;
  const auto image = test::complex_values(sim::raster(object, {n, n}, 4)),
             maps = test::complex_values(sim::harmonic_sensitivities(coils, {n, n}));
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t s = 0; s < 5; ++s) {
      C sum;
      for (std::int64_t i = 0; i < n * n; ++i) {
        const double x = static_cast<double>(i % n - n / 2) / n, y = static_cast<double>(i / n - n / 2) / n;
        const auto v = static_cast<std::size_t>(i);
        sum += image[v] * maps[v + image.size() * c] *
               std::polar(1.0, -2 * std::numbers::pi * (at[s] * x + at[s + 5] * y));
      }
      // A mean over voxels, times sqrt(8 x 8) voxels. Voxels' means shift intensity by part of a voxel of 1/256.
      EXPECT_LT(std::abs(got[s + 5 * c] - sum / double(n * n) * 8.0), 5e-3) << c << s;
    }
}

// Radial and spiral data of eight coils, three times undersampled, by CG-SENSE: against the truth.
TEST(CgSense, RadialAndSpiralAgainstTheTruth) {
  const sim::HarmonicCoils coils;
  const auto object = sim::shepp_logan();
  const Array maps = sim::harmonic_sensitivities(coils, {matrix, matrix});
  const Array exact = sim::raster(object, {matrix, matrix}, 4);
  // The truth at the resolution of the samples: full Cartesian sampling, combined.
  const Array full = ifft(sim::harmonic_samples(object, coils, grid()).with_axes({"x", "y", "coil"}), {0, 1}, unitary);
  const Array truth = combine(full, maps, "coil");
  const double limit = test::relative_gap(nd::apply(nd::Unary::abs, truth), exact);
  std::printf("matrix %d, full Cartesian against the voxels' means: NRMSE %.4f (ringing)\n", int(matrix), limit);
  for (const auto& [name, traj] :
       {std::pair{"radial, 50 of 151 spokes", radial(50)}, {"spiral, 8 of 24 arms", spiral(8, 24)}}) {
    const Array y = sim::harmonic_samples(object, coils, traj);
    const auto E = trajectory_sense_op(traj, maps, "coil");
    const auto r = pics(*E.op, arranged(y, E.op->range(), "samples"), {"x", "y"}, {.iterations = 40, .tolerance = 0});
    const Array zero = pics(*E.op, arranged(y, E.op->range(), "samples"), {"x", "y"}, {.iterations = 1}).x;
    const double error = test::relative_gap(in_disc(r.x), in_disc(truth)),
                 to_exact = test::relative_gap(nd::apply(nd::Unary::abs, r.x), exact);
    std::printf(
        "%s, 8 coils, 40 iterations: NRMSE %.4f to full sampling within the disc (%.4f with its corners), %.4f to the "
        "voxels' means; 1 iteration %.4f\n",
        name, error, test::relative_gap(r.x, truth), to_exact, test::relative_gap(in_disc(zero), in_disc(truth)));
    // Measured 0.033 and 0.023: the edges of the disc are the last to converge.
    EXPECT_LT(error, 0.05) << name;
    EXPECT_LT(to_exact, 1.35 * limit) << name;
    EXPECT_LT(error, 0.15 * test::relative_gap(in_disc(zero), in_disc(truth))) << name;
    for (std::size_t i = 1; i < r.cost.size(); ++i) ASSERT_LE(r.cost[i], r.cost[i - 1] * (1 + 1e-5));
  }
}

TEST(CgSense, PreconditionersSaveIterations) {
  const sim::HarmonicCoils coils;
  const auto traj = radial(64);
  const Array maps = sim::harmonic_sensitivities(coils, {matrix, matrix});
  const Array y = sim::harmonic_samples(sim::shepp_logan(), coils, traj);
  const auto E = trajectory_sense_op(traj, maps, "coil");
  const Array data = arranged(y, E.op->range(), "samples");
  const Array best = pics(*E.op, data, {"x", "y"}, {.iterations = 150, .tolerance = 0, .l2 = 1e-3}).x;
  const auto gap_after = [&](int n, const TrajectorySense& sense, const Array& d, bool circulant) {
    return test::relative_gap(pics(*sense.op, d, {"x", "y"}, {.iterations = n, .tolerance = 0, .l2 = 1e-3},
                                   circulant ? sense.preconditioner : Preconditioner{})
                                  .x,
                              best);
  };
  const double plain = gap_after(8, E, data, false), circulant = gap_after(8, E, data, true);
  std::printf("after 8 iterations, gap to the answer: plain %.4f, circulant %.4f\n", plain, circulant);
  EXPECT_LT(circulant, 0.2 * plain);  // measured 0.06
  // Ramp density weights: another answer by a little, and in few iterations near to the plain one.
  Array ramp(DType::f32, traj.sample_shape(), traj.sample_axes());
  for (std::int64_t i = 0; i < ramp.size(); ++i)
    ramp.data<float>()[i] =
        static_cast<float>(std::abs(i % 192 - 96) + 0.25) * static_cast<float>(std::numbers::pi / 64 / 4);
  const auto W = trajectory_sense_op(traj, maps, "coil", ramp);
  const Array weighted = nd::apply(nd::Binary::multiply, data, W.root);
  EXPECT_LT(gap_after(8, W, weighted, false), plain);
}

TEST(CgSense, SaysWhatIsWrong) {
  const auto traj = radial(10, 40);
  const Array maps = sim::harmonic_sensitivities({.n_coils = 2}, {matrix, matrix});
  const auto E = trajectory_sense_op(traj, maps, "coil");
  EXPECT_THAT(
      error_of(Errc::shape,
               [&] {
                 arranged(random({40, 9, 2}, {"sample", "arm", "coil"}, DType::c64), E.op->range(), "samples");
               }),
      HasSubstr("samples: c64 (40 sample, 9 arm, 2 coil) on cpu where c64 (40 sample, 10 arm, 2 coil) is needed"));
  EXPECT_NE(
      error_of(Errc::shape,
               [&] {
                 arranged(random({40, 10, 2, 3}, {"sample", "arm", "coil", "t"}, DType::c64), E.op->range(), "samples");
               }),
      "");
  Array nan = random({40, 10, 2}, {"sample", "arm", "coil"}, DType::c64);
  nan.data<std::complex<float>>()[45] = NAN;
  EXPECT_THAT(error_of(Errc::range, [&] { pics(*E.op, nan, {"x", "y"}); }), HasSubstr("sample 5, arm 1, coil 0"));
  Array negative(DType::f32, {40, 10}, {"sample", "arm"});
  negative.data<float>()[3] = -1;
  EXPECT_NE(error_of(Errc::range, [&] { trajectory_sense_op(traj, maps, "coil", negative); }), "");
  EXPECT_NE(error_of(Errc::shape, [&] { trajectory_sense_op(traj, maps.with_axes({"y", "x", "coil"}), "coil"); }), "");
  EXPECT_NE(error_of(Errc::range, [&] { sim::harmonic_sensitivities({.n_coils = 0}, {8, 8}); }), "");
  EXPECT_NE(error_of(Errc::shape, [&] { sim::harmonic_samples(sim::shepp_logan(), {}, {.k = traj.k}); }), "");
}

}  // namespace
}  // namespace larmor::recon
