// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/dce/aif_models.hpp>

namespace larmor::dce {
namespace {

/// Model B: (A1 + A2) t / t0 up to t0, then A1 exp(-k1 (t - t0)) + A2 exp(-k2 (t - t0)): equation 5, table 1. Whole
/// blood of rats.
double mcgrath_b(double t) {
  if (!(t >= 0)) return 0;
  constexpr double A1 = 3.4, A2 = 1.81, k1 = 0.045, k2 = 0.0015, t0 = 7;  // mM, mM, 1/s, 1/s, s
  if (t <= t0) return (A1 + A2) * t / t0;
  return A1 * std::exp(-k1 * (t - t0)) + A2 * std::exp(-k2 * (t - t0));
}

}  // namespace

void register_mcgrath_b(AifModels& all) {
  all.add("aif.mcgrath_b",
          {.title = "McGrath preclinical AIF, model B (whole blood, rat)",
           .source = "McGrath et al., MRM 61:1173 (2009), equation 5 and table 1",
           .plasma = false,
           .Hct = 0.42,
           .value = mcgrath_b,
           .preclinical = true},
          {"mcgrath", "mcgrath2009"});
}

}  // namespace larmor::dce
