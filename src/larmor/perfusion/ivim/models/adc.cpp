// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>

namespace larmor::ivim {
namespace {

// S = S0 exp(-b D)
struct Adc {
  static constexpr int n_params = 2, n_design = 1, n_covariates = 0;
  template <class S, class T>
  LARMOR_HD static S signal(const double* b, const T*, const S* p) {
    return p[0] * exp(p[1] * S(T(-b[0])));
  }
};

}  // namespace
}  // namespace larmor::ivim

LARMOR_CURVE_MODEL(larmor::ivim, adc, Adc)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/ivim/model.hpp>
namespace larmor::ivim {

void register_adc(Models& models) {
  models.add("ivim.adc", {.title = "Mono-exponential (apparent diffusion coefficient)",
                          .source = "Stejskal and Tanner, J. Chem. Phys. 42:288 (1965)",
                          .params = {{"S0", "a.u.", 0, 1e9, 1, "signal without diffusion weighting"},
                                     {"D",
                                      "mm2/s",
                                      0,
                                      0.1,
                                      1e-3,
                                      "apparent diffusion coefficient",
                                      {0.2e-3, 0.5e-3, 0.9e-3, 1.4e-3, 2e-3, 3e-3, 6e-3, 0.02}}},
                          .scale = 0,
                          .design = {"b [s/mm2]"},
                          .kernels = curve_kernels_adc()});
}

}  // namespace larmor::ivim
#endif
