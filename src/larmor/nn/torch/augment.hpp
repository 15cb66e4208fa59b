// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <torch/torch.h>

#include <larmor/nn/trainer.hpp>
#include <random>

namespace larmor::nn::torch_side {

struct Batch {
  at::Tensor image;   // (n, 1, z, y, x) f32
  at::Tensor labels;  // (n, z, y, x) i64
};

/// Patches cut from `images` (case, z, y, x) and `labels` (case, z, y, x; u8) about their centres, changed at random in
/// one resampling, on the device where the images lie.
Batch augmented(const at::Tensor& images, const at::Tensor& labels, const std::vector<std::int64_t>& cases,
                const std::array<int, 3>& patch, const Augment& how, int classes, std::mt19937_64& random);

}  // namespace larmor::nn::torch_side
