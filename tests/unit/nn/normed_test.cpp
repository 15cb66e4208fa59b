// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/nn/normed.hpp>
#include <random>

namespace larmor::nn {
namespace {

const MlpSpec spec{{3, 6, 5, 2}, Activation::elu, Activation::sigmoid};

void fill(NormedMlp& net, std::size_t n, unsigned seed, float scale = 1) {
  std::mt19937 random(seed);
  std::normal_distribution<float> draw;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t s = 0; s < n; ++s)
      net.inputs()[i * net.stride() + s] = scale * draw(random) + static_cast<float>(i);
}

TEST(NormedMlp, WithoutNormAndDropoutItIsThePlainTraining) {
  Mlp plain(spec, 3);
  MlpTrainer trainer(plain, 40, 1e-2);
  NormedMlp net(spec, 3, 40, 1e-2, {});
  Floats grad(2 * trainer.stride());
  for (int step = 0; step < 5; ++step) {
    fill(net, 40, 7);
    std::copy_n(net.inputs(), 3 * net.stride(), trainer.inputs());
    trainer.forward(40), net.forward(40, true);
    for (std::size_t o = 0; o < 2; ++o)
      for (std::size_t k = 0; k < 40; ++k) {
        const std::size_t i = o * trainer.stride() + k;
        ASSERT_NEAR(net.outputs()[i], trainer.outputs()[i], 1e-5) << step;
        grad.data()[i] = trainer.outputs()[i] - 0.3F;
      }
    trainer.backward(grad.data(), 40), trainer.step(), net.step(grad.data(), 40);
  }
  const Mlp back = net.plain();
  for (std::size_t k = 0; k < back.parameters().size(); ++k)
    EXPECT_NEAR(back.parameters()[k], plain.parameters()[k], 1e-4);
}

// A step of rate h along Adam's first direction, the sign of the gradient, lowers the loss by h times the sum of its
// magnitudes: the gradient through the means of the batch is right when the loss of the same batch falls by that.
TEST(NormedMlp, TheGradientGoesThroughTheMeansOfTheBatch) {
  constexpr std::size_t n = 64;
  constexpr double rate = 2e-5;
  NormedMlp net(spec, 3, n, rate, {.batch_norm = true});
  Floats grad(2 * net.stride());
  const auto loss = [&](bool want) {
    net.forward(n, true);
    double sum = 0;
    for (std::size_t o = 0; o < 2; ++o)
      for (std::size_t s = 0; s < n; ++s) {
        const std::size_t at = o * net.stride() + s;
        const double target = 0.5 + 0.4 * std::sin(static_cast<double>(s + 3 * o)), d = net.outputs()[at] - target;
        sum += d * d / n;
        if (want) grad.data()[at] = static_cast<float>(2 * d / n);
      }
    return sum;
  };
  fill(net, n, 11);
  double last = loss(true);
  int fell = 0;
  for (int step = 0; step < 200; ++step) {
    net.step(grad.data(), n);
    const double now = loss(true);
    fell += now < last, last = now;
  }
  EXPECT_GE(fell, 198);  // every small step goes down, but for rounding
}

TEST(NormedMlp, FoldsIntoThePlainNetworkOfItsRunningMeans) {
  constexpr std::size_t n = 200;
  NormedMlp net(spec, 5, n, 1e-2, {.batch_norm = true, .dropout = 0.2});
  Floats grad(2 * net.stride());
  for (int step = 0; step < 50; ++step) {
    fill(net, n, static_cast<unsigned>(step), 3);
    net.forward(n, true);
    for (std::size_t i = 0; i < 2 * net.stride(); ++i) grad.data()[i] = (net.outputs()[i] - 0.7F) / n;
    net.step(grad.data(), n);
  }
  fill(net, n, 1000, 3);
  net.forward(n, false);
  std::vector<float> x(3 * n);
  for (std::size_t i = 0; i < 3; ++i) std::copy_n(net.inputs() + i * net.stride(), n, x.data() + i * n);
  const auto y = net.plain()(x, n);
  for (std::size_t o = 0; o < 2; ++o)
    for (std::size_t s = 0; s < n; ++s) EXPECT_NEAR(y[o * n + s], net.outputs()[o * net.stride() + s], 1e-5);
  double mean = 0;
  for (const float v : y) mean += v / static_cast<double>(y.size());
  EXPECT_NEAR(mean, 0.7, 0.1);  // it has learned its constant: the running means are those of the data
}

TEST(NormedMlp, DropoutLeavesItsShareOutAndKeepsTheMean) {
  // Inputs of one weight each into a sigmoid of a linear hidden layer: outputs differ only by what is left out.
  constexpr std::size_t n = 4096;
  NormedMlp net({{1, 1, 1}, Activation::none, Activation::none}, 1, n, 1e-3, {.dropout = 0.25});
  std::fill_n(net.inputs(), n, 1.0F);
  net.forward(n, false);
  const float whole = net.outputs()[0];
  net.forward(n, true);
  std::vector<float> seen(net.outputs(), net.outputs() + n);
  const auto low = *std::min_element(seen.begin(), seen.end()), high = *std::max_element(seen.begin(), seen.end());
  double mean = 0;
  std::size_t first = 0;
  for (const float v : seen) mean += v / static_cast<double>(n), first += v == seen[0];
  EXPECT_NE(low, high);
  for (const float v : seen) EXPECT_TRUE(v == low || v == high);
  const double share = static_cast<double>(std::min(first, n - first)) / n;
  EXPECT_NEAR(share, 0.25, 4 * std::sqrt(0.25 * 0.75 / n));
  EXPECT_NEAR(mean, whole, 4 * std::abs(high - low) * std::sqrt(0.25 * 0.75 / n));
}

TEST(NormedMlp, RefusesWhatCannotBe) {
  EXPECT_THROW(NormedMlp(spec, 1, 10, 1e-3, {.dropout = 1}), Error);
  EXPECT_THROW(NormedMlp(spec, 1, 10, 1e-3, {.dropout = -0.1}), Error);
  EXPECT_THROW(NormedMlp(spec, 1, 1, 1e-3, {.batch_norm = true}), Error);
  EXPECT_THROW(NormedMlp({{3}, Activation::elu, Activation::none}, 1, 10, 1e-3, {}), Error);
}

}  // namespace
}  // namespace larmor::nn
