// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/model_kernel.hpp>

namespace larmor::dce {
namespace {

// C = Fp [fa ca + (1 - fa) cv] (x) exp(-Fp / vd t): liver, with hepatic artery and portal vein
struct DualInput {
  static constexpr int n_params = 3;  // Fp, fa, vd
  static constexpr int n_derived = 1;
  static constexpr Term terms[] = {{Kind::exponential, 0}, {Kind::exponential, 1}};
  static constexpr Search search{{Shape::exponential, 0, 1}, {Shape::exponential, 1, 1}};

  template <class S>
  LARMOR_HD static void coefficients(const S* p, S* q) {
    const S k = p[0] / p[2];
    q[0] = p[0] * p[1], q[1] = k;
    q[2] = p[0] * (S(1.0) - p[1]), q[3] = k;
  }
  template <class S>
  LARMOR_HD static void derived(const S* p, S* d) {
    d[0] = p[2] / p[0];
  }
  template <class S>
  LARMOR_HD static void start(S rate1, S, S, S a1, S a2, S* p) {
    p[0] = a1 + a2, p[1] = a1 / (a1 + a2), p[2] = (a1 + a2) / rate1;
  }
};

}  // namespace
}  // namespace larmor::dce

LARMOR_DCE_MODEL(dual_input, DualInput, "dce.dual_input", ("disc", "dual_input_single_compartment"),
                 {.title = "Dual-input single compartment (liver)",
                  .source = "Materne et al., MRM 47:135 (2002)",
                  .params = {{"Fp", "1/s", 1e-5, 10.0 / 60, 1.0 / 60, "total plasma inflow"},
                             {"fa", "1", 0.0, 1.0, 0.25, "arterial fraction of the inflow"},
                             {"vd", "1", 1e-3, 1.0, 0.2, "distribution volume fraction"}},
                  .n_inputs = 2,
                  .derived = {{"MTT", "s", "mean transit time, vd / Fp"}}})
