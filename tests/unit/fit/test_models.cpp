// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set.
#include <larmor/fit/curve_model_kernel.hpp>

namespace larmor::fit::test {
namespace {

struct Decay {
  static constexpr int n_params = 3, n_design = 1, n_covariates = 0;
  template <class S, class T>
  LARMOR_HD static S signal(const double* x, const T*, const S* p) {
    return p[0] * exp(p[1] * S(T(-x[0]))) + p[2];
  }
};
struct DecayByHand : Decay {
  template <class T>
  LARMOR_HD static T gradient(const double* x, const T*, const T* p, T* g) {
    const T e = simd::exp(p[1] * T(-x[0]));
    g[0] = e, g[1] = p[0] * e * T(-x[0]), g[2] = T(1.0);
    return p[0] * e + p[2];
  }
};
struct Line {
  static constexpr int n_params = 2, n_design = 1, n_covariates = 1;
  template <class S, class T>
  LARMOR_HD static S signal(const double* x, const T* covariates, const S* p) {
    return p[0] * S(covariates[0]) + p[1] * S(T(x[0]));
  }
};

}  // namespace
}  // namespace larmor::fit::test

LARMOR_CURVE_MODEL(larmor::fit::test, decay, Decay)
LARMOR_CURVE_MODEL(larmor::fit::test, decay_by_hand, DecayByHand)
LARMOR_CURVE_MODEL(larmor::fit::test, line, Line)

#if defined(LARMOR_ISA_baseline)
#include "test_models.hpp"
namespace larmor::fit::test {

static CurveModel decay_of(const CurveModelKernels* kernels) {
  return {.title = "decay",
          .source = "test",
          .params = {{"A", "1", 0, 1e6, 1, "amplitude"},
                     {"R", "1/s", 0.01, 50, 1, "rate", {0.05, 0.2, 0.8, 3, 12, 40}},
                     {"C", "1", -1e6, 1e6, 0, "offset"}},
          .scale = 0,
          .design = {"t [s]"},
          .kernels = kernels};
}
CurveModel decay() { return decay_of(curve_kernels_decay()); }
CurveModel decay_by_hand() { return decay_of(curve_kernels_decay_by_hand()); }
CurveModel line() {
  return {.title = "line",
          .source = "test",
          .params = {{"a", "1", -100, 100, 1, "level"}, {"b", "1/s", -100, 100, 1, "slope"}},
          .design = {"t [s]"},
          .covariates = {"s"},
          .kernels = curve_kernels_line()};
}

}  // namespace larmor::fit::test
#endif
