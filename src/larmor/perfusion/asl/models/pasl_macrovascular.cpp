// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>
#include <larmor/perfusion/asl/kinetics_lanes.hpp>

namespace larmor::asl {
namespace {

struct PaslMacrovascular {
  static constexpr int n_params = 4, n_design = asl::n_design, n_covariates = asl::n_covariates;
  template <class S, class T>
  LARMOR_HD static S signal(const double* d, const T* c, const S* p) {
    return in_tissue_and_arteries<true>(Label<T>(d, c), p[0], p[1], p[2], p[3]);
  }
};

}  // namespace
}  // namespace larmor::asl

LARMOR_CURVE_MODEL(larmor::asl, pasl_macrovascular, PaslMacrovascular)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/asl/model_params.hpp>
namespace larmor::asl {

void register_pasl_macrovascular(Models& models) {
  models.add("asl.pasl_macrovascular", {.title = "General kinetic model with label in arteries, pulsed labelling",
                                        .source = "Chappell et al., MRM 63:1357 (2010)",
                                        .params = {param_CBF(), param_ATT(true), param_aBV(), param_ATT_a()},
                                        .scale = 0,
                                        .scale_too = {2},
                                        .design = design_names(),
                                        .covariates = covariate_names(),
                                        .kernels = curve_kernels_pasl_macrovascular()});
}

}  // namespace larmor::asl
#endif
