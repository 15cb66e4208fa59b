// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/nufft/nudft.hpp>
#include <larmor/recon/nufft/nufft.hpp>
#include <limits>
#include <random>
#include <thread>

namespace larmor::recon {
namespace {

using C = std::complex<float>;
using Z = std::complex<double>;

/// Positions over all of k-space, a few of them on its very edges and in its middle.
Trajectory scattered(const Shape& image, std::int64_t count, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> in(-0.5, 0.5);
  const auto dims = static_cast<std::int64_t>(image.size());
  Array k = Array::of<double>({count, dims}, {"sample", "d"});
  for (std::int64_t d = 0; d < dims; ++d)
    for (std::int64_t j = 0; j < count; ++j) {
      const auto n = static_cast<double>(image[static_cast<std::size_t>(d)]);
      double at = in(random);
      if (j < 9) at = std::array{-0.5, 0.0, 0.5}[static_cast<std::size_t>(d == 0 ? j % 3 : j / 3 % 3)];
      k.data<double>()[d * count + j] = at * n;
    }
  return {.k = k, .matrix = image};
}

Array noise(Shape shape, unsigned seed, Axes axes = {}) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Array a = Array::of<C>(std::move(shape), std::move(axes));
  for (auto& v : a.span<C>()) v = {normal(random), normal(random)};
  return a;
}

Shape behind(Shape shape, std::initializer_list<std::int64_t> more) {
  shape.insert(shape.end(), more);
  return shape;
}

double distance(const Array& a, const Array& b) {
  EXPECT_EQ(a.shape(), b.shape());
  const Array p = a.cast(DType::c128), q = b.cast(DType::c128);
  double dd = 0, qq = 0;
  for (std::int64_t i = 0; i < p.size(); ++i) {
    dd += std::norm(p.data<Z>()[i] - q.data<Z>()[i]);
    qq += std::norm(q.data<Z>()[i]);
  }
  return std::sqrt(dd / qq);
}

Z dot(const Array& a, const Array& b) {
  Z sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += std::conj(Z(a.data<C>()[i])) * Z(b.data<C>()[i]);
  return sum;
}
double norm(const Array& a) { return std::sqrt(dot(a, a).real()); }

std::vector<Isa> levels() {
  std::vector<Isa> out;
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4})
    if (isa_available(level)) out.push_back(level);
  return out;
}

/// Runs the rest of a test at one level, and puts back what was.
struct AtLevel {
  explicit AtLevel(Isa level) : before(isa()) { force_isa(level); }
  ~AtLevel() { force_isa(before); }
  Isa before;
};

const std::vector<Shape> shapes{{24, 24}, {31, 20}, {1, 17}, {64, 5}, {12, 10, 14}, {9, 16, 7}};

TEST(Nufft, IsTheExactSumWithinEveryTolerance) {
  for (const Isa level : levels()) {
    const AtLevel at(level);
    for (const auto& shape : shapes) {
      const auto traj = scattered(shape, 300);
      // Up to three go alone, by kernels of their own; more lie side by side.
      for (const std::int64_t batch : {1, 4}) {
        const Array image = noise(behind(shape, {batch}), 2), samples = noise({300, batch}, 3);
        const Array exact_samples = nudft_forward(traj, image), exact_image = nudft_adjoint(traj, shape, samples);
        for (const double tolerance : {1e-2, 1e-3, 1e-4, 1e-5, 1e-6}) {
          const Nufft nufft(traj, shape, {.tolerance = tolerance});
          EXPECT_LE(distance(nufft.forward(image), exact_samples), tolerance)
              << to_string(shape) << " " << to_string(level) << " " << batch;
          EXPECT_LE(distance(nufft.adjoint(samples), exact_image), tolerance)
              << to_string(shape) << " " << to_string(level) << " " << batch;
        }
      }
    }
  }
}

TEST(Nufft, EveryWidthAndOversamplingReachesWhatItSays) {
  const Shape shape{20, 26};
  const auto traj = scattered(shape, 400);
  const Array samples = noise({400}, 3);
  const Array exact = nudft_adjoint(traj, shape, samples);
  for (int width = 2; width <= 12; ++width)
    for (const double a : {1.25, 1.5, 2.0}) {
      const Nufft nufft(traj, shape, {.width = width, .oversampling = a});
      EXPECT_EQ(nufft.facts().width, width);
      // The prediction is a mean over many samples, of which there are few here. The scaling magnifies rounding towards
      // the edges where the window is wide for its oversampling: those are never chosen for a tight tolerance.
      const double rounding = width >= 9 && a < 1.5 ? 3e-5 : 1e-6;
      EXPECT_LE(distance(nufft.adjoint(samples), exact), 1.3 * nufft.facts().error + rounding) << width << " " << a;
    }
}

TEST(Nufft, ForwardAndAdjointAreAdjoint) {
  for (const Isa level : levels()) {
    const AtLevel at(level);
    for (const auto& shape : shapes)
      for (const double tolerance : {1e-2, 1e-6})
        for (const std::int64_t batch : {1, 4, 7}) {
          const auto traj = scattered(shape, 200);
          const Nufft nufft(traj, shape, {.tolerance = tolerance});
          const Array x = noise(behind(shape, {batch}), 4), y = noise({200, batch}, 5);
          const Array Ax = nufft.forward(x), Ahy = nufft.adjoint(y);
          // Rounding of floats only, whatever the tolerance: both use the same weights.
          EXPECT_LE(std::abs(dot(y, Ax) - dot(Ahy, x)) / (norm(Ax) * norm(y)), 1e-6)
              << to_string(shape) << " " << batch;
        }
  }
}

TEST(Nufft, BatchesAreTransformsOneByOne) {
  const Shape shape{22, 18};
  const auto traj = scattered(shape, 150);
  const Nufft nufft(traj, shape, {.tolerance = 1e-5});
  for (const std::int64_t batch : {1, 2, 4, 5, 8, 9, 16, 17, 21, 40}) {
    const Array samples = noise({150, batch}, 6, {"sample", "coil"});
    const Array together = nufft.adjoint(samples);
    ASSERT_EQ(together.shape(), (Shape{22, 18, batch}));
    EXPECT_EQ(together.axes(), (Axes{"x", "y", "coil"}));
    const Array back = nufft.forward(together);
    ASSERT_EQ(back.axes(), (Axes{"sample", "coil"}));
    for (std::int64_t b = 0; b < batch; ++b) {
      // Other lanes may fuse operations otherwise.
      EXPECT_LE(distance(together.slice(2, b), nufft.adjoint(samples.slice(1, b))), 1e-6);
      EXPECT_LE(distance(back.slice(1, b), nufft.forward(together.slice(2, b))), 1e-6);
    }
  }
}

TEST(Nufft, TakesAxesOfTheTrajectoryAndWeights) {
  auto flat = scattered({16, 16}, 60);
  Trajectory traj{.k = flat.k.reshaped({12, 5, 2}, {"sample", "arm", "d"}), .matrix = {16, 16}};
  const Nufft nufft(traj, {}, {.tolerance = 1e-5});
  EXPECT_EQ(nufft.image_shape(), (Shape{16, 16}));
  const Array samples = noise({12, 5, 2, 3}, 7, {"sample", "arm", "coil", "slice"});
  Array weights = Array::of<float>({12, 5}), weighted = samples.clone();
  for (std::int64_t j = 0; j < 60; ++j) weights.data<float>()[j] = static_cast<float>(j % 7);
  for (std::int64_t i = 0; i < samples.size(); ++i) weighted.data<C>()[i] *= weights.data<float>()[i % 60];
  const Array out = nufft.adjoint(samples, weights);
  EXPECT_EQ(out.axes(), (Axes{"x", "y", "coil", "slice"}));
  EXPECT_LE(distance(out, nufft.adjoint(weighted)), 1e-6);
  EXPECT_LE(distance(out, nudft_adjoint(traj, {16, 16}, samples, weights)), 1e-5);
  EXPECT_EQ(nufft.forward(out).axes(), samples.axes());
}

TEST(ShiftPhase, MovesTheImage) {
  const auto traj = scattered({20, 24}, 400);
  const Array samples = noise({400}, 3);
  const Nufft nufft(traj, {}, {.tolerance = 1e-6});
  const std::array<double, 2> shift{3, -5};
  const Array still = nufft.adjoint(samples), moved = nufft.adjoint(samples, shift_phase(traj, {20, 24}, {}, shift));
  for (std::int64_t y = 0; y < 19; ++y)
    for (std::int64_t x = 3; x < 20; ++x)
      EXPECT_LE(std::abs(moved.data<C>()[x + 20 * y] - still.data<C>()[x - 3 + 20 * (y + 5)]), 2e-4f);
  EXPECT_THROW(shift_phase(traj, {20, 24}, Array::of<float>({399}), shift), Error);
}

TEST(Nufft, DoesNotDependOnTheNumberOfThreads) {
  const int before = thread_count();
  for (const Shape& shape : {Shape{80, 90}, Shape{24, 20, 40}}) {
    const auto traj = scattered(shape, 3000);
    for (const std::int64_t batch : {1, 5}) {
      const Array samples = noise({3000, batch}, 8);
      std::vector<Array> images, back;
      for (const int threads : {1, 2, 5}) {
        set_thread_count(threads);
        const Nufft nufft(traj, shape);
        images.push_back(nufft.adjoint(samples));
        back.push_back(nufft.forward(images.front()));
      }
      for (int i = 1; i < 3; ++i) {
        EXPECT_EQ(memcmp(images[0].raw(), images[std::size_t(i)].raw(), images[0].bytes()), 0);
        EXPECT_EQ(memcmp(back[0].raw(), back[std::size_t(i)].raw(), back[0].bytes()), 0);
      }
    }
  }
  set_thread_count(before);
}

TEST(Nufft, WritesIntoMemoryThatIsThere) {
  const Shape image{20, 17};
  const auto traj = scattered(image, 300);
  const Nufft nufft(traj, image);
  const Array samples = noise({300, 5}, 2), images = noise({20, 17, 5}, 3);
  Array out = noise({20, 17, 5}, 4), back = noise({300, 5}, 5);
  const void *here = out.raw(), *there = back.raw();
  nufft.adjoint_into(out, samples);
  nufft.forward_into(back, images);
  EXPECT_EQ(out.raw(), here);
  EXPECT_EQ(back.raw(), there);
  const Array fresh = nufft.adjoint(samples), taken = nufft.forward(images);
  EXPECT_EQ(std::memcmp(out.raw(), fresh.raw(), fresh.bytes()), 0);
  EXPECT_EQ(std::memcmp(back.raw(), taken.raw(), taken.bytes()), 0);
  Array small = noise({20, 17, 4}, 6), real = Array::of<float>({20, 17, 5});
  Array strided = noise({2, 20, 17, 5}, 7).slice(0, 0);
  for (Array* const wrong : {&small, &real, &strided}) try {
      nufft.adjoint_into(*wrong, samples);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::shape);
      EXPECT_THAT(e.what(), testing::HasSubstr("c64 20 x 17 x 5 on cpu"));
    }
}

TEST(Nufft, APlanServesSeveralThreadsAtOnce) {
  const Shape shape{40, 36};
  const auto traj = scattered(shape, 2000);
  const Nufft nufft(traj, shape);
  std::vector<Array> samples, images(6);
  for (unsigned i = 0; i < 6; ++i) samples.push_back(noise({2000, 1 + i}, 20 + i));
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < 6; ++i)
    threads.emplace_back([&, i, mine = nufft] {
      for (int repeat = 0; repeat < 5; ++repeat) images[i] = mine.adjoint(samples[i]);
    });
  for (auto& thread : threads) thread.join();
  for (std::size_t i = 0; i < 6; ++i) {
    const Array alone = nufft.adjoint(samples[i]);
    EXPECT_EQ(memcmp(images[i].raw(), alone.raw(), alone.bytes()), 0) << i;
  }
}

TEST(Nufft, OneSampleIsOneWave) {
  for (const double k : {-8.0, -3.25, 0.0, 7.999, 8.0}) {
    Array at = Array::of<double>({1, 2}, {"sample", "d"});
    at.data<double>()[0] = k, at.data<double>()[1] = 1.5;
    const Trajectory traj{.k = at, .matrix = {16, 10}};
    Array one = Array::of<C>({1});
    one.data<C>()[0] = {2, -1};
    const Array image = Nufft(traj, {}, {.tolerance = 1e-6}).adjoint(one);
    for (std::int64_t y = 0; y < 10; ++y)
      for (std::int64_t x = 0; x < 16; ++x) {
        const Z wave = Z(2, -1) * std::polar(1.0, 2 * M_PI * (k * double(x - 8) / 16 + 1.5 * double(y - 5) / 10));
        // The mean square is what the tolerance promises; a voxel at the edge may have a few times that.
        EXPECT_LE(std::abs(Z(image.data<C>()[x + 16 * y]) - wave), 2e-5);
      }
  }
}

TEST(Nufft, ImageMayHaveAnotherMatrix) {
  const auto traj = scattered({20, 20}, 100);
  const Array samples = noise({100}, 9);
  const Shape larger{30, 24};
  EXPECT_LE(distance(Nufft(traj, larger, {.tolerance = 1e-5}).adjoint(samples), nudft_adjoint(traj, larger, samples)),
            1e-5);
  EXPECT_THROW(Nufft(traj, {18, 20}), Error);
}

TEST(Nufft, KeepsToItsMemory) {
  const auto traj = scattered({64, 64}, 5000);
  const Nufft free(traj, {}, {.batch = 32});
  for (const double part : {0.9, 0.4}) {
    const auto most = static_cast<std::size_t>(part * static_cast<double>(free.memory()));
    const Nufft tight(traj, {}, {.batch = 32, .memory = most});
    EXPECT_LE(tight.memory(), most);
    const Array samples = noise({5000, 6}, 10);
    EXPECT_LE(distance(tight.adjoint(samples), free.adjoint(samples)), 1e-6);
  }
  try {
    Nufft(traj, {}, {.memory = 10000});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::range);
    EXPECT_THAT(e.what(), testing::HasSubstr("0.0 MB are allowed"));
  }
}

TEST(Nufft, SaysWhatIsWrong) {
  const auto traj = scattered({16, 16}, 50);
  const Nufft nufft(traj);
  const auto code = [](auto&& work) {
    try {
      work();
    } catch (const Error& e) {
      return e.code();
    }
    return Errc::internal;
  };
  EXPECT_EQ(code([&] { nufft.adjoint(noise({49}, 1)); }), Errc::shape);
  EXPECT_EQ(code([&] { nufft.forward(noise({16, 15}, 1)); }), Errc::shape);
  EXPECT_EQ(code([&] { nufft.adjoint(noise({50}, 1), Array::of<float>({49})); }), Errc::shape);
  EXPECT_EQ(code([&] { nufft.adjoint(noise({50}, 1), Array::of<float>({50})); }), Errc::range);  // all 0
  Array one = Array::of<float>({50});
  one.data<float>()[49] = 1;
  EXPECT_NO_THROW(nufft.adjoint(noise({50}, 1), one));
  EXPECT_EQ(code([&] { Nufft(traj, {16, 16, 16}); }), Errc::shape);
  EXPECT_EQ(code([&] { Nufft(traj, {}, {.tolerance = 0}); }), Errc::range);
  EXPECT_EQ(code([&] { Nufft(traj, {}, {.width = 13}); }), Errc::range);
  EXPECT_EQ(code([&] { Nufft(traj, {}, {.oversampling = 1.01}); }), Errc::range);
  auto outside = scattered({16, 16}, 50);
  outside.k.data<double>()[20] = 8.1;
  EXPECT_EQ(code([&] { Nufft{outside}; }), Errc::range);
  Cancel cancel;
  cancel.request();
  EXPECT_EQ(code([&] { nufft.adjoint(noise({50}, 1), {}, &cancel); }), Errc::cancelled);

  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    Array samples = noise({50, 3}, 1);
    samples.data<C>()[50 + 17] = {0, bad};
    try {
      nufft.adjoint(samples);
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), Errc::numeric);
      EXPECT_THAT(e.what(), testing::HasSubstr("sample 17 of transform 1"));
    }
    Array image = noise({16, 16}, 1);
    image.data<C>()[200] = bad;
    EXPECT_EQ(code([&] { nufft.forward(image); }), Errc::numeric);
    Array weights = Array::of<float>({50});
    weights.data<float>()[3] = bad;
    EXPECT_EQ(code([&] { nufft.adjoint(noise({50}, 1), weights); }), Errc::numeric);
  }
}

}  // namespace
}  // namespace larmor::recon
