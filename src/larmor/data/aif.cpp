// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/data/aif.hpp>

namespace larmor {

void Aif::check() const {
  if (times.size() != values.size())
    throw Error(Errc::shape, fmt::format("AIF: {} times for {} values", times.size(), values.size()));
  if (times.size() < 2)
    throw Error(Errc::range, fmt::format("AIF: {} samples", times.size()), "give at least 2 samples");
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (!std::isfinite(times[i]) || !std::isfinite(values[i]))
      throw Error(Errc::range, fmt::format("AIF: sample {} is not finite (t = {}, c = {})", i, times[i], values[i]));
    if (i > 0 && !(times[i] > times[i - 1]))
      throw Error(Errc::range,
                  fmt::format("AIF: time {} s at sample {} does not follow {} s", times[i], i, times[i - 1]),
                  "give strictly increasing times [s]");
  }
}

Aif Aif::to_plasma(double haematocrit) const {
  if (plasma) return *this;
  if (!(haematocrit >= 0 && haematocrit < 1))
    throw Error(Errc::range, fmt::format("haematocrit is {}", haematocrit), "give a fraction from 0 to below 1");
  Aif out = *this;
  for (double& c : out.values) c /= 1 - haematocrit;
  out.plasma = true;
  out.Hct = haematocrit;
  return out;
}

}  // namespace larmor
