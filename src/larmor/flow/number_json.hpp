// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cmath>
#include <cstdint>

namespace larmor::flow {

/// A number in JSON: whole ones without a point, save -0, which an integer has not; NaN and infinities, for which JSON
/// has no words, as {"$number": "nan"}.
template <class Json>
Json number_json(double v) {
  if (!std::isfinite(v)) return Json{{"$number", std::isnan(v) ? "nan" : v > 0 ? "inf" : "-inf"}};
  if (v == std::floor(v) && std::abs(v) < 9e15 && !(v == 0 && std::signbit(v))) return static_cast<std::int64_t>(v);
  return v;
}

}  // namespace larmor::flow
