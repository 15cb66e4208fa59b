// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>
#include <larmor/perfusion/asl/kinetics_lanes.hpp>

LARMOR_CURVE_MODEL(larmor::asl, pcasl_dispersed, Dispersed<false>)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/asl/model_params.hpp>
namespace larmor::asl {

void register_pcasl_dispersed(Models& models) {
  models.add("asl.pcasl_dispersed", dispersed_model("continuous labelling", curve_kernels_pcasl_dispersed()));
}

}  // namespace larmor::asl
#endif
