// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/cancel.hpp>
#include <larmor/fit/status.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <span>
#include <vector>

namespace larmor::dsc {

/// Tissue curves of some voxels as kernels take them, and what is wrong with them.
class VoxelTile {
 public:
  /// stride   leading dimension of the curves, at least as many as the voxels: the rest is 0
  VoxelTile(std::size_t n_frames, std::size_t stride);
  /// A curve that is not finite is read as 0.
  void read(const dce::VoxelRows& rows, std::span<const std::int64_t> voxels);
  const std::vector<float>& curves() const { return y_; }  // (n_frames, stride)
  /// bad_data, no_signal (all 0), or converged: there is something to work on
  fit::FitStatus screened(std::size_t i) const;

 private:
  std::size_t n_frames_, stride_;
  std::vector<float> y_, poison_, size_, buffer_;
};

/// Calls work(begin, end) for pieces of the tiles that the voxels make, on all threads.
void for_tiles(std::span<const std::int64_t> voxels, const std::function<void(std::size_t, std::size_t)>& work,
               const Cancel* cancel);
/// Voxels of tile k: deconvolution_tile of them, or what is left.
std::span<const std::int64_t> tile_of(std::span<const std::int64_t> voxels, std::size_t k);

}  // namespace larmor::dsc
