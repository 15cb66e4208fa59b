// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/deconvolve.hpp>

namespace larmor::dsc {

void register_tikhonov_l_curve(DeconvolutionMethods& all) {
  all.add("dsc.tikhonov_l_curve", {.title = "Tikhonov regularisation, weight at the corner of the L-curve",
                                   .source = "Calamante et al., MRM 50:1237 (2003)",
                                   .kind = DeconvolutionMethod::Kind::l_curve,
                                   .structure = Structure::circulant});
}

}  // namespace larmor::dsc
