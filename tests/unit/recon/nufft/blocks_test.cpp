// SPDX-License-Identifier: Apache-2.0
// The functions that CUDA's threads run, here thread after thread; and CUDA itself where there is a device.
#include <gmock/gmock.h>

#include <chrono>
#include <cmath>
#include <complex>
#include <cstring>
#include <functional>
#include <larmor/core/fft.hpp>
#include <larmor/recon/nufft/block_plan.hpp>
#include <larmor/recon/nufft/nudft.hpp>
#include <larmor/recon/nufft/nufft.hpp>
#include <larmor/recon/trajectory/radial.hpp>
#include <limits>
#include <memory>
#include <random>

namespace larmor::recon {
namespace {

using C = std::complex<float>;
using Z = std::complex<double>;
using nufft::BlockCall;
using nufft::BlockComplex;
using nufft::BlockPlan;
using nufft::BlockView;

/// Positions over all of k-space, every other one crowded around a corner of the middle, so that some tiles are cut.
Trajectory crowded(const Shape& image, std::int64_t count, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> in(-0.5, 0.5);
  const auto dims = static_cast<std::int64_t>(image.size());
  Array k = Array::of<double>({count, dims}, {"sample", "d"});
  for (std::int64_t d = 0; d < dims; ++d)
    for (std::int64_t j = 0; j < count; ++j) {
      const auto n = static_cast<double>(image[static_cast<std::size_t>(d)]);
      double at = in(random) * (j % 2 ? 1 : 0.1);
      if (j < 9) at = std::array{-0.5, 0.0, 0.5}[static_cast<std::size_t>(d == 0 ? j % 3 : j / 3 % 3)];
      k.data<double>()[d * count + j] = at * n;
    }
  return {.k = k, .matrix = image};
}

Array noise(Shape shape, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> in(-1, 1);
  Array a = Array::of<C>(std::move(shape));
  for (auto& v : a.span<C>()) v = {in(random), in(random)};
  return a;
}

Shape behind(Shape shape, std::int64_t more) {
  shape.push_back(more);
  return shape;
}

double distance(const Array& a, const Array& b) {
  EXPECT_EQ(a.shape(), b.shape());
  double dd = 0, qq = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) {
    dd += std::norm(Z(a.data<C>()[i]) - Z(b.data<C>()[i]));
    qq += std::norm(Z(b.data<C>()[i]));
  }
  return std::sqrt(dd / qq);
}
Z dot(const Array& a, const Array& b) {
  Z sum = 0;
  for (std::int64_t i = 0; i < a.size(); ++i) sum += std::conj(Z(a.data<C>()[i])) * Z(b.data<C>()[i]);
  return sum;
}
double norm(const Array& a) { return std::sqrt(dot(a, a).real()); }

template <int D, int C>
void spread_by_blocks(const BlockView& v, const BlockCall& call) {
  constexpr int threads = nufft::TileOf<D>::threads;
  const auto room = std::make_unique<nufft::SpreadRoom<D, C>>();
  for (int i = 0; i < v.n_pieces; ++i)
    for (int first = 0; first < call.count; first += C) {
      const nufft::Piece& piece = v.pieces[i];
      std::vector<nufft::SpreadSums<D, C>> sums(threads);
      // Rubbish, as in shared memory: what is read must have been written.
      std::memset(static_cast<void*>(room.get()), 0xff, sizeof *room);
      const auto each = [&](const auto& work) {
        for (int t = 0; t < threads; ++t) work(t, sums[static_cast<std::size_t>(t)]);
      };
      each([&](int t, auto& own) { nufft::spread_begin<D, C>(v, t, *room, own); });
      for (std::uint32_t from = piece.begin; from < piece.end; from += nufft::block_chunk) {
        each([&](int t, auto&) { nufft::spread_stage<D, C>(v, call, piece, first, from, t, *room); });
        each([&](int t, auto& own) { nufft::spread_add<D, C>(piece, from, t, *room, own); });
      }
      each([&](int t, auto& own) { nufft::spread_write<D, C>(v, call, piece, first, t, own); });
    }
  for (int i = 0; i < v.n_joints; ++i)
    for (int transform = 0; transform < call.count; ++transform)
      for (int cell = 0; cell < nufft::TileOf<D>::cells; ++cell)
        nufft::join_cell<D>(v, call, v.joints[i], transform, cell);
}

struct ByBlocks {
  ByBlocks(const Trajectory& traj, const Shape& image, int width, double oversampling)
      : like(traj, image, {.width = width, .oversampling = oversampling}),
        plan(traj.k, spread_kernel(width, like.facts().oversampling), image, like.facts().grid, Device::cpu()) {}

  /// Rooms of a call, full of NaN.
  BlockCall call(int count, Array& grid, Array& partials) const {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    grid = Array::of<C>(behind(like.facts().grid, count));
    partials = Array::of<C>({static_cast<std::int64_t>(plan.partial_bytes() / sizeof(C)) * count + 1});
    for (auto& x : grid.span<C>()) x = {nan, nan};
    for (auto& x : partials.span<C>()) x = {nan, nan};
    return {.count = count,
            .complex_weights = false,
            .weights = nullptr,
            .samples = nullptr,
            .grid = reinterpret_cast<BlockComplex*>(grid.data<C>()),
            .partials = reinterpret_cast<BlockComplex*>(partials.data<C>()),
            .image = nullptr};
  }
  std::vector<int> axes() const { return plan.dims() == 2 ? std::vector{0, 1} : std::vector{0, 1, 2}; }

  template <int D, int Cs>
  Array adjoint(const Array& samples, const Array& weights, const Shape& image, int count) const {
    Array grid, partials, out = Array::of<C>(behind(image, count));
    BlockCall c = call(count, grid, partials);
    c.samples = reinterpret_cast<BlockComplex*>(const_cast<C*>(samples.data<C>()));
    c.image = reinterpret_cast<BlockComplex*>(out.data<C>());
    c.weights = weights.rank() ? static_cast<const float*>(weights.raw()) : nullptr;
    c.complex_weights = weights.dtype() == DType::c64;
    spread_by_blocks<D, Cs>(plan.view(), c);
    const Array back = ifft(grid, axes(), {});
    c.grid = reinterpret_cast<BlockComplex*>(const_cast<C*>(back.data<C>()));
    for (int v = 0; v < count; ++v)
      for (int i = 0; i < plan.view().voxels; ++i) nufft::crop_voxel(plan.view(), c, v, i);
    return out;
  }
  template <int D, int Cs>
  Array forward(const Array& image, int count) const {
    Array grid, partials, out = Array::of<C>({plan.view().n_points, count});
    BlockCall c = call(count, grid, partials);
    c.image = reinterpret_cast<BlockComplex*>(const_cast<C*>(image.data<C>()));
    c.samples = reinterpret_cast<BlockComplex*>(out.data<C>());
    for (int v = 0; v < count; ++v)
      for (int i = 0; i < plan.view().cells; ++i) nufft::place_cell(plan.view(), c, v, i);
    const Array there = fft(grid, axes(), {});
    c.grid = reinterpret_cast<BlockComplex*>(const_cast<C*>(there.data<C>()));
    for (int first = 0; first < count; first += Cs)
      for (std::int64_t j = 0; j < plan.view().n_points; ++j) nufft::interpolate_point<D, Cs>(plan.view(), c, first, j);
    return out;
  }

  Nufft like;  // on the CPU, with the same window and grid
  BlockPlan plan;
};

template <int D>
void compare(const Shape& image, int width, double oversampling, std::int64_t count, bool cut) {
  SCOPED_TRACE(to_string(image) + " width " + std::to_string(width));
  const auto traj = crowded(image, count);
  const ByBlocks blocks(traj, image, width, oversampling);
  EXPECT_EQ(blocks.plan.view().n_joints > 0, cut);
  const auto check = [&](const Array& a, const Array& b) {
    // Both add up the same products in another order: a few roundings of a float, magnified at the image's edges.
    EXPECT_LE(distance(a, b), width >= 9 && oversampling < 1.5 ? 3e-5 : 2e-6);
  };
  const Array five = noise({count, 5}, 2), one = noise({count, 1}, 3), images = noise(behind(image, 5), 4);
  Array w = Array::of<float>({count});
  for (std::int64_t j = 0; j < count; ++j) w.data<float>()[j] = 1 + 0.1F * static_cast<float>(j % 7);
  const Array turned = noise({count}, 5);
  check(blocks.adjoint<D, 4>(five, {}, image, 5), blocks.like.adjoint(five));
  check(blocks.adjoint<D, 2>(five, w, image, 5), blocks.like.adjoint(five, w));
  check(blocks.adjoint<D, 1>(one, turned, image, 1), blocks.like.adjoint(one, turned));
  check(blocks.forward<D, 4>(images, 5), blocks.like.forward(images));
  check(blocks.forward<D, 1>(images, 5), blocks.like.forward(images));
}

TEST(NufftBlocks, AreTheCpusTransform) {
  // Grids smaller than a tile, with a narrow last one, and whole tiles; widths that reach over two tiles and more.
  compare<2>({30, 20}, 5, 1.5, 400, false);
  compare<2>({1, 17}, 2, 2, 50, false);
  compare<2>({7, 64}, 12, 1.25, 300, false);
  compare<2>({22, 26}, 4, 1.5, 5000, true);
  compare<3>({12, 10, 14}, 4, 1.5, 400, false);
  compare<3>({3, 16, 7}, 9, 1.5, 200, false);
  compare<3>({10, 12, 12}, 3, 2, 4000, true);
}

TEST(NufftBlocks, EveryEntryTouchesItsTileAndNoneIsMissing) {
  const Shape image{21, 13};
  const auto traj = crowded(image, 3000);
  const ByBlocks blocks(traj, image, 6, 1.4);
  const BlockView& v = blocks.plan.view();
  using T = nufft::TileOf<2>;
  // Cells that each sample's entries cover: width^2 in all, each once.
  std::vector<int> covered(static_cast<std::size_t>(v.n_points));
  for (int i = 0; i < v.n_pieces; ++i) {
    EXPECT_LE(v.pieces[i].end - v.pieces[i].begin, std::uint32_t{nufft::block_pieces});
    for (auto e = v.pieces[i].begin; e < v.pieces[i].end; ++e) {
      const auto& p = v.points[v.touching[e]];
      int here = 0;
      for (int cell = 0; cell < T::cells; ++cell) {
        const std::int64_t at = nufft::grid_cell<2>(v, v.pieces[i].tile, cell);
        if (at < 0) continue;
        const auto x = (at % v.N[0] - p.start[0] + v.N[0]) % v.N[0], y = (at / v.N[0] - p.start[1] + v.N[1]) % v.N[1];
        here += x < v.width && y < v.width;
      }
      EXPECT_GT(here, 0);
      covered[v.touching[e]] += here;
    }
  }
  EXPECT_THAT(covered, testing::Each(v.width * v.width));
}

TEST(NufftCuda, SaysWhyItIsNotThere) {
  if (cuda_device_count() > 0) GTEST_SKIP() << "there is a device";
  try {
    Nufft(crowded({16, 16}, 50), {}, {.device = Device::cuda()});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::device);
    EXPECT_THAT(e.what(), testing::HasSubstr(cuda_why_not()));
  }
}

#define LARMOR_NEEDS_CUDA() \
  if (cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device: " << cuda_why_not()

TEST(NufftCuda, EqualsCpuAndIsAdjoint) {
  LARMOR_NEEDS_CUDA();
  for (const Shape& image : {Shape{48, 64}, {31, 20}, {1, 17}, {24, 20, 28}, {9, 16, 7}})
    for (const double tolerance : {1e-2, 1e-3, 1e-4, 1e-6})
      for (const std::int64_t channels : {1, 2, 3, 8, 21}) {
        SCOPED_TRACE(to_string(image) + " tolerance " + std::to_string(tolerance) + " channels " +
                     std::to_string(channels));
        const auto traj = crowded(image, 6000);
        const Nufft cpu(traj, {}, {.tolerance = tolerance});
        const Nufft cuda(traj, {}, {.tolerance = tolerance, .device = Device::cuda()});
        EXPECT_EQ(cuda.facts().grid, cpu.facts().grid);
        const Array samples = noise({6000, channels}, 2), x = noise(behind(image, channels), 3);
        const Array weights = channels == 2 ? noise({6000}, 4) : Array{};
        const Array there = cuda.adjoint(samples.to(Device::cuda()), weights);
        EXPECT_EQ(there.device(), Device::cuda());
        const Array image_cuda = there.to(Device::cpu());
        const Array samples_cuda = cuda.forward(x.to(Device::cuda())).to(Device::cpu());
        // Other sums of the same products; single precision ends near 1e-6.
        EXPECT_LE(distance(image_cuda, cpu.adjoint(samples, weights)), 1e-5);
        EXPECT_LE(distance(samples_cuda, cpu.forward(x)), 1e-5);
        if (weights.rank() == 0) {
          const double gap = std::abs(dot(samples, samples_cuda) - dot(image_cuda, x));
          EXPECT_LE(gap / (norm(samples_cuda) * norm(samples)), 1e-6);
        }
        // The same every time: nothing is added in the order that threads happen to have.
        const Array again = cuda.adjoint(samples.to(Device::cuda()), weights).to(Device::cpu());
        EXPECT_EQ(std::memcmp(again.raw(), image_cuda.raw(), again.bytes()), 0);
      }
}

TEST(NufftCuda, SaysWhatIsWrong) {
  LARMOR_NEEDS_CUDA();
  const auto traj = crowded({16, 16}, 50);
  const Nufft nufft(traj, {}, {.device = Device::cuda()});
  EXPECT_THROW(nufft.adjoint(noise({50}, 1)), Error);  // on the CPU
  Array samples = noise({50, 3}, 1);
  samples.data<C>()[50 + 17] = {0, std::numeric_limits<float>::quiet_NaN()};
  try {
    nufft.adjoint(samples.to(Device::cuda()));
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::numeric);
    EXPECT_THAT(e.what(), testing::HasSubstr("sample 17 of transform 1"));
  }
  EXPECT_THROW(Nufft(traj, {}, {.memory = 1000, .device = Device::cuda()}), Error);  // a grid alone has 4.6 kB
}

double best_ms(const std::function<void()>& work) {
  double best = 1e30;
  for (int i = 0; i < 20; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return 1e3 * best;
}

void time_on_cuda(const char* what, const Trajectory& traj, std::int64_t channels, double tolerance) {
  const auto start = std::chrono::steady_clock::now();
  const Nufft nufft(traj, {}, {.tolerance = tolerance, .batch = static_cast<int>(channels), .device = Device::cuda()});
  const double plan = 1e3 * std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Array host = noise(behind(traj.sample_shape(), channels), 1);
  const Array samples = host.to(Device::cuda());
  Array image, back;
  const double adjoint = best_ms([&] { image = nufft.adjoint(samples); });
  const double forward = best_ms([&] { back = nufft.forward(image); });
  const double over = best_ms([&] { host.to(Device::cuda()); });
  const Nufft cpu(traj, {}, {.tolerance = tolerance, .batch = static_cast<int>(channels)});
  Array there;
  const double on_cpu = best_ms([&] { there = cpu.adjoint(host); });
  EXPECT_LE(distance(image.to(Device::cpu()), there), 1e-5);
  std::printf(
      "  %s, %d channels, width %d, grid %s: plan %.1f ms, adjoint %.3f ms, forward %.3f ms; copy there %.2f ms; CPU "
      "adjoint %.1f ms\n",
      what, int(channels), nufft.facts().width, to_string(nufft.facts().grid).c_str(), plan, adjoint, forward, over,
      on_cpu);
}

TEST(NufftCuda, Times) {
  LARMOR_NEEDS_CUDA();
  const std::int64_t samples = 825, arms = 79;
  Array k = Array::of<float>({samples, arms, 2}, {"sample", "arm", "d"});
  for (std::int64_t a = 0; a < arms; ++a)
    for (std::int64_t s = 0; s < samples; ++s) {
      const double t = std::sqrt(double(s) / double(samples)), phase = 2 * M_PI * (1.71 * t + double(a) / double(arms));
      k.data<float>()[s + samples * a] = float(135 * t * std::cos(phase));
      k.data<float>()[s + samples * (a + arms)] = float(135 * t * std::sin(phase));
    }
  time_on_cuda("spiral 79 x 825 -> 300^2", {.k = k, .matrix = {300, 300}}, 20, 2.2e-3);
  const std::int64_t spokes = 7813, n = 128, all = spokes * n;
  Array q = Array::of<float>({n, spokes, 3}, {"sample", "spoke", "d"});
  for (std::int64_t i = 0; i < spokes; ++i) {
    const double z = 1 - (2 * double(i) + 1) / double(spokes), r = std::sqrt(1 - z * z),
                 angle = 2.39996322973 * double(i);
    for (std::int64_t s = 0; s < n; ++s) {
      const double at = double(s) - double(n) / 2;
      q.data<float>()[s + n * i] = float(at * r * std::cos(angle));
      q.data<float>()[s + n * i + all] = float(at * r * std::sin(angle));
      q.data<float>()[s + n * i + 2 * all] = float(at * z);
    }
  }
  for (const std::int64_t channels : {1, 8})
    time_on_cuda("kooshball 1e6 -> 128^3", {.k = q, .matrix = {n, n, n}}, channels, 2.2e-3);
}

}  // namespace
}  // namespace larmor::recon
