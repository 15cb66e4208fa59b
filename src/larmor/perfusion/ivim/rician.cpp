// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/ivim/rician.hpp>
#include <numbers>
#include <vector>

namespace larmor::ivim {
namespace {

double xi(double A) {
  const double AA = A * A, u = AA / 4;
  const double bracket = (2 + AA) * std::cyl_bessel_i(0.0, u) + AA * std::cyl_bessel_i(1.0, u);
  return 2 + AA - std::numbers::pi / 8 * std::exp(-AA / 2) * bracket * bracket;
}

constexpr double top = 12.0;
constexpr int cells = 4096;  // linear: an eighth of the curvature (below 0.5) times the cell squared is 5e-7

}  // namespace

MagnitudeMoments magnitude_moments(double A) {
  static const std::vector<double> table = [] {
    std::vector<double> t;
    for (int i = 0; i <= cells; ++i) t.push_back(xi(top * i / cells));
    return t;
  }();
  if (!(A > 0)) A = 0;
  double variance;
  if (A >= top) {
    variance = 1 - 0.5 / (A * A);  // the next term, 0.5 / A^4, is 2e-5
    variance -= 0.5 / (A * A * A * A);
  } else {
    const double place = A * (cells / top);
    const auto i = static_cast<std::size_t>(place);
    variance = table[i] + (place - static_cast<double>(i)) * (table[i + 1] - table[i]);
  }
  return {std::sqrt(A * A + 2 - variance), variance};
}

}  // namespace larmor::ivim
