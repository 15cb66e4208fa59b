// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/trajectory.hpp>
#include <larmor/flow/value_traits.hpp>

namespace larmor::flow {

/// {data: positions (sample, ..., d) [cycles/FOV], matrix, fov [mm], times [s], source}.
template <>
struct ValueTraits<Trajectory> {
  static constexpr const char* type = "trajectory";
  static Value to(const Trajectory& traj);
  /// Errors   Errc::type, those of Trajectory::check
  static Trajectory from(const Value& value);
};

}  // namespace larmor::flow
