// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/leakage.hpp>

namespace larmor::dsc {

void register_bsw(LeakageMethods& all) {
  all.add("leakage.bsw", {.title = "Boxerman, Schmainda and Weisskoff: what leaked stays",
                          .source = "Boxerman et al., AJNR 27:859 (2006)",
                          .backflow = false});
}

}  // namespace larmor::dsc
