// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/registry.hpp>
#include <larmor/flow/value.hpp>
#include <optional>
#include <string>
#include <vector>

namespace larmor::flow {

/// Results of slices, on their way into one value.
struct Stacked {
  Value data;                 // their arrays, stacked
  std::vector<Value> slices;  // the records without their field "data"
  std::string axis;
  Value like;  // what had been sliced; none when the axis is new (a sweep)
};

/// What may travel on a wire, as the canvas colours it and connections are checked.
struct Type {
  std::string title, what;
  /// A value of this type can be read as one of the parent ("image" as "array"). Empty: none.
  std::string parent = {};
  std::string colour = {};  // CSS colour, colour-blind safe beside the others
  /// Viewers that fit, best first: "image", "volume", "curves", "scene", "table", "text", "picture", "number".
  std::vector<std::string> viewers = {};
  /// For records with a field "data" that know more of their axes than its names (an image: affine and times). Element
  /// `index` along an axis, and the way back. Empty: "data" is sliced, the other fields stay, and those of the first
  /// slice are put around the stacked array.
  std::function<Value(const Value& value, const std::string& axis, std::int64_t index)> slice = {};
  std::function<Value(const Stacked& parts)> stack = {};
};

/// any none boolean number numbers text array list record, and those that the nodes add (image, curve, maps, ...).
class Types : public Registry<Type> {
 public:
  Types();
  /// Types that a value of `from` can be read as without an operation: itself, its ancestors, and the built-in
  /// readings (number -> array, number -> numbers, numbers <-> array of one axis, anything -> list, -> any).
  bool accepts(std::string_view to, std::string_view from) const;
  /// Why not, for people: "an image is needed and this is a text". Empty when accepted.
  std::string refusal(std::string_view to, std::string_view from) const;
};

}  // namespace larmor::flow
