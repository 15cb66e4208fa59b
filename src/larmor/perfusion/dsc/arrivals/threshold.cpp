// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/arrival.hpp>

namespace larmor::dsc {

void register_threshold(ArrivalDetectors& all) {
  all.add("arrival.threshold",
          {.title = "Last time before the peak that the curve is within 5 % of its height of the baseline",
           .source = "Carroll et al., Radiology 227:593 (2003), which takes a fixed share of the peak",
           .find = [](std::span<const double> t, std::span<const double> y) {
             const Rise r = rise_of(t, y);
             const double level = r.base + 0.05 * r.height;
             std::size_t i = r.peak;
             while (i > 0 && y[i - 1] > level) --i;
             if (i == 0) return t[0];
             return t[i - 1] + (level - y[i - 1]) / (y[i] - y[i - 1]) * (t[i] - t[i - 1]);
           }});
}

}  // namespace larmor::dsc
