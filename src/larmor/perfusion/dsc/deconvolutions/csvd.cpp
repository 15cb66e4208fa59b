// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/deconvolve.hpp>

namespace larmor::dsc {

void register_csvd(DeconvolutionMethods& all) {
  all.add("dsc.csvd", {.title = "Truncated SVD of the block-circulant matrix",
                       .source = "Wu et al., MRM 50:164 (2003)",
                       .kind = DeconvolutionMethod::Kind::truncation,
                       .structure = Structure::circulant,
                       .threshold = 0.25});
}

}  // namespace larmor::dsc
