// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/nn/mlp_device.hpp>
#include <random>

namespace larmor::nn {
namespace {

/// Where the kernels of CUDA can run: thread after thread on the CPU always, on a device when there is one.
std::vector<Device> places() {
  std::vector<Device> all{Device::cpu()};
  if (cuda_device_count() > 0) all.push_back(Device::cuda());
  return all;
}

std::vector<float> normal(std::size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> draw;
  std::vector<float> x(n);
  for (float& v : x) v = draw(random);
  return x;
}

struct Case {
  MlpSpec spec;
  std::size_t n;  // samples; more and fewer than a block of threads, no whole number of packs
};
class MlpDevice : public testing::TestWithParam<Case> {};

// One step by both ways: outputs, gradient and the weights after Adam. The sums run in another order: roundings of 6e-8
// over some hundred terms.
TEST_P(MlpDevice, AStepIsThatOfTheCpu) {
  const auto& [spec, n] = GetParam();
  const auto n_in = static_cast<std::size_t>(spec.sizes.front()), n_out = static_cast<std::size_t>(spec.sizes.back());
  const std::vector<float> rows = normal(n * n_in, 1), slopes = normal(n * n_out, 2);
  std::vector<std::uint32_t> order(n + 3);
  for (std::size_t i = 0; i < n; ++i) order[i + 3] = static_cast<std::uint32_t>(n - 1 - i);
  Mlp here(spec, 5);
  MlpTrainer trainer(here, n, 1e-2);
  for (std::size_t s = 0; s < n; ++s)
    for (std::size_t i = 0; i < n_in; ++i) trainer.inputs()[i * trainer.stride() + s] = rows[(n - 1 - s) * n_in + i];
  Floats grad(n_out * trainer.stride());
  for (std::size_t s = 0; s < n; ++s)
    for (std::size_t o = 0; o < n_out; ++o) grad.data()[o * trainer.stride() + s] = slopes[o * n + s];
  trainer.forward(n);
  const auto g = trainer.backward(grad.data(), n);
  const std::vector<float> gradient(g.begin(), g.end());
  trainer.step();
  for (const Device device : places()) {
    Mlp there(spec, 5);
    MlpDeviceTrainer other(there, n, 1e-2, device);
    ASSERT_EQ(other.stride(), trainer.stride());
    DeviceMemory memory(device);
    other.take(memory.copy(rows.data(), rows.size()), memory.copy(order.data(), order.size()), 3, n);
    other.forward(n);
    std::vector<float> y(n_out * other.stride());
    memory.back(y.data(), other.outputs(), y.size());
    for (std::size_t o = 0; o < n_out; ++o)
      for (std::size_t s = 0; s < n; ++s) {
        const std::size_t at = o * other.stride() + s;
        ASSERT_NEAR(y[at], trainer.outputs()[at], 2e-6F * (1 + std::abs(y[at])))
            << device.str() << ' ' << o << ' ' << s;
      }
    memory.to_device(other.grad(), static_cast<const float*>(grad.data()), n_out * other.stride());
    other.step(n);
    const auto found = other.gradient();
    double error = 0, norm = 0;
    for (std::size_t k = 0; k < gradient.size(); ++k)
      error += std::pow(found[k] - gradient[k], 2), norm += std::pow(gradient[k], 2);
    EXPECT_LT(std::sqrt(error / norm), 2e-6) << device.str();
    other.read(there);
    for (std::size_t k = 0; k < gradient.size(); ++k) {
      // The first step of Adam is the rate times the sign: a gradient of rounding may go either way.
      if (std::abs(gradient[k]) < 1e-5 * std::sqrt(norm)) continue;
      ASSERT_NEAR(there.parameters()[k], here.parameters()[k], 1e-5) << device.str() << ' ' << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, MlpDevice,
                         testing::Values(Case{{{7, 7, 7, 7, 3}, Activation::elu, Activation::abs}, 128},
                                         Case{{{8, 40, 40, 6}, Activation::elu, Activation::none}, 301},
                                         Case{{{5, 9, 1}, Activation::relu, Activation::sigmoid}, 21},
                                         Case{{{1, 3}, Activation::none, Activation::none}, 1},
                                         Case{{{3, 17, 18, 2}, Activation::sigmoid, Activation::elu}, 513}));

TEST(MlpDevice, TrainsAsTheCpuDoes) {
  const auto x = normal(2000, 3);
  const FitOptions options{.batch = 100, .rate = 1e-2, .epochs = 5};
  Mlp here({{2, 6, 1}, Activation::elu, Activation::none}, 4), there = here;
  // 0.5 (y - x0 x1)^2
  const auto want = [](const float* in, std::size_t stride, std::size_t s) { return in[s] * in[stride + s]; };
  const auto a = fit(
      here, x, 1000,
      [&](const float* in, const float* out, float* grad, std::size_t stride, std::size_t n) {
        double sum = 0;
        for (std::size_t s = 0; s < n; ++s) {
          const float d = out[s] - want(in, stride, s);
          sum += 0.5 * d * d / static_cast<double>(n), grad[s] = d / static_cast<float>(n);
        }
        return sum;
      },
      options);
  const auto b = fit_on(
      Device::cpu(), there, x, 1000,
      [&](const float* in, const float* out, float* grad, double* sums, std::size_t stride, std::size_t n, int) {
        for (std::size_t s = 0; s < n; ++s) {
          const float d = out[s] - want(in, stride, s);
          sums[s] += 0.5 * d * d, grad[s] = d / static_cast<float>(n);
        }
      },
      options);
  ASSERT_EQ(a.losses.size(), b.losses.size());
  for (std::size_t e = 0; e < a.losses.size(); ++e) EXPECT_NEAR(a.losses[e], b.losses[e], 1e-4 * a.losses[e]) << e;
  EXPECT_EQ(a.best_epoch, b.best_epoch);
  for (std::size_t k = 0; k < here.parameters().size(); ++k)  // 50 steps of 0.01
    EXPECT_NEAR(here.parameters()[k], there.parameters()[k], 2e-3) << k;
}

TEST(MlpDevice, InfersAsTheCpuDoes) {
  const Mlp net({{3, 20, 5}, Activation::elu, Activation::sigmoid}, 2);
  const auto x = normal(3 * 1001, 9);
  const auto here = net(x, 1001);
  for (const Device device : places()) {
    const auto there = infer_on(device, net, x, 1001);
    for (std::size_t i = 0; i < here.size(); ++i) ASSERT_NEAR(there[i], here[i], 1e-6) << device.str() << ' ' << i;
  }
  EXPECT_TRUE(infer_on(Device::cpu(), net, {}, 0).empty());
}

TEST(MlpDevice, SaysWhatIsWrong) {
  const Mlp net({{3, 2}, Activation::elu, Activation::none}, 2);
  EXPECT_THROW(infer_on(Device::cpu(), net, std::vector<float>(7), 2), Error);
  EXPECT_THROW(MlpDeviceTrainer(net, 0, 1e-3, Device::cpu()), Error);
  if (cuda_device_count() > 0) GTEST_SKIP() << "there is a device, so asking for one is no mistake";
  try {
    infer_on(Device::cuda(), net, std::vector<float>(6), 2);
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), Errc::device);
    EXPECT_THAT(e.what(), testing::HasSubstr("no cuda"));
  }
}

}  // namespace
}  // namespace larmor::nn
