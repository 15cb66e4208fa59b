// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dsc/deconvolve.hpp>

namespace larmor::dsc {

void register_fit_box(DeconvolutionMethods& all) {
  all.add(
      "dsc.fit_box",
      {.title = "Fit of flow, transit time and delay of the box residue",
       .source =
           "Ostergaard et al., J. Cereb. Blood Flow Metab. 19:690 (1999); Mouridsen et al., NeuroImage 33:570 (2006)",
       .kind = DeconvolutionMethod::Kind::parametric,
       .residue = "residue.box"});
}

}  // namespace larmor::dsc
