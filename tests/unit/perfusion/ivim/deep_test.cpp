// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/perfusion/ivim/deep.hpp>
#include <numeric>

namespace larmor::ivim::deep {
namespace {

const std::vector<double> b{10, 20, 60, 150, 300, 500, 1000};

TEST(IvimLoss, GradientIsThatOfFiniteDifferences) {
  constexpr std::size_t stride = 16, n = 5;
  const std::vector<float> bf(b.begin(), b.end());
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    force_isa(level);
    std::vector<float> signals(b.size() * stride, 0.5f), out(3 * stride), grad(3 * stride), none(3 * stride);
    for (std::size_t s = 0; s < stride; ++s)
      out[s] = 0.02f + 0.001f * static_cast<float>(s), out[stride + s] = 1e-3f,
      out[2 * stride + s] = 0.1f + 0.02f * static_cast<float>(s);
    reconstruction_loss(bf, signals.data(), out.data(), grad.data(), stride, n);
    for (std::size_t row = 0; row < 3; ++row)
      for (std::size_t s = 0; s < n; ++s) {
        const std::size_t k = row * stride + s;
        const float before = out[k], h = before * 0.02f;
        out[k] = before + h;
        const double up = reconstruction_loss(bf, signals.data(), out.data(), none.data(), stride, n);
        out[k] = before - h;
        const double down = reconstruction_loss(bf, signals.data(), out.data(), none.data(), stride, n);
        out[k] = before;
        // Float losses of 0.05 carry 5e-9; over 2 h that is below 1 % of the gradients here.
        EXPECT_NEAR(grad[k], (up - down) / (2 * static_cast<double>(h)), 0.02 * std::abs(grad[k]) + 1e-6)
            << row << " " << s;
      }
  }
  force_isa(isa_available(Isa::v4) ? Isa::v4 : isa_available(Isa::v3) ? Isa::v3 : Isa::baseline);
}

TEST(IvimSimulate, FollowsTheModelWithoutNoise) {
  const auto sim = simulate(b, {.samples = 50, .noise = 0, .seed = 3});
  for (std::size_t s = 0; s < 50; ++s) {
    EXPECT_GE(sim.truth.D_star[s], 0.01f);
    EXPECT_LE(sim.truth.f[s], 0.4f);
    for (std::size_t i = 0; i < b.size(); ++i) {
      // The slower part alone is a lower bound, the sum of parts at b = 0 an upper.
      EXPECT_GE(sim.signals[i * 50 + s], (1 - sim.truth.f[s]) * std::exp(-b[i] * sim.truth.D[s]) - 1e-6);
      EXPECT_LE(sim.signals[i * 50 + s], 1);
      if (i > 0) {
        EXPECT_LT(sim.signals[i * 50 + s], sim.signals[(i - 1) * 50 + s]);
      }
    }
  }
}

TEST(IvimDeep, FindsParametersItWasNotShown) {
  constexpr std::size_t n = 100'000;  // as published; a fifth of it leaves D* little better than a guess
  const auto training = simulate(b, {.samples = n, .seed = 1}), test = simulate(b, {.samples = 2000, .seed = 2});
  // Where the published training ends depends on its first weights (seeds 1-8 end between 3.1e-4 and 1.2e-3), and
  // rounding moves single ends. The lowest loss of four, chosen without the truth, is what a user would keep.
  auto result = train(b, training.signals, n, {.seed = 1});
  for (std::uint64_t seed = 2; seed <= 4; ++seed) {
    auto again = train(b, training.signals, n, {.seed = seed});
    if (again.fit.best < result.fit.best) result = std::move(again);
  }
  EXPECT_GT(result.fit.losses.front(), result.fit.best);
  // The misfit cannot be below the noise that a fit of 3 of 7 values leaves. It stays above the noise: steps of Adam of
  // 1e-3 are as large as D itself, which is how the published network is trained.
  EXPECT_GT(result.fit.best, 1e-4 * 4.0 / 7 * 0.9);
  EXPECT_LT(result.fit.best, 1e-3);
  const auto found = infer(result.network, test.signals, 2000);
  const auto rmse = [](const std::vector<float>& a, const std::vector<float>& t) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - t[i]) * (a[i] - t[i]);
    return std::sqrt(sum / static_cast<double>(a.size()));
  };
  // Guessing the middle of each range errs by range / sqrt(12): 4.3e-4, 0.087, 0.026.
  EXPECT_LT(rmse(found.D, test.truth.D), 2.5e-4);
  EXPECT_LT(rmse(found.f, test.truth.f), 0.05);
  EXPECT_LT(rmse(found.D_star, test.truth.D_star), 0.024);
  for (std::size_t s = 0; s < 2000; ++s) EXPECT_LE(found.D[s], found.D_star[s]);
}

TEST(IvimDeep, IsTheSameTwice) {
  const auto sim = simulate(b, {.samples = 1000});
  const auto a = train(b, sim.signals, 1000, {.epochs = 3}), c = train(b, sim.signals, 1000, {.epochs = 3});
  EXPECT_TRUE(std::equal(a.network.parameters().begin(), a.network.parameters().end(), c.network.parameters().begin()));
}

// The kernels of CUDA, thread after thread: the same batches, so the same course but for rounding, which training
// magnifies with every step.
TEST(IvimDeep, TheKernelsOfADeviceTrainTheSameNetwork) {
  const auto sim = simulate(b, {.samples = 1500});
  const nn::FitOptions options{.epochs = 3, .seed = 2};
  const auto here = train(b, sim.signals, 1500, options);
  std::vector<Device> devices{Device::cpu()};
  if (cuda_device_count() > 0) devices.push_back(Device::cuda());
  for (const Device device : devices) {
    const auto there = train_on(device, b, sim.signals, 1500, options);
    ASSERT_EQ(there.fit.losses.size(), here.fit.losses.size());
    for (std::size_t e = 0; e < 3; ++e)
      EXPECT_NEAR(there.fit.losses[e], here.fit.losses[e], 2e-3 * here.fit.losses[e]) << device.str() << ' ' << e;
    EXPECT_EQ(there.fit.best_epoch, here.fit.best_epoch) << device.str();
  }
}

TEST(IvimDeep, RefusesWhatItCannotUse) {
  EXPECT_THROW(simulate(std::vector<double>{0, 10, 20}), Error);
  EXPECT_THROW(simulate(std::vector<double>{10, 20}), Error);
  EXPECT_THROW(simulate(b, {.f_high = 2}), Error);
  EXPECT_THROW(train(b, std::vector<float>(10), 2), Error);
  std::vector<float> bad(b.size() * 256, std::nanf(""));
  EXPECT_THROW(train(b, bad, 256), Error);
}

}  // namespace
}  // namespace larmor::ivim::deep
