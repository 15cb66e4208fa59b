// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <concepts>
#include <larmor/flow/value.hpp>

namespace larmor::flow {

/// How a C++ type travels on a wire. A domain type specialises this next to its adapters (nodes/values/...):
///
///   static constexpr const char* type   id of the wire type ("image")
///   static Value to(const T&)           cheap: arrays are shared
///   static T from(const Value&)         Errors   Errc::type
template <class T>
struct ValueTraits;

template <>
struct ValueTraits<Value> {
  static constexpr const char* type = "any";
  static Value to(const Value& v) { return v; }
  static Value from(const Value& v) { return v; }
};
template <>
struct ValueTraits<bool> {
  static constexpr const char* type = "boolean";
  static Value to(bool v) { return v; }
  static bool from(const Value& v) { return v.kind() == Value::Kind::number ? v.number() != 0 : v.boolean(); }
};
template <>
struct ValueTraits<double> {
  static constexpr const char* type = "number";
  static Value to(double v) { return v; }
  /// A number, or an array of one real element.
  static double from(const Value& v);
};
template <>
struct ValueTraits<std::string> {
  static constexpr const char* type = "text";
  static Value to(const std::string& v) { return v; }
  static std::string from(const Value& v) { return v.text(); }
};
template <>
struct ValueTraits<Array> {
  static constexpr const char* type = "array";
  static Value to(const Array& v) { return v; }
  /// An array; a number as an array without axes; a list of numbers along "x"; a record's field "data" (image).
  static Array from(const Value& v);
};
template <>
struct ValueTraits<std::vector<double>> {
  static constexpr const char* type = "numbers";
  static Value to(const std::vector<double>& v);
  /// A list of numbers, a number, or a real array of one axis.
  static std::vector<double> from(const Value& v);
};
template <>
struct ValueTraits<Value::List> {
  static constexpr const char* type = "list";
  static Value to(const Value::List& v) { return v; }
  /// A list; anything else is a list of one.
  static Value::List from(const Value& v);
};

}  // namespace larmor::flow
