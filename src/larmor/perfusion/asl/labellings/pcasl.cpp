// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/labelling.hpp>

namespace larmor::asl {

void register_pcasl(Labellings& all) {
  all.add("labelling.pcasl", {.title = "Pseudo-continuous labelling",
                              .source = "Dai et al., MRM 60:1488 (2008); efficiency: Alsop et al., MRM 73:102 (2015)",
                              .bids = "PCASL",
                              .cut_off = {},
                              .label_eff = 0.85,
                              .model = "asl.pcasl"});
}

}  // namespace larmor::asl
