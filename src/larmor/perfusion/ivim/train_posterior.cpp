// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/voxel_network.hpp>
#include <limits>
#include <numbers>
#include <random>

namespace larmor::ivim {
namespace {

/// SplitMix64: the same everywhere, and no state worth the name.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t bits() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
  }
  double even() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; }
  double between(double low, double high) { return low + (high - low) * even(); }

 private:
  std::uint64_t state_;
};

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

// Training goes this far beyond the noise asked for. One level alone would be worth more than it should: the noise over
// the measured S0 then tells the true S0.
constexpr double beyond = 1.3;

/// Clean signals of parameters drawn from the prior, and noise from a table of normal numbers at random places.
class Simulator {
 public:
  Simulator(const Protocol& p, const PosteriorTraining& o) : protocol_(p), o_(o), n_b_(p.b.size()) {
    const std::size_t n = o.pool + validation;
    clean_.resize(n * n_b_), truth_.resize(n * 3);
    const Prior& q = o.prior;
    parallel_for(n, 8192, [&](std::size_t begin, std::size_t end) {
      for (std::size_t s = begin; s < end; ++s) {
        Random random(o.seed * 0x632be59bd9b4e019ull + s * 0x9e3779b97f4a7c15ull);
        const double f = random.between(q.f_low, q.f_high), D = random.between(q.D_low, q.D_high);
        const double star = q.log_D_star ? std::exp(random.between(std::log(q.D_star_low), std::log(q.D_star_high)))
                                         : random.between(q.D_star_low, q.D_star_high);
        truth_[3 * s] = static_cast<float>(f), truth_[3 * s + 1] = static_cast<float>(D);
        truth_[3 * s + 2] = static_cast<float>(star);
        for (std::size_t k = 0; k < n_b_; ++k)
          clean_[s * n_b_ + k] = static_cast<float>((1 - f) * std::exp(-p.b[k] * D) + f * std::exp(-p.b[k] * star));
      }
    });
    Random random(o.seed + 77);
    normal_.resize(table + tail);
    for (std::size_t i = 0; i < normal_.size(); i += 2) {
      const double r = std::sqrt(-2 * std::log(random.even())), angle = 2 * std::numbers::pi * random.even();
      normal_[i] = static_cast<float>(r * std::cos(angle));
      if (i + 1 < normal_.size()) normal_[i + 1] = static_cast<float>(r * std::sin(angle));
    }
  }

  /// Sample s with new noise: ratios and ln noise into a column of `in`, rows `stride` apart.
  void put(std::size_t s, Random& random, float* in, std::size_t stride, float& noise) const {
    const double low = o_.noise_low / beyond, high = o_.noise_high * beyond;
    const double level = low * std::exp(random.even() * std::log(high / low));
    noise = static_cast<float>(level);
    std::size_t at = random.bits() % table;
    const auto next = [&] {
      if (at + 2 > normal_.size()) at = 0;
      const float* z = normal_.data() + at;
      at += 2;
      return z;
    };
    const auto magnitude = [&](float A, int count) {
      float sum = 0;
      for (int i = 0; i < count; ++i) {
        const float* z = next();
        const float re = A + noise * z[0], im = noise * z[1];
        sum += std::sqrt(re * re + im * im);
      }
      return sum / static_cast<float>(count);
    };
    const float S0 = protocol_.count0 > 0 ? magnitude(1.0F, static_cast<int>(protocol_.count0)) : 1.0F;
    const float inverse = 1 / S0;
    for (std::size_t k = 0; k < n_b_; ++k)
      in[k * stride] =
          magnitude(clean_[s * n_b_ + k], protocol_.counts.empty() ? 1 : static_cast<int>(protocol_.counts[k])) *
          inverse;
    in[n_b_ * stride] = std::log(noise * inverse);
  }
  const float* truth(std::size_t s) const { return truth_.data() + 3 * s; }

  static constexpr std::size_t validation = 1 << 15;

 private:
  static constexpr std::size_t table = 1 << 20, tail = 4096;
  const Protocol& protocol_;
  const PosteriorTraining& o_;
  std::size_t n_b_;
  std::vector<float> clean_, truth_, normal_;
};

struct Scale {
  std::vector<double> mean, sd;
};
Scale scale_of(std::span<const float> rows, std::size_t n, std::size_t width) {  // (sample, feature)
  Scale s{std::vector<double>(width, 0.0), std::vector<double>(width, 0.0)};
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < width; ++k) s.mean[k] += rows[i * width + k];
  for (double& m : s.mean) m /= static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t k = 0; k < width; ++k) s.sd[k] += std::pow(rows[i * width + k] - s.mean[k], 2);
  for (double& v : s.sd) v = std::max(std::sqrt(v / static_cast<double>(n)), 1e-6);
  return s;
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

struct Loss {
  double squares[3]{}, likelihood[3]{};
  std::size_t n = 0;
};

/// Of n samples: squared errors of the means, weighted; the likelihood of those errors for the sds, which does not move
/// the means.
/// `variance` (3, sample), that of the target, or null for 0; `grad` rows `stride` apart.
Loss loss_of(const float* out, const float* target, const float* variance, const float* weight,
             const double (&scale)[3], float* grad, std::size_t stride, std::size_t n, std::size_t batch) {
  Loss loss;
  loss.n = n;
  const float inverse = 1 / static_cast<float>(batch);
  for (std::size_t m = 0; m < 3; ++m) {
    const float *y = out + m * stride, *l = out + (3 + m) * stride, *t = target + m * stride;
    float *gy = grad ? grad + m * stride : nullptr, *gl = grad ? grad + (3 + m) * stride : nullptr;
    const auto k = static_cast<float>(scale[m]);
    double squares = 0, likelihood = 0;
    for (std::size_t s = 0; s < n; ++s) {
      const float r = y[s] - t[s], level = std::clamp(l[s], -8.0F, 3.0F);
      const float q = (r * r + (variance ? variance[m * stride + s] : 0)) * std::exp(-2 * level);
      squares += r * r * weight[s], likelihood += level + 0.5F * q;
      if (!grad) continue;
      gy[s] = 2 * r * weight[s] * k * inverse;
      gl[s] = 0.3F * std::max(1 - q, -30.0F) * inverse;
    }
    loss.squares[m] = squares, loss.likelihood[m] = likelihood;
  }
  return loss;
}

}  // namespace

VoxelNetwork train_posterior(const Protocol& protocol, const PosteriorTraining& o, NetworkTraining* how,
                             const Progress& progress, const Cancel* cancel) {
  check(protocol, o);
  const bool with_voxels = o.voxels.n > 0 && o.voxel_share > 0;
  const auto start = std::chrono::steady_clock::now();
  const std::size_t n_b = protocol.b.size(), n_in = n_b + 1;
  const Simulator simulator(protocol, o);

  VoxelNetwork out;
  out.kind = NetworkKind::posterior, out.protocol = protocol, out.prior = o.prior;
  out.noise_low = o.noise_low, out.noise_high = o.noise_high;
  std::vector<int> sizes{static_cast<int>(n_in)};
  sizes.insert(sizes.end(), o.hidden.begin(), o.hidden.end());
  sizes.push_back(6);
  out.nets.emplace_back(nn::MlpSpec{sizes, nn::Activation::elu, nn::Activation::none}, o.seed);
  nn::Mlp& net = out.nets[0];

  // Samples that are kept from training, with fixed noise: for the scales, early stopping, and the best weights.
  constexpr std::size_t n_val = Simulator::validation;
  std::vector<float> val_in(n_in * n_val), val_target(3 * n_val), val_weight(n_val), rows(n_val * n_in),
      truths(n_val * 3);
  {
    Random random(o.seed + 5);
    for (std::size_t i = 0; i < n_val; ++i) {
      float noise = 0;
      simulator.put(o.pool + i, random, val_in.data() + i, n_val, noise);
      val_weight[i] = static_cast<float>(std::sqrt(o.noise_low * o.noise_high) / noise);
      for (std::size_t k = 0; k < n_in; ++k) rows[i * n_in + k] = val_in[k * n_val + i];
      std::copy_n(simulator.truth(o.pool + i), 3, truths.data() + 3 * i);
    }
  }
  const Scale in = scale_of(rows, n_val, n_in);
  const Scale target = scale_of(truths, n_val, 3);
  for (std::size_t i = 0; i < n_val; ++i) {
    for (std::size_t k = 0; k < n_in; ++k)
      val_in[k * n_val + i] = static_cast<float>((rows[i * n_in + k] - in.mean[k]) / in.sd[k]);
    for (std::size_t m = 0; m < 3; ++m)
      val_target[m * n_val + i] = static_cast<float>((truths[3 * i + m] - target.mean[m]) / target.sd[m]);
  }

  const auto n_shards = static_cast<std::size_t>(std::clamp(thread_count(), 1, 8));
  const std::size_t share = (o.batch / n_shards + 15) / 16 * 16, batch = share * n_shards;
  std::vector<nn::MlpTrainer> trainers;
  std::vector<nn::Floats> grads, targets;
  std::vector<Random> randoms;
  std::vector<std::vector<float>> weights(n_shards, std::vector<float>(share));
  trainers.reserve(n_shards);
  for (std::size_t i = 0; i < n_shards; ++i) {
    trainers.emplace_back(net, share, o.rate);
    grads.emplace_back(6 * trainers[i].stride()), targets.emplace_back(6 * trainers[i].stride());
    randoms.emplace_back(o.seed * 1000003 + i);
  }
  // Each parameter's squared error counts by the inverse of what it has come down to, so that all three come to their
  // limit together.
  double scale[3]{1, 1, 1};
  NetworkTraining told;
  std::vector<float> best(net.parameters().begin(), net.parameters().end());
  double least = std::numeric_limits<double>::infinity();
  const std::size_t steps = o.steps ? o.steps : std::clamp<std::size_t>(o.pool / o.batch, 1, 400);
  const auto total = static_cast<double>(o.epochs) * static_cast<double>(steps);
  const std::vector<float> in_mean(in.mean.begin(), in.mean.end());
  std::vector<float> in_inverse;
  for (const double s : in.sd) in_inverse.push_back(static_cast<float>(1 / s));
  progress.begin("training", static_cast<std::size_t>(o.epochs));
  for (int epoch = 1; epoch <= o.epochs; ++epoch) {
    for (std::size_t step = 0; step < steps; ++step) {
      if (cancel && step % 16 == 0) cancel->check();
      const double done =
          (static_cast<double>(epoch - 1) * static_cast<double>(steps) + static_cast<double>(step)) / total;
      parallel_for(n_shards, 1, [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          auto& trainer = trainers[i];
          const std::size_t stride = trainer.stride();
          float* x = trainer.inputs();
          float *wanted = targets[i].data(), *variance = wanted + 3 * stride;
          for (std::size_t s = 0; s < share; ++s) {
            float noise = 0;
            if (with_voxels && randoms[i].even() < o.voxel_share) {
              const std::size_t v = randoms[i].bits() % o.voxels.n;
              for (std::size_t k = 0; k < n_b; ++k) x[k * stride + s] = o.voxels.ratios[k * o.voxels.n + v];
              noise = o.voxels.noise[v];
              x[n_b * stride + s] = std::log(noise);
              for (std::size_t m = 0; m < 3; ++m) {
                const double sd = o.voxels.sd[m][v] / target.sd[m];
                wanted[m * stride + s] = static_cast<float>((o.voxels.mean[m][v] - target.mean[m]) / target.sd[m]);
                variance[m * stride + s] = static_cast<float>(sd * sd);
              }
            } else {
              const std::size_t which = randoms[i].bits() % o.pool;
              simulator.put(which, randoms[i], x + s, stride, noise);
              const float* t = simulator.truth(which);
              for (std::size_t m = 0; m < 3; ++m) {
                wanted[m * stride + s] = static_cast<float>((t[m] - target.mean[m]) / target.sd[m]);
                variance[m * stride + s] = 0;
              }
            }
            weights[i][s] = static_cast<float>(std::sqrt(o.noise_low * o.noise_high)) / noise;
          }
          for (std::size_t k = 0; k < n_in; ++k)
            for (std::size_t s = 0; s < share; ++s)
              x[k * stride + s] = (x[k * stride + s] - in_mean[k]) * in_inverse[k];
          trainer.forward(share);
          loss_of(trainer.outputs(), wanted, with_voxels ? variance : nullptr, weights[i].data(), scale,
                  grads[i].data(), stride, share, batch);
          trainer.backward(grads[i].data(), share);
        }
      });
      for (std::size_t i = 1; i < n_shards; ++i) trainers[0].add_gradient(trainers[i]);
      trainers[0].set_rate(o.rate * 0.5 * (1 + std::cos(std::numbers::pi * done)) + 1e-6);
      trainers[0].step();
    }
    const auto y = net(val_in, n_val, cancel);
    const Loss loss =
        loss_of(y.data(), val_target.data(), nullptr, val_weight.data(), scale, nullptr, n_val, n_val, n_val);
    double value = 0;
    for (std::size_t m = 0; m < 3; ++m) {
      const double mse = loss.squares[m] / n_val;
      // In logarithms a percent of one error weighs as a percent of another, and nothing depends on `scale`.
      value += 0.5 * std::log(std::max(mse, 1e-12)) + 0.3 * loss.likelihood[m] / n_val;
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
  fold(net, in, target);
  told.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (how) *how = told;
  return out;
}

}  // namespace larmor::ivim
