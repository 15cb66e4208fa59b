// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/ivim/kernels/posterior_kernel.hpp>
#include <larmor/perfusion/ivim/posterior_tables.hpp>
#include <larmor/perfusion/ivim/rician.hpp>
#include <numbers>

namespace larmor::ivim {

double magnitude_variance(double A) {
  const double AA = A * A, u = AA / 4;
  const double bracket = (2 + AA) * std::cyl_bessel_i(0.0, u) + AA * std::cyl_bessel_i(1.0, u);
  return 2 + AA - std::numbers::pi / 8 * std::exp(-AA / 2) * bracket * bracket;
}

MagnitudeMoments magnitude_moments(double A) {
  const std::vector<double>& table = magnitude_variances();
  if (!(A > 0)) A = 0;
  double variance;
  if (A >= moments_top) {
    variance = 1 - 0.5 / (A * A);  // the next term, 0.5 / A^4, is 2e-5
    variance -= 0.5 / (A * A * A * A);
  } else {
    const double place = A * (moments_cells / moments_top);
    const auto i = static_cast<std::size_t>(place);
    variance = table[i] + (place - static_cast<double>(i)) * (table[i + 1] - table[i]);
  }
  return {std::sqrt(A * A + 2 - variance), variance};
}

}  // namespace larmor::ivim
