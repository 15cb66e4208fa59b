// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dsc/kernels/deconvolution_kernel.hpp>
#include <larmor/perfusion/dsc/voxel_tiles.hpp>

namespace larmor::dsc {
namespace {

constexpr std::size_t tile = deconvolution_tile;

}  // namespace

VoxelTile::VoxelTile(std::size_t n_frames, std::size_t stride)
    : n_frames_(n_frames), stride_(stride), y_(n_frames * stride) {}

void VoxelTile::read(const dce::VoxelRows& rows, std::span<const std::int64_t> voxels) {
  const std::size_t n = voxels.size();
  poison_.assign(n, 0.0f), size_.assign(n, 0.0f);
  const auto first = static_cast<std::size_t>(voxels.front()),
             span = static_cast<std::size_t>(voxels.back()) - first + 1;
  buffer_.resize(span);
  for (std::size_t t = 0; t < n_frames_; ++t) {
    const float* from = rows.get(t, first, span, buffer_.data());
    float* to = y_.data() + t * stride_;
    for (std::size_t i = 0; i < n; ++i) to[i] = from[static_cast<std::size_t>(voxels[i]) - first];
    for (std::size_t i = 0; i < n; ++i) poison_[i] += to[i] - to[i], size_[i] += std::abs(to[i]);
    std::fill(to + n, to + stride_, 0.0f);
  }
  for (std::size_t i = 0; i < n; ++i)
    if (!(poison_[i] == 0))
      for (std::size_t t = 0; t < n_frames_; ++t) y_[t * stride_ + i] = 0;
}

fit::FitStatus VoxelTile::screened(std::size_t i) const {
  if (!(poison_[i] == 0)) return fit::FitStatus::bad_data;
  return size_[i] > 0 ? fit::FitStatus::converged : fit::FitStatus::no_signal;
}

void for_tiles(std::span<const std::int64_t> voxels, const std::function<void(std::size_t, std::size_t)>& work,
               const Cancel* cancel) {
  const std::size_t n = (voxels.size() + tile - 1) / tile;
  parallel_for(n, std::clamp<std::size_t>(n / (8 * static_cast<std::size_t>(thread_count())), 1, 16), work, cancel);
}

std::span<const std::int64_t> tile_of(std::span<const std::int64_t> voxels, std::size_t k) {
  return voxels.subspan(k * tile, std::min(tile, voxels.size() - k * tile));
}

}  // namespace larmor::dsc
