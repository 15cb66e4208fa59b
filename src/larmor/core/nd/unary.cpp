// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/visit.hpp>
#include <numbers>

namespace larmor::nd {
namespace {

constexpr UnaryInfo table[] = {
    {Unary::negate, "negate", "Negate", "-a", true, false, false},
    {Unary::abs, "abs", "Absolute value", "|a|, the magnitude of complex numbers", true, true, false},
    {Unary::sign, "sign", "Sign", "-1, 0 or 1; a / |a| of complex numbers", true, false, false},
    {Unary::square, "square", "Square", "a^2", true, false, false},
    {Unary::sqrt, "sqrt", "Square root", "a^(1/2)", true, false, false},
    {Unary::cbrt, "cbrt", "Cube root", "a^(1/3), negative for negative a", false, false, false},
    {Unary::reciprocal, "reciprocal", "Reciprocal", "1 / a", true, false, false},
    {Unary::exp, "exp", "Exponential", "e^a", true, false, false},
    {Unary::expm1, "expm1", "Exponential minus 1", "e^a - 1, exact for small a", false, false, false},
    {Unary::log, "log", "Natural logarithm", "ln a", true, false, false},
    {Unary::log1p, "log1p", "Logarithm of 1 + a", "ln(1 + a), exact for small a", false, false, false},
    {Unary::log2, "log2", "Logarithm to base 2", "log2 a", false, false, false},
    {Unary::log10, "log10", "Logarithm to base 10", "log10 a", false, false, false},
    {Unary::sin, "sin", "Sine", "sin a [rad]", true, false, false},
    {Unary::cos, "cos", "Cosine", "cos a [rad]", true, false, false},
    {Unary::tan, "tan", "Tangent", "tan a [rad]", true, false, false},
    {Unary::asin, "asin", "Arc sine", "in [-pi/2, pi/2] [rad]", true, false, false},
    {Unary::acos, "acos", "Arc cosine", "in [0, pi] [rad]", true, false, false},
    {Unary::atan, "atan", "Arc tangent", "in (-pi/2, pi/2) [rad]", true, false, false},
    {Unary::sinh, "sinh", "Hyperbolic sine", "sinh a", true, false, false},
    {Unary::cosh, "cosh", "Hyperbolic cosine", "cosh a", true, false, false},
    {Unary::tanh, "tanh", "Hyperbolic tangent", "tanh a", true, false, false},
    {Unary::sinc, "sinc", "Sinc", "sin(pi a) / (pi a), 1 at 0", false, false, false},
    {Unary::erf, "erf", "Error function", "2 / sqrt(pi) x the integral of e^(-t^2) from 0 to a", false, false, false},
    {Unary::floor, "floor", "Round down", "the greatest whole number <= a", false, false, false},
    {Unary::ceil, "ceil", "Round up", "the least whole number >= a", false, false, false},
    {Unary::round, "round", "Round", "the nearest whole number, halves away from 0", false, false, false},
    {Unary::trunc, "trunc", "Round towards 0", "a without its fraction", false, false, false},
    {Unary::real, "real", "Real part", "Re a", true, true, false},
    {Unary::imag, "imag", "Imaginary part", "Im a, 0 of real numbers", true, true, false},
    {Unary::phase, "phase", "Phase", "angle of a in (-pi, pi] [rad]", true, true, false},
    {Unary::conjugate, "conjugate", "Complex conjugate", "Re a - i Im a", true, false, false},
    {Unary::is_nan, "is_nan", "Is NaN", "true where a is not a number", true, true, true},
    {Unary::is_finite, "is_finite", "Is finite", "true where a is neither NaN nor infinite", true, true, true},
    {Unary::logical_not, "not", "Not", "true where a is 0", true, true, true}};

template <class T, class F>
void each(const T* a, std::int64_t n, T* out, F f) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = f(a[i]);
}

template <class T>
bool run_common(Unary op, const T* a, std::int64_t n, T* out) {
  switch (op) {
    case Unary::negate:
      return each(a, n, out, [](T v) { return -v; }), true;
    case Unary::sqrt:
      return each(a, n, out, [](T v) { return std::sqrt(v); }), true;
    case Unary::reciprocal:
      return each(a, n, out, [](T v) { return T(1) / v; }), true;
    case Unary::exp:
      return each(a, n, out, [](T v) { return std::exp(v); }), true;
    case Unary::log:
      return each(a, n, out, [](T v) { return std::log(v); }), true;
    case Unary::sin:
      return each(a, n, out, [](T v) { return std::sin(v); }), true;
    case Unary::cos:
      return each(a, n, out, [](T v) { return std::cos(v); }), true;
    case Unary::tan:
      return each(a, n, out, [](T v) { return std::tan(v); }), true;
    case Unary::asin:
      return each(a, n, out, [](T v) { return std::asin(v); }), true;
    case Unary::acos:
      return each(a, n, out, [](T v) { return std::acos(v); }), true;
    case Unary::atan:
      return each(a, n, out, [](T v) { return std::atan(v); }), true;
    case Unary::sinh:
      return each(a, n, out, [](T v) { return std::sinh(v); }), true;
    case Unary::cosh:
      return each(a, n, out, [](T v) { return std::cosh(v); }), true;
    case Unary::tanh:
      return each(a, n, out, [](T v) { return std::tanh(v); }), true;
    case Unary::logical_not:
      return each(a, n, out, [](T v) { return v == T{} ? T(1) : T(0); }), true;
    default:
      return false;
  }
}

template <class T>
bool run_real(Unary op, const T* a, std::int64_t n, T* out) {
  constexpr T pi = std::numbers::pi_v<T>;
  switch (op) {
    case Unary::abs:
      return each(a, n, out, [](T v) { return std::abs(v); }), true;
    case Unary::sign:
      return each(a, n, out, [](T v) { return v > 0 ? T(1) : v < 0 ? T(-1) : v; }), true;
    case Unary::square:
      return each(a, n, out, [](T v) { return v * v; }), true;
    case Unary::cbrt:
      return each(a, n, out, [](T v) { return std::cbrt(v); }), true;
    case Unary::expm1:
      return each(a, n, out, [](T v) { return std::expm1(v); }), true;
    case Unary::log1p:
      return each(a, n, out, [](T v) { return std::log1p(v); }), true;
    case Unary::log2:
      return each(a, n, out, [](T v) { return std::log2(v); }), true;
    case Unary::log10:
      return each(a, n, out, [](T v) { return std::log10(v); }), true;
    case Unary::sinc:
      return each(a, n, out, [](T v) { return v == 0 ? T(1) : std::sin(pi * v) / (pi * v); }), true;
    case Unary::erf:
      return each(a, n, out, [](T v) { return std::erf(v); }), true;
    case Unary::floor:
      return each(a, n, out, [](T v) { return std::floor(v); }), true;
    case Unary::ceil:
      return each(a, n, out, [](T v) { return std::ceil(v); }), true;
    case Unary::round:
      return each(a, n, out, [](T v) { return std::round(v); }), true;
    case Unary::trunc:
      return each(a, n, out, [](T v) { return std::trunc(v); }), true;
    case Unary::real:
    case Unary::conjugate:
      return each(a, n, out, [](T v) { return v; }), true;
    case Unary::imag:
      return each(a, n, out, [](T) { return T(0); }), true;
    case Unary::phase:
      return each(a, n, out, [](T v) { return v < 0 ? pi : v >= 0 ? T(0) : v; }), true;
    case Unary::is_nan:
      return each(a, n, out, [](T v) { return T(std::isnan(v)); }), true;
    case Unary::is_finite:
      return each(a, n, out, [](T v) { return T(std::isfinite(v)); }), true;
    default:
      return false;
  }
}

template <class T>
bool run_complex(Unary op, const T* a, std::int64_t n, T* out) {
  using R = real_of<T>;
  switch (op) {
    case Unary::abs:
      return each(a, n, out, [](T v) { return T(std::abs(v)); }), true;
    case Unary::sign:
      return each(a, n, out,
                  [](T v) {
                    const R size = std::abs(v);
                    return size == 0 ? T(0) : v / size;
                  }),
             true;
    case Unary::square:
      return each(a, n, out, [](T v) { return T(v.real() * v.real() - v.imag() * v.imag(), 2 * v.real() * v.imag()); }),
             true;
    case Unary::real:
      return each(a, n, out, [](T v) { return T(v.real()); }), true;
    case Unary::imag:
      return each(a, n, out, [](T v) { return T(v.imag()); }), true;
    case Unary::phase:
      return each(a, n, out, [](T v) { return T(std::arg(v)); }), true;
    case Unary::conjugate:
      return each(a, n, out, [](T v) { return T(v.real(), -v.imag()); }), true;
    case Unary::is_nan:
      return each(a, n, out, [](T v) { return T(R(std::isnan(v.real()) || std::isnan(v.imag()))); }), true;
    case Unary::is_finite:
      return each(a, n, out, [](T v) { return T(R(std::isfinite(v.real()) && std::isfinite(v.imag()))); }), true;
    default:
      return false;
  }
}

}  // namespace

std::span<const UnaryInfo> unary_functions() { return table; }
const UnaryInfo& info(Unary op) { return table[static_cast<std::size_t>(op)]; }

template <class T>
void run(Unary op, const T* a, std::int64_t n, T* out) {
  if (run_common(op, a, n, out)) return;
  bool done;
  if constexpr (complex_v<T>)
    done = run_complex(op, a, n, out);
  else
    done = run_real(op, a, n, out);
  if (!done)
    throw Error(Errc::type, std::string(info(op).name) + " has no meaning for complex numbers",
                "take the magnitude, phase, real or imaginary part first");
}

template void run<float>(Unary, const float*, std::int64_t, float*);
template void run<double>(Unary, const double*, std::int64_t, double*);
template void run<std::complex<float>>(Unary, const std::complex<float>*, std::int64_t, std::complex<float>*);
template void run<std::complex<double>>(Unary, const std::complex<double>*, std::int64_t, std::complex<double>*);

}  // namespace larmor::nd
