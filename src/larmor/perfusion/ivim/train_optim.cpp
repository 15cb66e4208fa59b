// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/nn/mlp_device.hpp>
#include <larmor/nn/mlp_epochs.hpp>
#include <larmor/perfusion/ivim/kernels/training_kernel.hpp>
#include <larmor/perfusion/ivim/train_optim.hpp>
#include <limits>
#include <memory>
#include <random>
#include <utility>

namespace larmor::ivim {
namespace {

/// The four networks while they are trained, somewhere. A batch is the samples of `count` places of the order.
class Four {
 public:
  virtual ~Four() = default;
  virtual void set_order(const std::vector<std::uint32_t>& order) = 0;
  virtual void train(std::size_t first, std::size_t count) = 0;  // a step
  virtual void judge(std::size_t first, std::size_t count) = 0;  // the misfit alone
  virtual double misfit() = 0;                                   // summed over samples since the last call
  virtual void set_rate(double rate) = 0;
  virtual std::vector<nn::Mlp> networks() = 0;
};

OptimLossRun loss_run(const SelfTraining& o, int n_b) {
  OptimLossRun r{};
  r.n_b = n_b;
  for (std::size_t i = 0; i < 4; ++i)
    r.low[i] = static_cast<float>(o.low[i]), r.width[i] = static_cast<float>(o.high[i] - o.low[i]);
  return r;
}

/// One network: plain, or normalised and with units left out.
class Single {
 public:
  Single(const nn::MlpSpec& spec, std::uint64_t seed, std::size_t batch, double rate, const nn::Regularised& how) {
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

class FourHere : public Four {
 public:
  FourHere(const nn::MlpSpec& spec, std::vector<float> rows, const std::vector<float>& b, std::size_t batch,
           const SelfTraining& o)
      : rows_(std::move(rows)), b_(b), run_(loss_run(o, static_cast<int>(b.size()))) {
    for (std::uint64_t i = 0; i < 4; ++i) nets_.emplace_back(spec, o.fit.seed + i, batch, o.fit.rate, o.regularised);
    run_.b = b_.data(), run_.stride = nets_[0].stride();
    for (int i = 0; i < 4; ++i) grads_.emplace_back(run_.stride);
  }
  void set_order(const std::vector<std::uint32_t>& order) override { order_ = order; }
  void train(std::size_t first, std::size_t count) override {
    forward(first, count, true);
    for (std::size_t i = 0; i < 4; ++i) nets_[i].step(grads_[i].data(), count);
  }
  void judge(std::size_t first, std::size_t count) override { forward(first, count, false); }
  double misfit() override { return std::exchange(sum_, 0.0); }
  void set_rate(double rate) override {
    for (auto& net : nets_) net.set_rate(rate);
  }
  std::vector<nn::Mlp> networks() override {
    std::vector<nn::Mlp> out;
    for (const auto& net : nets_) out.push_back(net.plain());
    return out;
  }

 private:
  void forward(std::size_t first, std::size_t count, bool training) {
    const std::size_t n_b = b_.size();
    float* x = nets_[0].inputs();
    for (std::size_t s = 0; s < count; ++s) {
      const float* row = rows_.data() + order_[first + s] * n_b;
      for (std::size_t k = 0; k < n_b; ++k) x[k * run_.stride + s] = row[k];
    }
    for (std::size_t i = 1; i < 4; ++i) std::copy_n(x, n_b * run_.stride, nets_[i].inputs());
    for (auto& net : nets_) net.forward(count, training);
    run_.signal = x, run_.n = count;
    for (std::size_t i = 0; i < 4; ++i)
      run_.out[i] = nets_[i].outputs(), run_.grad[i] = training ? grads_[i].data() : nullptr;
    sum_ += training_kernels().optim_loss(run_);
  }
  std::vector<float> rows_, b_;
  std::vector<std::uint32_t> order_;
  std::vector<Single> nets_;
  std::vector<nn::Floats> grads_;
  OptimLossRun run_;
  double sum_ = 0;
};

/// On a device everything stays there until an epoch is over.
class FourThere : public Four {
 public:
  FourThere(const nn::MlpSpec& spec, const std::vector<float>& rows, const std::vector<float>& b, std::size_t batch,
            const SelfTraining& o)
      : device_(o.device), memory_(device_), launch_(launches(device_)), run_(loss_run(o, static_cast<int>(b.size()))) {
    for (std::uint64_t i = 0; i < 4; ++i) {
      nets_.emplace_back(spec, o.fit.seed + i);
      trainers_.push_back(std::make_unique<nn::MlpDeviceTrainer>(nets_.back(), batch, o.fit.rate, device_));
    }
    n_ = rows.size() / b.size();
    rows_ = memory_.copy(rows.data(), rows.size()), order_ = memory_.room<std::uint32_t>(n_);
    run_.b = memory_.copy(b.data(), b.size()), run_.stride = trainers_[0]->stride();
    sums_ = memory_.room<double>(run_.stride);
    zero_bytes(sums_, device_, run_.stride * sizeof(double));
  }
  void set_order(const std::vector<std::uint32_t>& order) override { memory_.to_device(order_, order.data(), n_); }
  void train(std::size_t first, std::size_t count) override {
    forward(first, count, true);
    for (auto& t : trainers_) t->step(count);
  }
  void judge(std::size_t first, std::size_t count) override { forward(first, count, false); }
  double misfit() override {
    std::vector<double> parts(run_.stride);
    memory_.back(parts.data(), static_cast<const double*>(sums_), parts.size());
    zero_bytes(sums_, device_, parts.size() * sizeof(double));
    double sum = 0;
    for (const double p : parts) sum += p;
    return sum;
  }
  void set_rate(double rate) override {
    for (auto& t : trainers_) t->set_rate(rate);
  }
  std::vector<nn::Mlp> networks() override {
    for (std::size_t i = 0; i < 4; ++i) trainers_[i]->read(nets_[i]);
    return nets_;
  }

 private:
  static TrainingLaunches launches([[maybe_unused]] Device device) {
#if defined(LARMOR_HAS_CUDA)
    if (!device.is_cpu()) return training_cuda();
#endif
    return training_emulated();
  }
  void forward(std::size_t first, std::size_t count, bool training) {
    for (auto& t : trainers_) t->take(rows_, order_, first, count), t->forward(count);
    run_.signal = trainers_[0]->inputs(), run_.n = count;
    for (std::size_t i = 0; i < 4; ++i)
      run_.out[i] = trainers_[i]->outputs(), run_.grad[i] = training ? trainers_[i]->grad() : nullptr;
    launch_.optim_loss(run_, sums_, device_.index);
  }
  Device device_;
  DeviceMemory memory_;
  TrainingLaunches launch_;
  std::vector<nn::Mlp> nets_;
  std::vector<std::unique_ptr<nn::MlpDeviceTrainer>> trainers_;
  std::size_t n_ = 0;
  const float* rows_ = nullptr;
  std::uint32_t* order_ = nullptr;
  double* sums_ = nullptr;
  OptimLossRun run_;
};

}  // namespace

VoxelNetwork train_optim(const Protocol& protocol, std::span<const float> ratios, std::size_t n, const SelfTraining& o,
                         NetworkTraining& told, const Progress& progress, const Cancel* cancel) {
  if (!o.device.is_cpu()) require_cuda(o.device);
  const int width = static_cast<int>(protocol.b.size());
  VoxelNetwork out;
  out.kind = NetworkKind::optim, out.protocol = protocol;
  for (std::size_t i = 0; i < 4; ++i) out.low[i] = o.low[i], out.high[i] = o.high[i];
  const std::size_t batch = std::min(o.fit.batch, n), n_val = n >= 10 * batch ? n / 10 : 0, n_train = n - n_val;
  const nn::MlpSpec spec{{width, width, width, 1}, nn::Activation::elu, nn::Activation::sigmoid};
  const std::vector<float> b(protocol.b.begin(), protocol.b.end());
  std::vector<float> rows = nn::sample_rows(ratios, n);
  std::unique_ptr<Four> four;
  if (o.device.is_cpu() && !o.emulate)
    four = std::make_unique<FourHere>(spec, std::move(rows), b, batch, o);
  else
    four = std::make_unique<FourThere>(spec, rows, b, batch, o);
  std::vector<std::uint32_t> order(n);  // the last n_val are kept from training
  for (std::size_t i = 0; i < n; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::mt19937_64 random(o.fit.seed);
  out.nets = four->networks();
  double least = std::numeric_limits<double>::infinity(), rate = o.fit.rate;
  int waited = 0;
  progress.begin("training", static_cast<std::size_t>(o.fit.epochs));
  for (int epoch = 1; epoch <= o.fit.epochs; ++epoch) {
    for (std::size_t i = n_train; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    four->set_order(order);
    std::size_t count = 0;
    for (std::size_t first = 0; first + batch <= n_train; first += batch, ++count) {
      if (cancel && count % 64 == 0) cancel->check();
      four->train(first, batch);
    }
    double value = four->misfit();
    if (n_val >= batch) {
      count = 0;
      for (std::size_t first = n_train; first + batch <= n; first += batch, ++count) four->judge(first, batch);
      value = four->misfit();
    }
    value /= static_cast<double>(count * batch);
    if (!std::isfinite(value))
      throw Error(Errc::numeric, fmt::format("the loss of epoch {} is {}", epoch, value),
                  "lower the rate, or look for samples that are not finite");
    told.losses.push_back(value);
    progress.add(1);
    if (value < least) {
      least = value, told.best_epoch = epoch, waited = 0;
      out.nets = four->networks();
    } else if (++waited % std::max(1, o.fit.patience / 3) == 0) {
      rate /= 2;
      four->set_rate(rate);
    }
    if (epoch - told.best_epoch >= o.fit.patience) break;
  }
  progress.end();
  return out;
}

}  // namespace larmor::ivim
