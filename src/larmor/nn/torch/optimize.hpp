// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nn/torch/network.hpp>
#include <larmor/nn/trainer.hpp>

namespace larmor::nn::torch_side {

/// (Generalised) cross-entropy with smoothed labels and the mean soft Dice of all classes but the background, over the
/// levels that are supervised, each half as heavy as the one above. With shares t the Dice term is
/// 1 - (p + t - |p - t|) / (p + t), which is the same for labels and has its optimum at p = t.
///
/// outputs  logits (n, class, z, y, x) of level 0 and of those below
/// target   of level 0: labels (n, z, y, x), or shares (n, class, z, y, x)
/// Source   Wang et al., MICCAI 14222:475 (2023)
at::Tensor loss_of(const std::vector<at::Tensor>& outputs, const at::Tensor& target, const TrainSpec& spec);

/// Weights of a network in one piece of memory each with their gradient, their mean and the moments of the gradient, so
/// that a step of the optimizer is a dozen operations and not a dozen for each of a hundred tensors.
struct State {
  at::Tensor value, gradient, mean, m, v;  // flat
  at::Tensor decays;                       // 1 where weight decay acts: not at norms and biases
  Parameters p, ema, m1, m2;               // views by name
  /// What the network is run with: leaves whose gradients are views too. Those of p, or with `half` copies in bfloat16,
  /// made in one piece once a step instead of one by one where each is used.
  Parameters leaves;

  State(const Parameters& like, at::Device device, bool half);
  static void load(Parameters& to, const Parameters& from);
  /// One step of Adam or SGD, and of the mean. `count` from 1.
  void step(const TrainSpec& spec, double rate, std::int64_t count);
  /// After the weights were changed from outside.
  void refresh();

 private:
  at::Tensor value_half_, gradient_half_;  // flat, undefined without `half`
};

}  // namespace larmor::nn::torch_side
