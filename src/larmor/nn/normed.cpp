// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/nn/kernels/mlp_kernel.hpp>
#include <larmor/nn/normed.hpp>

namespace larmor::nn {

void adam(const LarmorAdamRun& run);  // mlp.cpp

namespace {

constexpr float epsilon = 1e-5F;       // on the variance, so that a unit that is always the same stays finite
constexpr double running_share = 0.1;  // of the newest batch in the running means

std::size_t width_of(const Mlp& layer) { return static_cast<std::size_t>(layer.spec().sizes[1]); }

float activated(float y, Activation kind) {
  switch (kind) {
    case Activation::elu:
      return y > 0 ? y : std::exp(y) - 1;
    case Activation::relu:
      return y > 0 ? y : 0;
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-y));
    default:
      return y;
  }
}
float slope_of(float a, Activation kind) {
  switch (kind) {
    case Activation::elu:
      return a > 0 ? 1 : a + 1;
    case Activation::relu:
      return a > 0 ? 1 : 0;
    case Activation::sigmoid:
      return a * (1 - a);
    default:
      return 1;
  }
}

}  // namespace

NormedMlp::NormedMlp(const MlpSpec& spec, std::uint64_t seed, std::size_t batch, double rate, const Regularised& how)
    : spec_(spec), how_(how), rate_(rate), random_(seed * 0x9e3779b97f4a7c15ull + 1) {
  spec.check();
  if (!(how.dropout >= 0 && how.dropout < 1))
    throw Error(Errc::range, fmt::format("a dropout of {}", how.dropout), "give a probability from 0 to below 1");
  if (how.batch_norm && batch < 2)
    throw Error(Errc::range, "batch normalisation of batches of 1", "give batches of 2 and more");
  const Mlp whole(spec, seed);  // the same first weights as a network without
  const float* from = whole.parameters().data();
  for (std::size_t l = 0; l + 1 < spec.sizes.size(); ++l) {
    const bool last = l + 2 == spec.sizes.size();
    Layer layer;
    layer.weights = std::make_unique<Mlp>(
        MlpSpec{{spec.sizes[l], spec.sizes[l + 1]}, Activation::none, last ? spec.output : Activation::none}, seed);
    const auto to = layer.weights->parameters();
    std::copy(from, from + to.size(), to.begin());
    from += to.size();
    layer.trainer = std::make_unique<MlpTrainer>(*layer.weights, batch, rate);
    if (l > 0) layer.trainer->want_input_gradients();
    if (!last) {
      const std::size_t width = width_of(*layer.weights), room = width * layer.trainer->stride();
      layer.normalised = Floats(room), layer.active = Floats(room), layer.kept = Floats(room);
      const std::size_t padded = (2 * width + 15) / 16 * 16;
      Norm& norm = layer.norm;
      norm.parameters = Floats(padded), norm.gradient = Floats(padded), norm.m = Floats(padded);
      norm.v = Floats(padded);
      std::fill_n(norm.parameters.data(), width, 1.0F);
      norm.mean.assign(width, 0.0F), norm.variance.assign(width, 1.0F), norm.inverse_sd.assign(width, 1.0F);
    }
    layers_.push_back(std::move(layer));
  }
}

void NormedMlp::activate(Layer& layer, float* to, std::size_t n, bool training) {
  const std::size_t width = width_of(*layer.weights), stride = layer.trainer->stride();
  const auto share = 1 / static_cast<double>(n);
  const auto keep = static_cast<float>(1 / (1 - how_.dropout));
  const auto left_out = static_cast<std::uint64_t>(how_.dropout * 0x1p32);
  Norm& norm = layer.norm;
  for (std::size_t k = 0; k < width; ++k) {
    const float* z = layer.trainer->outputs() + k * stride;
    float *x = layer.normalised.data() + k * stride, *a = layer.active.data() + k * stride;
    if (how_.batch_norm) {
      float mean = norm.mean[k], variance = norm.variance[k];
      if (training) {
        double sum = 0, squares = 0;
        for (std::size_t s = 0; s < n; ++s) sum += z[s];
        sum *= share;
        for (std::size_t s = 0; s < n; ++s) squares += (z[s] - sum) * (z[s] - sum);
        mean = static_cast<float>(sum), variance = static_cast<float>(squares * share);
        const double unbiased = squares / static_cast<double>(n - 1);
        norm.mean[k] += static_cast<float>(running_share * (sum - norm.mean[k]));
        norm.variance[k] += static_cast<float>(running_share * (unbiased - norm.variance[k]));
      }
      const float inverse = 1 / std::sqrt(variance + epsilon), scale = norm.parameters.data()[k],
                  shift = norm.parameters.data()[width + k];
      norm.inverse_sd[k] = inverse;
      for (std::size_t s = 0; s < n; ++s) x[s] = (z[s] - mean) * inverse;
      for (std::size_t s = 0; s < n; ++s) a[s] = activated(scale * x[s] + shift, spec_.hidden);
    } else {
      for (std::size_t s = 0; s < n; ++s) a[s] = activated(z[s], spec_.hidden);
    }
    float *kept = layer.kept.data() + k * stride, *out = to + k * stride;
    if (training && how_.dropout > 0) {
      for (std::size_t s = 0; s < n; ++s) {
        random_ ^= random_ << 13, random_ ^= random_ >> 7, random_ ^= random_ << 17;  // Marsaglia, 2003
        kept[s] = (random_ >> 32) < left_out ? 0 : keep;
        out[s] = kept[s] * a[s];
      }
    } else {
      std::copy_n(a, n, out);
    }
  }
}

void NormedMlp::forward(std::size_t n, bool training) {
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    layers_[l].trainer->forward(n);
    if (l + 1 < layers_.size()) activate(layers_[l], layers_[l + 1].trainer->inputs(), n, training);
  }
}

/// From the gradient by what the layer gives (`from`) to that by what its weights give (`grad`).
void NormedMlp::back(Layer& layer, const float* from, float* grad, std::size_t n) {
  const std::size_t width = width_of(*layer.weights), stride = layer.trainer->stride();
  const auto share = 1 / static_cast<float>(n);
  for (std::size_t k = 0; k < width; ++k) {
    const float *d = from + k * stride, *a = layer.active.data() + k * stride, *kept = layer.kept.data() + k * stride,
                *x = layer.normalised.data() + k * stride;
    float* g = grad + k * stride;
    for (std::size_t s = 0; s < n; ++s) g[s] = d[s] * slope_of(a[s], spec_.hidden);
    if (how_.dropout > 0)
      for (std::size_t s = 0; s < n; ++s) g[s] *= kept[s];
    if (!how_.batch_norm) continue;
    // Mean and variance of the batch depend on every sample, so each gradient loses its mean and its part along x.
    double sum = 0, along = 0;
    for (std::size_t s = 0; s < n; ++s) sum += g[s], along += g[s] * x[s];
    layer.norm.gradient.data()[k] = static_cast<float>(along);
    layer.norm.gradient.data()[width + k] = static_cast<float>(sum);
    const float scale = layer.norm.parameters.data()[k] * layer.norm.inverse_sd[k];
    const float mean = static_cast<float>(sum) * share, part = static_cast<float>(along) * share;
    for (std::size_t s = 0; s < n; ++s) g[s] = scale * (g[s] - mean - part * x[s]);
  }
}

void NormedMlp::step(const float* grad, std::size_t n) {
  ++steps_;
  Floats room(static_cast<std::size_t>(*std::max_element(spec_.sizes.begin(), spec_.sizes.end())) * stride());
  const float* by_output = grad;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    if (l + 1 < layers_.size()) {
      back(layers_[l], layers_[l + 1].trainer->input_gradients(), room.data(), n);
      by_output = room.data();
    }
    layers_[l].trainer->backward(by_output, n);
  }
  for (auto& layer : layers_) {
    layer.trainer->step();
    if (&layer != &layers_.back() && how_.batch_norm) step(layer.norm);
  }
}

void NormedMlp::step(Norm& norm) {
  const auto t = static_cast<double>(steps_);
  adam({norm.parameters.data(), norm.m.data(), norm.v.data(), norm.gradient.data(),
        (2 * norm.mean.size() + 15) / 16 * 16, static_cast<float>(rate_), 0.9F, 0.999F,
        static_cast<float>(1 / (1 - std::pow(0.9, t))), static_cast<float>(1 / (1 - std::pow(0.999, t))), 1e-8F});
}

void NormedMlp::set_rate(double rate) {
  rate_ = rate;
  for (auto& layer : layers_) layer.trainer->set_rate(rate);
}

Mlp NormedMlp::plain() const {
  Mlp out(spec_, 0);
  float* to = out.parameters().data();
  for (const auto& layer : layers_) {
    const auto from = layer.weights->parameters();
    std::copy(from.begin(), from.end(), to);
    if (&layer != &layers_.back() && how_.batch_norm) {
      const std::size_t width = width_of(*layer.weights), n_in = from.size() / width - 1;
      for (std::size_t k = 0; k < width; ++k) {
        const float scale = layer.norm.parameters.data()[k] / std::sqrt(layer.norm.variance[k] + epsilon);
        for (std::size_t i = 0; i < n_in; ++i) to[k * n_in + i] *= scale;
        float& bias = to[n_in * width + k];
        bias = (bias - layer.norm.mean[k]) * scale + layer.norm.parameters.data()[width + k];
      }
    }
    to += from.size();
  }
  return out;
}

}  // namespace larmor::nn
