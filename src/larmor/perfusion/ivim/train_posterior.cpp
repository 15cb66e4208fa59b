// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/mlp_device.hpp>
#include <larmor/perfusion/ivim/posterior_samples.hpp>
#include <limits>
#include <memory>
#include <numbers>

namespace larmor::ivim {
namespace {

void check(const Protocol& p, const PosteriorTraining& o) {
  if (p.b.size() < 3) throw Error(Errc::range, fmt::format("{} b-values above 0; 3 parameters need 3", p.b.size()));
  for (std::size_t k = 0; k < p.b.size(); ++k)
    if (!(p.b[k] > (k ? p.b[k - 1] : 0)) || !std::isfinite(p.b[k]))
      throw Error(Errc::range, fmt::format("b-value {} is {} s/mm2", k + 1, p.b[k]), "give them above 0, rising");
  if (!p.counts.empty() && p.counts.size() != p.b.size())
    throw Error(Errc::shape, fmt::format("{} counts for {} b-values", p.counts.size(), p.b.size()));
  for (const double c : p.counts)
    if (!(c >= 1)) throw Error(Errc::range, fmt::format("a sample of {} volumes", c), "give 1 or more");
  if (!(o.noise_low > 0 && o.noise_low <= o.noise_high && o.noise_high < 1))
    throw Error(Errc::range, fmt::format("noise from {} to {} of S0", o.noise_low, o.noise_high),
                "give two numbers between 0 and 1, the lower one first");
  const Prior& q = o.prior;
  if (!(q.f_low >= 0 && q.f_low < q.f_high && q.f_high <= 1 && q.D_low >= 0 && q.D_low < q.D_high && q.D_star_low > 0 &&
        q.D_star_low < q.D_star_high))
    throw Error(Errc::range,
                fmt::format("f {} to {}, D {} to {}, D_star {} to {}", q.f_low, q.f_high, q.D_low, q.D_high,
                            q.D_star_low, q.D_star_high),
                "give ranges from low to high, f between 0 and 1");
  if (o.batch < 16 || o.pool < o.batch || o.epochs < 1 || o.patience < 1)
    throw Error(
        Errc::range,
        fmt::format("a pool of {}, batches of {}, {} epochs, patience {}", o.pool, o.batch, o.epochs, o.patience),
        "a batch is 16 or more and no larger than the pool; 1 and more of the rest");
  if (!(o.voxel_share >= 0 && o.voxel_share < 1))
    throw Error(Errc::range, fmt::format("a share of {} of the patient's voxels", o.voxel_share),
                "give 0 or more, and below 1: the noise is learned from simulations");
  const PatientVoxels& v = o.voxels;
  if (v.n > 0 && (v.ratios.size() != v.n * p.b.size() || v.noise.size() != v.n))
    throw Error(Errc::shape, fmt::format("{} ratios and {} noise levels for {} voxels of {} b-values", v.ratios.size(),
                                         v.noise.size(), v.n, p.b.size()));
  for (std::size_t m = 0; v.n > 0 && m < 3; ++m)
    if (v.mean[m].size() != v.n || v.sd[m].size() != v.n)
      throw Error(Errc::shape, fmt::format("{} means and {} sds for {} voxels", v.mean[m].size(), v.sd[m].size(), v.n));
}

/// Puts the scales of inputs and outputs into the first and last layer, so that the network takes and gives plain
/// numbers. Outputs: 3 means, 3 logarithms of sds.
void fold(nn::Mlp& net, const Scale& in, const Scale& out) {
  const auto& sizes = net.spec().sizes;
  float* w = net.parameters().data();
  const auto n_in = static_cast<std::size_t>(sizes[0]), n_first = static_cast<std::size_t>(sizes[1]);
  for (std::size_t o = 0; o < n_first; ++o) {
    double shift = 0;
    for (std::size_t i = 0; i < n_in; ++i) {
      const double k = w[o * n_in + i] / in.sd[i];
      shift += k * in.mean[i];
      w[o * n_in + i] = static_cast<float>(k);
    }
    w[n_in * n_first + o] -= static_cast<float>(shift);
  }
  const std::size_t n_last = static_cast<std::size_t>(sizes[sizes.size() - 2]), count = net.parameters().size();
  float* last = w + count - 6 * (n_last + 1);
  float* bias = last + 6 * n_last;
  for (std::size_t m = 0; m < 3; ++m) {
    for (std::size_t i = 0; i < n_last; ++i) last[m * n_last + i] *= static_cast<float>(out.sd[m]);
    bias[m] = static_cast<float>(bias[m] * out.sd[m] + out.mean[m]);
    bias[3 + m] += static_cast<float>(std::log(out.sd[m]));
  }
}

/// Steps of training, somewhere. A step takes the samples whose numbers follow those of the step before.
class Steps {
 public:
  virtual ~Steps() = default;
  virtual void step(std::uint64_t number, double rate, const double (&scale)[3]) = 0;
  virtual void read() = 0;  // the weights, into the network
};

/// A batch is shared between threads.
class StepsHere : public Steps {
 public:
  StepsHere(nn::Mlp& net, const PosteriorSamples& samples, const PosteriorTraining& o) : batch_(o.batch) {
    const auto threads = static_cast<std::size_t>(std::clamp(thread_count(), 1, 8));
    share_ = (batch_ + threads - 1) / threads;
    for (std::size_t first = 0; first < batch_; first += share_) {
      Share s{nn::MlpTrainer(net, std::min(share_, batch_ - first), o.rate), {}, {}, samples.here()};
      const std::size_t stride = s.trainer.stride();
      s.grad = nn::Floats(6 * stride), s.targets = nn::Floats(7 * stride);
      s.run.wanted = s.targets.data(), s.run.variance = s.run.wanted + 3 * stride;
      s.run.weight = s.run.wanted + 6 * stride, s.run.stride = stride;
      shares_.push_back(std::move(s));
    }
  }
  void step(std::uint64_t number, double rate, const double (&scale)[3]) override {
    const TrainingKernels kernels = training_kernels();
    parallel_for(shares_.size(), 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) {
        Share& s = shares_[i];
        const std::size_t first = i * share_, n = std::min(share_, batch_ - first);
        s.run.in = s.trainer.inputs();
        kernels.take(s.run, number * batch_ + first, n);
        s.trainer.forward(n);
        PosteriorLossSums sums{};
        kernels.posterior_loss(
            {.out = s.trainer.outputs(),
             .wanted = s.run.wanted,
             .variance = s.run.variance,
             .weight = s.run.weight,
             .grad = s.grad.data(),
             .scale = {static_cast<float>(scale[0]), static_cast<float>(scale[1]), static_cast<float>(scale[2])},
             .stride = s.run.stride,
             .n = n,
             .batch = batch_},
            sums);
        s.trainer.backward(s.grad.data(), n);
      }
    });
    for (std::size_t i = 1; i < shares_.size(); ++i) shares_[0].trainer.add_gradient(shares_[i].trainer);
    shares_[0].trainer.set_rate(rate);
    shares_[0].trainer.step();
  }
  void read() override {}

 private:
  struct Share {
    nn::MlpTrainer trainer;
    nn::Floats grad, targets;
    SampleRun run;
  };
  std::size_t batch_, share_ = 0;
  std::vector<Share> shares_;
};

/// On a device everything stays there until an epoch is over.
class StepsThere : public Steps {
 public:
  StepsThere(nn::Mlp& net, const PosteriorSamples& samples, const PosteriorTraining& o)
      : net_(net),
        trainer_(net, o.batch, o.rate, o.device),
        memory_(o.device),
        launch_(launches(o.device)),
        device_(o.device.index),
        batch_(o.batch),
        run_(samples.there(memory_)) {
    const std::size_t stride = trainer_.stride();
    run_.in = trainer_.inputs(), run_.wanted = memory_.room<float>(3 * stride);
    run_.variance = memory_.room<float>(3 * stride), run_.weight = memory_.room<float>(stride), run_.stride = stride;
  }
  void step(std::uint64_t number, double rate, const double (&scale)[3]) override {
    launch_.take(run_, number * batch_, batch_, device_);
    trainer_.forward(batch_);
    launch_.posterior_loss(
        {.out = trainer_.outputs(),
         .wanted = run_.wanted,
         .variance = run_.variance,
         .weight = run_.weight,
         .grad = trainer_.grad(),
         .scale = {static_cast<float>(scale[0]), static_cast<float>(scale[1]), static_cast<float>(scale[2])},
         .stride = run_.stride,
         .n = batch_,
         .batch = batch_},
        device_);
    trainer_.set_rate(rate);
    trainer_.step(batch_);
  }
  void read() override { trainer_.read(net_); }

 private:
  static TrainingLaunches launches([[maybe_unused]] Device device) {
#if defined(LARMOR_HAS_CUDA)
    if (!device.is_cpu()) return training_cuda();
#endif
    return training_emulated();
  }
  nn::Mlp& net_;
  nn::MlpDeviceTrainer trainer_;
  DeviceMemory memory_;
  TrainingLaunches launch_;
  int device_;
  std::size_t batch_;
  SampleRun run_;
};

}  // namespace

VoxelNetwork train_posterior(const Protocol& protocol, const PosteriorTraining& o, NetworkTraining* how,
                             const Progress& progress, const Cancel* cancel) {
  check(protocol, o);
  if (!o.device.is_cpu()) require_cuda(o.device);
  const auto start = std::chrono::steady_clock::now();
  const PosteriorSamples samples(protocol, o);

  VoxelNetwork out;
  out.kind = NetworkKind::posterior, out.protocol = protocol, out.prior = o.prior;
  out.noise_low = o.noise_low, out.noise_high = o.noise_high;
  std::vector<int> sizes{static_cast<int>(protocol.b.size()) + 1};
  sizes.insert(sizes.end(), o.hidden.begin(), o.hidden.end());
  sizes.push_back(6);
  out.nets.emplace_back(nn::MlpSpec{sizes, nn::Activation::elu, nn::Activation::none}, o.seed);
  nn::Mlp& net = out.nets[0];
  std::unique_ptr<Steps> training;
  if (o.device.is_cpu() && !o.emulate)
    training = std::make_unique<StepsHere>(net, samples, o);
  else
    training = std::make_unique<StepsThere>(net, samples, o);

  // Each parameter's squared error counts by the inverse of what it has come down to, so that all three come to their
  // limit together.
  double scale[3]{1, 1, 1};
  NetworkTraining told;
  std::vector<float> best(net.parameters().begin(), net.parameters().end());
  double least = std::numeric_limits<double>::infinity();
  const std::size_t steps = o.steps ? o.steps : std::clamp<std::size_t>(o.pool / o.batch, 1, 400);
  const auto total = static_cast<double>(o.epochs) * static_cast<double>(steps);
  constexpr std::size_t n_kept = PosteriorSamples::n_kept;
  std::uint64_t number = 0;
  progress.begin("training", static_cast<std::size_t>(o.epochs));
  for (int epoch = 1; epoch <= o.epochs; ++epoch) {
    for (std::size_t step = 0; step < steps; ++step, ++number) {
      if (cancel && step % 16 == 0) cancel->check();
      const double done = static_cast<double>(number) / total;
      training->step(number, o.rate * 0.5 * (1 + std::cos(std::numbers::pi * done)) + 1e-6, scale);
    }
    training->read();
    const auto y = net(samples.kept_in, n_kept, cancel);
    PosteriorLossSums loss{};
    training_kernels().posterior_loss({.out = y.data(),
                                       .wanted = samples.kept_wanted.data(),
                                       .variance = nullptr,
                                       .weight = samples.kept_weight.data(),
                                       .grad = nullptr,
                                       .scale = {1, 1, 1},
                                       .stride = n_kept,
                                       .n = n_kept,
                                       .batch = n_kept},
                                      loss);
    double value = 0;
    for (std::size_t m = 0; m < 3; ++m) {
      const double mse = loss.squares[m] / n_kept;
      // In logarithms a percent of one error weighs as a percent of another, and nothing depends on `scale`.
      value += 0.5 * std::log(std::max(mse, 1e-12)) + 0.3 * loss.likelihood[m] / n_kept;
      scale[m] = 1 / std::max(mse, 1e-4);
    }
    const double sum = scale[0] + scale[1] + scale[2];
    for (double& k : scale) k *= 3 / sum;
    if (!std::isfinite(value))
      throw Error(Errc::numeric, fmt::format("the loss of epoch {} is {}", epoch, value), "lower the rate");
    told.losses.push_back(value);
    progress.add(1);
    if (value < least) {
      least = value, told.best_epoch = epoch;
      std::copy(net.parameters().begin(), net.parameters().end(), best.begin());
    } else if (epoch - told.best_epoch >= o.patience) {
      break;
    }
  }
  progress.end();
  std::copy(best.begin(), best.end(), net.parameters().begin());
  fold(net, samples.in, samples.target);
  told.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (how) *how = told;
  return out;
}

}  // namespace larmor::ivim
