// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/model_kernel.hpp>

namespace larmor::dce {
namespace {

// Response Fp for t < Tc, then E Fp exp(-E Fp / ve (t - Tc)), with Tc = vp / Fp and E = 1 - exp(-PS / Fp)
struct Aath {
  static constexpr int n_params = 4;  // Fp, PS, ve, vp
  static constexpr int n_derived = 2;
  static constexpr Term terms[] = {{Kind::integral}, {Kind::integral, 0, true}, {Kind::exponential, 0, true}};
  static constexpr Search search{{Shape::box}, {Shape::exponential, 0, 1, true}};

  template <class S>
  LARMOR_HD static void coefficients(const S* p, S* q) {
    using simd::exp;
    const S &Fp = p[0], &PS = p[1], &ve = p[2], &vp = p[3];
    const S EFp = Fp * (S(1.0) - exp(-(PS / Fp)));
    q[0] = Fp, q[1] = -Fp;
    q[2] = EFp, q[3] = EFp / ve;
    q[4] = vp / Fp;
  }
  template <class S>
  LARMOR_HD static void derived(const S* p, S* d) {
    d[0] = S(1.0) - simd::exp(-(p[1] / p[0])), d[1] = p[3] / p[0];
  }
  template <class S>
  LARMOR_HD static void start(S rate1, S, S lag, S a1, S a2, S* p) {
    S E = a2 / (a1 + S(1e-12));
    if (E > S(0.95)) E = S(0.95);
    p[0] = a1, p[1] = -a1 * simd::log(S(1.0) - E), p[2] = a2 / rate1, p[3] = a1 * lag;
  }
};

}  // namespace
}  // namespace larmor::dce

LARMOR_DCE_MODEL(aath, Aath, "dce.aath", ("adiabatic_tissue_homogeneity", "aathm"),
                 {.title = "Adiabatic approximation to tissue homogeneity (AATH)",
                  .source = "St. Lawrence & Lee, J Cereb Blood Flow Metab 18:1365 (1998)",
                  .params = {{"Fp", "1/s", 1e-4, 10.0 / 60, 0.3 / 60, "plasma flow"},
                             {"PS", "1/s", 0.0, 5.0 / 60, 0.05 / 60, "permeability-surface area product"},
                             {"ve", "1", 1e-3, 1.0, 0.2, "extravascular extracellular volume fraction"},
                             {"vp", "1", 1e-3, 1.0, 0.05, "plasma volume fraction"}},
                  .derived = {{"E", "1", "extraction fraction, 1 - exp(-PS / Fp)"},
                              {"Tc", "s", "capillary transit time, vp / Fp"}}})
