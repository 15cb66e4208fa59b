// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/dce/aif_models.hpp>

namespace larmor::dce {
namespace {

/// Cp(t) = D [a1 exp(-m1 t) + a2 exp(-m2 t)], t in minutes, D = 0.1 mmol/kg. Plasma.
double weinmann(double t_s) {
  if (!(t_s >= 0)) return 0;
  constexpr double D = 0.1, a1 = 3.99, a2 = 4.78, m1 = 0.144, m2 = 0.0111;  // mmol/kg, kg/L, kg/L, 1/min, 1/min
  const double t = t_s / 60;
  return D * (a1 * std::exp(-m1 * t) + a2 * std::exp(-m2 * t));
}

}  // namespace

void register_weinmann(AifModels& all) {
  all.add("aif.weinmann",
          {.title = "Weinmann bi-exponential AIF (plasma, 0.1 mmol/kg)",
           .source = "Weinmann et al., Physiol Chem Phys Med NMR 16:167 (1984); parameters of Tofts & Kermode, MRM "
                     "17:357 (1991)",
           .plasma = true,
           .Hct = 0.42,
           .value = weinmann},
          {"weinmann1984", "tofts_kermode"});
}

}  // namespace larmor::dce
