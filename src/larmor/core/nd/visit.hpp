// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>

namespace larmor::nd {

/// f(T{}) for the C++ type of `type`.
template <class F>
decltype(auto) visit(DType type, F&& f) {
  switch (type) {
    case DType::boolean:
      return f(bool{});
    case DType::u8:
      return f(std::uint8_t{});
    case DType::i16:
      return f(std::int16_t{});
    case DType::i32:
      return f(std::int32_t{});
    case DType::f32:
      return f(float{});
    case DType::f64:
      return f(double{});
    case DType::c64:
      return f(std::complex<float>{});
    case DType::c128:
      return f(std::complex<double>{});
  }
  throw Error(Errc::internal, "array of unknown type");
}

/// f(T{}) for f32, f64, c64 and c128. Errors   Errc::internal for the others: cast first
template <class F>
decltype(auto) visit_float(DType type, F&& f) {
  switch (type) {
    case DType::f32:
      return f(float{});
    case DType::f64:
      return f(double{});
    case DType::c64:
      return f(std::complex<float>{});
    case DType::c128:
      return f(std::complex<double>{});
    default:
      throw Error(Errc::internal, "not a floating type: " + std::string(to_string(type)));
  }
}

/// f(T{}) for f32 and f64.
template <class F>
decltype(auto) visit_real(DType type, F&& f) {
  if (type == DType::f32) return f(float{});
  if (type == DType::f64) return f(double{});
  throw Error(Errc::internal, "not a real floating type: " + std::string(to_string(type)));
}

template <class T>
inline constexpr bool complex_v = false;
template <class T>
inline constexpr bool complex_v<std::complex<T>> = true;

template <class T>
struct RealOf {
  using type = T;
};
template <class T>
struct RealOf<std::complex<T>> {
  using type = T;
};
template <class T>
using real_of = typename RealOf<T>::type;

}  // namespace larmor::nd
