// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <span>
#include <vector>

namespace larmor::perfusion {

/// Smooth curve through samples: piecewise cubic with continuous slope; slopes are those of the parabola through each
/// sample and its neighbours, so the error is third order in the spacing, and on a uniform grid any cubic's value
/// halfway is exact to fourth order. 0 before the first sample, the last value after the last.
class CubicCurve {
 public:
  /// times strictly increasing, at least 2
  CubicCurve(std::span<const double> times, std::span<const double> values);
  double value(double t) const;
  double slope(double t) const;

 private:
  std::size_t cell(double t) const;
  std::vector<double> times_, values_, slopes_;
};

}  // namespace larmor::perfusion
