// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>
#include <larmor/perfusion/asl/kinetics_lanes.hpp>

LARMOR_CURVE_MODEL(larmor::asl, pasl_dispersed, Dispersed<true>)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/asl/model_params.hpp>
namespace larmor::asl {

void register_pasl_dispersed(Models& models) {
  models.add("asl.pasl_dispersed", dispersed_model("pulsed labelling", curve_kernels_pasl_dispersed()));
}

}  // namespace larmor::asl
#endif
