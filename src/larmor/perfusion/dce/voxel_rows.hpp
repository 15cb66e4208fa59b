// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <span>
#include <string>

namespace larmor::dce {

/// Series of volumes read a run of neighbouring voxels at a time, as f32, whatever the type and the
/// device: (voxels..., t), t last.
class VoxelRows {
 public:
  /// Errors   Errc::shape (rank below 2, or empty), Errc::type (complex)
  VoxelRows(const Array& series, std::string name);

  std::size_t n_voxels() const { return n_voxels_; }
  std::size_t n_frames() const { return n_frames_; }
  /// Voxels [begin, begin + n) of a frame: a pointer into the series when it is f32, else to `buffer`, filled.
  const float* get(std::size_t frame, std::size_t begin, std::size_t n, float* buffer) const;

  /// Errors   Errc::shape when a map called `what` of `count` values is not one a voxel
  void check_count(std::size_t count, const std::string& what) const;
  /// Errors   also Errc::range when nothing is selected. An empty mask means all.
  void check_mask(std::span<const std::uint8_t> mask) const;
  /// Errors   Errc::shape, Errc::range unless finite and strictly increasing
  void check_times(std::span<const double> times) const;

 private:
  Array series_;
  std::string name_;
  std::size_t n_voxels_ = 0, n_frames_ = 0;
};

}  // namespace larmor::dce
