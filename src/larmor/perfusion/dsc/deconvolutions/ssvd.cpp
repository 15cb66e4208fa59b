// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/deconvolve.hpp>

namespace larmor::dsc {

void register_ssvd(DeconvolutionMethods& all) {
  all.add("dsc.ssvd", {.title = "Truncated SVD of the causal Toeplitz matrix",
                       .source = "Ostergaard et al., MRM 36:715 (1996)",
                       .kind = DeconvolutionMethod::Kind::truncation,
                       .structure = Structure::causal,
                       .threshold = 0.2});
}

}  // namespace larmor::dsc
