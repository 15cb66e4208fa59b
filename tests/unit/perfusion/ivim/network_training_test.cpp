// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cmath>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/kernels/training_kernel.hpp>
#include <larmor/perfusion/ivim/network_data.hpp>
#include <larmor/perfusion/ivim/simulate.hpp>
#include <random>

namespace larmor::ivim {
namespace {

const std::vector<double> b(classical_b.begin(), classical_b.end());
Protocol classical() { return {.b = {b.begin() + 1, b.end()}}; }
PosteriorTraining brief() {
  PosteriorTraining o;
  o.prior = classical_prior(), o.hidden = {32, 32}, o.pool = 5000, o.batch = 200, o.steps = 20, o.epochs = 3;
  return o;
}

// Two trainings of networks are the same but for rounding, which training magnifies with every step.
void expect_same_course(const NetworkTraining& a, const NetworkTraining& b, const std::string& what) {
  ASSERT_EQ(a.losses.size(), b.losses.size()) << what;
  for (std::size_t e = 0; e < a.losses.size(); ++e)
    EXPECT_NEAR(a.losses[e], b.losses[e], 2e-3 * std::abs(a.losses[e])) << what << ' ' << e;
  EXPECT_EQ(a.best_epoch, b.best_epoch) << what;
}

// Every kind trains on a device from the same source: samples, losses and steps of the threads of CUDA, one after the
// other on the CPU, and on a device if there is one.
TEST(IvimNetwork, DevicesTrainTheSameNetworks) {
  const Simulated s = simulate(1500, classical_b, classical_prior(), 0.01, true, 9);
  const NetworkData d = network_data({.data = s.signal, .b = b, .mask = {}});
  for (const NetworkKind kind : {NetworkKind::original, NetworkKind::optim}) {
    SelfTraining o;
    // The absolute value of the original has kinks: rounding becomes another course sooner.
    o.fit.epochs = kind == NetworkKind::original ? 1 : 4, o.fit.batch = 100;
    NetworkTraining here, there;
    const VoxelNetwork a = train_self(kind, classical(), d.ratios, 1500, o, &here);
    o.emulate = true;
    const VoxelNetwork c = train_self(kind, classical(), d.ratios, 1500, o, &there);
    expect_same_course(here, there, std::string(to_string(kind)));
    const auto x = a(d.ratios, {}, 1500), y = c(d.ratios, {}, 1500);
    for (std::size_t v = 0; v < 1500; ++v) ASSERT_NEAR(x.f[v], y.f[v], 5e-3) << to_string(kind) << ' ' << v;
    if (cuda_device_count() == 0) continue;
    o.emulate = false, o.device = Device::cuda();
    train_self(kind, classical(), d.ratios, 1500, o, &there);
    expect_same_course(here, there, "device");
  }
  PosteriorTraining o = brief();
  for (const bool voxels : {false, true}) {
    if (voxels)
      o.voxels = patient_voxels({.data = s.signal, .b = b, .mask = {}}, d, o.prior, 0.01, o.noise_low, o.noise_high);
    o.device = Device::cpu(), o.emulate = false;
    NetworkTraining here, there;
    const VoxelNetwork a = train_posterior(classical(), o, &here);
    o.emulate = true;
    const VoxelNetwork c = train_posterior(classical(), o, &there);
    expect_same_course(here, there, "posterior");
    const std::vector<float> noise(1500, 0.01F);
    const auto x = a(d.ratios, noise, 1500), y = c(d.ratios, noise, 1500);
    for (std::size_t v = 0; v < 1500; ++v) ASSERT_NEAR(x.f[v], y.f[v], 2e-3) << v;
    if (cuda_device_count() == 0) continue;
    o.emulate = false, o.device = Device::cuda();
    train_posterior(classical(), o, &there);
    expect_same_course(here, there, "device");
  }
}

// A sample is what its number says, whoever makes it: threads share a batch, and change nothing but the order of sums.
TEST(IvimNetwork, TheNumberOfThreadsDoesNotMatter) {
  PosteriorTraining o = brief();
  NetworkTraining one, three;
  const int before = thread_count();
  set_thread_count(1);
  train_posterior(classical(), o, &one);
  set_thread_count(3);
  train_posterior(classical(), o, &three);
  set_thread_count(before);
  expect_same_course(one, three, "threads");
}

// Gradients of the losses that are taken on lanes and in threads of CUDA, by finite differences of the loss itself.
TEST(IvimNetwork, GradientsOfTheLossesAreThoseOfFiniteDifferences) {
  constexpr std::size_t n = 32;  // one row of packs
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  const auto some = [&](std::size_t count, float scale) {
    std::vector<float> x(count);
    for (float& v : x) v = scale * normal(random);
    return x;
  };
  std::vector<float> out = some(6 * n, 0.3F), grad(6 * n), weight(n, 1);
  const auto wanted = some(3 * n, 1), spread = some(3 * n, 0.3F);
  std::vector<float> variance;
  for (const float x : spread) variance.push_back(x * x);
  PosteriorLossRun r{out.data(), wanted.data(), variance.data(), weight.data(), grad.data(), {1, 2, 0.5F}, n, n, n};
  const auto posterior = [&] {
    PosteriorLossSums sums{};
    training_kernels().posterior_loss(r, sums);
    return sums;
  };
  posterior();
  const std::vector<float> analytic = grad;
  r.grad = nullptr;
  for (std::size_t i = 0; i < out.size(); i += 7) {
    const std::size_t m = i / n;
    const float x = out[i], h = 1e-2F;
    out[i] = x + h;
    const auto up = posterior();
    out[i] = x - h;
    const auto down = posterior();
    out[i] = x;
    // Means go by squares alone, sds by the likelihood, times 0.3.
    const double slope =
        m < 3 ? r.scale[m] * (up.squares[m] - down.squares[m]) : 0.3 * (up.likelihood[m - 3] - down.likelihood[m - 3]);
    EXPECT_NEAR(analytic[i], slope / (2 * h) / n, 1e-3 * std::abs(analytic[i]) + 2e-5) << i;
  }

  std::vector<float> sigmoid[4], slopes[4], bs{10, 60, 300, 1000}, signal(4 * n, 0.6F);
  OptimLossRun q{};
  q.b = bs.data(), q.signal = signal.data(), q.n_b = 4, q.stride = q.n = n;
  const float low[4]{0.005F, 0, 0, 0.8F}, high[4]{0.2F, 0.005F, 0.7F, 1.2F};
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t s = 0; s < n; ++s) sigmoid[i].push_back(0.2F + 0.6F * static_cast<float>((7 * s + 5 * i) % n) / n);
    slopes[i].resize(n);
    q.out[i] = sigmoid[i].data(), q.grad[i] = slopes[i].data(), q.low[i] = low[i], q.width[i] = high[i] - low[i];
  }
  training_kernels().optim_loss(q);
  for (auto& g : q.grad) g = nullptr;
  for (std::size_t i = 0; i < 4; ++i)
    for (std::size_t s = 0; s < n; s += 5) {
      const float x = sigmoid[i][s], h = 5e-3F;
      sigmoid[i][s] = x + h;
      const double up = training_kernels().optim_loss(q);
      sigmoid[i][s] = x - h;
      const double down = training_kernels().optim_loss(q);
      sigmoid[i][s] = x;
      const double slope = (up - down) / (2 * static_cast<double>(h)) / n;
      EXPECT_NEAR(slopes[i][s], slope, 0.01 * std::abs(slope) + 1e-5) << i << ' ' << s;  // curvature, roundings of 6e-8
    }
}

}  // namespace
}  // namespace larmor::ivim
