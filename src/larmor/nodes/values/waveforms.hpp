// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/value_traits.hpp>
#include <larmor/recon/trajectory/arms.hpp>

namespace larmor::nodes {

using recon::ArmWaveforms;

}  // namespace larmor::nodes

namespace larmor::flow {

/// {data: (t, d, waveform) [T/m], which: (arm), maps: (column, row, arm), offsets: (d, arm) [1/m], facts by name}.
template <>
struct ValueTraits<nodes::ArmWaveforms> {
  static constexpr const char* type = "waveforms";
  static Value to(const nodes::ArmWaveforms& w);
  /// Errors   Errc::type, Errc::shape
  static nodes::ArmWaveforms from(const Value& value);
};

}  // namespace larmor::flow
