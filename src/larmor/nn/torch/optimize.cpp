// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/nn/torch/optimize.hpp>

namespace larmor::nn::torch_side {

namespace {

/// What a class of probability exp(logp) costs when it is the right one.
at::Tensor cost_of(const at::Tensor& logp, const TrainSpec& spec) {
  return spec.robust > 0 ? at::expm1(spec.robust * logp) / -spec.robust : -logp;
}

at::Tensor below(const at::Tensor& y, const at::Tensor& logits) {  // every second voxel
  const auto z = y.dim() - 3;
  const at::Tensor planes = y.slice(z, 0, y.size(z), 2).slice(z + 1, 0, y.size(z + 1), 2);
  return logits.size(4) == y.size(z + 2) ? planes : planes.slice(z + 2, 0, y.size(z + 2), 2);
}

}  // namespace

at::Tensor loss_of(const std::vector<at::Tensor>& outputs, const at::Tensor& target, const TrainSpec& spec) {
  const bool shares = target.dim() == 5;
  at::Tensor total;
  double weight = 1, weights = 0;
  at::Tensor y = target;
  for (const auto& logits : outputs) {
    if (logits.size(2) != y.size(y.dim() - 3)) y = below(y, logits);
    const at::Tensor logp = at::log_softmax(logits, 1);
    const at::Tensor mine = shares ? (y * cost_of(logp, spec)).sum(1) : cost_of(logp.gather(1, y.unsqueeze(1)), spec);
    at::Tensor ce = mine.mean();
    if (spec.label_smoothing > 0)
      ce = (1 - spec.label_smoothing) * ce + spec.label_smoothing * cost_of(logp, spec).mean();
    at::Tensor dice = at::zeros({}, logits.options());
    const at::Tensor p = logp.exp();
    for (int c = 1; c < spec.net.classes; ++c) {
      const at::Tensor pc = p.select(1, c), tc = shares ? y.select(1, c) : (y == c).to(at::kFloat);
      const at::Tensor both = shares ? pc.sum() + tc.sum() - (pc - tc).abs().sum() : 2 * (pc * tc).sum();
      dice = dice + 1 - (both + 1) / (pc.sum() + tc.sum() + 1);
    }
    const at::Tensor part = spec.cross_entropy_weight * ce + spec.dice_weight * dice / (spec.net.classes - 1);
    total = total.defined() ? total + weight * part : weight * part;
    weights += weight;
    weight *= 0.5;
  }
  return total / weights;
}

State::State(const Parameters& like, at::Device device, bool half) {
  std::int64_t n = 0;
  for (const auto& [name, t] : like) n += t.numel();
  const auto kind = at::TensorOptions().dtype(at::kFloat).device(device);
  value = at::empty({n}, kind), gradient = at::zeros({n}, kind), mean = at::empty({n}, kind);
  m = at::zeros({n}, kind), v = at::zeros({n}, kind), decays = at::zeros({n}, kind);
  if (half) value_half_ = at::empty({n}, kind.dtype(at::kBFloat16)), gradient_half_ = at::zeros_like(value_half_);
  std::int64_t at = 0;
  for (const auto& [name, t] : like) {
    const auto view = [&](const at::Tensor& flat) { return flat.narrow(0, at, t.numel()).view(t.sizes()); };
    view(value).copy_(t);
    at::Tensor leaf = view(half ? value_half_ : value).detach();
    leaf.requires_grad_(true);
    leaf.mutable_grad() = view(half ? gradient_half_ : gradient);
    leaves[name] = leaf;
    p[name] = view(value), ema[name] = view(mean), m1[name] = view(m), m2[name] = view(v);
    if (t.dim() > 1) decays.narrow(0, at, t.numel()).fill_(1);
    at += t.numel();
  }
  mean.copy_(value);
  refresh();
}

void State::refresh() {
  at::NoGradGuard no_grad;
  if (value_half_.defined()) value_half_.copy_(value);
}

void State::load(Parameters& to, const Parameters& from) {
  at::NoGradGuard no_grad;
  for (auto& [name, t] : to) t.copy_(from.at(name));
}

void State::step(const TrainSpec& spec, double rate, std::int64_t count) {
  at::NoGradGuard no_grad;
  if (gradient_half_.defined()) gradient.copy_(gradient_half_), gradient_half_.zero_();
  if (spec.clip > 0) gradient.mul_((spec.clip / (gradient.norm() + 1e-6)).clamp_max(1.0));
  const auto n = static_cast<double>(count);
  if (spec.optimizer == "sgd") {
    const at::Tensor d = spec.weight_decay > 0 ? gradient + spec.weight_decay * decays * value : gradient;
    m.mul_(spec.momentum).add_(d);
    value.sub_(rate * (d + spec.momentum * m));
  } else {
    // Kingma and Ba, ICLR (2015), with the decay of Loshchilov and Hutter, ICLR (2019).
    constexpr double b1 = 0.9, b2 = 0.999;
    m.mul_(b1).add_(gradient, 1 - b1);
    v.mul_(b2).addcmul_(gradient, gradient, 1 - b2);
    const double c1 = 1 - std::pow(b1, n), c2 = 1 - std::pow(b2, n);
    if (spec.weight_decay > 0) value.mul_(1 - rate * spec.weight_decay * decays);
    value.addcdiv_(m, (v / c2).sqrt_().add_(1e-8), -rate / c1);
  }
  const double keep = spec.ema > 0 ? std::min(spec.ema, (1 + n) / (10 + n)) : 0;
  mean.lerp_(value, 1 - keep);
  gradient.zero_();
  refresh();
}

}  // namespace larmor::nn::torch_side
