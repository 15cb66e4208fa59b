// SPDX-License-Identifier: Apache-2.0
#include <larmor/perfusion/dce/model_kernel.hpp>

namespace larmor::dce {
namespace {

// C = vp ca + PS integral of ca
struct Patlak {
  static constexpr int n_params = 2;  // PS, vp
  static constexpr Term terms[] = {{Kind::delta}, {Kind::integral}};
  static constexpr Search search{{Shape::delta}, {Shape::integral}};

  template <class S>
  LARMOR_HD static void coefficients(const S* p, S* q) {
    q[0] = p[1], q[1] = p[0];
  }
  template <class S>
  LARMOR_HD static void start(S, S, S, S a1, S a2, S* p) {
    p[0] = a2, p[1] = a1;
  }
};

}  // namespace
}  // namespace larmor::dce

LARMOR_DCE_MODEL(patlak, Patlak, "dce.patlak", ("patlak_model"),
                 {.title = "Patlak",
                  .source = "Patlak, Blasberg & Fenstermacher, J Cereb Blood Flow Metab 3:1 (1983)",
                  .params = {{"PS", "1/s", 0.0, 5.0 / 60, 0.05 / 60, "permeability-surface area product"},
                             {"vp", "1", 0.0, 1.0, 0.05, "plasma volume fraction"}}})
