// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <vector>

namespace larmor::nd {

/// A sparse matrix along an axis: element k of the result is the sum of weight[j] times element at[j], j from begin[k]
/// to begin[k + 1]. A row of none is filled.
struct AxisRows {
  std::vector<std::size_t> begin{0};
  std::vector<std::int64_t> at;
  std::vector<double> weight;
};

/// The product with every line along `axis`. Floating types; integers take the first element of each row as it is.
Array apply_rows(const Array& array, int axis, const AxisRows& rows, double fill, const Cancel* cancel);

}  // namespace larmor::nd
