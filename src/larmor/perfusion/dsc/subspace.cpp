// SPDX-License-Identifier: Apache-2.0
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <larmor/perfusion/dsc/curve_table.hpp>

namespace larmor::dsc {

std::vector<float> subspace_of(std::span<const float> curves, std::size_t n, double leave, std::size_t most,
                               std::vector<double>& held) {
  const auto size = static_cast<Eigen::Index>(n);
  const std::size_t rows = curves.size() / n;
  using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Matrix unit = Eigen::Map<const Matrix>(curves.data(), static_cast<Eigen::Index>(rows), size);
  for (Eigen::Index i = 0; i < unit.rows(); ++i)
    if (const float norm = unit.row(i).norm(); norm > 0) unit.row(i) /= norm;
  const Eigen::MatrixXd products = (unit.transpose() * unit).cast<double>();
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(products);
  const Eigen::MatrixXf directions = solver.eigenvectors().rowwise().reverse().cast<float>();
  const Matrix along = unit * directions;
  // Of each row what the first k directions leave.
  held.assign(n + 1, 0.0);
  for (Eigen::Index i = 0; i < along.rows(); ++i) {
    double rest = 0;
    for (Eigen::Index k = size; k-- > 0;) {
      rest += static_cast<double>(along(i, k)) * static_cast<double>(along(i, k));
      auto& worst = held[static_cast<std::size_t>(k)];
      worst = std::max(worst, rest);
    }
  }
  std::size_t rank = 0;
  while (rank < n && held[rank] > leave) ++rank;
  rank = std::min((rank + 15) / 16 * 16, most);
  std::vector<float> out(rank * n, 0.0f);
  for (std::size_t k = 0; k < std::min(rank, n); ++k)
    for (std::size_t i = 0; i < n; ++i)
      out[k * n + i] = directions(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(k));
  return out;
}

}  // namespace larmor::dsc
