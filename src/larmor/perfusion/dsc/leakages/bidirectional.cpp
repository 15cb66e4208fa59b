// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/leakage.hpp>

namespace larmor::dsc {

void register_bidirectional(LeakageMethods& all) {
  all.add("leakage.bidirectional", {.title = "Bidirectional: what leaked comes back, at a rate of each voxel",
                                    .source = "Leu et al., JMRI 44:1229 (2016)",
                                    .backflow = true});
}

}  // namespace larmor::dsc
