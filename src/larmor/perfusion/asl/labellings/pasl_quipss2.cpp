// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/labelling.hpp>

namespace larmor::asl {

void register_pasl_quipss2(Labellings& all) {
  all.add("labelling.pasl_quipss2",
          {.title = "Pulsed labelling, bolus cut off by one saturation (QUIPSS II)",
           .source = "Wong et al., MRM 39:702 (1998); efficiency: Alsop et al., MRM 73:102 (2015)",
           .bids = "PASL",
           .cut_off = "QUIPSSII",
           .label_eff = 0.98,
           .model = "asl.pasl",
           .PLD_from_end = false});
}

}  // namespace larmor::asl
