// SPDX-License-Identifier: Apache-2.0
#include "onto.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/resample.hpp>

namespace larmor::server {
namespace {

constexpr const char* space[] = {"x", "y", "z"};

int need(const Array& array, const char* axis) {
  const auto& axes = array.axes();
  const auto it = std::find(axes.begin(), axes.end(), axis);
  if (it == axes.end())
    throw Error(Errc::shape, fmt::format("{} has no axis '{}', so it has no place in space", array.describe(), axis),
                "give images with the axes x, y and z");
  return static_cast<int>(it - axes.begin());
}

}  // namespace

std::optional<Affine> affine_of(const flow::Value& value) {
  if (value.kind() != flow::Value::Kind::record) return {};
  const flow::Value field = value.field("affine");
  if (field.kind() != flow::Value::Kind::list || field.list().size() != 16) return {};
  Affine out;
  for (std::size_t k = 0; k < 16; ++k) {
    if (field.list()[k].kind() != flow::Value::Kind::number) return {};
    out.m[k / 4][k % 4] = field.list()[k].number();
  }
  return out;
}

Slice read_onto(const Array& a, const Affine& of_a, const Array& grid, const Affine& of_grid, const SliceQuery& query,
                std::size_t most_bytes) {
  if (query.axes.size() != 2)
    throw Error(Errc::usage, fmt::format("a plane has two axes and {} are asked for", query.axes.size()),
                "write axes=x,y");
  // Of the grid only its extents are read; which indices there are is checked as for any slice.
  SliceQuery plane_of{.axes = query.axes};
  for (const auto& [name, index] : query.at)
    if (std::count(grid.axes().begin(), grid.axes().end(), name)) plane_of.at[name] = index;
  view_of(grid, plane_of);
  std::int64_t n[2], step[2];
  std::array<std::array<double, 3>, 3> column{};  // of result axes 0 and 1 in voxels of the grid; the third stays 0
  std::array<double, 3> origin{};
  for (std::size_t k = 0; k < 3; ++k) {
    need(grid, space[k]);
    const auto index = query.at.find(space[k]);
    origin[k] = index == query.at.end() ? 0 : static_cast<double>(index->second);
  }
  for (std::size_t k = 0; k < 2; ++k) {
    const auto c = std::find(std::begin(space), std::end(space), query.axes[k]) - std::begin(space);
    if (c == 3)
      throw Error(Errc::shape, fmt::format("the axis '{}' is none of space", query.axes[k]), "show two of x, y and z");
    const std::int64_t all = grid.extent(grid.axis(query.axes[k]));
    step[k] = query.max > 0 && all > query.max ? (all + query.max - 1) / query.max : 1;
    n[k] = (all + step[k] - 1) / step[k];
    column[k][static_cast<std::size_t>(c)] = static_cast<double>(step[k]);
    origin[static_cast<std::size_t>(c)] = 0;
  }
  const Affine m = of_a.inverse() * of_grid;
  std::array<std::array<double, 4>, 3> to_index{};
  for (std::size_t r = 0; r < 3; ++r) {
    for (std::size_t k = 0; k < 3; ++k) {
      for (std::size_t c = 0; c < 3; ++c) to_index[r][k] += m.m[r][c] * column[k][c];
      to_index[r][3] += m.m[r][k] * origin[k];
    }
    to_index[r][3] += m.m[r][3];
  }
  // One volume of `a`: its axes of space, in their order, at the index on every other axis that it has.
  SliceQuery volume{.axes = {space[0], space[1], space[2]}};
  for (const char* axis : space) need(a, axis);
  for (const auto& [name, index] : query.at)
    if (std::count(a.axes().begin(), a.axes().end(), name) && !std::count(volume.axes.begin(), volume.axes.end(), name))
      volume.at[name] = index;
  Array from = view_of(a, volume);
  if (!from.device().is_cpu()) from = from.to(Device::cpu());
  const DType t = a.dtype();
  const bool whole = t != DType::f32 && t != DType::f64 && t != DType::c64 && t != DType::c128;
  nd::ResampleOptions options{.kind = whole ? nd::Interpolation::nearest : nd::Interpolation::linear,
                              .fill = whole ? 0.0 : std::nan("")};
  const Array plane = nd::resample_grid(from, to_index, {n[0], n[1], 1}, options).slice(2, 0).with_axes(query.axes);
  SliceQuery all{.axes = query.axes, .part = query.part, .dtype = query.dtype, .window = query.window};
  Slice out = read_slice(plane, all, most_bytes);
  out.step = {step[0], step[1]};
  return out;
}

}  // namespace larmor::server
