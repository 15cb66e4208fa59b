// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/nn/mlp.hpp>
#include <random>

namespace larmor::nn {
namespace {

/// Sum of squares of outputs minus targets that are a fixed function of the place.
double squares(const MlpTrainer& t, std::size_t n, int n_out, float* grad) {
  double loss = 0;
  for (int o = 0; o < n_out; ++o)
    for (std::size_t s = 0; s < n; ++s) {
      const std::size_t at = static_cast<std::size_t>(o) * t.stride() + s;
      const float d = t.outputs()[at] - std::sin(static_cast<float>(3 * o + static_cast<int>(s)));
      loss += 0.5 * d * d;
      if (grad) grad[at] = d;
    }
  return loss;
}

class MlpGradient : public testing::TestWithParam<std::pair<Activation, Activation>> {};

TEST_P(MlpGradient, IsThatOfFiniteDifferences) {
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    force_isa(level);
    Mlp net({{5, 9, 6, 3}, GetParam().first, GetParam().second}, 3);
    if (GetParam().second == Activation::abs)  // outputs of both signs, away from the kink
      for (std::size_t o = 0; o < 3; ++o) net.parameters()[net.parameters().size() - 3 + o] = o == 1 ? -2.0f : 2.0f;
    constexpr std::size_t n = 21;  // no whole number of packs
    MlpTrainer trainer(net, n);
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < 5; ++i)
      for (std::size_t s = 0; s < n; ++s) trainer.inputs()[i * trainer.stride() + s] = normal(random);
    Floats grad(3 * trainer.stride());
    trainer.forward(n);
    squares(trainer, n, 3, grad.data());
    const auto g = trainer.backward(grad.data(), n);
    const std::vector<float> analytic(g.begin(), g.end());
    auto p = net.parameters();
    double error = 0, norm = 0;
    for (std::size_t k = 0; k < p.size(); ++k) {
      const float before = p[k], h = 3e-4f;
      p[k] = before + h;
      trainer.forward(n);
      const double up = squares(trainer, n, 3, nullptr);
      p[k] = before - h;
      trainer.forward(n);
      const double down = squares(trainer, n, 3, nullptr);
      p[k] = before;
      const double numeric = (up - down) / (2 * static_cast<double>(h));
      error += (numeric - analytic[k]) * (numeric - analytic[k]);
      norm += numeric * numeric;
    }
    // Outputs are floats: 63 roundings of 6e-8 over 2 h are 1e-3 of slopes of order 1. A kink of relu or abs within h
    // of a sample would take its whole share, 1 / sqrt(63), so h is small.
    EXPECT_LT(std::sqrt(error / norm), 3e-3) << to_string(level);
  }
  force_isa(isa_available(Isa::v4) ? Isa::v4 : isa_available(Isa::v3) ? Isa::v3 : Isa::baseline);
}

INSTANTIATE_TEST_SUITE_P(Activations, MlpGradient,
                         testing::Values(std::pair{Activation::elu, Activation::none},
                                         std::pair{Activation::elu, Activation::abs},
                                         std::pair{Activation::relu, Activation::sigmoid},
                                         std::pair{Activation::sigmoid, Activation::elu},
                                         std::pair{Activation::none, Activation::relu}));

// Inference keeps layers in registers and works on rows as they lie; training keeps them all. Packs are 8 to 32
// samples: tails of every kind. Nothing beyond the rows is touched.
TEST(Mlp, InferenceIsTheForwardPassOfTraining) {
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    force_isa(level);
    for (const auto& sizes : {std::vector<int>{7, 7, 7, 7, 3}, {8, 40, 40, 6}, {1, 1}, {3, 17, 9}, {13, 5, 2, 11}})
      for (const std::size_t n : {1, 31, 32, 33, 500, 5000}) {
        const Mlp net({sizes, Activation::elu, Activation::sigmoid}, 3);
        Mlp same(net);
        MlpTrainer trainer(same, n);
        const auto n_in = static_cast<std::size_t>(sizes.front()), n_out = static_cast<std::size_t>(sizes.back());
        std::mt19937 random(7);
        std::normal_distribution<float> normal;
        std::vector<std::vector<float>> rows(n_in, std::vector<float>(n)), found(n_out, std::vector<float>(n + 1, 77));
        std::vector<float> packed;
        std::vector<const float*> in;
        std::vector<float*> out;
        for (std::size_t i = 0; i < n_in; ++i) {
          for (float& x : rows[i]) x = 3 * normal(random);
          std::copy(rows[i].begin(), rows[i].end(), trainer.inputs() + i * trainer.stride());
          packed.insert(packed.end(), rows[i].begin(), rows[i].end());
          in.push_back(rows[i].data());
        }
        for (auto& row : found) out.push_back(row.data());
        trainer.forward(n);
        net(in, out, n);
        const auto y = net(packed, n);
        for (std::size_t o = 0; o < n_out; ++o) {
          EXPECT_EQ(found[o][n], 77);
          for (std::size_t s = 0; s < n; ++s) {
            ASSERT_EQ(found[o][s], trainer.outputs()[o * trainer.stride() + s]) << to_string(level) << ' ' << n;
            ASSERT_EQ(found[o][s], y[o * n + s]);
          }
        }
        out.pop_back();
        EXPECT_THROW(net(in, out, n), Error);
      }
  }
  force_isa(isa_available(Isa::v4) ? Isa::v4 : isa_available(Isa::v3) ? Isa::v3 : Isa::baseline);
}

// The kernels have an ELU of their own: within 1.5e-7 of the function, 0 at 0, from end to end of what a float can be.
TEST(Mlp, EluIsExact) {
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    force_isa(level);
    Mlp net({{1, 1}, Activation::none, Activation::elu}, 1);
    net.parameters()[0] = 1, net.parameters()[1] = 0;
    std::vector<float> x{0.0F, -0.0F, 1e-30F, -1e-30F, -86.9F, -88.0F, -1e30F, 3e38F, -3e38F};
    for (int i = -4000; i < 400; ++i) x.push_back(0.005F * static_cast<float>(i));
    const auto y = net(x, x.size());
    for (std::size_t s = 0; s < x.size(); ++s)
      ASSERT_NEAR(y[s], x[s] > 0 ? x[s] : std::expm1(double{x[s]}), 1.5e-7) << to_string(level) << ' ' << x[s];
  }
  force_isa(isa_available(Isa::v4) ? Isa::v4 : isa_available(Isa::v3) ? Isa::v3 : Isa::baseline);
}

// A batch larger than a part of the way back (128 Ki values): its gradient is that of its two halves.
TEST(Mlp, LargeBatchesAreSummedInParts) {
  Mlp net({{4, 6, 2}, Activation::elu, Activation::none}, 3);
  constexpr std::size_t n = 40000, half = n / 2;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  std::vector<float> x(4 * n), slopes(2 * n);
  for (float& v : x) v = normal(random);
  for (float& v : slopes) v = normal(random);
  const auto gradient = [&](std::size_t first, std::size_t count) {
    MlpTrainer t(net, count);
    Floats grad(2 * t.stride());
    for (std::size_t i = 0; i < 4; ++i) std::copy_n(x.data() + i * n + first, count, t.inputs() + i * t.stride());
    for (std::size_t o = 0; o < 2; ++o) std::copy_n(slopes.data() + o * n + first, count, grad.data() + o * t.stride());
    t.forward(count);
    const auto g = t.backward(grad.data(), count);
    return std::vector<float>(g.begin(), g.end());
  };
  const auto whole = gradient(0, n), a = gradient(0, half), b = gradient(half, half);
  // Sums of 40,000 terms of order 1 in floats, by lanes: roundings of 1e-7 of 200 and less.
  for (std::size_t k = 0; k < whole.size(); ++k) EXPECT_NEAR(whole[k], a[k] + b[k], 1e-3) << k;
}

TEST(Mlp, ComputesByHand) {
  Mlp net({{2, 2, 1}, Activation::elu, Activation::abs}, 1);
  const std::vector<float> p{1, -1, 0.5f, 0.25f, /* biases */ 0, -2, /* layer 2 */ 2, 3, -1};
  std::copy(p.begin(), p.end(), net.parameters().begin());
  const std::vector<float> x{3, 0, 1, 2};  // two samples: (3, 1), (0, 2)
  const auto y = net(x, 2);
  // (3, 1): z = (2, -0.25), elu = (2, e^-0.25 - 1); |4 + 3 (e^-0.25 - 1) - 1|
  EXPECT_NEAR(y[0], std::abs(3 + 3 * (std::exp(-0.25) - 1)), 1e-6);
  // (0, 2): z = (-2, -1.5)
  EXPECT_NEAR(y[1], std::abs(2 * (std::exp(-2.0) - 1) + 3 * (std::exp(-1.5) - 1) - 1), 1e-6);
}

TEST(Mlp, LearnsALine) {
  Mlp net({{1, 8, 1}, Activation::elu, Activation::none}, 5);
  std::vector<float> x(2048);
  std::mt19937 random(1);
  for (auto& v : x) v = std::uniform_real_distribution<float>(-1, 1)(random);
  const auto result = fit(net, x, x.size(),
                          [](const float* in, const float* out, float* grad, std::size_t, std::size_t n) {
                            double sum = 0;
                            for (std::size_t s = 0; s < n; ++s) {
                              const float d = out[s] - (0.3f * in[s] + 0.2f);
                              sum += d * d / static_cast<double>(n);
                              grad[s] = 2 * d / static_cast<float>(n);
                            }
                            return sum;
                          },
                          {.rate = 1e-2, .epochs = 60});
  EXPECT_LT(result.best, 1e-4);  // a hundredth of the range, squared
  EXPECT_NEAR(net(std::vector<float>{0.5f}, 1)[0], 0.35f, 0.02f);
}

TEST(Mlp, RestoresTheBestWeights) {
  // A loss that grows with every epoch: the weights of the first epoch must come back, not those of the last.
  Mlp net({{1, 1}, Activation::none, Activation::none}, 1);
  net.parameters()[0] = 0, net.parameters()[1] = 0;
  const std::vector<float> x(64, 1.0f);
  int calls = 0;
  std::vector<float> after_first;
  const auto result = fit(net, x, 64,
                          [&](const float*, const float*, float* grad, std::size_t, std::size_t n) {
                            if (++calls == 2) after_first.assign(net.parameters().begin(), net.parameters().end());
                            for (std::size_t s = 0; s < n; ++s) grad[s] = -1.0f / static_cast<float>(n);
                            return static_cast<double>(calls);
                          },
                          {.batch = 64, .patience = 3});
  EXPECT_EQ(result.best_epoch, 1);
  EXPECT_EQ(result.losses.size(), 4u);
  EXPECT_EQ(std::vector<float>(net.parameters().begin(), net.parameters().end()), after_first);
  EXPECT_NEAR(net.parameters()[0], 1e-3, 1e-6);  // one step of Adam is the rate
}

TEST(Mlp, ACopyHasWeightsOfItsOwn) {
  Mlp net({{2, 1}, Activation::none, Activation::none}, 1);
  const float before = net.parameters()[0];
  const Mlp copy = net;
  net.parameters()[0] = 7;
  EXPECT_EQ(copy.parameters()[0], before);
}

TEST(Mlp, WeightsGoThereAndBack) {
  const Mlp net({{4, 7, 2}, Activation::relu, Activation::sigmoid}, 9);
  const Mlp again(decode(encode(net.weights())));
  EXPECT_EQ(again.spec(), net.spec());
  EXPECT_TRUE(std::equal(net.parameters().begin(), net.parameters().end(), again.parameters().begin()));
}

TEST(Mlp, RefusesBadShapes) {
  EXPECT_THROW(Mlp({{3}, Activation::elu, Activation::none}, 1), Error);
  EXPECT_THROW(Mlp({{3, 0, 1}, Activation::elu, Activation::none}, 1), Error);
  EXPECT_THROW(Mlp({{3, 2, 1}, Activation::abs, Activation::none}, 1), Error);
  EXPECT_THROW(activation_called("elo"), Error);
  const Mlp net({{3, 1}, Activation::elu, Activation::none}, 1);
  EXPECT_THROW(net(std::vector<float>(5), 2), Error);
  EXPECT_THROW(Mlp(Weights{}), Error);
}

}  // namespace
}  // namespace larmor::nn
