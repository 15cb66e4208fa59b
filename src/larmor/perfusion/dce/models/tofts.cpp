// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/model_kernel.hpp>

namespace larmor::dce {
namespace {

// C = Ktrans ca (x) exp(-Ktrans / ve t)
struct Tofts {
  static constexpr int n_params = 2;  // Ktrans, ve
  static constexpr int n_derived = 1;
  static constexpr Term terms[] = {{Kind::exponential}};
  static constexpr Search search{{Shape::exponential, 0, 1}, {}};

  template <class S>
  LARMOR_HD static void coefficients(const S* p, S* q) {
    q[0] = p[0], q[1] = p[0] / p[1];
  }
  template <class S>
  LARMOR_HD static void derived(const S* p, S* d) {
    d[0] = p[0] / p[1];
  }
  template <class S>
  LARMOR_HD static void start(S rate1, S, S, S a1, S, S* p) {
    p[0] = a1, p[1] = a1 / rate1;
  }
};

}  // namespace
}  // namespace larmor::dce

LARMOR_DCE_MODEL(tofts, Tofts, "dce.tofts", ("standard_tofts", "tofts_kety"),
                 {.title = "Tofts (Kety)",
                  .source = "Tofts et al., JMRI 10:223 (1999)",
                  .params = {{"Ktrans", "1/s", 0.0, 5.0 / 60, 0.1 / 60, "volume transfer constant"},
                             {"ve", "1", 1e-3, 1.0, 0.2, "extravascular extracellular volume fraction"}},
                  .derived = {{"kep", "1/s", "efflux rate constant, Ktrans / ve"}}})
