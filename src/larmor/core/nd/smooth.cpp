// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/axis_rows.hpp>
#include <larmor/core/nd/broadcast.hpp>
#include <larmor/core/nd/smooth.hpp>
#include <larmor/core/nd/visit.hpp>
#include <larmor/core/parallel.hpp>
#include <limits>

namespace larmor::nd {

Array smooth_axis(const Array& a, int axis, double sd, const Cancel* cancel) {
  if (axis < 0 || axis >= a.rank()) throw Error(Errc::range, fmt::format("axis {} of {}", axis, a.describe()));
  if (!(sd >= 0) || sd > 1e6) throw Error(Errc::range, fmt::format("a Gaussian of sd {:g}", sd), "give 0 or more");
  const std::int64_t n = a.extent(axis), reach = static_cast<std::int64_t>(std::ceil(4 * sd));
  AxisRows rows;
  for (std::int64_t k = 0; k < n; ++k) {
    const std::size_t start = rows.at.size();
    double sum = 0;
    for (auto i = std::max<std::int64_t>(k - reach, 0); i <= std::min(k + reach, n - 1); ++i) {
      const double d = static_cast<double>(i - k), w = i == k ? 1 : std::exp(-d * d / (2 * sd * sd));
      rows.at.push_back(i), rows.weight.push_back(w);
      sum += w;
    }
    for (std::size_t j = start; j < rows.weight.size(); ++j) rows.weight[j] /= sum;
    rows.begin.push_back(rows.at.size());
  }
  return apply_rows(a.cast(arithmetic_type(std::span(&a, 1))), axis, rows, 0, cancel);
}

Array median_filter(const Array& array, std::span<const int> axes, int width, const Cancel* cancel) {
  if (width < 1 || width > 15 || width % 2 == 0)
    throw Error(Errc::range, fmt::format("a median of {} elements", width), "give an odd number from 1 to 15");
  if (is_complex(array.dtype()))
    throw Error(Errc::type, "a median of complex numbers", "take the magnitude, phase, real or imaginary part first");
  const Array a = array.to(Device::cpu()).cast(arithmetic_type(std::span(&array, 1))).contiguous_copy();
  Array out = Array::uninitialised(a.dtype(), a.shape(), a.axes());
  struct Side {
    std::int64_t n, stride;
  };
  std::vector<Side> sides;
  for (const int axis : axes) {
    if (axis < 0 || axis >= a.rank()) throw Error(Errc::range, fmt::format("axis {} of {}", axis, a.describe()));
    sides.push_back({a.extent(axis), a.strides()[static_cast<std::size_t>(axis)]});
  }
  visit_real(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* in = a.data<T>();
    parallel_for(
        static_cast<std::size_t>(a.size()), 1024,
        [&](std::size_t first, std::size_t last) {
          std::vector<std::int64_t> places, more;
          std::vector<T> box;
          for (std::size_t p = first; p < last; ++p) {
            const auto i = static_cast<std::int64_t>(p);
            places.assign(1, i);
            for (const Side& s : sides) {
              const std::int64_t at = i / s.stride % s.n, low = std::max<std::int64_t>(at - width / 2, 0),
                                 high = std::min<std::int64_t>(at + width / 2, s.n - 1);
              more.clear();
              for (const auto place : places)
                for (auto k = low; k <= high; ++k) more.push_back(place + (k - at) * s.stride);
              std::swap(places, more);
            }
            box.clear();
            for (const auto place : places)
              if (in[place] == in[place]) box.push_back(in[place]);
            if (box.empty()) {
              out.data<T>()[p] = std::numeric_limits<T>::quiet_NaN();
              continue;
            }
            const auto middle = box.begin() + static_cast<std::ptrdiff_t>(box.size() / 2);
            std::nth_element(box.begin(), middle, box.end());
            out.data<T>()[p] = box.size() % 2 ? *middle : (*middle + *std::max_element(box.begin(), middle)) / 2;
          }
        },
        cancel);
  });
  return out;
}

}  // namespace larmor::nd
