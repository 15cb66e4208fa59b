// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>

namespace larmor::ivim {
namespace {

// S = S0 [(1 - f) exp(-b D) + f exp(-b D_blood) exp(-c^2 v_d^2)]: blood that does not change its direction while the
// gradients are on, with velocities spread by v_d.
struct Ballistic {
  static constexpr int n_params = 5, n_design = 2, n_covariates = 0;
  template <class S, class T>
  LARMOR_HD static S signal(const double* x, const T*, const S* p) {
    const T minus_b(-x[0]), minus_cc(-x[1] * x[1]);
    const S tissue = exp(p[2] * S(minus_b)), blood = exp(p[4] * S(minus_b) + p[3] * p[3] * S(minus_cc));
    return p[0] * (tissue + p[1] * (blood - tissue));
  }
};

}  // namespace
}  // namespace larmor::ivim

LARMOR_CURVE_MODEL(larmor::ivim, ballistic, Ballistic)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/ivim/model.hpp>
namespace larmor::ivim {

// D_blood is known and the data hardly tell it: its bounds are narrow, and pipelines fix it at its start.
void register_ballistic(Models& models) {
  models.add("ivim.ballistic",
             {.title = "IVIM, ballistic flow (with flow weighting c)",
              .source = "Ahlgren et al., NMR Biomed 29:640 (2016)",
              .params = {{"S0", "a.u.", 0, 1e9, 1, "signal without diffusion weighting"},
                         {"f", "1", 0, 0.7, 0.1, "perfusion fraction", {0.03, 0.1, 0.2, 0.35}},
                         {"D", "mm2/s", 0, 5e-3, 1e-3, "diffusion coefficient", {0.5e-3, 1e-3, 1.6e-3, 2.4e-3}},
                         {"v_d", "mm/s", 0, 20, 2, "velocity dispersion", {0.3, 0.5, 0.8, 1.2, 1.8, 2.7, 4, 6, 9}},
                         {"D_blood", "mm2/s", 1.5e-3, 2e-3, 1.75e-3, "diffusion coefficient of blood"}},
              .scale = 0,
              .design = {"b [s/mm2]", "c [s/mm]"},
              .kernels = curve_kernels_ballistic()});
}

}  // namespace larmor::ivim
#endif
