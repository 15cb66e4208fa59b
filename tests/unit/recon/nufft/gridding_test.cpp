// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <complex>
#include <larmor/core/fft.hpp>
#include <larmor/recon/nufft/gridding.hpp>
#include <larmor/recon/nufft/kernel.hpp>
#include <larmor/recon/nufft/nudft.hpp>
#include <random>

namespace larmor::recon {
namespace {

using C = std::complex<float>;
using Z = std::complex<double>;

Trajectory scattered(std::vector<std::int64_t> matrix, std::int64_t count) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> in(-0.5, 0.5);
  const auto dims = static_cast<std::int64_t>(matrix.size());
  Array k = Array::of<double>({count, dims}, {"sample", "d"});
  for (std::int64_t d = 0; d < dims; ++d)
    for (std::int64_t j = 0; j < count; ++j)
      k.data<double>()[d * count + j] = in(random) * static_cast<double>(matrix[static_cast<std::size_t>(d)]);
  return {.k = k, .matrix = matrix};
}
Array noise(Shape shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Array a = Array::of<C>(std::move(shape));
  for (auto& v : a.span<C>()) v = {normal(random), normal(random)};
  return a;
}
double distance(const Array& a, const Array& b) {
  const Array p = a.cast(DType::c128), q = b.cast(DType::c128);
  double dd = 0, qq = 0;
  for (std::int64_t i = 0; i < p.size(); ++i)
    dd += std::norm(p.data<Z>()[i] - q.data<Z>()[i]), qq += std::norm(q.data<Z>()[i]);
  return std::sqrt(dd / qq);
}
Z dot(const Array& a, const Array& b) {
  Z sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += std::conj(Z(a.data<C>()[i])) * Z(b.data<C>()[i]);
  return sum;
}

TEST(Gridding, InStepsIsTheTransform) {
  for (const auto& matrix : {std::vector<std::int64_t>{20, 26}, {8, 10, 6}})
    for (const auto window : {GridWindow::kaiser_bessel, GridWindow::gaussian}) {
      const auto traj = scattered(matrix, 200);
      const GridOptions o{.window = window, .width = 5};
      const std::vector<int> axes = matrix.size() == 3 ? std::vector{0, 1, 2} : std::vector{0, 1};
      const Array samples = noise({200, 2}, 2);
      Shape images = matrix;
      images.push_back(2);
      const Array image = noise(images, 3);
      const Array back = rolloff(traj, ifft(grid_samples(traj, samples, {}, o), axes, {.centred = true}), o);
      const Array there = degrid_samples(traj, fft(rolloff_before(traj, image, o), axes, {.centred = true}), o);
      // At 1.5 x and 5 cells the Kaiser-Bessel window leaves 3e-4 an axis, and 1e-3 at the edges; the Gaussian ten
      // times that.
      const double most = window == GridWindow::gaussian ? 0.03 : 2e-3;
      EXPECT_LT(distance(back, nudft_adjoint(traj, matrix, samples)), most);
      EXPECT_LT(distance(there, nudft_forward(traj, image)), most);
      EXPECT_LT(std::abs(dot(samples, there) - dot(back, image)) /
                    std::sqrt((dot(samples, samples) * dot(there, there)).real()),
                1e-6);
    }
}

TEST(Gridding, WeightsAndErrors) {
  const auto traj = scattered({12, 12}, 30);
  const Array samples = noise({30}, 2);
  Array twice = Array::of<float>({30});
  for (auto& w : twice.span<float>()) w = 2;
  const Array a = grid_samples(traj, samples, {}), b = grid_samples(traj, samples, twice);
  for (std::int64_t i = 0; i < a.size(); ++i) EXPECT_EQ(a.data<C>()[i] * 2.0f, b.data<C>()[i]);
  EXPECT_EQ(grid_points(300, 1.5), 450);
  EXPECT_EQ(grid_points(9, 1.5), 14);
  EXPECT_THROW(grid_samples(traj, noise({29}, 1), {}), Error);
  EXPECT_THROW(degrid_samples(traj, noise({17, 18}, 1)), Error);
  EXPECT_THROW(grid_samples(traj, samples, {}, {.width = 17}), Error);
  EXPECT_THROW(rolloff(traj, noise({12, 12}, 1)), Error);
}

TEST(SpreadKernel, BeatsKaiserBesselAtEqualWidth) {
  for (const double a : {1.25, 1.5, 2.0})
    for (int width = 3; width <= 9; ++width) {
      const auto best = spread_kernel(width, a), kb = kaiser_bessel_kernel(width, a);
      // By a quarter at least, in the root mean square over the image.
      EXPECT_LT(best.error, 0.85 * kb.error) << width << " " << a;
      EXPECT_GT(best.error, 0.4 * kb.error) << width << " " << a;
      double sum = 0;
      for (int l = 0; l < width; ++l) {
        sum += best.weight(l, 0.5);
        EXPECT_NEAR(best.weight(l, 0.3), best.weight(width - 1 - l, 0.7), 1e-8);  // even
      }
      EXPECT_NEAR(sum, 1, 1e-2);
    }
  EXPECT_THROW(spread_kernel(1, 2), Error);
  EXPECT_THROW(spread_kernel(13, 2), Error);
  EXPECT_THROW(spread_kernel(4, 1), Error);
}

}  // namespace
}  // namespace larmor::recon
