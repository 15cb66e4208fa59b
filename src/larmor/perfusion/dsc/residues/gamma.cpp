// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/dsc/residue.hpp>

namespace larmor::dsc {
namespace {

/// Regularised lower incomplete gamma function P(a, x): series below a + 1, continued fraction above.
double lower_gamma(double a, double x) {
  if (!(x > 0)) return 0;
  const double scale = std::exp(a * std::log(x) - x - std::lgamma(a));
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (int n = 1; n < 500 && term > 1e-16 * sum; ++n) term *= x / (a + n), sum += term;
    return scale * sum;
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;  // modified Lentz
  for (int i = 1; i < 500; ++i) {
    const double an = -i * (i - a);
    b += 2;
    d = an * d + b, d = std::abs(d) < 1e-300 ? 1e-300 : d;
    c = b + an / c, c = std::abs(c) < 1e-300 ? 1e-300 : c;
    d = 1 / d;
    const double factor = d * c;
    h *= factor;
    if (std::abs(factor - 1) < 1e-15) break;
  }
  return 1 - scale * h;
}

}  // namespace

void register_gamma(ResidueModels& all) {
  // Transit times have the density of a gamma distribution of mean MTT and shape k: k = 1 is the exponential residue,
  // k to infinity the box. With m = t k / MTT: R = 1 - P(k, m), and its integral from 0 to t is
  // t R + MTT P(k + 1, m).
  all.add("residue.gamma", {.title = "Gamma-distributed transit times of shape k: 1 is exponential, large k a box",
                            .source = "Mouridsen et al., NeuroImage 33:570 (2006)",
                            .shapes = {0.6, 1, 1.5, 2.5, 5, 12},
                            .mean = mean_from([](double t, double MTT, double k) {
                              const double m = t * k / MTT;
                              return t * (1 - lower_gamma(k, m)) + MTT * lower_gamma(k + 1, m);
                            })});
}

}  // namespace larmor::dsc
