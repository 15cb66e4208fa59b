// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/recon/parallel/unfold.hpp>

namespace larmor::recon {

bool Unfolding::factorise(std::size_t n, double l2) {
  double largest = l2;
  for (std::size_t i = 0; i < n; ++i) largest = std::max(largest, M_[i + n * i].real());
  for (std::size_t j = 0; j < n; ++j)
    for (std::size_t i = j; i < n; ++i) {
      C s = M_[i + n * j] + (i == j ? l2 : 0.0);
      for (std::size_t k = 0; k < j; ++k) s -= L_[i + n * k] * std::conj(L_[j + n * k]);
      if (i > j) {
        L_[i + n * j] = s / L_[j + n * j];
        continue;
      }
      // Sensitivities are single precision: less is rounding.
      if (!(s.real() > 1e-7 * largest)) return false;
      L_[j + n * j] = std::sqrt(s.real());
    }
  return true;
}

void Unfolding::backsolve(std::vector<C>& b, std::size_t n) const {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= L_[i + n * k] * b[k];
    b[i] /= L_[i + n * i].real();
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= std::conj(L_[k + n * i]) * b[k];
    b[i] /= L_[i + n * i].real();
  }
}

bool Unfolding::solve(const std::vector<C>& E, const std::vector<C>& a, std::size_t n, double l2, std::vector<C>& m,
                      std::vector<double>& g) {
  const std::size_t coils = a.size();
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      C s;
      for (std::size_t c = 0; c < coils; ++c) s += std::conj(E[c + coils * i]) * E[c + coils * j];
      M_[i + n * j] = s, M_[j + n * i] = std::conj(s);
    }
    right_[i] = 0;
    for (std::size_t c = 0; c < coils; ++c) right_[i] += std::conj(E[c + coils * i]) * a[c];
  }
  if (!factorise(n, l2)) return false;
  m.assign(right_.begin(), right_.begin() + static_cast<std::ptrdiff_t>(n));
  backsolve(m, n);
  for (std::size_t j = 0; j < n; ++j) {
    // Entry j of the estimator's covariance, Q M Q with Q = (M + l2)^-1.
    column_.assign(n, C{});
    column_[j] = 1;
    backsolve(column_, n);
    C variance = column_[j];
    if (l2 > 0) {
      variance = 0;
      for (std::size_t p = 0; p < n; ++p)
        for (std::size_t q = 0; q < n; ++q) variance += std::conj(column_[p]) * M_[p + n * q] * column_[q];
    }
    g[j] = std::sqrt(std::max(0.0, variance.real() * M_[j + n * j].real()));
  }
  return true;
}

}  // namespace larmor::recon
