// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>

namespace larmor::ivim {
namespace {

// S = S0 [(1 - f) exp(-b D + (b D)^2 K / 6) + f exp(-b D_star)]
struct Kurtosis {
  static constexpr int n_params = 5, n_design = 1, n_covariates = 0;
  template <class S, class T>
  LARMOR_HD static S signal(const double* b, const T*, const S* p) {
    const S bD = p[2] * S(T(b[0]));
    const S tissue = exp(bD * bD * p[4] * S(T(1.0 / 6)) - bD), fast = exp(p[3] * S(T(-b[0])));
    return p[0] * (tissue + p[1] * (fast - tissue));
  }
};

}  // namespace
}  // namespace larmor::ivim

LARMOR_CURVE_MODEL(larmor::ivim, kurtosis, Kurtosis)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/ivim/model.hpp>
namespace larmor::ivim {

void register_kurtosis(Models& models) {
  models.add("ivim.kurtosis",
             {.title = "IVIM with diffusion kurtosis",
              .source = "Jensen et al., MRM 53:1432 (2005); Lu et al., JMRI 36:159 (2012)",
              .params = {{"S0", "a.u.", 0, 1e9, 1, "signal without diffusion weighting"},
                         {"f", "1", 0, 0.7, 0.1, "perfusion fraction", {0.03, 0.1, 0.2, 0.35}},
                         {"D", "mm2/s", 0, 5e-3, 1e-3, "diffusion coefficient", {0.5e-3, 1e-3, 1.6e-3, 2.4e-3}},
                         {"D_star", "mm2/s", 4e-3, 0.3, 2e-2, "pseudo-diffusion coefficient", {8e-3, 2e-2, 5e-2, 0.15}},
                         {"K", "1", 0, 3, 0.5, "kurtosis", {0.3, 0.8, 1.5}}},
              .scale = 0,
              .design = {"b [s/mm2]"},
              .kernels = curve_kernels_kurtosis()});
}

}  // namespace larmor::ivim
#endif
