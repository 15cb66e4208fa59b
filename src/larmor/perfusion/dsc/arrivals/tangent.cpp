// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/perfusion/dsc/arrival.hpp>

namespace larmor::dsc {

void register_tangent(ArrivalDetectors& all) {
  all.add("arrival.tangent",
          {.title = "Where the steepest tangent of the rise meets the baseline",
           .source = "Shpilfoygel et al., Med. Phys. 27:2008 (2000), section on leading-edge methods",
           .find = [](std::span<const double> t, std::span<const double> y) {
             const Rise r = rise_of(t, y);
             double steepest = 0, at = t[0];
             for (std::size_t i = 1; i <= r.peak; ++i) {
               const double slope = (y[i] - y[i - 1]) / (t[i] - t[i - 1]);
               if (slope > steepest) steepest = slope, at = t[i] - (y[i] - r.base) / slope;
             }
             return std::clamp(at, t[0], t[r.peak]);
           }});
}

}  // namespace larmor::dsc
