// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/ivim/deep.hpp>
#include <larmor/perfusion/ivim/voxel_network.hpp>
#include <limits>
#include <random>

namespace larmor::ivim {
namespace {

/// Outputs are the ranges of the parameters times a sigmoid, one network each; the rate falls when the loss of the
/// samples kept from training does not, and the best weights come back.
VoxelNetwork train_optim(const Protocol& protocol, std::span<const float> ratios, std::size_t n, const SelfTraining& o,
                         NetworkTraining& told, const Progress& progress, const Cancel* cancel) {
  const std::size_t n_b = protocol.b.size();
  const int width = static_cast<int>(n_b);
  VoxelNetwork out;
  out.kind = NetworkKind::optim, out.protocol = protocol;
  for (std::size_t i = 0; i < 4; ++i) out.low[i] = o.low[i], out.high[i] = o.high[i];
  for (std::uint64_t i = 0; i < 4; ++i)
    out.nets.emplace_back(nn::MlpSpec{{width, width, width, 1}, nn::Activation::elu, nn::Activation::sigmoid},
                          o.fit.seed + i);
  const std::size_t batch = std::min(o.fit.batch, n), n_val = n >= 10 * batch ? n / 10 : 0, n_train = n - n_val;
  std::vector<nn::MlpTrainer> trainers;
  trainers.reserve(4);
  for (auto& net : out.nets) trainers.emplace_back(net, batch, o.fit.rate);
  const std::size_t stride = trainers[0].stride();
  std::vector<float> rows(ratios.size());
  for (std::size_t i = 0; i < n_b; ++i)
    for (std::size_t s = 0; s < n; ++s) rows[s * n_b + i] = ratios[i * n + s];
  std::vector<nn::Floats> grads;
  for (int i = 0; i < 4; ++i) grads.emplace_back(stride);
  std::vector<float> b(protocol.b.begin(), protocol.b.end());
  // Misfit of one batch whose signals stand in the inputs, and its gradient by the four sigmoids.
  const auto misfit = [&](std::size_t count, bool want) {
    double total = 0;
    for (auto& t : trainers) t.forward(count);
    const float inverse = 1 / static_cast<float>(count * n_b);
    for (std::size_t s = 0; s < count; ++s) {
      std::array<float, 4> p{}, g{};
      for (std::size_t i = 0; i < 4; ++i)
        p[i] = static_cast<float>(o.low[i]) + static_cast<float>(o.high[i] - o.low[i]) * trainers[i].outputs()[s];
      for (std::size_t k = 0; k < n_b; ++k) {
        const float fast = std::exp(-b[k] * p[0]), slow = std::exp(-b[k] * p[1]);
        const float shape = p[2] * fast + (1 - p[2]) * slow, r = p[3] * shape - trainers[0].inputs()[k * stride + s];
        total += r * r;
        g[0] -= r * p[3] * p[2] * b[k] * fast, g[1] -= r * p[3] * (1 - p[2]) * b[k] * slow;
        g[2] += r * p[3] * (fast - slow), g[3] += r * shape;
      }
      if (want)
        for (std::size_t i = 0; i < 4; ++i)
          grads[i].data()[s] = 2 * inverse * g[i] * static_cast<float>(o.high[i] - o.low[i]);
    }
    return total / static_cast<double>(count * n_b);
  };
  const auto fill = [&](auto sample_of, std::size_t count) {
    for (auto& t : trainers)
      for (std::size_t s = 0; s < count; ++s) {
        const float* row = rows.data() + sample_of(s) * n_b;
        for (std::size_t k = 0; k < n_b; ++k) t.inputs()[k * stride + s] = row[k];
      }
  };
  std::vector<std::uint32_t> order(n_train);
  for (std::size_t i = 0; i < n_train; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::mt19937_64 random(o.fit.seed);
  std::array<std::vector<float>, 4> best;
  const auto remember = [&] {
    for (std::size_t i = 0; i < 4; ++i)
      best[i].assign(out.nets[i].parameters().begin(), out.nets[i].parameters().end());
  };
  remember();
  double least = std::numeric_limits<double>::infinity(), rate = o.fit.rate;
  int waited = 0;
  progress.begin("training", static_cast<std::size_t>(o.fit.epochs));
  for (int epoch = 1; epoch <= o.fit.epochs; ++epoch) {
    for (std::size_t i = n_train; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    double sum = 0, count = 0;
    for (std::size_t first = 0; first + batch <= n_train; first += batch) {
      if (cancel && static_cast<int>(count) % 64 == 0) cancel->check();
      fill([&](std::size_t s) { return std::size_t{order[first + s]}; }, batch);
      sum += misfit(batch, true), ++count;
      for (std::size_t i = 0; i < 4; ++i) trainers[i].backward(grads[i].data(), batch), trainers[i].step();
    }
    double value = sum / count;
    if (n_val >= batch) {
      value = 0, count = 0;
      for (std::size_t first = n_train; first + batch <= n; first += batch, ++count) {
        fill([&](std::size_t s) { return first + s; }, batch);
        value += misfit(batch, false);
      }
      value /= count;
    }
    if (!std::isfinite(value))
      throw Error(Errc::numeric, fmt::format("the loss of epoch {} is {}", epoch, value),
                  "lower the rate, or look for samples that are not finite");
    told.losses.push_back(value);
    progress.add(1);
    if (value < least) {
      least = value, told.best_epoch = epoch, waited = 0;
      remember();
    } else if (++waited % std::max(1, o.fit.patience / 3) == 0) {
      rate /= 2;
      for (auto& t : trainers) t.set_rate(rate);
    }
    if (epoch - told.best_epoch >= o.fit.patience) break;
  }
  for (std::size_t i = 0; i < 4; ++i) std::copy(best[i].begin(), best[i].end(), out.nets[i].parameters().begin());
  progress.end();
  return out;
}

}  // namespace

VoxelNetwork train_self(NetworkKind kind, const Protocol& protocol, std::span<const float> ratios, std::size_t n,
                        const SelfTraining& o, NetworkTraining* how, const Progress& progress, const Cancel* cancel) {
  if (kind == NetworkKind::posterior)
    throw Error(Errc::usage, "a posterior network learns from simulations", "use train_posterior");
  if (ratios.size() != n * protocol.b.size() || n == 0)
    throw Error(Errc::shape,
                fmt::format("{} values for {} samples of {} b-values", ratios.size(), n, protocol.b.size()));
  if (o.fit.epochs < 1 || o.fit.patience < 1 || o.fit.batch < 1)
    throw Error(Errc::range, fmt::format("{} epochs, patience {}, batch {}", o.fit.epochs, o.fit.patience, o.fit.batch),
                "1 and more of each");
  for (std::size_t i = 0; i < 4; ++i)
    if (!(o.low[i] < o.high[i]))
      throw Error(Errc::range, fmt::format("an output from {} to {}", o.low[i], o.high[i]), "give the lower end first");
  const auto start = std::chrono::steady_clock::now();
  NetworkTraining told;
  VoxelNetwork out;
  if (kind == NetworkKind::original) {
    auto trained = deep::train(protocol.b, ratios, n, o.fit, progress, cancel);
    out.kind = kind, out.protocol = protocol;
    out.nets.push_back(std::move(trained.network));
    told.losses = trained.fit.losses, told.best_epoch = trained.fit.best_epoch;
  } else {
    if (protocol.b.size() < 3)
      throw Error(Errc::range, fmt::format("{} b-values above 0; 3 parameters need 3", protocol.b.size()));
    out = train_optim(protocol, ratios, n, o, told, progress, cancel);
  }
  told.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (how) *how = told;
  return out;
}

}  // namespace larmor::ivim
