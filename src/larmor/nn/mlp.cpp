// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/kernels/mlp_kernel.hpp>
#include <larmor/nn/mlp.hpp>
#include <larmor/nn/mlp_epochs.hpp>
#include <limits>
#include <random>

extern "C" {
using Pass = void(const LarmorMlpRun*);
using Infer = void(const LarmorMlpInference*);
using Adam = void(const LarmorAdamRun*);
Pass larmor_mlp_forward_baseline, larmor_mlp_backward_baseline;
Infer larmor_mlp_infer_baseline;
Adam larmor_adam_baseline;
#if defined(__x86_64__)
Pass larmor_mlp_forward_v3, larmor_mlp_forward_v4, larmor_mlp_backward_v3, larmor_mlp_backward_v4;
Infer larmor_mlp_infer_v3, larmor_mlp_infer_v4;
Adam larmor_adam_v3, larmor_adam_v4;
#endif
}

namespace larmor::nn {
namespace {

struct Kernels {
  Pass *forward, *backward;
  Infer* infer;
  Adam* adam;
};
Kernels kernels() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return {larmor_mlp_forward_v4, larmor_mlp_backward_v4, larmor_mlp_infer_v4, larmor_adam_v4};
  if (isa() == Isa::v3) return {larmor_mlp_forward_v3, larmor_mlp_backward_v3, larmor_mlp_infer_v3, larmor_adam_v3};
#endif
  return {larmor_mlp_forward_baseline, larmor_mlp_backward_baseline, larmor_mlp_infer_baseline, larmor_adam_baseline};
}

constexpr std::array<std::string_view, 5> names{"none", "elu", "relu", "abs", "sigmoid"};
std::size_t whole_packs(std::size_t n) { return (n + 15) / 16 * 16; }
std::size_t total(const std::vector<int>& sizes) {
  std::size_t n = 0;
  for (const int s : sizes) n += static_cast<std::size_t>(s);
  return n;
}
std::vector<int> kinds_of(const MlpSpec& s) {
  std::vector<int> kinds(s.sizes.size() - 1, static_cast<int>(s.hidden));
  kinds.back() = static_cast<int>(s.output);
  return kinds;
}

}  // namespace

void adam(const LarmorAdamRun& run) { kernels().adam(&run); }

Activation activation_called(const std::string& name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<Activation>(i);
  throw unknown_name("activation", name, std::vector<std::string>(names.begin(), names.end()));
}
std::string_view to_string(Activation a) { return names[static_cast<std::size_t>(a)]; }

std::int64_t MlpSpec::parameters() const {
  std::int64_t n = 0;
  for (std::size_t l = 0; l + 1 < sizes.size(); ++l) n += std::int64_t{sizes[l] + 1} * sizes[l + 1];
  return n;
}

void MlpSpec::check() const {
  if (sizes.size() < 2)
    throw Error(Errc::range, fmt::format("a network of {} widths", sizes.size()), "give inputs and outputs at least");
  for (const int s : sizes)
    if (s < 1 || s > 4096) throw Error(Errc::range, fmt::format("a layer is {} wide", s), "1 to 4096");
  if (hidden == Activation::abs && sizes.size() > 2)
    throw Error(Errc::range, "hidden layers with abs", "abs is for the output: elu, relu, sigmoid or none");
}

Mlp::Mlp(MlpSpec spec, std::uint64_t seed) : spec_(std::move(spec)) {
  layout();
  std::mt19937_64 random(seed);
  float* w = weights_.data();
  for (std::size_t l = 0; l + 1 < spec_.sizes.size(); ++l) {
    const double reach = 1 / std::sqrt(static_cast<double>(spec_.sizes[l]));
    std::uniform_real_distribution<double> uniform(-reach, reach);
    for (int i = 0; i < (spec_.sizes[l] + 1) * spec_.sizes[l + 1]; ++i) *w++ = static_cast<float>(uniform(random));
  }
}

void Mlp::layout() {
  spec_.check();
  count_ = static_cast<std::size_t>(spec_.parameters());
  padded_ = whole_packs(count_);
  weights_ = Floats(padded_);
}

Mlp::Mlp(const Mlp& other) : spec_(other.spec_) {
  layout();
  std::copy_n(other.weights_.data(), padded_, weights_.data());
}

Mlp::Mlp(const Weights& weights) {
  for (int l = 0;; ++l) {
    const auto it = weights.tensors.find(fmt::format("layer{}.weight", l));
    if (it == weights.tensors.end()) break;
    if (it->second.shape.size() != 2) throw Error(Errc::shape, it->first + " is no matrix");
    if (l == 0) spec_.sizes.push_back(static_cast<int>(it->second.shape[1]));
    if (spec_.sizes.back() != it->second.shape[1])
      throw Error(Errc::shape, fmt::format("{} takes {} inputs, the layer before gives {}", it->first,
                                           it->second.shape[1], spec_.sizes.back()));
    spec_.sizes.push_back(static_cast<int>(it->second.shape[0]));
  }
  const auto named = [&](const char* key) {
    const auto it = weights.meta.find(key);
    if (it == weights.meta.end())
      throw Error(Errc::format, fmt::format("the weights do not say their '{}'", key),
                  "they are not those of a network of voxels");
    return activation_called(it->second);
  };
  if (spec_.sizes.empty())
    throw Error(Errc::format, "the weights hold no layer0.weight", "they are not those of a network of voxels");
  spec_.hidden = named("hidden"), spec_.output = named("output");
  layout();
  float* to = weights_.data();
  for (std::size_t l = 0; l + 1 < spec_.sizes.size(); ++l)
    for (const char* part : {"weight", "bias"}) {
      const auto& t = weights.get(fmt::format("layer{}.{}", l, part));
      const auto want =
          static_cast<std::size_t>(spec_.sizes[l + 1]) * static_cast<std::size_t>(part[0] == 'w' ? spec_.sizes[l] : 1);
      if (t.values.size() != want)
        throw Error(Errc::shape, fmt::format("layer{}.{} holds {} numbers, not {}", l, part, t.values.size(), want));
      to = std::copy(t.values.begin(), t.values.end(), to);
    }
}

Weights Mlp::weights() const {
  Weights out;
  const float* from = weights_.data();
  for (std::size_t l = 0; l + 1 < spec_.sizes.size(); ++l) {
    const int n_in = spec_.sizes[l], n_out = spec_.sizes[l + 1];
    out.tensors[fmt::format("layer{}.weight", l)] = {{n_out, n_in}, {from, from + n_in * n_out}};
    from += n_in * n_out;
    out.tensors[fmt::format("layer{}.bias", l)] = {{n_out}, {from, from + n_out}};
    from += n_out;
  }
  out.meta = {{"kind", "mlp"},
              {"hidden", std::string(to_string(spec_.hidden))},
              {"output", std::string(to_string(spec_.output))}};
  return out;
}

std::vector<float> Mlp::operator()(std::span<const float> inputs, std::size_t n, const Cancel* cancel) const {
  const auto n_in = static_cast<std::size_t>(spec_.sizes.front()), n_out = static_cast<std::size_t>(spec_.sizes.back());
  if (inputs.size() != n * n_in)
    throw Error(Errc::shape, fmt::format("{} values for {} samples of {} inputs", inputs.size(), n, n_in));
  std::vector<float> out(n * n_out);
  std::vector<const float*> from;
  std::vector<float*> to;
  for (std::size_t i = 0; i < n_in; ++i) from.push_back(inputs.data() + i * n);
  for (std::size_t o = 0; o < n_out; ++o) to.push_back(out.data() + o * n);
  (*this)(from, to, n, cancel);
  return out;
}

void Mlp::operator()(std::span<const float* const> inputs, std::span<float* const> outputs, std::size_t n,
                     const Cancel* cancel) const {
  const auto n_in = static_cast<std::size_t>(spec_.sizes.front()), n_out = static_cast<std::size_t>(spec_.sizes.back());
  if (inputs.size() != n_in || outputs.size() != n_out)
    throw Error(Errc::shape, fmt::format("{} rows in and {} out for a network of {} inputs and {} outputs",
                                         inputs.size(), outputs.size(), n_in, n_out));
  const auto kinds = kinds_of(spec_);
  const auto widest = static_cast<std::size_t>(*std::max_element(spec_.sizes.begin(), spec_.sizes.end()));
  constexpr std::size_t block = 1024;
  parallel_for((n + block - 1) / block, 4,
               [&](std::size_t begin, std::size_t end) {
                 Floats room(mlp_room(widest));
                 const std::size_t first = begin * block;
                 const LarmorMlpInference run{static_cast<int>(kinds.size()),
                                              spec_.sizes.data(),
                                              kinds.data(),
                                              weights_.data(),
                                              inputs.data(),
                                              outputs.data(),
                                              room.data(),
                                              first,
                                              std::min(end * block, n) - first};
                 kernels().infer(&run);
               },
               cancel);
}

MlpTrainer::MlpTrainer(Mlp& network, std::size_t batch, double rate)
    : net_(network), kinds_(kinds_of(network.spec_)), rate_(rate) {
  if (batch == 0) throw Error(Errc::range, "a batch of 0 samples");
  const auto& sizes = net_.spec_.sizes;
  stride_ = mlp_stride(batch);
  outputs_at_ = (total(sizes) - static_cast<std::size_t>(sizes.back())) * stride_;
  values_ = Floats(total(sizes) * stride_);
  deltas_ = Floats(total(sizes) * stride_);
  gradient_ = Floats(net_.padded_), m_ = Floats(net_.padded_), v_ = Floats(net_.padded_);
}

const float* MlpTrainer::outputs() const { return values_.data() + outputs_at_; }

LarmorMlpRun MlpTrainer::run_of(std::size_t n) {
  LarmorMlpRun run{};
  run.layers = static_cast<int>(kinds_.size()), run.sizes = net_.spec_.sizes.data(), run.kinds = kinds_.data();
  run.weights = net_.weights_.data(), run.values = values_.data(), run.deltas = deltas_.data();
  run.gradient = gradient_.data(), run.stride = stride_, run.n = n, run.input_deltas = input_gradients_;
  return run;
}

void MlpTrainer::forward(std::size_t n) {
  const LarmorMlpRun run = run_of(n);
  kernels().forward(&run);
}

std::span<const float> MlpTrainer::backward(const float* grad, std::size_t n) {
  LarmorMlpRun run = run_of(n);
  run.grad = grad;
  kernels().backward(&run);
  return {gradient_.data(), net_.count_};
}

void MlpTrainer::add_gradient(const MlpTrainer& other, float weight) {
  for (std::size_t i = 0; i < net_.count_; ++i) gradient_.data()[i] += weight * other.gradient_.data()[i];
}

void MlpTrainer::step() {
  ++steps_;
  constexpr double b1 = 0.9, b2 = 0.999;
  const auto t = static_cast<double>(steps_);
  const LarmorAdamRun run{net_.weights_.data(),
                          m_.data(),
                          v_.data(),
                          gradient_.data(),
                          net_.padded_,
                          static_cast<float>(rate_),
                          static_cast<float>(b1),
                          static_cast<float>(b2),
                          static_cast<float>(1 / (1 - std::pow(b1, t))),
                          static_cast<float>(1 / (1 - std::pow(b2, t))),
                          1e-8f};
  kernels().adam(&run);
}

std::vector<float> sample_rows(std::span<const float> samples, std::size_t n) {
  const std::size_t width = samples.size() / n;
  std::vector<float> rows(samples.size());
  for (std::size_t i = 0; i < width; ++i)
    for (std::size_t s = 0; s < n; ++s) rows[s * width + i] = samples[i * n + s];
  return rows;
}

FitResult run_epochs(Mlp& network, std::size_t n_values, std::size_t n, const FitOptions& options,
                     const std::function<double(const std::vector<std::uint32_t>&)>& epoch,
                     const std::function<void()>& read, const Progress& progress) {
  const auto n_in = static_cast<std::size_t>(network.spec().sizes.front());
  if (n_values != n * n_in || n == 0)
    throw Error(Errc::shape, fmt::format("{} values for {} samples of {} inputs", n_values, n, n_in));
  if (options.epochs < 1 || options.patience < 1 || options.batch < 1)
    throw Error(Errc::range,
                fmt::format("{} epochs, patience {}, batch {}", options.epochs, options.patience, options.batch),
                "1 and more of each");
  std::vector<std::uint32_t> order(n);
  for (std::size_t i = 0; i < n; ++i) order[i] = static_cast<std::uint32_t>(i);
  std::mt19937_64 random(options.seed);
  FitResult result;
  std::vector<float> best(network.parameters().begin(), network.parameters().end());
  result.best = std::numeric_limits<double>::infinity();
  progress.begin("training", static_cast<std::size_t>(options.epochs));
  for (int number = 1; number <= options.epochs; ++number) {
    for (std::size_t i = n; i > 1; --i) std::swap(order[i - 1], order[random() % i]);
    const double mean = epoch(order);
    if (!std::isfinite(mean))
      throw Error(Errc::numeric, fmt::format("the loss of epoch {} is {}", number, mean),
                  "lower the rate, or look for samples that are not finite");
    result.losses.push_back(mean);
    progress.add(1);
    if (mean < result.best) {
      result.best = mean, result.best_epoch = number;
      read();
      std::copy(network.parameters().begin(), network.parameters().end(), best.begin());  // a copy, not a reference
    } else if (number - result.best_epoch >= options.patience) {
      break;
    }
  }
  std::copy(best.begin(), best.end(), network.parameters().begin());
  progress.end();
  return result;
}

FitResult fit(Mlp& network, std::span<const float> samples, std::size_t n, const BatchLoss& loss,
              const FitOptions& options, const Progress& progress, const Cancel* cancel) {
  const auto n_in = static_cast<std::size_t>(network.spec().sizes.front()),
             n_out = static_cast<std::size_t>(network.spec().sizes.back());
  const std::size_t batch = std::clamp<std::size_t>(options.batch, 1, std::max<std::size_t>(n, 1));
  MlpTrainer trainer(network, batch, options.rate);
  Floats grad(n_out * trainer.stride());
  std::vector<float> rows;
  return run_epochs(
      network, samples.size(), n, options,
      [&](const std::vector<std::uint32_t>& order) {
        if (rows.empty()) rows = sample_rows(samples, n);  // the sizes have been looked at
        double sum = 0;
        std::size_t count = 0;
        for (std::size_t first = 0; first + batch <= n; first += batch) {
          if (cancel && count % 64 == 0) cancel->check();
          float* in = trainer.inputs();
          for (std::size_t s = 0; s < batch; ++s)
            for (std::size_t i = 0; i < n_in; ++i) in[i * trainer.stride() + s] = rows[order[first + s] * n_in + i];
          trainer.forward(batch);
          sum += loss(in, trainer.outputs(), grad.data(), trainer.stride(), batch);
          trainer.backward(grad.data(), batch);
          trainer.step();
          ++count;
        }
        return sum / static_cast<double>(count);
      },
      [] {}, progress);
}

}  // namespace larmor::nn
