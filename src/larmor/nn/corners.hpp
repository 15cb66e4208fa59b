// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nn/conv.hpp>
#include <span>
#include <vector>

namespace larmor::nn {

/// The ways down and up of a U-Net, convolutions by 2 with stride 2, as 1 x 1 x 1 convolutions on the smaller grid
/// whose channels are those of all voxels that a voxel of it covers: (corner, channel), corners in the order of weights
/// z, y, x. `dims` 2: x keeps its size.
inline int corner_count(int dims) { return dims == 2 ? 4 : 8; }

/// Weights (a, b, corner) as (a, corner, b): the way down, a outputs and b inputs.
std::vector<float> down_as_point(std::span<const float> weights, int a, int b, int dims);
/// Weights (a, b, corner) as (corner, b, a): the way up, a inputs and b outputs.
std::vector<float> up_as_point(std::span<const float> weights, int a, int b, int dims);
/// The ways back, added: of gradients.
void add_down_from_point(std::span<const float> point, int a, int b, int dims, std::span<float> weights);
void add_up_from_point(std::span<const float> point, int a, int b, int dims, std::span<float> weights);

/// Channels [first, first + n) of the larger grid to the corners (corner, channel) of the smaller.
void split_corners(const ConvGrid& small, const ConvGrid& large, int dims, const Channels& from, int first, int n,
                   Channels& to);
/// The way back, written or added.
void join_corners(const ConvGrid& small, const ConvGrid& large, int dims, const Channels& from, Channels& to, int first,
                  int n, bool add = false);

}  // namespace larmor::nn
