// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/deconvolve.hpp>

namespace larmor::dsc {

void register_osvd(DeconvolutionMethods& all) {
  all.add("dsc.osvd", {.title = "Block-circulant SVD, truncated where the residue would oscillate",
                       .source = "Wu et al., MRM 50:164 (2003)",
                       .kind = DeconvolutionMethod::Kind::oscillation,
                       .structure = Structure::circulant,
                       .oscillation = 0.035});
}

}  // namespace larmor::dsc
