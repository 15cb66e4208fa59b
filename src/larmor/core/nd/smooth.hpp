// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>

namespace larmor::nd {

/// Gaussian mean along an axis, sd in elements, over 4 sd on each side; at the ends over what is there, so that a
/// constant stays. Integers give f32 or f64. Errors   Errc::range for sd < 0 or an axis that is not there
Array smooth_axis(const Array& a, int axis, double sd, const Cancel* cancel = nullptr);

/// Middle value in a box of `width` elements (odd) along each of the axes; at the ends of those that are there. NaN is
/// left out. Errors   Errc::range unless width is odd and 1..15, Errc::type for complex numbers
Array median_filter(const Array& a, std::span<const int> axes, int width, const Cancel* cancel = nullptr);

}  // namespace larmor::nd
