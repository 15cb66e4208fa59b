// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/operators/vectors.hpp>
#include <numeric>

namespace larmor::recon {
namespace {

constexpr std::size_t piece = 1 << 15;

// The real numbers of a packed complex array.
template <class T>
const T* parts(const Array& a) {
  return reinterpret_cast<const T*>(a.span<std::complex<T>>().data());
}
template <class T>
T* parts(Array& a) {
  return reinterpret_cast<T*>(a.span<std::complex<T>>().data());
}

template <class F>
auto visit_complex(const Array& a, F&& f) {
  if (a.dtype() == DType::c64) return f(float{});
  if (a.dtype() == DType::c128) return f(double{});
  throw Error(Errc::type, "a vector is complex and this is " + a.describe());
}
void require_alike(const Array& a, const Array& b) {
  if (a.dtype() != b.dtype() || a.size() != b.size())
    throw Error(Errc::shape, "two vectors are " + a.describe() + " and " + b.describe());
}

// Sum over [0, n) of one number a piece: f(begin, end).
template <class R, class F>
R sum_of_pieces(std::size_t n, F&& f) {
  const std::size_t count = (n + piece - 1) / piece;
  std::vector<R> sums(count);
  parallel_for(count, 8, [&](std::size_t first, std::size_t last) {
    for (std::size_t p = first; p < last; ++p) sums[p] = f(p * piece, std::min(n, (p + 1) * piece));
  });
  return std::accumulate(sums.begin(), sums.end(), R{});
}

template <class F>
void for_all(std::size_t n, F&& f) {
  parallel_for(n, 8 * piece, f);
}

}  // namespace

double real_dot(const Array& a, const Array& b) {
  require_alike(a, b);
  return visit_complex(a, [&](auto t) {
    using T = decltype(t);
    const T *x = parts<T>(a), *y = parts<T>(b);
    return sum_of_pieces<double>(static_cast<std::size_t>(a.size()) * 2, [&](std::size_t i, std::size_t end) {
      // Eight sums side by side, so that the adder is not waited for.
      double s[8] = {};
      for (; i + 8 <= end; i += 8)
        for (std::size_t k = 0; k < 8; ++k) s[k] += static_cast<double>(x[i + k]) * static_cast<double>(y[i + k]);
      for (; i < end; ++i) s[0] += static_cast<double>(x[i]) * static_cast<double>(y[i]);
      return ((s[0] + s[4]) + (s[1] + s[5])) + ((s[2] + s[6]) + (s[3] + s[7]));
    });
  });
}

std::complex<double> dot(const Array& a, const Array& b) {
  require_alike(a, b);
  return visit_complex(a, [&](auto t) {
    using T = decltype(t);
    const T *x = parts<T>(a), *y = parts<T>(b);
    return sum_of_pieces<std::complex<double>>(static_cast<std::size_t>(a.size()), [&](std::size_t i, std::size_t end) {
      double re = 0, im = 0;
      for (; i < end; ++i) {
        const double xr = x[2 * i], xi = x[2 * i + 1], yr = y[2 * i], yi = y[2 * i + 1];
        re += xr * yr + xi * yi, im += xr * yi - xi * yr;
      }
      return std::complex<double>(re, im);
    });
  });
}

double norm(const Array& a) { return std::sqrt(real_dot(a, a)); }

void add_scaled(double s, const Array& x, Array& y) {
  require_alike(x, y);
  visit_complex(x, [&](auto t) {
    using T = decltype(t);
    const T* from = parts<T>(x);
    T* to = parts<T>(y);
    const T w = static_cast<T>(s);
    for_all(static_cast<std::size_t>(x.size()) * 2, [&](std::size_t i, std::size_t end) {
      for (; i < end; ++i) to[i] += w * from[i];
    });
  });
}

void scale_add(const Array& x, double s, Array& y) {
  require_alike(x, y);
  visit_complex(x, [&](auto t) {
    using T = decltype(t);
    const T* from = parts<T>(x);
    T* to = parts<T>(y);
    const T w = static_cast<T>(s);
    for_all(static_cast<std::size_t>(x.size()) * 2, [&](std::size_t i, std::size_t end) {
      for (; i < end; ++i) to[i] = from[i] + w * to[i];
    });
  });
}

void scale(double s, Array& y) {
  visit_complex(y, [&](auto t) {
    using T = decltype(t);
    T* to = parts<T>(y);
    const T w = static_cast<T>(s);
    for_all(static_cast<std::size_t>(y.size()) * 2, [&](std::size_t i, std::size_t end) {
      for (; i < end; ++i) to[i] *= w;
    });
  });
}

Array combination(double a, const Array& x, double b, const Array& y) {
  require_alike(x, y);
  Array out = Array::uninitialised(x.dtype(), x.shape(), x.axes());
  visit_complex(x, [&](auto t) {
    using T = decltype(t);
    const T *p = parts<T>(x), *q = parts<T>(y);
    T* to = parts<T>(out);
    const T v = static_cast<T>(a), w = static_cast<T>(b);
    for_all(static_cast<std::size_t>(x.size()) * 2, [&](std::size_t i, std::size_t end) {
      for (; i < end; ++i) to[i] = v * p[i] + w * q[i];
    });
  });
  return out;
}

void require_finite(const Array& a, const std::string& name) {
  const Array packed = a.contiguous_copy();
  visit_complex(packed, [&](auto t) {
    using T = decltype(t);
    const T* x = parts<T>(packed);
    const auto bad =
        sum_of_pieces<std::int64_t>(static_cast<std::size_t>(packed.size()), [&](std::size_t i, std::size_t end) {
          std::int64_t count = 0;
          for (; i < end; ++i) count += !(std::isfinite(x[2 * i]) && std::isfinite(x[2 * i + 1]));
          return count;
        });
    if (bad == 0) return;
    std::int64_t first = 0;
    while (std::isfinite(x[2 * first]) && std::isfinite(x[2 * first + 1])) ++first;
    std::string place;
    for (int axis = 0; axis < packed.rank(); ++axis) {
      place += fmt::format("{}{} {}", place.empty() ? "" : ", ", packed.axes()[static_cast<std::size_t>(axis)],
                           first % packed.extent(axis));
      first /= packed.extent(axis);
    }
    throw Error(
        Errc::range,
        fmt::format("{} of {} numbers of {} are NaN or infinite, the first at {}", bad, packed.size(), name, place),
        "replace them, or leave their lines out of the sampling");
  });
}

}  // namespace larmor::recon
