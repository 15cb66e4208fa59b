// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/labelling.hpp>

namespace larmor::asl {

// Saturation takes half of what an inversion takes: efficiency 0.5 of the ideal module (0.56 is usual for inversion).
void register_vsasl(Labellings& all) {
  all.add("labelling.vsasl", {.title = "Velocity-selective labelling, bolus cut off by a second module",
                              .source = "Wong et al., MRM 55:1334 (2006); Qin et al., MRM 88:1528 (2022)",
                              .bids = {},
                              .cut_off = {},
                              .label_eff = 0.5,
                              .model = "asl.pasl",
                              .arrives_at_once = true});
}

}  // namespace larmor::asl
