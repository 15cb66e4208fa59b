// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/recon/trajectory/limits.hpp>
#include <utility>

namespace larmor::recon {

void GradientLimits::check() const {
  for (const auto& [name, v, unit] : {std::tuple{"gradient limit", max_gradient, "T/m"},
                                      {"slew rate limit", max_slew, "T/m/s"},
                                      {"gradient raster", raster, "s"},
                                      {"gyromagnetic ratio", gamma, "Hz/T"}})
    if (!(v > 0) || !std::isfinite(v))
      throw Error(Errc::range, fmt::format("trajectory: a {} of {:.6g} {}", name, v, unit), "give more than 0");
  if (!(max_frequency >= 0) || !std::isfinite(max_frequency))
    throw Error(Errc::range, fmt::format("trajectory: a gradient frequency limit of {:.6g} Hz", max_frequency),
                "give more than 0, or 0 for none");
  if (raster > 1e-3)
    throw Error(Errc::range, fmt::format("trajectory: a gradient raster of {:.6g} s", raster),
                "give seconds: 10 us is 1e-5");
}

}  // namespace larmor::recon
