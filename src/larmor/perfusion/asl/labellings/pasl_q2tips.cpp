// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/labelling.hpp>

namespace larmor::asl {

void register_pasl_q2tips(Labellings& all) {
  all.add("labelling.pasl_q2tips",
          {.title = "Pulsed labelling, bolus cut off by a train of thin saturations (Q2TIPS)",
           .source = "Luh et al., MRM 41:1246 (1999); efficiency: Alsop et al., MRM 73:102 (2015)",
           .bids = "PASL",
           .cut_off = "Q2TIPS",
           .label_eff = 0.98,
           .model = "asl.pasl",
           .PLD_from_end = false});
}

}  // namespace larmor::asl
