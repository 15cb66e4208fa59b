// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>

namespace larmor::ivim {
namespace {

// S = S0 (1 - f) exp(-b D) for b > 0 and S0 at b = 0: perfusion is gone at the first b-value.
struct Simplified {
  static constexpr int n_params = 3, n_design = 1, n_covariates = 0;
  template <class S, class T>
  LARMOR_HD static S signal(const double* b, const T*, const S* p) {
    if (b[0] == 0) return p[0];
    return p[0] * (S(T(1.0)) - p[1]) * exp(p[2] * S(T(-b[0])));
  }
};

}  // namespace
}  // namespace larmor::ivim

LARMOR_CURVE_MODEL(larmor::ivim, simplified, Simplified)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/ivim/model.hpp>
namespace larmor::ivim {

void register_simplified(Models& models) {
  models.add("ivim.simplified",
             {.title = "Simplified IVIM (perfusion gone at the first b-value above 0)",
              .source = "Penner et al., Invest Radiol 52:48 (2017); Le Bihan, NeuroImage 187:56 (2019)",
              .params = {{"S0", "a.u.", 0, 1e9, 1, "signal without diffusion weighting"},
                         {"f", "1", 0, 0.7, 0.1, "perfusion fraction", {0.05, 0.2, 0.4}},
                         {"D", "mm2/s", 0, 5e-3, 1e-3, "diffusion coefficient", {0.3e-3, 0.8e-3, 1.5e-3, 2.5e-3}}},
              .scale = 0,
              .design = {"b [s/mm2]"},
              .kernels = curve_kernels_simplified()});
}

}  // namespace larmor::ivim
#endif
