// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/core/array.hpp>
#include <vector>

namespace larmor::nd {

/// Masks of simple shapes over the first axes of a grid, in elements; boolean. An element belongs to a shape when its
/// centre does. Errors of all   Errc::range for sizes that are not positive, Errc::shape for too few axes
struct ShapeMask {
  std::vector<double> centre, size;  // one an axis; size: full widths. Axes beyond are covered whole
};
Array box_mask(const Shape& shape, const Axes& axes, const ShapeMask& box);
Array ellipsoid_mask(const Shape& shape, const Axes& axes, const ShapeMask& ellipsoid);
/// In the plane of the first two axes, by the even-odd rule; corners as x0 y0 x1 y1 ...
/// Errors   Errc::shape for an odd count or fewer than three corners
Array polygon_mask(const Shape& shape, const Axes& axes, const std::vector<double>& corners);

}  // namespace larmor::nd
