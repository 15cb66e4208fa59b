// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/node_type.hpp>
#include <larmor/nodes/values/image.hpp>

/// Settings that name axes, and the place in space of what operations along an axis make.
namespace larmor::nodes {

/// "x, y" or "x y" as names. Errors   Errc::format for a name that is empty between commas
std::vector<std::string> names_in(const std::string& text);
/// Indices of the axes in a text; nothing for an empty text. Errors   Errc::unknown_name, with the axes that are there;
/// Errc::range for one given twice
std::vector<int> axes_in(const Array& array, const std::string& text);
/// The same, and then those that are not named, in their order.
std::vector<int> all_axes_in(const Array& array, const std::string& text);
/// As axes_in, and every axis for an empty text.
std::vector<int> axes_or_all(const Array& array, const std::string& text);

/// "x=64, y=48:60" as texts by axis. Errors   Errc::format with what is needed, Errc::unknown_name, Errc::range (twice)
struct AxisText {
  int axis;
  std::string name, text;
};
std::vector<AxisText> axis_texts(const Array& array, const std::string& text);
/// A whole number, or any number. Errors   Errc::format naming axis and text
std::int64_t whole(const AxisText& item);
double real(const AxisText& item);

/// An axis of an image and of an array after an operation along it: voxel 0 of the result lies at `first` of the input,
/// and its voxels are `step` apart. Moves the affine for x, y, z, and the times for t (times_at in place.hpp).
Gridded along(const Gridded& in, Array out, const std::string& axis, double first, double step);

/// The one of two operands whose geometry the result of both takes: the one that has it, has more voxels, or has times.
/// Errors   Errc::shape when both have one, of equal grids that lie apart
const Gridded& place_of(const Gridded& a, const Gridded& b);

/// In validate(): the axes of the last value of a port as choices of a setting (suggestions where it is a text).
void offer_axes(flow::Form& form, const std::string& port, const std::string& setting);
/// The array in a value; nullptr when there is none.
const Array* array_of(const flow::Value& value);

}  // namespace larmor::nodes
