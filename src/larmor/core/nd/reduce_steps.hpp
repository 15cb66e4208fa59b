// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <complex>
#include <cstdint>
#include <larmor/core/nd/visit.hpp>
#include <limits>

/// Running states of reductions: step() takes one element and its place, merge() what comes after in order, done()
/// gives the result as double or complex<double>.
namespace larmor::nd::steps {

template <class T>
bool is_nan(T v) {
  if constexpr (complex_v<T>)
    return std::isnan(v.real()) || std::isnan(v.imag());
  else
    return v != v;
}
template <class T>
double square_of(T v) {
  if constexpr (complex_v<T>)
    return static_cast<double>(v.real()) * v.real() + static_cast<double>(v.imag()) * v.imag();
  else
    return static_cast<double>(v) * v;
}
inline constexpr double nan = std::numeric_limits<double>::quiet_NaN();

template <class T>
struct Sum {
  T s{};
  void step(T v, std::int64_t) { s += v; }
  void merge(const Sum& o) { s += o.s; }
  T done() const { return s; }
};
template <class T>
struct Mean {
  T s{};
  double n = 0;
  void step(T v, std::int64_t) { s += v, n += 1; }
  void merge(const Mean& o) { s += o.s, n += o.n; }
  T done() const { return n > 0 ? s / n : T(nan); }
};
/// Deviations from the first element: no cancellation when the mean is far larger than the spread.
template <class T>
struct Variance {
  T first{}, s{};
  double ss = 0, n = 0;
  void step(T v, std::int64_t) {
    if (n == 0) first = v;
    const T d = v - first;
    s += d, ss += square_of(d), n += 1;
  }
  void merge(const Variance& o) {
    if (o.n == 0) return;
    if (n == 0) {
      *this = o;
      return;
    }
    // The other sums about our first element.
    const T shift = o.first - first;
    double cross;
    if constexpr (complex_v<T>)
      cross = 2 * (shift.real() * o.s.real() + shift.imag() * o.s.imag());
    else
      cross = 2 * shift * o.s;
    ss += o.ss + cross + o.n * square_of(shift);
    s += o.s + o.n * shift;
    n += o.n;
  }
  double done() const {
    const double v = n > 1 ? (ss - square_of(s) / n) / (n - 1) : nan;
    return v < 0 ? 0 : v;  // a rounding below 0; NaN stays
  }
};
template <class T>
struct Sd : Variance<T> {
  double done() const { return std::sqrt(Variance<T>::done()); }
};
template <class T>
struct Norm {
  double ss = 0;
  void step(T v, std::int64_t) { ss += square_of(v); }
  void merge(const Norm& o) { ss += o.ss; }
  double done() const { return std::sqrt(ss); }
};
template <class T>
struct Rms {
  double ss = 0, n = 0;
  void step(T v, std::int64_t) { ss += square_of(v), n += 1; }
  void merge(const Rms& o) { ss += o.ss, n += o.n; }
  double done() const { return n > 0 ? std::sqrt(ss / n) : nan; }
};
template <class T>
struct Product {
  T p{1};
  void step(T v, std::int64_t) { p *= v; }
  void merge(const Product& o) { p *= o.p; }
  T done() const { return p; }
};
/// The smallest (or largest) element; the first NaN wins, as it does for its place.
template <bool Largest>
struct Extreme {
  double best = nan;
  std::int64_t at = -1;
  void step(double v, std::int64_t place) {
    if (at < 0 || (best == best && (v != v || (Largest ? v > best : v < best)))) best = v, at = place;
  }
  void merge(const Extreme& o) {
    if (o.at >= 0) step(o.best, o.at);
  }
  double done() const { return best; }
};
template <bool Largest>
struct Place : Extreme<Largest> {
  double done() const { return static_cast<double>(this->at); }
};
struct Range {
  Extreme<false> low;
  Extreme<true> high;
  void step(double v, std::int64_t place) { low.step(v, place), high.step(v, place); }
  void merge(const Range& o) { low.merge(o.low), high.merge(o.high); }
  double done() const { return high.best - low.best; }
};
template <class T>
struct Count {
  double n = 0;
  void step(T v, std::int64_t) { n += v != T{}; }
  void merge(const Count& o) { n += o.n; }
  double done() const { return n; }
};
template <class T>
struct Any : Count<T> {
  double done() const { return this->n > 0; }
};
template <class T>
struct All {
  double zeros = 0;
  void step(T v, std::int64_t) { zeros += v == T{}; }
  void merge(const All& o) { zeros += o.zeros; }
  double done() const { return zeros == 0; }
};

}  // namespace larmor::nd::steps
