// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/m0.hpp>

namespace larmor::asl {

// CSF is water, blood holds 0.87 mL of it a mL: 1 / 0.87 = 1.15.
void register_csf(M0Methods& all) {
  all.add("m0.csf",
          {.title = "One M0, from cerebrospinal fluid",
           .source = "Chalela et al., Stroke 31:680 (2000); water: Herscovitch and Raichle, JCBFM 5:65 (1985); "
                     "T1: Lu et al., JMRI 22:13 (2005)",
           .region = "CSF",
           .T1 = 4.3,
           .partition = 1.15,
           .T2_star = 0.4});
}

}  // namespace larmor::asl
