// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>
#include <larmor/perfusion/asl/kinetics_lanes.hpp>

LARMOR_CURVE_MODEL(larmor::asl, pasl_macrovascular, Macrovascular<true>)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/asl/model_params.hpp>
namespace larmor::asl {

void register_pasl_macrovascular(Models& models) {
  models.add("asl.pasl_macrovascular", macrovascular_model("pulsed labelling", curve_kernels_pasl_macrovascular()));
}

}  // namespace larmor::asl
#endif
