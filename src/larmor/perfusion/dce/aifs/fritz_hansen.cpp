// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/dce/aif_models.hpp>

namespace larmor::dce {
namespace {

/// Cp(t) = 2.4 exp(-3.0 t) + 0.62 exp(-0.016 t) [mM], t in minutes after a bolus of 0.1 mmol/kg: the bi-exponential
/// (24 and 6.2 kg/L times the dose) that the literature fits to the measured curves. Plasma.
double fritz_hansen(double t_s) {
  if (!(t_s >= 0)) return 0;
  const double t = t_s / 60;
  return 2.4 * std::exp(-3.0 * t) + 0.62 * std::exp(-0.016 * t);
}

}  // namespace

void register_fritz_hansen(AifModels& all) {
  all.add(
      "aif.fritz_hansen",
      {.title = "Fritz-Hansen bi-exponential AIF (plasma, 0.1 mmol/kg)",
       .source = "Fritz-Hansen et al., MRM 36:225 (1996); parameters of Whitcher & Schmid, J Stat Softw 44:5 (2011)",
       .plasma = true,
       .Hct = 0.42,
       .value = fritz_hansen},
      {"fritzhansen", "fritz-hansen"});
}

}  // namespace larmor::dce
