// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <torch/torch.h>

#include <larmor/nn/trainer.hpp>
#include <random>

namespace larmor::nn::torch_side {

/// All images of a training, of one size.
struct Cases {
  at::Tensor images;  // (case, z, y, x) f32
  at::Tensor labels;  // (case, z, y, x) u8
  at::Tensor shares;  // (case, class from 1, z, y, x) f32, what is learned instead of labels; undefined: the labels
};

struct Batch {
  at::Tensor image;   // (n, 1, z, y, x) f32
  at::Tensor target;  // (n, z, y, x) i64 labels, or (n, class, z, y, x) f32 shares of all classes
};

/// Patches cut about the centres of the cases, changed at random in one resampling, on the device where the images lie.
Batch augmented(const Cases& all, const std::vector<std::int64_t>& cases, const std::array<int, 3>& patch,
                const Augment& how, int classes, std::mt19937_64& random);

/// Gaussian of one standard deviation an image along each axis, edges repeated. x (n, channel, z, y, x), sigma (n).
at::Tensor blurred(const at::Tensor& x, const at::Tensor& sigma, int reach);

}  // namespace larmor::nn::torch_side
