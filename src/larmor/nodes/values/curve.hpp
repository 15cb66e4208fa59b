// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/data/aif.hpp>
#include <larmor/flow/value_traits.hpp>
#include <string>
#include <vector>

namespace larmor::nodes {

/// Values against time or another axis, one series or several on the same axis.
struct Curve {
  std::vector<double> x;
  std::vector<std::vector<double>> y;  // one a series, each as long as x; NaN where there is none
  std::string x_label = "time", x_unit = "s";
  std::string label = {}, unit = {};     // of the values
  std::vector<std::string> series = {};  // names, one a series or none
};

/// An arterial input as a curve that keeps what kind it is.
Curve curve_of(const Aif& aif);

}  // namespace larmor::nodes

namespace larmor::flow {

template <>
struct ValueTraits<nodes::Curve> {
  static constexpr const char* type = "curve";
  static Value to(const nodes::Curve& curve);
  /// Errors   Errc::type, Errc::shape
  static nodes::Curve from(const Value& value);
};

/// On a wire an arterial input is a curve with the fields "plasma", "Hct" and "source"; a curve without them is read as
/// whole blood.
template <>
struct ValueTraits<Aif> {
  static constexpr const char* type = "curve";
  static Value to(const Aif& aif);
  /// Errors   Errc::type, Errc::shape (several series), those of Aif::check
  static Aif from(const Value& value);
};

}  // namespace larmor::flow
