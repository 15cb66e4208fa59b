// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>

namespace larmor::dsc {
namespace {

// C = peak (u exp(1 - u))^alpha, u = (t - t0) / rise: 0 before t0, its peak at t0 + rise.
struct GammaVariate {
  static constexpr int n_params = 4, n_design = 1, n_covariates = 0;
  template <class S, class T>
  LARMOR_HD static S signal(const double* t, const T*, const S* p) {
    const S u = max((S(T(t[0])) - p[1]) / p[2], 1e-9);  // at 1e-9 it is 0: (1e-9)^0.8 = 6e-8 of the peak
    return p[0] * exp(p[3] * (log(u) + S(T(1.0)) - u));
  }
};

}  // namespace
}  // namespace larmor::dsc

LARMOR_CURVE_MODEL(larmor::dsc, gamma_variate, GammaVariate)

#if defined(LARMOR_ISA_baseline)
#include <larmor/perfusion/dsc/first_pass.hpp>
namespace larmor::dsc {

const fit::CurveModel& gamma_variate() {
  static const fit::CurveModel model{
      .title = "gamma variate",
      .source = "Thompson et al., Circ. Res. 14:502 (1964); Madsen, Phys. Med. Biol. 37:1597 (1992)",
      .params = {{"peak", "mM", 0, 1e6, 1, "highest concentration"},
                 {"t0", "s", -20, 40, 0, "arrival, from that of the mean curve", {-4, -2, 0, 2, 4, 7}},
                 {"rise", "s", 0.5, 40, 6, "from arrival to peak", {3, 5, 8, 12}},
                 {"alpha", "1", 0.8, 20, 3, "shape", {1.5, 3, 6}}},
      .scale = 0,
      .design = {"t [s]"},
      .kernels = curve_kernels_gamma_variate()};
  return model;
}

}  // namespace larmor::dsc
#endif
