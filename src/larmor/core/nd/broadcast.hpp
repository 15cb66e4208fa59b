// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::nd {

/// Arrays side by side, matched by the names of their axes.
///
/// The axes are those of the array of most axes (the first of such), then those that only others have, in their order.
/// An axis that an array lacks repeats it, and so does an axis of one element.
struct Broadcast {
  Shape shape;
  Axes axes;
  std::vector<Shape> strides;  // of each array along the axes, 0 where it repeats [elements]
};

/// Errors   Errc::shape naming the axis, the two arrays (`names`, or a, b, c, ...) and both extents; Errc::device off
/// the CPU; Errc::shape for an array that has an axis twice
Broadcast broadcast(std::span<const Array> arrays, std::span<const std::string> names = {});

/// The same with as few axes as possible: axes of one element are left out, and two that follow each other without a
/// gap in every array become one. Elements keep their order.
Broadcast collapsed(const Broadcast& full);

/// Type that real arithmetic on these arrays works in: f64 as soon as one is f64 or i32, else f32; complex as soon as
/// one is. An array without axes (a number) counts with its kind only, so f32 + 2 stays f32.
DType arithmetic_type(std::span<const Array> arrays);

constexpr bool is_complex(DType type) { return type == DType::c64 || type == DType::c128; }
/// f32 for c64, f64 for c128, else itself.
DType real_type(DType type);

}  // namespace larmor::nd
