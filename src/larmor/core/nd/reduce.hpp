// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <span>

/// One number out of all elements along some axes.
namespace larmor::nd {

enum class Reduction : std::uint8_t {
  sum,
  mean,
  sd,        // root of the mean squared deviation, n - 1 below the sum
  variance,  // sd squared
  rms,       // root of the mean square
  norm,      // root of the sum of squares
  minimum,
  maximum,
  range,  // maximum - minimum
  product,
  median,
  percentile,  // linear between ranks: rank q (n - 1) / 100
  argmin,      // place of the first smallest element; over several axes counted with the first axis fastest
  argmax,
  count,  // elements that are not 0
  any,    // true when one is not 0
  all     // true when none is 0
};

/// What NaN does: it makes the result NaN, or it is left out (a result of nothing is NaN; 0 for sum and count).
enum class NaN : std::uint8_t { propagate, omit };

struct ReductionInfo {
  Reduction op;
  const char *name, *title, *what;
  bool complex_ok;
};
std::span<const ReductionInfo> reductions();
const ReductionInfo& info(Reduction op);

struct ReduceOptions {
  NaN nan = NaN::propagate;
  bool keep_axes = false;  // reduced axes stay with one element
  double percent = 50;     // of percentile
  const Cancel* cancel = nullptr;
};

/// Reduces over the axes given by index (none given: over all). Sums are made in double whatever the type, in pieces of
/// a fixed size, so results do not depend on the number of threads.
///
/// result   the other axes in their order. f32 and c64 stay; integers and booleans give f64, except that
///          minimum and maximum keep the type; argmin, argmax and count give i32; any and all boolean; sd, variance,
///          rms and norm of complex numbers are real
/// Errors   Errc::range for an axis that is not there or given twice, Errc::type for an order of complex numbers,
///          Errc::range for minimum, maximum, median, percentile, argmin, argmax of nothing, and percent outside 0..100
Array reduce(Reduction op, const Array& a, std::span<const int> axes, const ReduceOptions& options = {});

/// Sum up to every element along an axis, in double: as long as the axis. Integers give f64.
Array cumulative_sum(const Array& a, int axis, const Cancel* cancel = nullptr);
/// Differences of neighbours along an axis: one element fewer. Errors   Errc::range for an axis of nothing
Array difference(const Array& a, int axis, const Cancel* cancel = nullptr);

}  // namespace larmor::nd
