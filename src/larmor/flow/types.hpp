// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/registry.hpp>
#include <larmor/flow/value.hpp>
#include <optional>
#include <string>
#include <vector>

namespace larmor::flow {

/// What may travel on a wire, as the canvas colours it and connections are checked.
struct Type {
  std::string title, what;
  /// A value of this type can be read as one of the parent ("image" as "array"). Empty: none.
  std::string parent = {};
  std::string colour = {};  // CSS colour, colour-blind safe beside the others
  /// Viewers that fit, best first: "image", "volume", "curves", "scene", "table", "text", "picture", "number".
  std::vector<std::string> viewers = {};
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
