// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dsc/curve_table.hpp>
#include <numeric>

namespace larmor::dsc {
namespace {

constexpr int max_params = max_residue_params;

/// Inverse of a symmetric positive matrix (lower triangle by rows) of n rows, scaled to a diagonal of 1 meanwhile.
/// False when its rows are not independent.
bool inverted(const double* A, int n, double* inverse) {
  double L[max_params][max_params] = {}, scale[max_params];  // with the inverses on its diagonal
  for (int i = 0; i < n; ++i) {
    const double diagonal = A[i * (i + 1) / 2 + i];
    if (!(diagonal > 0)) return false;
    scale[i] = 1 / std::sqrt(diagonal);
  }
  for (int i = 0; i < n; ++i)
    for (int j = 0; j <= i; ++j) {
      double sum = A[i * (i + 1) / 2 + j] * scale[i] * scale[j];
      for (int k = 0; k < j; ++k) sum -= L[i][k] * L[j][k];
      if (i == j && !(sum > 1e-9)) return false;
      L[i][j] = i == j ? 1 / std::sqrt(sum) : sum * L[j][j];
    }
  for (int column = 0; column < n; ++column) {
    double y[max_params] = {};
    y[column] = 1;
    for (int i = 0; i < n; ++i) {
      for (int k = 0; k < i; ++k) y[i] -= L[i][k] * y[k];
      y[i] *= L[i][i];
    }
    for (int i = n; i-- > 0;) {
      for (int k = i + 1; k < n; ++k) y[i] -= L[k][i] * y[k];
      y[i] *= L[i][i];
    }
    for (int i = column; i < n; ++i) inverse[i * (i + 1) / 2 + column] = y[i] * scale[i] * scale[column];
  }
  return true;
}

double dot(const float* a, const float* b, std::size_t n) {
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

CurveTable::CurveTable(const ResidueModel& model, std::span<const double> aif, double step, double earliest,
                       double latest)
    : n_frames_(aif.size()), shapes_(model.shapes) {
  // Delays of a quarter of a frame, transit times 9 % apart: between them the tangents are exact to 0.1 %.
  view_.earliest = earliest, view_.delay_step = 0.25 * step;
  view_.first_log_MTT = std::log(0.5), view_.log_step = 0.087;
  view_.n[0] = 48, view_.n[1] = static_cast<int>(std::ceil((latest - earliest) / view_.delay_step)) + 1;
  view_.n[2] = static_cast<int>(shapes_.size());
  view_.n_params = shapes_.size() > 1 ? 4 : 3;
  const auto full = full_curves(model, aif, step);
  project(full);
  invert();
  choose_coarse();
  view_.curves = curves_.data(), view_.inverse = inverse_.data(), view_.norm2 = norm2_.data();
  view_.ones = ones_.data(), view_.shapes = shapes_.data(), view_.coarse_node = coarse_nodes_.data();
}

std::vector<float> CurveTable::full_curves(const ResidueModel& model, std::span<const double> aif, double step) {
  constexpr int fine = 8;
  const int n_MTT = view_.n[0], n_delays = view_.n[1], n_shapes = view_.n[2];
  norm2_.resize(static_cast<std::size_t>(n_MTT) * static_cast<std::size_t>(n_delays) *
                static_cast<std::size_t>(n_shapes));
  std::vector<float> curves(norm2_.size() * n_frames_);
  const auto extra = static_cast<std::size_t>(std::ceil(-view_.earliest / step)) + 2;
  parallel_for(static_cast<std::size_t>(n_MTT * n_shapes), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k) {
      const int m = static_cast<int>(k) % n_MTT, s = static_cast<int>(k) / n_MTT;
      const double MTT = std::exp(view_.first_log_MTT + view_.log_step * m);
      const auto curve = fine_tissue_curve(aif, step, model, MTT, shapes_[static_cast<std::size_t>(s)], fine, extra);
      for (int d = 0; d < n_delays; ++d) {
        const double delay = view_.earliest + view_.delay_step * d;
        float* to = curves.data() + static_cast<std::size_t>((s * n_delays + d) * n_MTT + m) * n_frames_;
        for (std::size_t i = 0; i < n_frames_; ++i) {
          const double x = fine * (static_cast<double>(i) - delay / step);
          const auto j = static_cast<std::ptrdiff_t>(std::lround(std::floor(x)));
          const double part = x - static_cast<double>(j);
          const auto u = static_cast<std::size_t>(std::max<std::ptrdiff_t>(j, 0));
          to[i] = x <= 0 ? 0.0f : static_cast<float>(curve[u] * (1 - part) + curve[u + 1] * part);
        }
      }
    }
  });
  return curves;
}

void CurveTable::project(const std::vector<float>& full) {
  // A tenth of the curves spans them all: neighbours differ by little.
  std::vector<float> some;
  for (std::size_t k = 0; k < nodes(); k += 7)
    some.insert(some.end(), full.begin() + static_cast<std::ptrdiff_t>(k * n_frames_),
                full.begin() + static_cast<std::ptrdiff_t>((k + 1) * n_frames_));
  std::vector<double> held;
  basis_ = subspace_of(some, n_frames_, 1e-6, max_residue_rank, held);
  const std::size_t rank = basis_.size() / n_frames_;
  left_out_ = held[std::min(rank, n_frames_)];
  // To choose a place to begin, a twentieth of the norm may be missing.
  std::size_t scan = 0;
  while (scan < std::min(rank, n_frames_) && held[scan] > 2.5e-3) ++scan;
  view_.rank = static_cast<int>(rank), view_.scan_rank = static_cast<int>(scan);
  curves_.assign(nodes() * rank, 0.0f);
  parallel_for(nodes(), 64, [&](std::size_t begin, std::size_t end) {
    for (std::size_t k = begin; k < end; ++k)
      for (std::size_t j = 0; j < rank; ++j)
        curves_[k * rank + j] =
            static_cast<float>(dot(full.data() + k * n_frames_, basis_.data() + j * n_frames_, n_frames_));
  });
  ones_.assign(rank, 0.0f);
  for (std::size_t j = 0; j < rank; ++j)
    for (std::size_t i = 0; i < n_frames_; ++i) ones_[j] += basis_[j * n_frames_ + i];
}

void CurveTable::invert() {
  const auto rank = static_cast<std::size_t>(view_.rank);
  const int P = view_.n_params;
  inverse_.assign(nodes() * 10, 0.0);
  parallel_for(nodes(), 64, [&](std::size_t begin, std::size_t end) {
    std::vector<float> row[max_params];
    for (auto& r : row) r.resize(rank);
    for (std::size_t node = begin; node < end; ++node) {
      const auto index = static_cast<int>(node);
      const int at[] = {index % view_.n[0], index / view_.n[0] % view_.n[1], index / view_.n[0] / view_.n[1]};
      const int apart[] = {1, view_.n[0], view_.n[0] * view_.n[1]};
      std::copy_n(curves_.data() + node * rank, rank, row[0].begin());
      for (int axis = 0; axis + 1 < P; ++axis) {
        const int up = at[axis] + 1 < view_.n[axis], down = at[axis] > 0;
        const float* high = curves_.data() + static_cast<std::size_t>(index + up * apart[axis]) * rank;
        const float* low = curves_.data() + static_cast<std::size_t>(index - down * apart[axis]) * rank;
        for (std::size_t j = 0; j < rank; ++j)
          row[axis + 1][j] = (high[j] - low[j]) / static_cast<float>(std::max(1, up + down));
      }
      double products[10] = {};
      for (int i = 0; i < P; ++i)
        for (int j = 0; j <= i; ++j) products[i * (i + 1) / 2 + j] = dot(row[i].data(), row[j].data(), rank);
      norm2_[node] = products[0];
      if (!inverted(products, P, inverse_.data() + node * 10)) inverse_[node * 10] = 0;
    }
  });
}

void CurveTable::choose_coarse() {
  // Every fourth transit time, a frame of delay, every second shape; of unit norm, in blocks of 8.
  for (int s = view_.n_params > 3 ? 1 : 0; s < view_.n[2]; s += 2)
    for (int d = 2; d < view_.n[1]; d += 4)
      for (int m = 2; m < view_.n[0]; m += 4) {
        const int node = (s * view_.n[1] + d) * view_.n[0] + m;
        if (norm2_[static_cast<std::size_t>(node)] > 0) coarse_nodes_.push_back(node);
      }
  const auto rank = static_cast<std::size_t>(view_.rank), scan = static_cast<std::size_t>(view_.scan_rank);
  coarse_.assign((coarse_nodes_.size() + 7) / 8 * 8 * scan, 0.0f);
  coarse_norms_.assign(coarse_nodes_.size(), 1.0f);
  for (std::size_t k = 0; k < coarse_nodes_.size(); ++k) {
    const float* c = curves_.data() + static_cast<std::size_t>(coarse_nodes_[k]) * rank;
    const double norm = std::sqrt(dot(c, c, scan));
    for (std::size_t i = 0; i < scan; ++i)
      coarse_[(k / 8 * scan + i) * 8 + k % 8] = norm > 0 ? static_cast<float>(static_cast<double>(c[i]) / norm) : 0.0f;
  }
  view_.coarse = {.n = static_cast<int>(coarse_nodes_.size()),
                  .curves = coarse_.data(),
                  .norm = coarse_norms_.data(),
                  .params = nullptr,
                  .scale = 0,
                  .scale_too = 0,
                  .nonnegative = true,
                  .n_second = 0,
                  .second_curves = nullptr,
                  .second_norm = nullptr,
                  .second_params = nullptr,
                  .overlap = nullptr,
                  .second_scale = -1,
                  .second_of = 0};
}

}  // namespace larmor::dsc
