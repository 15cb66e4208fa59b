// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/parameter_maps.hpp>
#include <larmor/flow/value_traits.hpp>

namespace larmor::flow {

/// {reference, maps: list of records "map" {name, symbol, unit, title, values, standard_error}, status, meta}.
template <>
struct ValueTraits<ParameterMaps> {
  static constexpr const char* type = "maps";
  static Value to(const ParameterMaps& maps);
  /// Errors   Errc::type
  static ParameterMaps from(const Value& value);
};

}  // namespace larmor::flow
