// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/model_kernel.hpp>

namespace larmor::dce {
namespace {

// 2CXM without return from the interstitium: response Fp [(1 - E) exp(-K t) + E], E = PS / (Fp + PS), K = (Fp + PS) /
// vp
struct TwoCum {
  static constexpr int n_params = 3;  // Fp, PS, vp
  static constexpr int n_derived = 2;
  static constexpr Term terms[] = {{Kind::exponential}, {Kind::integral}};
  static constexpr Search search{{Shape::exponential, 0, 1}, {Shape::integral}};

  template <class S>
  LARMOR_HD static void coefficients(const S* p, S* q) {
    const S &Fp = p[0], &PS = p[1], &vp = p[2];
    const S out = Fp + PS;
    const S flow_share = Fp / out;
    q[0] = Fp * flow_share, q[1] = out / vp;
    q[2] = PS * flow_share;
  }
  template <class S>
  LARMOR_HD static void derived(const S* p, S* d) {
    d[0] = p[1] / (p[1] + p[0]), d[1] = p[2] / (p[0] + p[1]);
  }
  template <class S>
  LARMOR_HD static void start(S rate1, S, S, S a1, S a2, S* p) {
    if (!(a1 > 0)) a1 = a2;
    p[0] = a1 + a2, p[1] = p[0] * a2 / a1, p[2] = (p[0] + p[1]) / rate1;
  }
};

}  // namespace
}  // namespace larmor::dce

LARMOR_DCE_MODEL(2cum, TwoCum, "dce.2cum", ("two_compartment_uptake", "2cu", "tcum"),
                 {.title = "Two-compartment uptake (2CUM)",
                  .source = "Pradel et al., MRM 49:692 (2003); Sourbron, NMR Biomed 26:1004 (2013)",
                  .params = {{"Fp", "1/s", 1e-5, 10.0 / 60, 0.3 / 60, "plasma flow"},
                             {"PS", "1/s", 0.0, 5.0 / 60, 0.05 / 60, "permeability-surface area product"},
                             {"vp", "1", 1e-3, 1.0, 0.05, "plasma volume fraction"}},
                  .derived = {{"E", "1", "extraction fraction, PS / (PS + Fp)"},
                              {"MTT", "s", "plasma mean transit time, vp / (Fp + PS)"}}})
