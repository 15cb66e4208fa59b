// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/m0.hpp>

namespace larmor::asl {

void register_single(M0Methods& all) {
  all.add("m0.single", {.title = "One M0, the median of the brain",
                        .source = "Alsop et al., MRM 73:102 (2015)",
                        .region = "the brain",
                        .T1 = 1.33,
                        .partition = 0.9,
                        .T2_star = 0.05});
}

}  // namespace larmor::asl
