// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/labelling.hpp>

namespace larmor::asl {

void register_casl(Labellings& all) {
  all.add("labelling.casl",
          {.title = "Continuous labelling",
           .source = "Williams et al., PNAS 89:212 (1992); efficiency: Werner et al., MRM 53:1006 (2005)",
           .bids = "CASL",
           .cut_off = {},
           .label_eff = 0.68,
           .model = "asl.pcasl"});
}

}  // namespace larmor::asl
