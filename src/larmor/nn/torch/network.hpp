// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <torch/torch.h>

#include <larmor/nn/unet.hpp>
#include <map>
#include <string>
#include <vector>

/// The U-Net in libtorch: what trains on CUDA. Only what torch 1.13 and 2.x have in common.
namespace larmor::nn::torch_side {

using Parameters = std::map<std::string, at::Tensor>;

Parameters to_torch(const Weights& weights, const std::string& prefix, at::Device device);
/// Copies into weights.tensors under prefix + name.
void from_torch(const Parameters& parameters, const std::string& prefix, Weights& weights);

struct Network {
  UNetSpec spec;
  bool half = false;           // bfloat16 convolutions and norms
  bool channels_last = false;  // memory order of convolutions: channels of a voxel side by side
  /// Logits of level 0, then, if `all`, of the supervised levels below.
  std::vector<at::Tensor> operator()(const Parameters& p, const at::Tensor& x, bool all) const;
};

}  // namespace larmor::nn::torch_side
