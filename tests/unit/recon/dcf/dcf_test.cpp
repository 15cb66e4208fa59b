// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <string.h>

#include <cmath>
#include <complex>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/dcf/dcf.hpp>
#include <larmor/recon/nufft/nudft.hpp>
#include <numeric>
#include <random>

namespace larmor::recon {
namespace {

Trajectory of(std::int64_t samples, std::int64_t arms, std::vector<std::int64_t> matrix, const auto& position) {
  const auto dims = static_cast<std::int64_t>(matrix.size());
  Array k = Array::of<double>({samples, arms, dims}, {"sample", "arm", "d"});
  for (std::int64_t a = 0; a < arms; ++a)
    for (std::int64_t s = 0; s < samples; ++s) {
      const std::array<double, 3> at = position(s, a);
      for (std::int64_t d = 0; d < dims; ++d)
        k.data<double>()[s + samples * (a + arms * d)] = at[static_cast<std::size_t>(d)];
    }
  return {.k = k, .matrix = std::move(matrix)};
}
Trajectory cartesian(std::int64_t n) {
  return of(n, n, {n, n}, [&](auto x, auto y) { return std::array{double(x - n / 2), double(y - n / 2), 0.0}; });
}
/// Archimedean spirals, one cycle/FOV apart, that turn at a constant rate: dense in the middle.
Trajectory spiral(std::int64_t samples, std::int64_t arms, std::int64_t n) {
  return of(samples, arms, {n, n}, [&](auto s, auto a) {
    const double r = double(s) / double(samples - 1) * double(n) / 2;
    const double angle = 2 * M_PI * (r / double(arms) + double(a) / double(arms));
    return std::array{r * std::cos(angle), r * std::sin(angle), 0.0};
  });
}
/// Full spokes through the middle.
Trajectory radial(std::int64_t samples, std::int64_t spokes, std::int64_t n) {
  return of(samples, spokes, {n, n}, [&](auto s, auto a) {
    const double r = (double(s) / double(samples - 1) - 0.5) * double(n), angle = M_PI * double(a) / double(spokes);
    return std::array{r * std::cos(angle), r * std::sin(angle), 0.0};
  });
}
Trajectory kooshball(std::int64_t samples, std::int64_t spokes, std::int64_t n) {
  return of(samples, spokes, {n, n, n}, [&](auto s, auto a) {
    const double r = (double(s) / double(samples - 1) - 0.5) * double(n), z = 1 - (2 * double(a) + 1) / double(spokes);
    const double q = std::sqrt(1 - z * z), angle = 2.399963229728653 * double(a);
    return std::array{r * q * std::cos(angle), r * q * std::sin(angle), r * z};
  });
}

double sum(const Array& w) { return std::accumulate(w.span<float>().begin(), w.span<float>().end(), 0.0); }

/// Root mean square of the difference between the image of a small off-centre disc and the disc as its covered k-space
/// gives it on a Cartesian grid.
double image_error(const Trajectory& traj, const Array& w) {
  const std::int64_t n = traj.matrix[0];
  // A Gaussian: its k-space is a Gaussian, gone well before the edge, so the exact image is known.
  const double width = 0.06, x0 = 0.15, y0 = -0.1;
  const Array k = traj.k.cast(DType::f64);
  Array s = Array::of<std::complex<double>>(traj.sample_shape(), traj.sample_axes());
  for (std::int64_t j = 0; j < traj.size(); ++j) {
    const double kx = k.data<double>()[j], ky = k.data<double>()[j + traj.size()];
    s.data<std::complex<double>>()[j] = std::exp(-M_PI * M_PI * width * width * (kx * kx + ky * ky)) *
                                        std::polar(1.0, -2 * M_PI * (kx * x0 + ky * y0)) * (M_PI * width * width);
  }
  const Array image = nudft_adjoint(traj, {n, n}, s, w);
  double dd = 0, qq = 0;
  for (std::int64_t y = 0; y < n; ++y)
    for (std::int64_t x = 0; x < n; ++x) {
      const double px = double(x - n / 2) / double(n), py = double(y - n / 2) / double(n);
      if (std::hypot(px, py) > 0.5) continue;  // the object's field of view
      const double exact = std::exp(-((px - x0) * (px - x0) + (py - y0) * (py - y0)) / (width * width));
      dd += std::norm(image.data<std::complex<double>>()[x + n * y] - exact), qq += exact * exact;
    }
  return std::sqrt(dd / qq);
}

TEST(DensityKernel, EndsWithTheFieldOfView) {
  for (const auto& [kernel, dims] :
       {std::pair{DensityKernel::circular, 2}, {DensityKernel::circular, 3}, {DensityKernel::square, 2}}) {
    const auto c = density_kernel(kernel, dims);
    EXPECT_NEAR(density_kernel_transform(c, kernel, dims, 0), 1, 1e-12);
    // The square of these weighs the error that is left there: 2e-3 of the middle.
    for (double r = 1; r < 4; r += 0.05) EXPECT_LT(std::abs(density_kernel_transform(c, kernel, dims, r)), 0.045) << r;
    // Against the autocorrelation of a disc: (2 / pi)(acos r - r sqrt(1 - r^2)) is 0.391 at half its width, 0.9.
    if (kernel == DensityKernel::circular && dims == 2) {
      EXPECT_NEAR(std::pow(density_kernel_transform(c, kernel, dims, 0.45), 2), 0.391, 0.06);
    }
    for (double k = 0; k < 1; k += 0.01) {
      double t = 1 - k * k, value = 0;
      for (auto m = c.size(); m-- > 0;) value = (value + c[m]) * t;
      EXPECT_GT(value, -0.01 * c.front() - 0.015) << k;  // no negative lobes: quotients stay positive
    }
  }
}

TEST(DensityIterative, CartesianSamplesWeighOne) {
  for (const auto kernel : {DensityKernel::circular, DensityKernel::square}) {
    const Array w = density_iterative(cartesian(24), {.iterations = 30, .kernel = kernel});
    for (std::int64_t y = 6; y < 18; ++y)
      // What the transform of C leaves at one field of view, 0.033, counts twice on this grid, squared, of 4
      // neighbours: 0.02. At two it has 0.006, and samples that lie on the grid's points see that in both axes, twice:
      // 0.03.
      for (std::int64_t x = 6; x < 18; ++x) EXPECT_NEAR(w.data<float>()[x + 24 * y], 1, 0.06);
  }
}

TEST(DensityIterative, MakesASpiralAnImage) {
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    const Isa before = isa();
    force_isa(level);
    const auto traj = spiral(400, 24, 48);
    for (const auto kernel : {DensityKernel::circular, DensityKernel::square}) {
      const Array w = density_iterative(traj, {.iterations = 20, .kernel = kernel});
      EXPECT_NEAR(sum(w), M_PI * 24 * 24, 0.1 * M_PI * 24 * 24);  // what was covered, with a rim
      // Iterations go on to weigh what only errors beyond the field of view tell apart; 0.02 here.
      EXPECT_LT(image_error(traj, w), 0.03);
    }
    force_isa(before);
  }
  Array ones = Array::of<float>({400, 24});
  for (auto& v : ones.span<float>()) v = float(M_PI * 24 * 24 / 9600);
  EXPECT_GT(image_error(spiral(400, 24, 48), ones), 0.1);  // and without weights it is none
}

TEST(DensityIterative, WorksInThreeDimensions) {
  const auto traj = kooshball(33, 600, 16);
  const Array w = density_iterative(traj, {.iterations = 25}), exact = density_analytic(traj);
  // Away from the middle, where samples of all spokes meet, and from the rim, which has no neighbours beyond.
  for (const std::int64_t s : {5, 7, 9, 23, 25, 27}) {
    double ratio = 0;
    for (std::int64_t a = 0; a < 600; ++a) ratio += w.data<float>()[s + 33 * a] / exact.data<float>()[s + 33 * a] / 600;
    EXPECT_NEAR(ratio, 1, 0.05) << s;
  }
}

TEST(DensityIterative, DoesNotDependOnTheNumberOfThreads) {
  const int before = thread_count();
  const auto traj = spiral(300, 40, 64);
  set_thread_count(1);
  const Array one = density_iterative(traj);
  set_thread_count(3);
  const Array three = density_iterative(traj);
  set_thread_count(before);
  EXPECT_EQ(memcmp(one.raw(), three.raw(), one.bytes()), 0);
}

TEST(DensityVoronoi, AreasOfCells) {
  const Array w = density_voronoi(cartesian(12));
  for (const float v : w.span<float>()) EXPECT_NEAR(v, 1, 1e-5);
  // Samples at one place share its cell.
  const auto twice = of(12, 24, {12, 12}, [](auto x, auto y) {
    return std::array{double(x - 6), double(y % 12 - 6), 0.0};
  });
  const Array shared = density_voronoi(twice);
  for (const float v : shared.span<float>()) EXPECT_NEAR(v, 0.5, 1e-5);
  // Cells fill the rim's circle.
  const auto traj = spiral(300, 24, 48);
  const Array s = density_voronoi(traj);
  EXPECT_NEAR(sum(s), M_PI * 24.5 * 24.5, 1e-3 * M_PI * 24.5 * 24.5);
  EXPECT_LT(image_error(traj, s), 0.02);
  EXPECT_THROW(density_voronoi(kooshball(9, 20, 8)), Error);
}

TEST(DensityAnalytic, ShellsOfRadialAndSpiral) {
  const auto spokes = radial(65, 100, 64);
  const Array w = density_analytic(spokes);
  EXPECT_NEAR(sum(w), M_PI * 32 * 32, 1);
  // A ramp: |k| d|k| pi / spokes, and a quarter of a step in the middle.
  EXPECT_NEAR(w.data<float>()[50], 18 * M_PI / 100, 2e-3);
  EXPECT_NEAR(w.data<float>()[32], 0.25 * M_PI / 100, 2e-3);
  EXPECT_LT(image_error(radial(65, 110, 64), density_analytic(radial(65, 110, 64))), 0.03);
  const auto traj = spiral(400, 24, 48);
  EXPECT_LT(image_error(traj, density_analytic(traj)), 0.01);
  EXPECT_NEAR(sum(density_analytic(kooshball(33, 100, 16))), 4 * M_PI / 3 * 512, 1);
  const auto ring = of(8, 3, {8, 8}, [](auto s, auto) {
    return std::array{3 * std::cos(double(s)), 3 * std::sin(double(s)), 0.0};
  });
  EXPECT_THROW(density_analytic(ring), Error);
}

TEST(DensityTaper, FallsAtTheEdge) {
  const auto traj = radial(65, 4, 64);
  Array ones = Array::of<float>({65, 4});
  for (auto& v : ones.span<float>()) v = 1;
  const Array w = density_taper(traj, ones, 0.25);
  EXPECT_EQ(w.data<float>()[32], 1);
  EXPECT_EQ(w.data<float>()[32 + 24], 1);
  EXPECT_NEAR(w.data<float>()[32 + 28], 0.5, 1e-6);
  EXPECT_NEAR(w.data<float>()[64], 0, 1e-6);
  EXPECT_EQ(density_taper(traj, ones, 0).data<float>()[64], 1);
  EXPECT_THROW(density_taper(traj, ones, 1.5), Error);
  EXPECT_THROW(density_taper(traj, Array::of<float>({64, 4}), 0.1), Error);
  EXPECT_THROW(density_iterative(traj, {.iterations = 0}), Error);
  try {
    density_iterative({.k = traj.k, .matrix = {10'000'000, 10'000'000}});
    FAIL();
  } catch (const Error& e) {  // both numbers, before the memory is touched
    EXPECT_THAT(e.what(),
                testing::HasSubstr("two grids of 20000005 x 20000005 take 3200001.6 GB, and this machine has"));
  }
  Cancel cancel;
  cancel.request();
  EXPECT_THROW(density_iterative(traj, {.cancel = &cancel}), Error);
}

}  // namespace
}  // namespace larmor::recon
