// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/perfusion/dsc/residue.hpp>

namespace larmor::dsc {

void register_box(ResidueModels& all) {
  all.add("residue.box", {.title = "Box: plug flow, R = 1 up to MTT, then 0",
                          .source = "Ostergaard et al., MRM 36:715 (1996)",
                          .shapes = {1},
                          .mean = mean_from([](double t, double MTT, double) { return std::min(t, MTT); })});
}

}  // namespace larmor::dsc
