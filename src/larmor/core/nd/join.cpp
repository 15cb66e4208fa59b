// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/nd/broadcast.hpp>

namespace larmor::nd {
namespace {

DType common_type(std::span<const Array> arrays) {
  const DType first = arrays[0].dtype();
  const bool same = std::all_of(arrays.begin(), arrays.end(), [&](const Array& a) { return a.dtype() == first; });
  return same ? first : arithmetic_type(arrays);
}

// The array with its axes in the order of `axes`. `free` is the axis whose extent may differ.
Array in_order(const Array& a, const Array& first, const std::string& free, std::size_t number) {
  std::vector<int> order;
  for (const auto& axis : first.axes()) {
    const auto it = std::find(a.axes().begin(), a.axes().end(), axis);
    if (it == a.axes().end() || a.rank() != first.rank())
      throw Error(Errc::shape, fmt::format("array 1 is {} and array {} is {}", first.describe(), number, a.describe()),
                  "all must have the same axes; rename, add or remove some");
    const auto at = static_cast<int>(it - a.axes().begin());
    if (axis != free && a.extent(at) != first.extent(static_cast<int>(order.size())))
      throw Error(Errc::shape,
                  fmt::format("axis '{}' has {} elements in array 1 and {} in array {}", axis,
                              first.extent(static_cast<int>(order.size())), a.extent(at), number),
                  "crop, pad or resample one of them");
    order.push_back(at);
  }
  return a.permuted(order);
}

}  // namespace

Array concatenate(std::span<const Array> arrays, const std::string& axis, const Cancel* cancel) {
  if (arrays.empty()) throw Error(Errc::usage, "nothing to join", "give one array at least");
  const int at = arrays[0].axis(axis);
  const DType type = common_type(arrays);
  std::vector<Array> parts;
  Shape shape = arrays[0].shape();
  std::int64_t total = 0;
  for (std::size_t k = 0; k < arrays.size(); ++k) {
    if (cancel) cancel->check();
    parts.push_back(in_order(arrays[k].to(Device::cpu()), arrays[0], axis, k + 1).cast(type).contiguous_copy());
    total += parts.back().extent(at);
  }
  shape[static_cast<std::size_t>(at)] = total;
  Array out = Array::uninitialised(type, shape, arrays[0].axes());
  std::size_t inner = size_of(type), rows = 1;
  for (int i = 0; i < at; ++i) inner *= static_cast<std::size_t>(out.extent(i));
  for (int i = at + 1; i < out.rank(); ++i) rows *= static_cast<std::size_t>(out.extent(i));
  auto* to = static_cast<std::byte*>(out.raw());
  for (std::size_t row = 0; row < rows; ++row) {
    if (cancel && row % 256 == 0) cancel->check();
    for (const Array& part : parts) {
      const std::size_t bytes = inner * static_cast<std::size_t>(part.extent(at));
      if (bytes == 0) continue;
      std::memcpy(to, static_cast<const std::byte*>(part.raw()) + row * bytes, bytes);
      to += bytes;
    }
  }
  return out;
}

Array stack(std::span<const Array> arrays, const std::string& new_axis, const Cancel* cancel) {
  std::vector<Array> parts;
  for (const Array& a : arrays) {
    if (std::find(a.axes().begin(), a.axes().end(), new_axis) != a.axes().end())
      throw Error(Errc::shape, fmt::format("the arrays have an axis '{}' already", new_axis),
                  "stack along a new one, or concatenate along this one");
    Shape shape = a.shape();
    Axes axes = a.axes();
    shape.push_back(1), axes.push_back(new_axis);
    parts.push_back(a.reshaped(shape, axes));
  }
  return concatenate(parts, new_axis, cancel);
}

Array merge_axes(const Array& a, std::span<const int> axes, const std::string& name) {
  if (axes.empty()) throw Error(Errc::usage, "no axes to merge", "name two or more");
  std::vector<int> order;
  Shape shape;
  Axes names;
  const int place = *std::min_element(axes.begin(), axes.end());
  for (int i = 0; i < a.rank(); ++i) {
    if (i == place) {
      std::int64_t n = 1;
      for (const int axis : axes) order.push_back(axis), n *= a.extent(axis);
      shape.push_back(n), names.push_back(name);
    } else if (std::find(axes.begin(), axes.end(), i) == axes.end()) {
      order.push_back(i), shape.push_back(a.extent(i)), names.push_back(a.axes()[static_cast<std::size_t>(i)]);
    }
  }
  return a.permuted(order).reshaped(shape, names);
}

Array split_axis(const Array& a, int axis, const Axes& names, Shape extents) {
  if (axis < 0 || axis >= a.rank())
    throw Error(Errc::range, fmt::format("axis {} of an array of {} axes", axis, a.rank()));
  if (names.size() != extents.size() || names.empty())
    throw Error(Errc::shape, fmt::format("{} names for {} extents", names.size(), extents.size()),
                "give a name and an extent for each new axis");
  const std::int64_t n = a.extent(axis);
  std::int64_t known = 1;
  const auto open = std::count(extents.begin(), extents.end(), -1);
  for (const auto extent : extents)
    if (extent != -1) known *= extent;
  if (open == 1 && known > 0 && n % known == 0)
    std::replace(extents.begin(), extents.end(), std::int64_t{-1}, n / known);
  std::int64_t product = 1;
  for (const auto extent : extents) product *= extent;
  if (open > 1 || product != n)
    throw Error(Errc::shape,
                fmt::format("axis '{}' has {} elements; {} do not make it", a.axes()[static_cast<std::size_t>(axis)], n,
                            to_string(extents)),
                "the product of the extents must be that number; one of them may be -1");
  Shape shape = a.shape();
  Axes all = a.axes();
  shape.erase(shape.begin() + axis), all.erase(all.begin() + axis);
  shape.insert(shape.begin() + axis, extents.begin(), extents.end());
  all.insert(all.begin() + axis, names.begin(), names.end());
  return a.reshaped(shape, all);
}

}  // namespace larmor::nd
