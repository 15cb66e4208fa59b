// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/dce/aif_models.hpp>
#include <numbers>

namespace larmor::dce {
namespace {

/// Cb(t) = sum_n A_n / (sigma_n sqrt(2 pi)) exp(-(t - T_n)^2 / (2 sigma_n^2)) + alpha exp(-beta t) / (1 + exp(-s (t -
/// tau))), t in minutes: equation 1 with the constants of table 1.
double parker(double t_s) {
  if (!(t_s >= 0)) return 0;
  constexpr double A1 = 0.809, T1 = 0.17046, sigma1 = 0.0563;  // mM min, min, min
  constexpr double A2 = 0.330, T2 = 0.365, sigma2 = 0.132;
  constexpr double alpha = 1.050, beta = 0.1685, s = 38.078, tau = 0.483;  // mM, 1/min, 1/min, min
  const double t = t_s / 60;
  const auto gaussian = [t](double A, double T, double sigma) {
    const double z = (t - T) / sigma;
    return A / (sigma * std::sqrt(2 * std::numbers::pi)) * std::exp(-0.5 * z * z);
  };
  return gaussian(A1, T1, sigma1) + gaussian(A2, T2, sigma2) +
         alpha * std::exp(-beta * t) / (1 + std::exp(-s * (t - tau)));
}

}  // namespace

void register_parker(AifModels& all) {
  all.add("aif.parker",
          {.title = "Parker population AIF (whole blood, 0.1 mmol/kg)",
           .source = "Parker et al., MRM 56:993 (2006), equation 1 and table 1",
           .plasma = false,
           .Hct = 0.42,
           .value = parker},
          {"parker2006"});
}

}  // namespace larmor::dce
