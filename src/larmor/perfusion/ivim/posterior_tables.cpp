// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/perfusion/ivim/kernels/posterior_kernel.hpp>
#include <larmor/perfusion/ivim/posterior_tables.hpp>
#include <larmor/perfusion/ivim/rician.hpp>

namespace larmor::ivim {
namespace {

constexpr double density0 = 0.39894228040143268;  // 1 / sqrt(2 pi)

/// Density over share of the tail above t: by Laplace's continued fraction where the tail is too small for erfc.
double hazard(double t) {
  if (t < 6) return density0 * std::exp(-t * t / 2) / (0.5 * std::erfc(t / std::sqrt(2.0)));
  double h = t;
  for (int n = 80; n > 0; --n) h = t + n / h;
  return h;
}

}  // namespace

const std::vector<double>& magnitude_variances() {
  static const std::vector<double> table = [] {
    std::vector<double> t;
    for (int i = 0; i <= moments_cells; ++i) t.push_back(magnitude_variance(moments_top * i / moments_cells));
    return t;
  }();
  return table;
}

const std::vector<double>& cut_table() {
  static const std::vector<double> table = [] {
    std::vector<double> rows;
    for (int i = 0; i < cut_places; ++i) {
      const double t = cut_first + cut_step * i, h = hazard(t);
      double share, first, second;
      if (t > 0) {
        share = density0 / h;
        first = t * share - density0, second = share + t * first;
      } else {
        const double density = density0 * std::exp(-t * t / 2);
        share = density / h;
        first = -density, second = t * density;
      }
      rows.insert(rows.end(), {share, h, first, second, 0, 0, 0, 0});
    }
    return rows;
  }();
  return table;
}

}  // namespace larmor::ivim
