// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/value_traits.hpp>
#include <larmor/sim/spins.hpp>

namespace larmor::flow {

/// {x, y, z, df, vx, vy, vz: f64 (spin); T1, T2, M0, B1, D: f32 (spin); coil: c64 (spin, coil); shape, axes, ticks of
/// the grid}; what is empty is absent.
template <>
struct ValueTraits<sim::Spins> {
  static constexpr const char* type = "spins";
  static Value to(const sim::Spins& spins);
  /// Errors   Errc::type, those of Spins::check
  static sim::Spins from(const Value& value);
};

}  // namespace larmor::flow
