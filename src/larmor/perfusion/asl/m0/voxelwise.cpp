// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/m0.hpp>

namespace larmor::asl {

void register_voxelwise(M0Methods& all) {
  all.add("m0.voxelwise", {.title = "M0 of each voxel",
                           .source = "Alsop et al., MRM 73:102 (2015)",
                           .voxelwise = true,
                           .region = {},
                           .T1 = 1.33,
                           .partition = 0.9,
                           .T2_star = 0.05});
}

}  // namespace larmor::asl
