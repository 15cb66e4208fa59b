// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/image.hpp>
#include <larmor/flow/value.hpp>

#include "slices.hpp"

namespace larmor::server {

/// Where the voxels of a value lie: images, parameter maps, and every record with a field "affine" of 16 numbers.
std::optional<Affine> affine_of(const flow::Value& value);

/// What `a` holds on a plane of the grid of another image: a plane of `grid`, its axes, indices and `max` are asked for
/// as with read_slice, and each sample is that of `a` at the same place in space. Linear between voxels; whole numbers
/// (labels) are taken from the nearest voxel. Outside of `a` it is NaN, of whole numbers 0. Axes of `a` beyond space
/// are read at their index.
/// Errors   those of view_of, for `grid` too; Errc::shape unless both have axes x, y and z
Slice read_onto(const Array& a, const Affine& of_a, const Array& grid, const Affine& of_grid, const SliceQuery& query,
                std::size_t most_bytes);

}  // namespace larmor::server
