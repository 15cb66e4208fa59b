// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/value_traits.hpp>
#include <larmor/recon/trajectory/arms.hpp>
#include <vector>

namespace larmor::nodes {

/// The gradients of all arms of a trajectory, and when samples are taken.
struct ArmWaveforms {
  std::vector<recon::Waveform> waveforms;  // of one raster and length
  std::vector<recon::Arm> arms;
  recon::Sampling sampling;
  recon::GradientLimits limits;
  std::vector<double> fov;  // [m]
};

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
