// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/seg/volumetry.hpp>
#include <limits>

namespace larmor::seg {

double voxel_volume(const Affine& affine) { return std::abs(affine.determinant()); }

std::vector<LabelVolume> label_volumes(const Image& labels, int highest) {
  if (labels.data.rank() != 3)
    throw Error(Errc::shape, fmt::format("labels are {}, not 3-D", to_string(labels.data.shape())),
                "give one label a voxel (x, y, z)");
  const double mm3 = voxel_volume(labels.affine);
  if (!(mm3 > 0) || !std::isfinite(mm3))
    throw Error(Errc::numeric, fmt::format("a voxel of the labels has a volume of {} mm3", mm3),
                "the affine of the image is singular: repair its header");
  std::vector<LabelVolume> out(static_cast<std::size_t>(highest));
  for (int l = 1; l <= highest; ++l) out[static_cast<std::size_t>(l - 1)].label = l;
  const Array values = labels.data.cast(DType::f64).contiguous_copy();
  for (const double v : values.span<double>()) {
    if (v == 0) continue;
    if (!(v >= 1 && v <= highest) || v != std::floor(v))
      throw Error(Errc::range, fmt::format("a label is {}; allowed are 0 to {}", v, highest),
                  "is this a label image? larmor seg curate finds such files");
    ++out[static_cast<std::size_t>(v) - 1].voxels;
  }
  for (auto& l : out) l.mm3 = static_cast<double>(l.voxels) * mm3;
  return out;
}

double asymmetry_index(double left, double right) {
  const double sum = left + right;
  return sum > 0 ? 200 * (left - right) / sum : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace larmor::seg
