// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>

/// Masks: arrays of 0 and not 0 (NaN counts as 0). Space is the first three axes (fewer when there are fewer); further
/// axes are a batch. Results are boolean unless said otherwise.
namespace larmor::nd {

/// The mask as boolean, contiguous on the CPU.
Array as_mask(const Array& a, const Cancel* cancel = nullptr);

/// Threshold that parts two groups of values best: the largest variance between the groups, over 256 bins from the
/// smallest to the largest finite value. Errors   Errc::numeric without two different finite values
/// Source   Otsu, IEEE Trans. SMC 9:62 (1979)
double otsu(const Array& a);

/// Distance from every element to the nearest one of the mask, f32, in the unit of `spacing`; infinite where the mask
/// is empty. Exact. Source   Felzenszwalb and Huttenlocher, Theory of Computing 8:415 (2012)
Array distance_to(const Array& mask, const std::array<double, 3>& spacing, const Cancel* cancel = nullptr);

enum class Morphology : std::uint8_t { dilate, erode, open, close };
/// With a ball of `radius` in the unit of `spacing`: all elements whose centres are not farther than the radius. Beyond
/// the array is background when dilating, and mask when eroding, so open and close do not eat at the edges.
/// Errors   Errc::range unless radius >= 0 and spacing > 0
Array morphology(Morphology op, const Array& mask, double radius, const std::array<double, 3>& spacing,
                 const Cancel* cancel = nullptr);

/// Which neighbours touch: those that share a face (4 in a plane, 6 in space), an edge too (8, 18), a corner too (26).
enum class Touch : std::uint8_t { faces, edges, corners };
/// i32 labels 1, 2, ... by falling size (the first found first among equals); 0 is background.
/// `plane` looks at each plane of the first two axes alone.
Array components(const Array& mask, Touch touch, bool plane = false, const Cancel* cancel = nullptr);
/// The n largest pieces that have `smallest` elements or more.
Array largest_components(const Array& mask, int n, std::int64_t smallest, Touch touch, const Cancel* cancel = nullptr);
/// Background that does not touch the border becomes mask; with `plane` in each plane alone.
Array fill_holes(const Array& mask, bool plane = false, const Cancel* cancel = nullptr);

}  // namespace larmor::nd
