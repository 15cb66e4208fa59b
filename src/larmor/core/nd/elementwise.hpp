// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>

/// Functions of every element, and of pairs of elements of arrays matched by the names of their axes.
namespace larmor::nd {

enum class Unary : std::uint8_t {
  negate,
  abs,   // magnitude of complex numbers
  sign,  // z / |z| of complex numbers, 0 at 0
  square,
  sqrt,
  cbrt,
  reciprocal,
  exp,
  expm1,
  log,
  log1p,
  log2,
  log10,
  sin,
  cos,
  tan,
  asin,
  acos,
  atan,
  sinh,
  cosh,
  tanh,
  sinc,  // sin(pi x) / (pi x)
  erf,
  floor,
  ceil,
  round,  // to nearest, halves away from 0
  trunc,
  real,
  imag,
  phase,  // (-pi, pi]
  conjugate,
  is_nan,
  is_finite,
  logical_not
};

enum class Binary : std::uint8_t {
  add,
  subtract,
  multiply,
  divide,
  power,
  minimum,  // NaN when either is
  maximum,
  hypot,
  arctan2,
  remainder,  // with the sign of the divisor
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  logical_and,
  logical_or,
  logical_xor
};

struct UnaryInfo {
  Unary op;
  const char *name, *title, *what;
  bool complex_ok;    // has a meaning for complex numbers
  bool real_result;   // of complex numbers
  bool truth_result;  // boolean
};
struct BinaryInfo {
  Binary op;
  const char *name, *title, *what;
  bool complex_ok, truth_result;
};
std::span<const UnaryInfo> unary_functions();
std::span<const BinaryInfo> binary_functions();
const UnaryInfo& info(Unary op);
const BinaryInfo& info(Binary op);

/// One function of every element. Computed and given in f32, or in f64 for f64 and i32 (complex for complex); real for
/// abs, real, imag and phase; boolean for is_nan, is_finite and logical_not. Outside its domain a real function is NaN.
/// Errors   Errc::type for functions that complex numbers do not have
Array apply(Unary op, const Array& a, const Cancel* cancel = nullptr);

/// One function of the elements of two arrays, broadcast by the names of their axes (nd/broadcast.hpp).
/// Errors   Errc::shape from broadcast(); Errc::type for functions that complex numbers do not have (they have no
/// order)
Array apply(Binary op, const Array& a, const Array& b, const Cancel* cancel = nullptr);

/// Where `condition` is not 0 (NaN counts as not 0) the element of a, else of b.
Array where(const Array& condition, const Array& a, const Array& b, const Cancel* cancel = nullptr);

/// Elements outside [low, high] take the nearest end; NaN stays. The type stays. Errors   Errc::range when low > high,
/// Errc::type for complex
Array clip(const Array& a, double low, double high, const Cancel* cancel = nullptr);

/// NaN, +infinity and -infinity replaced. The type stays (integers come back as they are).
Array replace_nonfinite(const Array& a, double nan, double positive, double negative, const Cancel* cancel = nullptr);

/// re + i im of two real arrays. Errors   Errc::type when one is complex
Array make_complex(const Array& re, const Array& im, const Cancel* cancel = nullptr);
/// magnitude exp(i phase) of two real arrays.
Array from_polar(const Array& magnitude, const Array& phase, const Cancel* cancel = nullptr);

/// The functions on runs of n elements; `out` may be one of the operands. T is float, double or their complex types.
template <class T>
void run(Unary op, const T* a, std::int64_t n, T* out);
template <class T>
void run(Binary op, const T* a, const T* b, std::int64_t n, T* out);

}  // namespace larmor::nd
