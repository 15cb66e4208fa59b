// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>
#include <larmor/perfusion/asl/kinetics_lanes.hpp>

LARMOR_CURVE_MODEL(larmor::asl, pcasl_macrovascular, Macrovascular<false>)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/asl/model_params.hpp>
namespace larmor::asl {

void register_pcasl_macrovascular(Models& models) {
  models.add("asl.pcasl_macrovascular",
             macrovascular_model("continuous labelling", curve_kernels_pcasl_macrovascular()));
}

}  // namespace larmor::asl
#endif
