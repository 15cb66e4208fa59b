// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>

namespace larmor::dce {

VoxelRows::VoxelRows(const Array& series, std::string name) : name_(std::move(name)) {
  if (series.rank() < 2 || series.empty())
    throw Error(Errc::shape, fmt::format("{} is {}", name_, series.describe()),
                "give a series of volumes: voxels first, then one last axis of frames");
  if (series.dtype() == DType::c64 || series.dtype() == DType::c128)
    throw Error(Errc::type, fmt::format("{} is complex: {}", name_, series.describe()), "give magnitudes");
  series_ = series.to(Device::cpu()).contiguous_copy();
  if (series_.dtype() == DType::boolean) series_ = series_.cast(DType::f32);
  n_frames_ = static_cast<std::size_t>(series_.shape().back());
  n_voxels_ = static_cast<std::size_t>(series_.size()) / n_frames_;
}

const float* VoxelRows::get(std::size_t frame, std::size_t begin, std::size_t n, float* buffer) const {
  const std::size_t first = frame * n_voxels_ + begin;
  const auto convert = [&](const auto* from) {
    for (std::size_t i = 0; i < n; ++i) buffer[i] = static_cast<float>(from[first + i]);
    return buffer;
  };
  switch (series_.dtype()) {
    case DType::f32:
      return series_.data<float>() + first;
    case DType::f64:
      return convert(series_.data<double>());
    case DType::i32:
      return convert(series_.data<std::int32_t>());
    case DType::i16:
      return convert(series_.data<std::int16_t>());
    default:
      return convert(series_.data<std::uint8_t>());
  }
}

void VoxelRows::check_count(std::size_t count, const std::string& what) const {
  if (count != n_voxels_)
    throw Error(Errc::shape, fmt::format("{} has {} values for {} voxels of the {}", what, count, n_voxels_, name_),
                fmt::format("give one {} value a voxel", what));
}

void VoxelRows::check_mask(std::span<const std::uint8_t> mask) const {
  if (mask.empty()) return;
  check_count(mask.size(), "mask");
  for (const auto m : mask)
    if (m) return;
  throw Error(Errc::range, "the mask is empty: no voxel is selected", "give a mask with voxels that are not 0");
}

void VoxelRows::check_times(std::span<const double> times) const {
  if (times.size() != n_frames_)
    throw Error(Errc::shape, fmt::format("{} times for {} frames of the {}", times.size(), n_frames_, name_),
                "give one time [s] for each frame");
  for (std::size_t i = 0; i < times.size(); ++i)
    if (!std::isfinite(times[i]) || (i > 0 && !(times[i] > times[i - 1])))
      throw Error(Errc::range,
                  fmt::format("time {} s of frame {} does not follow {} s", times[i], i, i > 0 ? times[i - 1] : NAN),
                  "give finite, strictly increasing times [s]");
}

}  // namespace larmor::dce
