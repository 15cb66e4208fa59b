// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>

/// Elements in another place: nothing here computes with them, and every type stays. Axes are given by index.
/// Errors   of all   Errc::range for an axis that is not there
namespace larmor::nd {

/// Element k of `axis` of the result is element from[k] of `a`; a negative from[k] gives `fill` (0 x the type when not
/// given; complex numbers take it as real part). All others of this header are made of it.
/// Errors   Errc::range for an index beyond the axis
Array take(const Array& a, int axis, std::span<const std::int64_t> from, double fill = 0,
           const Cancel* cancel = nullptr);

Array flip(const Array& a, int axis, const Cancel* cancel = nullptr);

/// Moves elements by a whole number up along the axis; what leaves at the end comes in at the start.
Array roll(const Array& a, int axis, std::int64_t by, const Cancel* cancel = nullptr);
/// The same by any distance, for band-limited periodic signals: the shift theorem of Fourier,
/// X[k] exp(-2 pi i k by / n). Real arrays stay real (their Nyquist term is multiplied by cos(pi by)); integers give
/// f32 or f64.
Array roll_by_phase(const Array& a, int axis, double by, const Cancel* cancel = nullptr);

enum class Pad : std::uint8_t {
  constant,
  edge,     // the last element goes on
  reflect,  // about the last element: 2 1 | 0 1 2
  wrap
};
/// Adds elements before and after; negative numbers cut. Errors   Errc::range when nothing would be left, or for
/// reflections longer than the axis
Array pad(const Array& a, int axis, std::int64_t before, std::int64_t after, Pad mode = Pad::constant, double fill = 0,
          const Cancel* cancel = nullptr);
/// Pads or cuts to n elements so that the centre, index floor(n / 2), stays the centre.
Array resize(const Array& a, int axis, std::int64_t n, double fill = 0, const Cancel* cancel = nullptr);
/// How many elements resize() adds (or cuts, negative) before the first.
std::int64_t resize_before(std::int64_t from, std::int64_t to);

/// The whole axis n times: 1 2 1 2.
Array tile(const Array& a, int axis, std::int64_t n, const Cancel* cancel = nullptr);
/// Every element n times: 1 1 2 2.
Array repeat(const Array& a, int axis, std::int64_t n, const Cancel* cancel = nullptr);

/// One after the other along the axis called `axis`; the other axes must agree by name and extent, in any order. Types
/// are made common. Errors   Errc::shape naming the axis, both arrays by number and both extents; Errc::usage for none
Array concatenate(std::span<const Array> arrays, const std::string& axis, const Cancel* cancel = nullptr);
/// Side by side along a new last axis. Errors   those of concatenate; Errc::shape when the axis is there already
Array stack(std::span<const Array> arrays, const std::string& new_axis, const Cancel* cancel = nullptr);

/// The axes `axes`, in this order, as one axis called `name` in the place of the first of them.
Array merge_axes(const Array& a, std::span<const int> axes, const std::string& name);
/// One axis as several, first fastest; one extent may be -1: what is left. Errors   Errc::shape with both numbers
Array split_axis(const Array& a, int axis, const Axes& names, Shape extents);

}  // namespace larmor::nd
