// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/perfusion/ivim/voxel_network.hpp>

namespace larmor::ivim {

/// train_self() of the kind optim, once. Outputs are the ranges of the parameters times a sigmoid, one network each;
/// the rate falls when the loss of the samples kept from training does not, and the best weights come back.
VoxelNetwork train_optim(const Protocol& protocol, std::span<const float> ratios, std::size_t n,
                         const SelfTraining& options, NetworkTraining& how, const Progress& progress,
                         const Cancel* cancel);

}  // namespace larmor::ivim
