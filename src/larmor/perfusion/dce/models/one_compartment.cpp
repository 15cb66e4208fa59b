// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/model_kernel.hpp>

namespace larmor::dce {
namespace {

// C = Fp ca (x) exp(-Fp / vp t)
struct OneCompartment {
  static constexpr int n_params = 2;  // Fp, vp
  static constexpr int n_derived = 1;
  static constexpr Term terms[] = {{Kind::exponential}};
  static constexpr Search search{{Shape::exponential, 0, 1}, {}};

  template <class S>
  LARMOR_HD static void coefficients(const S* p, S* q) {
    q[0] = p[0], q[1] = p[0] / p[1];
  }
  template <class S>
  LARMOR_HD static void derived(const S* p, S* d) {
    d[0] = p[1] / p[0];
  }
  template <class S>
  LARMOR_HD static void start(S rate1, S, S, S a1, S, S* p) {
    p[0] = a1, p[1] = a1 / rate1;
  }
};

}  // namespace
}  // namespace larmor::dce

LARMOR_DCE_MODEL(one_compartment, OneCompartment, "dce.one_compartment", ("1c", "one_compartment_model"),
                 {.title = "One compartment (plasma)",
                  .source = "Sourbron & Buckley, Phys Med Biol 57:R1 (2012)",
                  .params = {{"Fp", "1/s", 1e-5, 10.0 / 60, 0.3 / 60, "plasma flow"},
                             {"vp", "1", 1e-3, 1.0, 0.1, "volume fraction of the compartment"}},
                  .derived = {{"MTT", "s", "mean transit time, vp / Fp"}}})
