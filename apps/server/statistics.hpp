// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "slices.hpp"

namespace larmor::server {

/// A region in index coordinates of two axes; an element belongs to it when its centre, a whole number, lies inside.
struct Region {
  enum class Kind { all, rectangle, ellipse, polygon } kind = Kind::all;
  std::vector<std::pair<double, double>> points;  // two corners, or the corners in order
  /// "rect:x0:y0:x1:y1", "ellipse:...", "polygon:x:y:x:y:...". Errors   Errc::format, Errc::unknown_name
  static Region parse(std::string_view text);
  bool holds(double x, double y) const;
};

struct StatisticsQuery {
  Axes axes = {};  // two that the region lies on; without a region any that are not in `at`
  std::map<std::string, std::int64_t> at = {};  // other axes count in full
  Region region = {};
  Part part = Part::native;
  int bins = 64;
};

/// Of the finite elements. Percentiles and the median are those of at most 4 million elements, evenly spread, and said
/// to be approximate when that is not all; all else is exact. Reads the array where it lies.
struct Statistics {
  std::int64_t elements = 0, count = 0;  // in the region; finite ones
  double min = 0, max = 0, mean = 0, sd = 0, median = 0;
  std::vector<std::pair<int, double>> percentiles;
  std::vector<double> edges;
  std::vector<std::int64_t> counts;
  bool approximate = false;
  nlohmann::json json() const;
};
/// Errors   those of view_of; Errc::usage for a region without two axes; Errc::range for bins
Statistics statistics(const Array& array, const StatisticsQuery& query);

/// Smallest and largest finite element, (nan, nan) when there is none. Complex: of the magnitude.
std::pair<double, double> extremes(const Array& array);

}  // namespace larmor::server
