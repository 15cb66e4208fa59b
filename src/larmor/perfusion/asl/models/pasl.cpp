// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>
#include <larmor/perfusion/asl/kinetics_lanes.hpp>

namespace larmor::asl {
namespace {

struct Pasl {
  static constexpr int n_params = 2, n_design = asl::n_design, n_covariates = asl::n_covariates;
  template <class S, class T>
  LARMOR_HD static S signal(const double* d, const T* c, const S* p) {
    const Voxel<T> voxel(c);
    return in_tissue<true>(voxel, Label<T>(d, voxel), p[0], p[1]);
  }
};

}  // namespace
}  // namespace larmor::asl

LARMOR_CURVE_MODEL(larmor::asl, pasl, Pasl)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/asl/model_params.hpp>
namespace larmor::asl {

void register_pasl(Models& models) {
  models.add("asl.pasl", {.title = "General kinetic model, pulsed labelling",
                          .source = "Buxton et al., MRM 40:383 (1998)",
                          .params = {param_CBF(), param_ATT()},
                          .scale = 0,
                          .design = design_names(),
                          .covariates = covariate_names(),
                          .kernels = curve_kernels_pasl()});
}

}  // namespace larmor::asl
#endif
