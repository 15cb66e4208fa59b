// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/nd/shape_mask.hpp>

namespace larmor::nd {
namespace {

// inside(index of the first `n` axes) for each element.
template <class F>
Array filled(const Shape& shape, const Axes& axes, std::size_t n, F&& inside) {
  Array out = Array::uninitialised(DType::boolean, shape, axes);
  std::vector<double> at(n);
  for (std::int64_t i = 0; i < out.size(); ++i) {
    std::int64_t rest = i;
    for (std::size_t a = 0; a < n; ++a) at[a] = static_cast<double>(rest % shape[a]), rest /= shape[a];
    out.data<bool>()[i] = inside(at);
  }
  return out;
}

void check(const Shape& shape, const ShapeMask& s) {
  if (s.centre.size() != s.size.size() || s.centre.empty() || s.centre.size() > shape.size())
    throw Error(Errc::shape,
                fmt::format("a shape with {} centres and {} sizes on a grid of {}", s.centre.size(), s.size.size(),
                            to_string(shape)),
                "give a centre and a size for each of the first axes");
  for (const double v : s.size)
    if (!(v > 0)) throw Error(Errc::range, fmt::format("a shape of width {:g}", v), "give positive widths");
}

}  // namespace

Array box_mask(const Shape& shape, const Axes& axes, const ShapeMask& s) {
  check(shape, s);
  return filled(shape, axes, s.centre.size(), [&](const std::vector<double>& at) {
    for (std::size_t a = 0; a < at.size(); ++a)
      if (std::abs(at[a] - s.centre[a]) > s.size[a] / 2) return false;
    return true;
  });
}

Array ellipsoid_mask(const Shape& shape, const Axes& axes, const ShapeMask& s) {
  check(shape, s);
  return filled(shape, axes, s.centre.size(), [&](const std::vector<double>& at) {
    double sum = 0;
    for (std::size_t a = 0; a < at.size(); ++a) sum += std::pow((at[a] - s.centre[a]) / (s.size[a] / 2), 2);
    return sum <= 1;
  });
}

Array polygon_mask(const Shape& shape, const Axes& axes, const std::vector<double>& p) {
  if (shape.size() < 2) throw Error(Errc::shape, "a polygon on a grid of " + to_string(shape), "give two axes or more");
  if (p.size() < 6 || p.size() % 2)
    throw Error(Errc::shape, fmt::format("a polygon of {} numbers", p.size()), "give x and y of three corners or more");
  return filled(shape, axes, 2, [&](const std::vector<double>& at) {
    bool inside = false;
    const std::size_t n = p.size() / 2;
    for (std::size_t k = 0, last = n - 1; k < n; last = k++) {
      const double y = p[2 * k + 1], before = p[2 * last + 1];
      if ((y > at[1]) == (before > at[1])) continue;
      const double crosses = p[2 * k] + (at[1] - y) / (before - y) * (p[2 * last] - p[2 * k]);
      if (at[0] < crosses) inside = !inside;
    }
    return inside;
  });
}

}  // namespace larmor::nd
