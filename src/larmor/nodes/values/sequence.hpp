// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/sequence.hpp>
#include <larmor/flow/value_traits.hpp>

namespace larmor::flow {

/// {data: table of blocks (column, block): duration [s], number of the pulse, of the gradients x, y, z and of the
/// sampling, 0 for none; rf, gradients, adc: lists of records, whose times and values are arrays; labels, definitions,
/// rasters, gamma, source}.
template <>
struct ValueTraits<Sequence> {
  static constexpr const char* type = "sequence";
  static Value to(const Sequence& sequence);
  /// Errors   Errc::type, Errc::range for a number of an event that is not there, those of Sequence::check
  static Sequence from(const Value& value);
};

}  // namespace larmor::flow
