// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/t1_recovery.hpp>

namespace larmor::nodes {

void register_t1_inversion_recovery(flow::NodeTypes& nodes) {
  const char* const id = "t1.inversion_recovery";
  nodes.add(id, t1_recovery(id, {.title = "T1 from inversion recovery",
                                 .does = "T1 from inversion recovery at several inversion times",
                                 .help = "$S = a + b e^{-TI/T_1}$ with any inversion efficiency.",
                                 .tags = {"IR", "relaxometry"}}));
}

}  // namespace larmor::nodes
