// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/deconvolve.hpp>

namespace larmor::dsc {

void register_tikhonov_gcv(DeconvolutionMethods& all) {
  all.add("dsc.tikhonov_gcv",
          {.title = "Tikhonov regularisation, weight by generalised cross-validation",
           .source = "Golub et al., Technometrics 21:215 (1979); Sourbron et al., Phys. Med. Biol. 49:3307 (2004)",
           .kind = DeconvolutionMethod::Kind::gcv,
           .structure = Structure::circulant});
}

}  // namespace larmor::dsc
