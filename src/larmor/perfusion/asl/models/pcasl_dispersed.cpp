// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>
#include <larmor/perfusion/asl/kinetics_lanes.hpp>

namespace larmor::asl {
namespace {

struct PcaslDispersed {
  static constexpr int n_params = 3, n_design = asl::n_design, n_covariates = asl::n_covariates;
  template <class S, class T>
  LARMOR_HD static S signal(const double* d, const T* c, const S* p) {
    return in_tissue_dispersed<false>(Label<T>(d, c), p[0], p[1], p[2]);
  }
};

}  // namespace
}  // namespace larmor::asl

LARMOR_CURVE_MODEL(larmor::asl, pcasl_dispersed, PcaslDispersed)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/asl/model_params.hpp>
namespace larmor::asl {

void register_pcasl_dispersed(Models& models) {
  models.add("asl.pcasl_dispersed", {.title = "General kinetic model with dispersion, continuous labelling",
                                     .source = "Hrabe and Lewis, J Magn Reson 167:49 (2004)",
                                     .params = {param_CBF(), param_ATT(), param_sigma()},
                                     .scale = 0,
                                     .design = design_names(),
                                     .covariates = covariate_names(),
                                     .kernels = curve_kernels_pcasl_dispersed()});
}

}  // namespace larmor::asl
#endif
