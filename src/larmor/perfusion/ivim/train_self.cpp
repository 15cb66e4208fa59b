// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/nn/normed.hpp>
#include <larmor/perfusion/ivim/deep.hpp>
#include <larmor/perfusion/ivim/voxel_network.hpp>
#include <limits>
#include <memory>
#include <random>

namespace larmor::ivim {
namespace {

/// One of the four networks while it is trained: plain, or normalised and with units left out.
class Parallel {
 public:
  Parallel(const nn::MlpSpec& spec, std::uint64_t seed, std::size_t batch, double rate, const nn::Regularised& how) {
    if (how.batch_norm || how.dropout > 0) {
      normed_ = std::make_unique<nn::NormedMlp>(spec, seed, batch, rate, how);
    } else {
      net_ = std::make_unique<nn::Mlp>(spec, seed);
      trainer_ = std::make_unique<nn::MlpTrainer>(*net_, batch, rate);
    }
  }
  std::size_t stride() const { return normed_ ? normed_->stride() : trainer_->stride(); }
  float* inputs() { return normed_ ? normed_->inputs() : trainer_->inputs(); }
  const float* outputs() const { return normed_ ? normed_->outputs() : trainer_->outputs(); }
  void forward(std::size_t n, bool training) { normed_ ? normed_->forward(n, training) : trainer_->forward(n); }
  void step(const float* grad, std::size_t n) {
    if (normed_) return normed_->step(grad, n);
    trainer_->backward(grad, n), trainer_->step();
  }
  void set_rate(double rate) { normed_ ? normed_->set_rate(rate) : trainer_->set_rate(rate); }
  nn::Mlp plain() const { return normed_ ? normed_->plain() : *net_; }

 private:
  std::unique_ptr<nn::NormedMlp> normed_;
  std::unique_ptr<nn::Mlp> net_;
  std::unique_ptr<nn::MlpTrainer> trainer_;
};

/// Outputs are the ranges of the parameters times a sigmoid, one network each; the rate falls when the loss of the
/// samples kept from training does not, and the best weights come back.
VoxelNetwork train_optim(const Protocol& protocol, std::span<const float> ratios, std::size_t n, const SelfTraining& o,
                         NetworkTraining& told, const Progress& progress, const Cancel* cancel) {
  const std::size_t n_b = protocol.b.size();
  const int width = static_cast<int>(n_b);
  VoxelNetwork out;
  out.kind = NetworkKind::optim, out.protocol = protocol;
  for (std::size_t i = 0; i < 4; ++i) out.low[i] = o.low[i], out.high[i] = o.high[i];
  const std::size_t batch = std::min(o.fit.batch, n), n_val = n >= 10 * batch ? n / 10 : 0, n_train = n - n_val;
  const nn::MlpSpec spec{{width, width, width, 1}, nn::Activation::elu, nn::Activation::sigmoid};
  std::vector<Parallel> trainers;
  for (std::uint64_t i = 0; i < 4; ++i) trainers.emplace_back(spec, o.fit.seed + i, batch, o.fit.rate, o.regularised);
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
    for (auto& t : trainers) t.forward(count, want);
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
  const auto remember = [&] {
    out.nets.clear();
    for (const auto& t : trainers) out.nets.push_back(t.plain());
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
      for (std::size_t i = 0; i < 4; ++i) trainers[i].step(grads[i].data(), batch);
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
  if (o.restarts < 1) throw Error(Errc::range, fmt::format("{} restarts", o.restarts), "give 1 or more");
  if (kind == NetworkKind::original && (o.regularised.batch_norm || o.regularised.dropout > 0))
    throw Error(Errc::usage, "the original network has neither batch normalisation nor dropout",
                "choose the kind optim for them");
  if (!o.device.is_cpu() && kind != NetworkKind::original)
    throw Error(Errc::usage, fmt::format("networks of kind {} are trained on the CPU", to_string(kind)),
                "leave the device out, or choose the kind original");
  const auto start = std::chrono::steady_clock::now();
  NetworkTraining told;
  VoxelNetwork out;
  double least = std::numeric_limits<double>::infinity();
  for (int run = 0; run < o.restarts; ++run) {
    SelfTraining now = o;
    now.fit.seed += 4 * static_cast<std::uint64_t>(run);  // optim uses four
    NetworkTraining how_now;
    VoxelNetwork net;
    if (kind == NetworkKind::original) {
      auto trained = o.device.is_cpu() ? deep::train(protocol.b, ratios, n, now.fit, progress, cancel)
                                       : deep::train_on(o.device, protocol.b, ratios, n, now.fit, progress, cancel);
      net.kind = kind, net.protocol = protocol;
      net.nets.push_back(std::move(trained.network));
      how_now.losses = trained.fit.losses, how_now.best_epoch = trained.fit.best_epoch;
    } else {
      if (protocol.b.size() < 3)
        throw Error(Errc::range, fmt::format("{} b-values above 0; 3 parameters need 3", protocol.b.size()));
      net = train_optim(protocol, ratios, n, now, how_now, progress, cancel);
    }
    const double loss = how_now.losses.at(static_cast<std::size_t>(how_now.best_epoch) - 1);
    told.restart_losses.push_back(loss);
    if (!(loss < least)) continue;
    least = loss, out = std::move(net);
    told.losses = std::move(how_now.losses), told.best_epoch = how_now.best_epoch;
  }
  told.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (how) *how = told;
  return out;
}

}  // namespace larmor::ivim
