// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <larmor/core/registry.hpp>
#include <span>
#include <string>

namespace larmor::dsc {

/// Finds when a bolus arrives in a curve.
struct ArrivalDetector {
  std::string title, source;
  /// times [s] increasing, values one each; gives [s]
  /// Errors   Errc::shape, Errc::range (times), Errc::numeric when nothing rises out of the noise
  std::function<double(std::span<const double> times, std::span<const double> values)> find;
};
using ArrivalDetectors = Registry<ArrivalDetector>;
/// arrival.piecewise arrival.threshold arrival.tangent
const ArrivalDetectors& arrivals();

/// What detectors share: level and noise before the bolus, and its peak.
struct Rise {
  std::size_t peak;  // index
  double base, noise, height;
};
/// Errors   those of ArrivalDetector::find
Rise rise_of(std::span<const double> times, std::span<const double> values);

}  // namespace larmor::dsc
