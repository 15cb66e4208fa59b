// SPDX-License-Identifier: Apache-2.0
#include <larmor/nodes/t1_recovery.hpp>

namespace larmor::nodes {

void register_t1_look_locker(flow::NodeTypes& nodes) {
  const char* const id = "t1.look_locker";
  nodes.add(id, t1_recovery(id, {.title = "T1 from Look-Locker",
                                 .does = "T1 from a train of readouts after one inversion",
                                 .help = "$S = A - B e^{-TI/T_1^*}$, $T_1 = T_1^* (B/A - 1)$.",
                                 .tags = {"MOLLI", "relaxometry"}}));
}

}  // namespace larmor::nodes
