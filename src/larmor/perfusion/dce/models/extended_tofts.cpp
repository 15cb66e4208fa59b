// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/model_kernel.hpp>

namespace larmor::dce {
namespace {

// C = vp ca + Ktrans ca (x) exp(-Ktrans / ve t)
struct ExtendedTofts {
  static constexpr int n_params = 3;  // Ktrans, ve, vp
  static constexpr int n_derived = 1;
  static constexpr Term terms[] = {{Kind::delta}, {Kind::exponential}};
  static constexpr Search search{{Shape::delta}, {Shape::exponential, 0, 1}};

  template <class S>
  LARMOR_HD static void coefficients(const S* p, S* q) {
    q[0] = p[2], q[1] = p[0], q[2] = p[0] / p[1];
  }
  template <class S>
  LARMOR_HD static void derived(const S* p, S* d) {
    d[0] = p[0] / p[1];
  }
  template <class S>
  LARMOR_HD static void start(S rate1, S, S, S a1, S a2, S* p) {
    p[0] = a2, p[1] = a2 / rate1, p[2] = a1;
  }
};

}  // namespace
}  // namespace larmor::dce

LARMOR_DCE_MODEL(extended_tofts, ExtendedTofts, "dce.extended_tofts", ("etofts", "extended tofts", "etm"),
                 {.title = "Extended Tofts",
                  .source = "Tofts, JMRI 7:91 (1997); Tofts et al., JMRI 10:223 (1999)",
                  .params = {{"Ktrans", "1/s", 0.0, 5.0 / 60, 0.1 / 60, "volume transfer constant"},
                             {"ve", "1", 1e-3, 1.0, 0.2, "extravascular extracellular volume fraction"},
                             {"vp", "1", 0.0, 1.0, 0.05, "plasma volume fraction"}},
                  .derived = {{"kep", "1/s", "efflux rate constant, Ktrans / ve"}}})
