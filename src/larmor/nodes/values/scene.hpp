// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/core/array.hpp>
#include <larmor/flow/value_traits.hpp>
#include <optional>
#include <string>
#include <vector>

namespace larmor::nodes {

/// Things in space and time, as the scene viewer of Studio draws them (web/packages/viewer/README.md lists what each
/// field means there). Arrays f32: 3 stands for x, y, z or red, green, blue.
struct SceneItem {
  enum class Kind { points, lines, spheres, arrows };
  Kind kind = Kind::points;
  std::string title = {};
  Array positions = {};   // (3, n) or (3, n, t)
  Array directions = {};  // arrows: (3, n) or (3, n, t)
  std::string colour = {};
  Array colours = {};  // (3, n) or (3, n, t), 0..1
  Array values = {};   // (n) or (n, t), shown as colours of `map`
  std::string map = {}, value_title = {}, value_unit = {};
  std::optional<std::array<double, 2>> range = {};
  std::optional<double> radius = {}, opacity = {}, width = {}, trail = {};
  std::vector<double> times = {};  // [s]: one a frame, or one a point
};
struct Scene {
  std::string title = {}, unit = {};
  std::array<std::string, 3> axes{"x", "y", "z"};
  std::optional<std::array<std::array<double, 3>, 2>> box = {};
  std::vector<SceneItem> items = {};
};

}  // namespace larmor::nodes

namespace larmor::flow {

template <>
struct ValueTraits<nodes::Scene> {
  static constexpr const char* type = "scene";
  /// Errors   Errc::shape for positions that are not (3, n[, t]), and arrays that do not go with them
  static Value to(const nodes::Scene& scene);
  /// Errors   Errc::type
  static nodes::Scene from(const Value& value);
};

}  // namespace larmor::flow
