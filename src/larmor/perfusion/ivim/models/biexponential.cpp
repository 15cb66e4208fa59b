// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>

namespace larmor::ivim {
namespace {

// S = S0 [(1 - f) exp(-b D) + f exp(-b D_star)]
struct Biexponential {
  static constexpr int n_params = 4, n_design = 1, n_covariates = 0;
  template <class S, class T>
  LARMOR_HD static S signal(const double* b, const T*, const S* p) {
    const S slow = exp(p[2] * S(T(-b[0]))), fast = exp(p[3] * S(T(-b[0])));
    return p[0] * (slow + p[1] * (fast - slow));
  }
  // By hand: two thirds of the products of dual numbers would be with zeros.
  template <class T>
  LARMOR_HD static T gradient(const double* b, const T*, const T* p, T* g) {
    const T slow = simd::exp(p[2] * T(-b[0])), fast = simd::exp(p[3] * T(-b[0]));
    const T contrast = fast - slow, attenuation = slow + p[1] * contrast, perfused = p[0] * p[1];
    g[0] = attenuation;
    g[1] = p[0] * contrast;
    g[2] = (perfused - p[0]) * slow * T(b[0]);
    g[3] = perfused * fast * T(-b[0]);
    return p[0] * attenuation;
  }
};

}  // namespace
}  // namespace larmor::ivim

LARMOR_CURVE_MODEL(larmor::ivim, biexponential, Biexponential)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/ivim/model.hpp>
namespace larmor::ivim {

void register_biexponential(Models& models) {
  models.add("ivim.biexponential",
             {.title = "IVIM bi-exponential",
              .source = "Le Bihan et al., Radiology 168:497 (1988)",
              .params = {{"S0", "a.u.", 0, 1e9, 1, "signal without diffusion weighting"},
                         {"f", "1", 0, 0.7, 0.1, "perfusion fraction", {0.03, 0.1, 0.2, 0.35, 0.5}},
                         {"D",
                          "mm2/s",
                          0,
                          5e-3,
                          1e-3,
                          "diffusion coefficient",
                          {0.3e-3, 0.6e-3, 0.9e-3, 1.2e-3, 1.6e-3, 2.2e-3, 3e-3}},
                         {"D_star",
                          "mm2/s",
                          3e-3,
                          0.3,
                          2e-2,
                          "pseudo-diffusion coefficient",
                          {6e-3, 1.2e-2, 2.4e-2, 5e-2, 0.1, 0.2}}},
              .scale = 0,
              .design = {"b [s/mm2]"},
              .kernels = curve_kernels_biexponential()},
             {"ivim"});
}

}  // namespace larmor::ivim
#endif
