// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/array.hpp>
#include <larmor/core/cancel.hpp>
#include <map>
#include <vector>

namespace larmor::nd {

/// What there is to say about a set of numbers; NaN and infinities are counted and left out. NaN where there are too
/// few.
struct Summary {
  std::int64_t count = 0, left_out = 0;
  double mean = 0, sd = 0, median = 0, minimum = 0, maximum = 0, sum = 0, p5 = 0, p95 = 0;
};
Summary summarise(std::vector<double> values);

/// Elements of `values` by label: labels are whole numbers of the same shape, 0 is background and left out.
/// Errors   Errc::shape when the shapes differ, Errc::range for a label that is no whole number or more than 100,000 of
/// them, Errc::type for complex numbers
std::map<std::int32_t, std::vector<double>> by_label(const Array& values, const Array& labels);

struct Histogram {
  std::vector<double> edges, counts;
  std::int64_t below = 0, above = 0, left_out = 0;  // outside the range; not finite
};
/// Bins of equal width over [low, high], the last one closed. Errors   Errc::range unless low < high and bins >= 1
Histogram histogram(const Array& values, const Array* mask, int bins, double low, double high);

}  // namespace larmor::nd
