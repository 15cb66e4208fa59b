// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/asl/m0.hpp>

namespace larmor::asl {

void register_white_matter(M0Methods& all) {
  all.add("m0.white_matter",
          {.title = "One M0, from white matter",
           .source = "Wong et al., MRM 39:702 (1998); water: Herscovitch and Raichle, JCBFM 5:65 (1985); "
                     "T1: Wansapura et al., JMRI 9:531 (1999); T2*: Foucher et al., JMRI 34:785 (2011)",
           .region = "white matter",
           .T1 = 0.83,
           .partition = 0.82,
           .T2_star = 0.05});
}

}  // namespace larmor::asl
