// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <vector>

/// Which samples of Cartesian k-space are there: those that are not 0 in every coil.
namespace larmor::recon {

/// Boolean, over the named axes: sampled where any coil (or other axis) holds something.
Array sampled_mask(const Array& kspace, const Axes& axes);

/// A lattice: along each axis every `factor`-th sample from `offset` on.
struct Lattice {
  Axes axes;
  std::vector<std::int64_t> factor, offset;
  std::int64_t size() const;  // product of the factors
};
/// The lattice in a mask. `factors` (by axis of the mask) may be given to look over lines that are sampled besides (for
/// calibration); the offset of an axis is then the first whose lines are all there. Without, they are found out.
/// Errors   Errc::range when the samples form no lattice, with the axis, the line and the factor
Lattice find_lattice(const Array& mask, const std::vector<std::int64_t>& factors = {});

struct MaskOptions {
  std::int64_t calibration = 0;  // width of the middle that is sampled in full, along each undersampled axis
  bool random = false;           // lines at random of the same number, dense near the middle, instead of every n-th
  std::uint64_t seed = 1;
};
/// f32 mask of 0 and 1 over the named axes: every `factor`-th line through k = 0, or as many at random with a density
/// that falls as (1 - |k| / kmax)^2. Errors   Errc::range for a factor under 1 or above the extent
/// Source   random: Lustig, Donoho and Pauly, MRM 58:1182 (2007)
Array undersampling_mask(const Axes& axes, const Shape& shape, const std::vector<std::int64_t>& factors,
                         const MaskOptions& options = {});

}  // namespace larmor::recon
