// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>

namespace larmor::dsc {
namespace {

// C = peak (u exp(1 - u))^alpha, u = (t - t0) / rise: 0 before t0, its peak at t0 + rise. By u it is alpha (1 / u - 1)
// C.
struct GammaVariate {
  static constexpr int n_params = 4, n_design = 1, n_covariates = 0;
  template <class T>
  LARMOR_INLINE static T gradient(const double* t, const T*, const T* p, T* g) {
    const T inverse = T(1.0) / p[2], one(1.0);
    const T reached = (T(t[0]) - p[1]) * inverse;
    // At 1e-9 it is 0: (1e-9)^0.8 = 6e-8 of the peak. There and before it has no slope.
    const auto before = reached <= T(1e-9);
    const T u = simd::select(before, T(1e-9), reached);
    const T shape = simd::log(u) + one - u, whole = simd::exp(p[3] * shape), C = p[0] * whole;
    const T by_time = simd::select(before, T(0.0), p[3] * (one / u - one) * C * inverse);
    g[0] = whole, g[1] = -by_time, g[2] = -(by_time * u), g[3] = shape * C;
    return C;
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
