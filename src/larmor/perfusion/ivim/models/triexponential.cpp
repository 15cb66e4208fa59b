// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>

namespace larmor::ivim {
namespace {

// S = S0 [(1 - f_fast - f_slow) exp(-b D) + f_slow exp(-b D_star) + f_fast exp(-b D_star_fast)]
struct Triexponential {
  static constexpr int n_params = 6, n_design = 1, n_covariates = 0;
  template <class S, class T>
  LARMOR_HD static S signal(const double* b, const T*, const S* p) {
    const T minus_b(-b[0]);
    const S tissue = exp(p[3] * S(minus_b)), slow = exp(p[4] * S(minus_b)), fast = exp(p[5] * S(minus_b));
    return p[0] * (tissue + p[1] * (slow - tissue) + p[2] * (fast - tissue));
  }
};

}  // namespace
}  // namespace larmor::ivim

LARMOR_CURVE_MODEL(larmor::ivim, triexponential, Triexponential)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/ivim/model.hpp>
namespace larmor::ivim {

void register_triexponential(Models& models) {
  models.add(
      "ivim.triexponential",
      {.title = "IVIM tri-exponential (two perfusion compartments)",
       .source = "Cercueil et al., Eur Radiol 25:1631 (2015); Riexinger et al., Front Phys 10 (2022)",
       .params = {{"S0", "a.u.", 0, 1e9, 1, "signal without diffusion weighting"},
                  {"f", "1", 0, 0.5, 0.1, "fraction of the slower perfusion compartment", {0.05, 0.15, 0.3}},
                  {"f_fast", "1", 0, 0.5, 0.1, "fraction of the faster perfusion compartment", {0.05, 0.15, 0.3}},
                  {"D", "mm2/s", 0, 4e-3, 1e-3, "diffusion coefficient", {0.5e-3, 1e-3, 1.6e-3, 2.4e-3}},
                  {"D_star", "mm2/s", 4e-3, 0.06, 1.5e-2, "slower pseudo-diffusion coefficient", {8e-3, 1.5e-2, 3e-2}},
                  {"D_star_fast", "mm2/s", 0.06, 2, 0.3, "faster pseudo-diffusion coefficient", {0.1, 0.3, 0.8}}},
       .scale = 0,
       .design = {"b [s/mm2]"},
       .kernels = curve_kernels_triexponential()});
}

}  // namespace larmor::ivim
#endif
