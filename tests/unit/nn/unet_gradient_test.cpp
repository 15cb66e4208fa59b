// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/trainer.hpp>
#include <larmor/nn/unet_gradient.hpp>
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

/// Two images, weights, and logits weighted at random as the loss.
struct Problem {
  UNetSpec spec;
  std::array<int, 3> size;
  Weights weights;
  std::vector<float> images;
  std::vector<std::vector<float>> directions, logits;
  Weights gradients;
  UNetGradient net;

  Problem(const UNetSpec& s, std::array<int, 3> n, std::uint64_t start = 3, bool half = false)
      : spec(s), size(n), weights(initial_weights(s, start)), net(s, n, 2, half) {
    unsigned seed = 1;
    for (auto& [name, t] : weights.tensors)  // away from 0 and 1, where a mistake could hide
      if (t.shape.size() == 1)
        for (auto& v : t.values) v += 0.3f * random_values(1, seed++)[0];
    gradients = weights;
    images = random_values(2 * static_cast<std::size_t>(n[0] * n[1] * n[2]), 9);
    for (int l = 0; l <= s.supervised; ++l) {
      const int nx = s.dims == 2 ? n[0] : n[0] >> l;
      logits.emplace_back(static_cast<std::size_t>(2 * s.classes * nx * (n[1] >> l) * (n[2] >> l)));
      directions.push_back(random_values(logits.back().size(), 20 + static_cast<unsigned>(l)));
    }
  }
  ByName<const float> views() const {
    ByName<const float> out;
    for (const auto& [name, t] : weights.tensors) out[name] = t.values;
    return out;
  }
  double loss() {
    std::vector<float*> to;
    for (auto& l : logits) to.push_back(l.data());
    net.forward(views(), images.data(), to);
    double sum = 0;
    for (std::size_t l = 0; l < logits.size(); ++l)
      for (std::size_t i = 0; i < logits[l].size(); ++i) sum += static_cast<double>(logits[l][i]) * directions[l][i];
    return sum;
  }
  void differentiate() {
    loss();
    ByName<float> to;
    for (auto& [name, t] : gradients.tensors) std::fill(t.values.begin(), t.values.end(), 0.0f), to[name] = t.values;
    std::vector<const float*> by;
    for (const auto& d : directions) by.push_back(d.data());
    net.backward(views(), by, to);
  }
};

UNetSpec spec_of(int dims, std::vector<int> filters, bool residual, int supervised) {
  UNetSpec s;
  s.dims = dims, s.filters = std::move(filters), s.residual = residual, s.supervised = supervised;
  return s;
}

TEST(UNetGradient, GivesTheLogitsOfTheNetwork) {
  for (const auto& spec : {spec_of(3, {4, 6}, true, 1), spec_of(2, {3, 5, 4}, false, 0)}) {
    Problem p(spec, {8, 4, 12});
    p.loss();
    const std::size_t n = 8 * 4 * 12;
    p.weights.meta["net"] = spec.to_json();
    for (std::size_t i = 0; i < 2; ++i) {
      const auto want = UNet(p.weights)({p.images.data() + i * n, n}, p.size);
      for (std::size_t k = 0; k < want.size(); ++k) ASSERT_NEAR(p.logits[0][i * want.size() + k], want[k], 1e-5);
    }
  }
}

TEST(UNetGradient, IsThatOfFiniteDifferences) {
  const Isa before = isa();
  for (const Isa level : {Isa::baseline, Isa::v3, Isa::v4}) {
    if (!isa_available(level)) continue;
    force_isa(level);
    for (const auto& spec :
         {spec_of(3, {3, 4}, true, 1), spec_of(3, {2, 3, 5}, false, 0), spec_of(2, {3, 4}, true, 1)}) {
      // Kinks of the activation lie within the step of one start or another: a wrong term would be in all of them.
      std::map<std::string, std::vector<double>> ratios;
      for (const std::uint64_t start : {3, 4, 5, 6, 7}) {
        Problem p(spec, {16, 16, 8}, start);
        p.differentiate();
        for (auto& [name, t] : p.weights.tensors) {
          const auto g = p.gradients.tensors.at(name).values;
          double norm = 0;
          for (const float v : g) norm += static_cast<double>(v) * v;
          norm = std::sqrt(norm);
          ASSERT_GT(norm, 1e-3) << name;
          const auto original = t.values;
          const double h = 2e-4;  // times norms of 10 to 1000 is far above the rounding of the loss, 1e-4
          const auto along = [&](double step) {
            for (std::size_t i = 0; i < g.size(); ++i)
              t.values[i] = original[i] + static_cast<float>(step * g[i] / norm);
            return p.loss();
          };
          ratios[name].push_back((along(h) - along(-h)) / (2 * h) / norm);
          t.values = original;
        }
      }
      for (auto& [name, r] : ratios) {
        std::sort(r.begin(), r.end());
        EXPECT_NEAR(r[2], 1, 0.015) << name << " " << spec.to_json() << " " << to_string(level);
      }
    }
  }
  force_isa(before);
}

TEST(UNetGradient, DoesNotDependOnThreads) {
  for (const bool half : {false, true}) {
    Problem p(spec_of(3, {8, 16}, true, 1), {8, 12, 8}, 3, half);
    const int threads = thread_count();
    set_thread_count(1);
    p.differentiate();
    const auto one = p.gradients;
    set_thread_count(3);
    p.differentiate();
    set_thread_count(threads);
    for (const auto& [name, t] : one.tensors) EXPECT_EQ(t.values, p.gradients.tensors.at(name).values) << name;
  }
}

TEST(UNetGradient, OfRoundedNumbersIsNear) {
  Problem whole(spec_of(3, {16, 24}, true, 1), {16, 16, 8}), half(whole.spec, whole.size, 3, true);
  whole.differentiate();
  half.differentiate();
  double dot = 0, a = 0, b = 0;
  for (const auto& [name, t] : whole.gradients.tensors)
    for (std::size_t i = 0; i < t.values.size(); ++i) {
      const double v = t.values[i], w = half.gradients.tensors.at(name).values[i];
      dot += v * w, a += v * v, b += w * w;
    }
  // 0.4 % a number, magnified by norms on the way down and by what changes side at the kinks: 7 % of a random gradient.
  EXPECT_GT(dot / std::sqrt(a * b), 0.99);
  EXPECT_NEAR(b / a, 1, 0.02);
}

TEST(UNetGradient, RefusesSizes) { EXPECT_THROW(UNetGradient(spec_of(3, {2, 3}, true, 0), {7, 8, 8}, 1), Error); }

}  // namespace
}  // namespace larmor::nn
