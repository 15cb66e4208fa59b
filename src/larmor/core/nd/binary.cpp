// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/visit.hpp>

namespace larmor::nd {
namespace {

constexpr BinaryInfo table[] = {
    {Binary::add, "add", "Add", "a + b", true, false},
    {Binary::subtract, "subtract", "Subtract", "a - b", true, false},
    {Binary::multiply, "multiply", "Multiply", "a b", true, false},
    {Binary::divide, "divide", "Divide", "a / b", true, false},
    {Binary::power, "power", "Power", "a^b", true, false},
    {Binary::minimum, "minimum", "Smaller of two", "the smaller of a and b, NaN when one is", false, false},
    {Binary::maximum, "maximum", "Larger of two", "the larger of a and b, NaN when one is", false, false},
    {Binary::hypot, "hypot", "Root of squares", "(a^2 + b^2)^(1/2)", false, false},
    {Binary::arctan2, "arctan2", "Angle of (b, a)", "arctan(a / b) in (-pi, pi] by quadrant [rad]", false, false},
    {Binary::remainder, "remainder", "Remainder", "a - b floor(a / b)", false, false},
    {Binary::equal, "equal", "Equal", "a = b", true, true},
    {Binary::not_equal, "not_equal", "Not equal", "a is not b", true, true},
    {Binary::less, "less", "Less", "a < b", false, true},
    {Binary::less_equal, "less_equal", "Less or equal", "a <= b", false, true},
    {Binary::greater, "greater", "Greater", "a > b", false, true},
    {Binary::greater_equal, "greater_equal", "Greater or equal", "a >= b", false, true},
    {Binary::logical_and, "and", "And", "both are not 0", true, true},
    {Binary::logical_or, "or", "Or", "one or both are not 0", true, true},
    {Binary::logical_xor, "xor", "Exclusive or", "exactly one is not 0", true, true}};

template <class T, class F>
void each(const T* a, const T* b, std::int64_t n, T* out, F f) {
  for (std::int64_t i = 0; i < n; ++i) out[i] = f(a[i], b[i]);
}

// Not std::complex's operators: those test every product for NaN and call a function, which stops vectors.
template <class T>
T product(T a, T b) {
  if constexpr (complex_v<T>)
    return T(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
  else
    return a * b;
}
template <class T>
T quotient(T a, T b) {
  if constexpr (complex_v<T>) {
    using R = real_of<T>;
    // Smith, Comm. ACM 5:435 (1962): no overflow where the quotient itself has none.
    if (std::abs(b.real()) >= std::abs(b.imag())) {
      if (b == T{}) return T(a.real() / R(0), a.imag() / R(0));
      const R r = b.imag() / b.real(), d = b.real() + b.imag() * r;
      return T((a.real() + a.imag() * r) / d, (a.imag() - a.real() * r) / d);
    }
    const R r = b.real() / b.imag(), d = b.real() * r + b.imag();
    return T((a.real() * r + a.imag()) / d, (a.imag() * r - a.real()) / d);
  } else {
    return a / b;
  }
}

template <class T>
bool run_common(Binary op, const T* a, const T* b, std::int64_t n, T* out) {
  switch (op) {
    case Binary::add:
      return each(a, b, n, out, [](T x, T y) { return x + y; }), true;
    case Binary::subtract:
      return each(a, b, n, out, [](T x, T y) { return x - y; }), true;
    case Binary::multiply:
      return each(a, b, n, out, [](T x, T y) { return product(x, y); }), true;
    case Binary::divide:
      return each(a, b, n, out, [](T x, T y) { return quotient(x, y); }), true;
    case Binary::power:
      return each(a, b, n, out, [](T x, T y) { return y == T(2) ? product(x, x) : T(std::pow(x, y)); }), true;
    case Binary::equal:
      return each(a, b, n, out, [](T x, T y) { return T(x == y ? 1 : 0); }), true;
    case Binary::not_equal:
      return each(a, b, n, out, [](T x, T y) { return T(x != y ? 1 : 0); }), true;
    case Binary::logical_and:
      return each(a, b, n, out, [](T x, T y) { return T(x != T{} && y != T{} ? 1 : 0); }), true;
    case Binary::logical_or:
      return each(a, b, n, out, [](T x, T y) { return T(x != T{} || y != T{} ? 1 : 0); }), true;
    case Binary::logical_xor:
      return each(a, b, n, out, [](T x, T y) { return T((x != T{}) != (y != T{}) ? 1 : 0); }), true;
    default:
      return false;
  }
}

template <class T>
bool run_real(Binary op, const T* a, const T* b, std::int64_t n, T* out) {
  switch (op) {
    case Binary::minimum:
      return each(a, b, n, out, [](T x, T y) { return x < y || x != x ? x : y; }), true;
    case Binary::maximum:
      return each(a, b, n, out, [](T x, T y) { return x > y || x != x ? x : y; }), true;
    case Binary::hypot:
      return each(a, b, n, out, [](T x, T y) { return std::hypot(x, y); }), true;
    case Binary::arctan2:
      return each(a, b, n, out, [](T x, T y) { return std::atan2(x, y); }), true;
    case Binary::remainder:
      return each(a, b, n, out,
                  [](T x, T y) {
                    const T r = std::fmod(x, y);
                    return r != 0 && (r < 0) != (y < 0) ? r + y : r;
                  }),
             true;
    case Binary::less:
      return each(a, b, n, out, [](T x, T y) { return T(x < y); }), true;
    case Binary::less_equal:
      return each(a, b, n, out, [](T x, T y) { return T(x <= y); }), true;
    case Binary::greater:
      return each(a, b, n, out, [](T x, T y) { return T(x > y); }), true;
    case Binary::greater_equal:
      return each(a, b, n, out, [](T x, T y) { return T(x >= y); }), true;
    default:
      return false;
  }
}

}  // namespace

std::span<const BinaryInfo> binary_functions() { return table; }
const BinaryInfo& info(Binary op) { return table[static_cast<std::size_t>(op)]; }

template <class T>
void run(Binary op, const T* a, const T* b, std::int64_t n, T* out) {
  if (run_common(op, a, b, n, out)) return;
  if constexpr (!complex_v<T>)
    if (run_real(op, a, b, n, out)) return;
  throw Error(Errc::type, std::string(info(op).name) + " has no meaning for complex numbers",
              "take the magnitude, phase, real or imaginary part first");
}

template void run<float>(Binary, const float*, const float*, std::int64_t, float*);
template void run<double>(Binary, const double*, const double*, std::int64_t, double*);
template void run<std::complex<float>>(Binary, const std::complex<float>*, const std::complex<float>*, std::int64_t,
                                       std::complex<float>*);
template void run<std::complex<double>>(Binary, const std::complex<double>*, const std::complex<double>*, std::int64_t,
                                        std::complex<double>*);

}  // namespace larmor::nd
