// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/core/nd/visit.hpp>

namespace larmor::nd {

Array cumulative_sum(const Array& a, int axis, const Cancel* cancel) {
  if (axis < 0 || axis >= a.rank()) throw Error(Errc::range, fmt::format("axis {} of {}", axis, a.describe()));
  const DType type = a.dtype() == DType::f32 || is_complex(a.dtype()) ? a.dtype() : DType::f64;
  Array out = a.to(Device::cpu()).cast(type).clone();
  std::int64_t inner = 1;
  for (int i = 0; i < axis; ++i) inner *= out.extent(i);
  const std::int64_t n = out.extent(axis), outer = n > 0 && inner > 0 ? out.size() / (n * inner) : 0;
  visit_float(type, [&](auto zero) {
    using T = decltype(zero);
    using Wide = std::conditional_t<complex_v<T>, std::complex<double>, double>;
    T* data = static_cast<T*>(out.raw());
    parallel_for(
        static_cast<std::size_t>(outer), 1,
        [&](std::size_t first, std::size_t last) {
          std::vector<Wide> sums;
          for (std::size_t o = first; o < last; ++o) {
            sums.assign(static_cast<std::size_t>(inner), Wide{});
            T* row = data + static_cast<std::int64_t>(o) * n * inner;
            for (std::int64_t k = 0; k < n; ++k, row += inner)
              for (std::int64_t i = 0; i < inner; ++i) {
                Wide& s = sums[static_cast<std::size_t>(i)];
                s += Wide(row[i]);
                row[i] = T(s);
              }
          }
        },
        cancel);
  });
  return out;
}

Array difference(const Array& a, int axis, const Cancel* cancel) {
  const std::int64_t n = a.extent(axis);
  if (axis < 0 || axis >= a.rank() || n < 1)
    throw Error(Errc::range, fmt::format("no differences along axis {} of {}", axis, a.describe()));
  return apply(Binary::subtract, a.range(axis, 1, n), a.range(axis, 0, n - 1), cancel);
}

}  // namespace larmor::nd
