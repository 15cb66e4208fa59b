// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/deconvolve.hpp>

namespace larmor::dsc {

void register_fit_gamma(DeconvolutionMethods& all) {
  all.add(
      "dsc.fit_gamma",
      {.title = "Fit of flow, transit time and delay of the gamma residue",
       .source =
           "Ostergaard et al., J. Cereb. Blood Flow Metab. 19:690 (1999); Mouridsen et al., NeuroImage 33:570 (2006)",
       .kind = DeconvolutionMethod::Kind::parametric,
       .residue = "residue.gamma"});
}

}  // namespace larmor::dsc
