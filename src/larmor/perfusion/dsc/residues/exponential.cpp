// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/dsc/residue.hpp>

namespace larmor::dsc {

void register_exponential(ResidueModels& all) {
  all.add("residue.exponential",
          {.title = "Exponential: one well-mixed compartment, R = exp(-t / MTT)",
           .source = "Ostergaard et al., MRM 36:715 (1996)",
           .shapes = {1},
           .mean = mean_from([](double t, double MTT, double) { return -MTT * std::expm1(-t / MTT); })});
}

}  // namespace larmor::dsc
