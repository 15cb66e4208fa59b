// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/nn/conv_half.hpp>
#include <larmor/nn/trainer.hpp>
#include <larmor/nn/unet.hpp>
#include <random>

namespace larmor::nn {
namespace {

std::vector<float> random_values(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(n);
  for (auto& v : out) v = normal(random);
  return out;
}
std::vector<Isa> levels() {
  std::vector<Isa> out;
  for (const Isa l : {Isa::baseline, Isa::v3, Isa::v4})
    if (isa_available(l)) out.push_back(l);
  return out;
}

/// The definition, in double.
std::vector<double> by_definition(const std::vector<float>& x, const std::vector<float>& w, int nx, int ny, int nz,
                                  int cin, int cout, Reach reach) {
  std::vector<double> out;
  for (int o = 0; o < cout; ++o)
    for (int z = 0; z < nz; ++z)
      for (int y = 0; y < ny; ++y)
        for (int xx = 0; xx < nx; ++xx) {
          double sum = 0;
          std::size_t k = static_cast<std::size_t>(o * cin * reach.count());
          for (int c = 0; c < cin; ++c)
            for (int dz = reach.z ? -1 : 0; dz <= (reach.z ? 1 : 0); ++dz)
              for (int dy = reach.y ? -1 : 0; dy <= (reach.y ? 1 : 0); ++dy)
                for (int dx = reach.x ? -1 : 0; dx <= (reach.x ? 1 : 0); ++dx, ++k) {
                  const int a = xx + dx, b = y + dy, d = z + dz;
                  if (a < 0 || b < 0 || d < 0 || a >= nx || b >= ny || d >= nz) continue;
                  sum += static_cast<double>(w[k]) * x[static_cast<std::size_t>(((c * nz + d) * ny + b) * nx + a)];
                }
          out.push_back(sum);
        }
  return out;
}

TEST(Conv, IsItsDefinitionAtEveryLevel) {
  for (const Isa level : levels()) {
    force_isa(level);
    for (const auto& [nx, ny, nz, cin, cout, reach] : {std::tuple{7, 5, 6, 3, 5, Reach{}},
                                                       {16, 3, 2, 1, 8, Reach{}},
                                                       {5, 6, 7, 9, 11, Reach{false, true, true}},
                                                       {4, 4, 4, 6, 3, Reach{false, false, false}},
                                                       {1, 1, 1, 2, 2, Reach{}}}) {
      const ConvGrid grid(nx, ny, nz);
      const auto x = random_values(grid.voxels() * static_cast<std::size_t>(cin), 1);
      const auto w = random_values(static_cast<std::size_t>(cin * cout * reach.count()), 2);
      Channels in(grid, cin), out(grid, cout);
      to_channels(grid, x.data(), in, 0, cin);
      convolve(grid, reach, in, 0, cin, packed(w, cout, cin, reach.count()), {}, out, 0, cout);
      std::vector<float> y(grid.voxels() * static_cast<std::size_t>(cout));
      from_channels(grid, out, 0, cout, y.data());
      const auto want = by_definition(x, w, nx, ny, nz, cin, cout, reach);
      for (std::size_t i = 0; i < y.size(); ++i)
        ASSERT_NEAR(y[i], want[i], 1e-4) << to_string(level) << " " << i;  // 243 products of order 1: 2e-7 x 243
    }
  }
}

/// |<convolve x, y> - <x, transposed y>|, and <w, weights gradient>: one number three ways.
TEST(Conv, GradientsAreAdjoint) {
  for (const Isa level : levels()) {
    force_isa(level);
    for (const auto& [cin, cout, reach] : {std::tuple{3, 10, Reach{}},
                                           {8, 8, Reach{}},
                                           {5, 3, Reach{false, true, true}},
                                           {7, 9, Reach{false, false, false}}}) {
      const ConvGrid grid(9, 6, 5);
      const auto x = random_values(grid.voxels() * static_cast<std::size_t>(cin), 3);
      const auto g = random_values(grid.voxels() * static_cast<std::size_t>(cout), 4);
      const auto w = random_values(static_cast<std::size_t>(cin * cout * reach.count()), 5);
      Channels in(grid, cin), out(grid, cout), grad(grid, cout), back(grid, cin);
      to_channels(grid, x.data(), in, 0, cin);
      to_channels(grid, g.data(), grad, 0, cout);
      convolve(grid, reach, in, 0, cin, packed(w, cout, cin, reach.count()), {}, out, 0, cout);
      convolve(grid, reach, grad, 0, cout, packed_transposed(w, cout, cin, reach.count()), {}, back, 0, cin);
      std::vector<float> dw(w.size(), 0.0f), y(g.size()), dx(x.size());
      convolve_weights(grid, reach, in, cin, grad, 0, cout, dw);
      from_channels(grid, out, 0, cout, y.data());
      from_channels(grid, back, 0, cin, dx.data());
      double a = 0, b = 0, c = 0;
      for (std::size_t i = 0; i < y.size(); ++i) a += static_cast<double>(y[i]) * g[i];
      for (std::size_t i = 0; i < x.size(); ++i) b += static_cast<double>(x[i]) * dx[i];
      for (std::size_t i = 0; i < w.size(); ++i) c += static_cast<double>(w[i]) * dw[i];
      EXPECT_NEAR(a, b, 1e-4 * std::abs(a) + 1e-2);  // float sums of ~1e4 products of order 1
      EXPECT_NEAR(a, c, 1e-4 * std::abs(a) + 1e-2);
    }
  }
}

float in_bfloat16(float v) {  // to nearest: a float is a bfloat16 and 16 bits more
  std::uint32_t bits = 0;
  std::memcpy(&bits, &v, 4);
  bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
  std::memcpy(&v, &bits, 4);
  return v;
}

TEST(ConvHalf, IsTheConvolutionOfRoundedNumbers) {
  force_isa(levels().back());
  if (!half_available()) GTEST_SKIP() << "no matrix tiles";
  for (const auto& [nx, ny, nz, cin, cout, reach] : {std::tuple{7, 5, 6, 16, 16, Reach{}},
                                                     {9, 6, 5, 9, 20, Reach{}},
                                                     {5, 7, 4, 40, 33, Reach{}},
                                                     {20, 14, 10, 32, 8, Reach{false, true, true}},
                                                     {6, 5, 4, 70, 17, Reach{false, false, false}}}) {
    const ConvGrid grid(nx, ny, nz);
    auto x = random_values(grid.voxels() * static_cast<std::size_t>(cin), 1);
    auto w = random_values(static_cast<std::size_t>(cin * cout * reach.count()), 2);
    auto g = random_values(grid.voxels() * static_cast<std::size_t>(cout), 3);
    const auto bias = random_values(static_cast<std::size_t>(cout), 4);
    for (auto* v : {&x, &w, &g})
      for (auto& value : *v) value = in_bfloat16(value);
    Channels in(grid, cin + 1), grad(grid, cout + 2), want(grid, cout), found(grid, cout + 1), back(grid, cin),
        back_found(grid, cin);
    to_channels(grid, x.data(), in, 0, cin);
    to_channels(grid, g.data(), grad, 2, cout);
    const int taps = reach.count();
    std::vector<float> a(g.size()), b(g.size()), dx(x.size()), dx_found(x.size()), dw(w.size(), 0.5f), dw_found = dw;
    for (const bool add : {false, true}) {
      convolve(grid, reach, in, 0, cin, packed(w, cout, cin, taps), bias, want, 0, cout, nullptr, add);
      convolve_half(grid, reach, in, 0, cin, packed_half(w, cout, cin, taps), bias, found, 1, cout, add);
    }
    convolve(grid, reach, grad, 2, cout, packed_transposed(w, cout, cin, taps), {}, back, 0, cin);
    convolve_half(grid, reach, grad, 2, cout, packed_half_transposed(w, cout, cin, taps), {}, back_found, 0, cin);
    convolve_weights(grid, reach, in, cin, grad, 2, cout, dw);
    convolve_weights_half(grid, reach, in, cin, grad, 2, cout, dw_found);
    from_channels(grid, want, 0, cout, a.data());
    from_channels(grid, found, 1, cout, b.data());
    from_channels(grid, back, 0, cin, dx.data());
    from_channels(grid, back_found, 0, cin, dx_found.data());
    const auto gap = [](const std::vector<float>& p, const std::vector<float>& q) {
      double difference = 0, norm = 0;
      for (std::size_t i = 0; i < p.size(); ++i) {
        difference += (static_cast<double>(p[i]) - q[i]) * (static_cast<double>(p[i]) - q[i]);
        norm += static_cast<double>(p[i]) * p[i];
      }
      return std::sqrt(difference / norm);
    };
    // The same products of numbers that are exact in both; sums of floats in another order.
    EXPECT_LT(gap(a, b), 1e-5) << cin << " " << cout;
    EXPECT_LT(gap(dx, dx_found), 1e-5) << cin << " " << cout;
    EXPECT_LT(gap(dw, dw_found), 1e-5) << cin << " " << cout;
    for (int c = 1; c <= cout; ++c)  // the border stays 0
      EXPECT_EQ(found.channel(c)[grid.nx], 0.0f);
  }
}

TEST(ConvHalf, IsNotUsedAtALowerInstructionSet) {
  force_isa(Isa::baseline);
  EXPECT_FALSE(half_available());
  force_isa(levels().back());
}

TEST(Moments, OfALargeOffset) {
  const ConvGrid grid(7, 5, 3);
  Channels c(grid, 1);
  std::vector<float> x(grid.voxels());
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1000.0f + static_cast<float>(i % 2);
  to_channels(grid, x.data(), c, 0, 1);
  const auto m = moments(grid, c.channel(0));
  const double share = 52.0 / 105;  // 52 of 105 voxels are 1001
  EXPECT_NEAR(m.mean, 1000 + share, 1e-4);
  EXPECT_NEAR(m.variance, share * (1 - share), 1e-5);
}

TEST(UNet, SpecGoesThereAndBackAndRefuses) {
  UNetSpec s;
  s.filters = {4, 6, 8}, s.dims = 2, s.supervised = 1;
  const auto again = UNetSpec::from_json(s.to_json());
  EXPECT_EQ(again.filters, s.filters);
  EXPECT_EQ(again.dims, 2);
  EXPECT_EQ(again.multiple(), (std::array<int, 3>{1, 4, 4}));
  EXPECT_THROW(UNetSpec::from_json("{}"), Error);
  EXPECT_THROW(UNetSpec::from_json("x"), Error);
  s.dims = 4;
  EXPECT_THROW(s.check(), Error);
  s.dims = 3, s.supervised = 3;
  EXPECT_THROW(s.check(), Error);
}

TEST(UNet, RefusesOtherWeightsAndSizes) {
  UNetSpec s;
  s.filters = {2, 3}, s.supervised = 0;
  auto w = initial_weights(s, 1);
  const UNet net(w);
  EXPECT_THROW(net(std::vector<float>(5 * 4 * 4), {5, 4, 4}), Error);
  EXPECT_THROW(net(std::vector<float>(7), {4, 4, 4}), Error);
  auto missing = w;
  missing.tensors.erase("up0.bias");
  EXPECT_THROW(UNet{missing}, Error);
  auto other = w;
  other.tensors["up0.bias"].shape = {7};
  EXPECT_THROW(UNet{other}, Error);
  other.meta.clear();
  EXPECT_THROW(UNet{other}, Error);
}

TEST(UNet, MovesWithTheImageAndLeavesLevelsAlone) {
  // A network without levels below is a local function: a shifted image gives shifted logits away from the borders, and
  // the statistics of the norm are the same because only zeros enter and leave.
  UNetSpec s;
  s.filters = {3}, s.supervised = 0;
  const UNet net(initial_weights(s, 4));
  const int n = 12;
  std::vector<float> a(n * n * n, 0.0f), b = a;
  std::mt19937 random(1);
  for (int z = 4; z < 8; ++z)
    for (int y = 4; y < 8; ++y)
      for (int x = 4; x < 8; ++x) {
        const float v = std::normal_distribution<float>()(random);
        a[static_cast<std::size_t>((z * n + y) * n + x)] = v;
        b[static_cast<std::size_t>((z * n + y) * n + x + 1)] = v;
      }
  const auto p = net(a, {n, n, n}), q = net(b, {n, n, n});
  for (int z = 3; z < 9; ++z)
    for (int y = 3; y < 9; ++y)
      for (int x = 3; x < 8; ++x)
        EXPECT_NEAR(p[static_cast<std::size_t>((z * n + y) * n + x)],
                    q[static_cast<std::size_t>((z * n + y) * n + x + 1)], 1e-4);
}

TEST(UNet, UsedMemoryLeavesNoTrace) {
  UNetSpec s;
  s.filters = {2, 3}, s.supervised = 0;
  const UNet net(initial_weights(s, 4));
  const auto image = random_values(512, 3);
  const auto clean = net(image, {8, 8, 8});
  const KeepFloats keep;
  for (const int n : {8, 4}) {
    const ConvGrid grid(n, n, n);
    for (int k = 1; k <= 40; ++k) {  // every size that a layer may ask for, full of what would spread
      Channels c(grid, k);
      std::fill_n(c.channel(0) - grid.guard, static_cast<std::size_t>(k) * grid.stride, NAN);
    }
  }
  EXPECT_EQ(net(image, {8, 8, 8}), clean);
  EXPECT_EQ(net(image, {8, 8, 8}), clean);
}

TEST(Softmax, SumsToOne) {
  std::vector<float> v{1000, -5, 1001, 5, 999, 0};  // two voxels, three classes
  softmax(v, 3);
  EXPECT_NEAR(v[0] + v[2] + v[4], 1, 1e-6);
  EXPECT_NEAR(v[2] / v[0], std::exp(1.0), 1e-5);
  EXPECT_NEAR(v[1] + v[3] + v[5], 1, 1e-6);
}

}  // namespace
}  // namespace larmor::nn
