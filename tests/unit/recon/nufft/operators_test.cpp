// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <complex>
#include <larmor/recon/nufft/nudft.hpp>
#include <larmor/recon/nufft/off_resonance.hpp>
#include <larmor/recon/nufft/toeplitz.hpp>
#include <larmor/recon/operators/nufft_op.hpp>
#include <larmor/recon/solvers/solve.hpp>
#include <limits>
#include <random>

namespace larmor::recon {
namespace {

using C = std::complex<float>;
using Z = std::complex<double>;

Trajectory scattered(std::vector<std::int64_t> matrix, std::int64_t samples, std::int64_t arms) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> in(-0.5, 0.5);
  const auto dims = static_cast<std::int64_t>(matrix.size());
  Array k = Array::of<double>({samples, arms, dims}, {"sample", "arm", "d"});
  for (std::int64_t d = 0; d < dims; ++d)
    for (std::int64_t j = 0; j < samples * arms; ++j)
      k.data<double>()[d * samples * arms + j] = in(random) * static_cast<double>(matrix[static_cast<std::size_t>(d)]);
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
  EXPECT_EQ(a.shape(), b.shape());
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
double norm(const Array& a) { return std::sqrt(dot(a, a).real()); }

TEST(Toeplitz, IsTheAdjointOfTheForward) {
  for (const auto& matrix : {std::vector<std::int64_t>{16, 21}, {15, 15}, {6, 9, 8}}) {
    const auto traj = scattered(matrix, 40, 8);
    Array weights = Array::of<float>({40, 8});
    for (std::int64_t j = 0; j < 320; ++j) weights.data<float>()[j] = 0.5f + static_cast<float>(j % 5);
    Shape two = matrix;
    two.push_back(2);
    const Array image = noise(two, 2), other = noise(two, 3);
    for (const Array& w : {Array{}, weights}) {
      const ToeplitzNormal normal(traj, {}, w, 1e-6);
      const Array exact = nudft_adjoint(traj, matrix, nudft_forward(traj, image), w);
      EXPECT_LT(distance(normal.apply(image), exact), 3e-6);
      // Hermitian and not negative, by construction of the spectrum up to rounding.
      const Z ab = dot(other, normal.apply(image)), ba = dot(normal.apply(other), image);
      EXPECT_LT(std::abs(ab - ba) / std::abs(ab), 1e-4);
      EXPECT_GT(dot(image, normal.apply(image)).real(), 0);
    }
    EXPECT_THROW(ToeplitzNormal(traj, {}).apply(noise({5, 5, 5}, 1)), Error);
  }
}

TEST(ToeplitzOp, IsTheNormalOfTheNufft) {
  const std::vector<std::int64_t> matrix{18, 20};
  const auto traj = scattered(matrix, 60, 10);
  const Nufft plan(traj, {}, {.tolerance = 1e-6});
  const Op plain = nufft_op(plan, {3}, {"coil"}),
           quick = nufft_op(plan, ToeplitzNormal(traj, {}, {}, 1e-6), {3}, {"coil"}),
           itself = toeplitz_op(ToeplitzNormal(traj, {}, {}, 1e-6), {3}, {"coil"});
  EXPECT_LT(adjoint_gap(*quick), 1e-6);
  // Made Hermitian in single precision: its own adjoint to the error of the spectrum.
  EXPECT_LT(adjoint_gap(*itself), 1e-5);
  const Array x = random_vector(plain->domain(), 4);
  EXPECT_LT(distance(quick->normal(x), plain->normal(x)), 3e-6);
  EXPECT_LT(distance(itself->forward(x), plain->normal(x)), 3e-6);
  // Conjugate gradients go the same way with either.
  const Array y = plain->forward(x);
  const auto a = conjugate_gradients(*plain, y, {{.iterations = 10}}),
             b = conjugate_gradients(*quick, y, {{.iterations = 10}});
  EXPECT_LT(distance(b.x, a.x), 1e-3);  // rounding grows with the condition
  EXPECT_THROW(nufft_op(plan, ToeplitzNormal(traj, {20, 20}, {}, 1e-3)), Error);
}

TEST(OffResonanceOp, IsAdjointAndFindsTheImage) {
  auto traj = scattered({14, 12}, 50, 10);
  for (int i = 0; i < 50; ++i) traj.times.push_back(1e-3 + 2e-4 * i);
  Array f = Array::of<float>({14, 12});
  for (std::int64_t i = 0; i < f.size(); ++i) f.data<float>()[i] = 80 * std::sin(0.05F * static_cast<float>(i));
  const Op A = off_resonance_op(OffResonanceNufft(traj, f, {.tolerance = 1e-5}), {2}, {"coil"});
  EXPECT_LT(adjoint_gap(*A), 1e-6);
  EXPECT_EQ(A->range().shape, (Shape{50, 10, 2}));
  // Three times as many samples as voxels: the image comes back through the frequencies, and not without them.
  const Array x = random_vector(A->domain(), 4), y = A->forward(x);
  EXPECT_LT(distance(conjugate_gradients(*A, y, {{.iterations = 60, .tolerance = 1e-7}}).x, x), 1e-2);
  const Op without = nufft_op(Nufft(traj, {}), {2}, {"coil"});
  EXPECT_GT(distance(conjugate_gradients(*without, y, {{.iterations = 60}}).x, x), 0.5);
}

TEST(OffResonance, IsTheExactSum) {
  auto traj = scattered({14, 12}, 50, 6);
  for (int i = 0; i < 50; ++i) traj.times.push_back(1e-3 + 2e-4 * i);  // 10 ms
  Array f = Array::of<float>({14, 12});
  for (std::int64_t i = 0; i < f.size(); ++i)
    f.data<float>()[i] = static_cast<float>(80 * std::sin(0.05 * double(i)) + 20);
  const Array image = noise({14, 12, 2}, 4), samples = noise({50, 6, 2}, 5);
  for (const double tolerance : {1e-2, 1e-3, 1e-4}) {
    const OffResonanceNufft op(traj, f, {.tolerance = tolerance});
    EXPECT_LE(op.segment_error(), 0.5 * tolerance);
    EXPECT_LE(op.segments(), 12);  // 1.6 cycles over the readout
    const Array there = op.forward(image), back = op.adjoint(samples);
    Array exact = Array::of<Z>({50, 6, 2});
    for (std::int64_t b = 0; b < 2; ++b)
      for (std::int64_t j = 0; j < 300; ++j)
        for (std::int64_t i = 0; i < 168; ++i) {
          const double x = double(i % 14 - 7) / 14, y = double(i / 14 - 6) / 12;
          const double phase = traj.k.data<double>()[j] * x + traj.k.data<double>()[j + 300] * y +
                               f.data<float>()[i] * traj.times[static_cast<std::size_t>(j % 50)];
          exact.data<Z>()[j + 300 * b] += Z(image.data<C>()[i + 168 * b]) * std::polar(1.0, -2 * M_PI * phase);
        }
    EXPECT_LE(distance(there, exact), tolerance);
    EXPECT_LE(std::abs(dot(samples, there) - dot(back, image)) / (norm(samples) * norm(there)), 1e-6);
  }
}

TEST(OffResonance, WithoutFrequenciesIsThePlainTransform) {
  auto traj = scattered({10, 10}, 30, 2);
  for (int i = 0; i < 30; ++i) traj.times.push_back(1e-4 * i);
  const OffResonanceNufft op(traj, Array::of<float>({10, 10}), {.tolerance = 1e-5});
  EXPECT_EQ(op.segments(), 1);
  const Array image = noise({10, 10}, 1);
  EXPECT_LE(distance(op.forward(image), nudft_forward(traj, image)), 1e-5);
}

TEST(OffResonance, SaysWhatIsWrong) {
  auto traj = scattered({10, 10}, 30, 2);
  Array f = Array::of<float>({10, 10});
  EXPECT_THROW(OffResonanceNufft(traj, f), Error);  // no times
  for (int i = 0; i < 30; ++i) traj.times.push_back(1e-2 * i);
  EXPECT_THROW(OffResonanceNufft(traj, Array::of<float>({10, 10, 2})), Error);
  for (std::int64_t i = 0; i < 100; ++i) f.data<float>()[i] = static_cast<float>(10 * i);
  EXPECT_THROW(OffResonanceNufft(traj, f), Error);  // 1 kHz over 0.3 s
  f.data<float>()[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(OffResonanceNufft(traj, f), Error);
}

}  // namespace
}  // namespace larmor::recon
