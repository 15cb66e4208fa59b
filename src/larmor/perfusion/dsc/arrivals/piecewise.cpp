// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/aif_models.hpp>
#include <larmor/perfusion/dsc/arrival.hpp>

namespace larmor::dsc {

void register_piecewise(ArrivalDetectors& all) {
  all.add("arrival.piecewise", {.title = "Constant, then a linear-quadratic rise, fitted up to half the peak",
                                .source = "Cheong et al., Phys. Med. Biol. 48:N83 (2003)",
                                .find = [](auto times, auto values) { return dce::bolus_arrival(times, values); }});
}

}  // namespace larmor::dsc
