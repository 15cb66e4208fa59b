// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/model_kernel.hpp>

namespace larmor::dce {
namespace {

// vp dCp/dt = Fp (ca - Cp) - PS (Cp - Ce),  ve dCe/dt = PS (Cp - Ce),  C = vp Cp + ve Ce.
// Its response is Fp [(1 - E) exp(-K1 t) + E exp(-K2 t)] with K1 >= K2 the roots of K^2 - (a + b) K + b c = 0,
// a = (Fp + PS) / vp, b = PS / ve, c = Fp / vp, and E = (K1 - c) / (K1 - K2).
struct TwoCxm {
  static constexpr int n_params = 4;  // Fp, PS, ve, vp
  static constexpr int n_derived = 2;
  static constexpr Term terms[] = {{Kind::exponential}, {Kind::exponential}};
  static constexpr Search search{{Shape::exponential, 0, 1}, {Shape::exponential, 0, 2}};

  template <class S>
  LARMOR_HD static void coefficients(const S* p, S* q) {
    using simd::sqrt;
    const S &Fp = p[0], &PS = p[1], &ve = p[2], &vp = p[3];
    const S a = (Fp + PS) / vp, b = PS / ve, c = Fp / vp;
    // (a + b)^2 - 4 b c, written as a sum of squares and products of what is not negative: no cancellation. The last
    // term keeps the root differentiable where both vanish.
    const S gap = a - b;
    const S root = sqrt(gap * gap + S(4.0) * b * (PS / vp) + S(1e-24));
    const S K1 = S(0.5) * (a + b + root);
    const S K2 = b * c / K1;
    const S E = (K1 - c) / root;
    q[0] = Fp * (S(1.0) - E), q[1] = K1;
    q[2] = Fp * E, q[3] = K2;
  }
  template <class S>
  LARMOR_HD static void derived(const S* p, S* d) {
    d[0] = p[1] / (p[1] + p[0]), d[1] = (p[3] + p[2]) / p[0];
  }
  // From the response back to the parameters: Fp = A1 + A2, c = Fp^-1 (A1 K1 + A2 K2), b = K1 K2 / c.
  template <class S>
  LARMOR_HD static void start(S rate1, S rate2, S, S a1, S a2, S* p) {
    if (!(a1 > 0) || !(a2 > 0)) {  // a single exponential: split it, so that no parameter starts without a gradient
      const S a = a1 + a2, k = a1 > 0 ? rate1 : rate2;
      a1 = S(0.7) * a, rate1 = S(1.5) * k;
      a2 = S(0.3) * a, rate2 = S(0.4) * k;
    }
    const S Fp = a1 + a2;
    const S c = (a1 * rate1 + a2 * rate2) / Fp;
    const S b = rate1 * rate2 / c;
    const S a = rate1 + rate2 - b;
    const S vp = Fp / c;
    const S PS = a * vp - Fp;
    p[0] = Fp, p[1] = PS, p[2] = PS / b, p[3] = vp;
  }
};

}  // namespace
}  // namespace larmor::dce

LARMOR_DCE_MODEL(2cxm, TwoCxm, "dce.2cxm", ("two_compartment_exchange", "2cx", "tcxm"),
                 {.title = "Two-compartment exchange (2CXM)",
                  .source = "Brix et al., MRM 52:420 (2004); Sourbron & Buckley, Phys Med Biol 57:R1 (2012)",
                  .params = {{"Fp", "1/s", 1e-5, 10.0 / 60, 0.3 / 60, "plasma flow"},
                             {"PS", "1/s", 0.0, 5.0 / 60, 0.05 / 60, "permeability-surface area product"},
                             {"ve", "1", 1e-3, 1.0, 0.2, "extravascular extracellular volume fraction"},
                             {"vp", "1", 1e-3, 1.0, 0.05, "plasma volume fraction"}},
                  .derived = {{"E", "1", "extraction fraction, PS / (PS + Fp)"},
                              {"MTT", "s", "mean transit time, (vp + ve) / Fp"}}})
