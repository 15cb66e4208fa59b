// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/core/nd/axis_rows.hpp>
#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/visit.hpp>

namespace larmor::nd {
namespace {

template <class T>
void one_row(const T* from, T* to, std::int64_t inner, const AxisRows& rows, std::size_t k) {
  if constexpr (std::is_integral_v<T>) {
    const T* line = from + rows.at[rows.begin[k]] * inner;
    std::copy(line, line + inner, to);
  } else {
    using R = real_of<T>;
    std::fill(to, to + inner, T{});
    for (std::size_t j = rows.begin[k]; j < rows.begin[k + 1]; ++j) {
      const T* line = from + rows.at[j] * inner;
      const R w = static_cast<R>(rows.weight[j]);
      for (std::int64_t i = 0; i < inner; ++i) to[i] += w * line[i];
    }
  }
}

}  // namespace

Array apply_rows(const Array& array, int axis, const AxisRows& rows, double fill, const Cancel* cancel) {
  const Array a = array.to(Device::cpu()).contiguous_copy();
  Shape shape = a.shape();
  const std::int64_t n = a.extent(axis), m = static_cast<std::int64_t>(rows.begin.size()) - 1;
  shape[static_cast<std::size_t>(axis)] = m;
  Array out = Array::uninitialised(a.dtype(), shape, a.axes());
  std::int64_t inner = 1;
  for (int i = 0; i < axis; ++i) inner *= a.extent(i);
  if (out.size() == 0 || a.size() == 0) return out;
  const std::int64_t outer = a.size() / (inner * n);
  // Pieces are rows of the result, (k, outer): both many coils and one long image keep the threads busy.
  const auto grain = static_cast<std::size_t>(std::max<std::int64_t>(1, 16384 / inner));
  visit(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    Array filled(dtype_of<T>, {1});
    store(&fill, 1, filled, 0);
    const T outside = *filled.template data<T>();
    const T* in = a.template data<T>();
    T* result = out.template data<T>();
    parallel_for(
        static_cast<std::size_t>(m * outer), grain,
        [&](std::size_t first, std::size_t last) {
          for (auto row = static_cast<std::int64_t>(first); row < static_cast<std::int64_t>(last); ++row) {
            const auto k = static_cast<std::size_t>(row % m);
            T* to = result + row * inner;
            if (rows.begin[k] == rows.begin[k + 1])
              std::fill(to, to + inner, outside);
            else
              one_row(in + row / m * n * inner, to, inner, rows, k);
          }
        },
        cancel);
  });
  return out;
}

}  // namespace larmor::nd
