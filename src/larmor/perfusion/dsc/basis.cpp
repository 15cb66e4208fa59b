// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <Eigen/SVD>
#include <algorithm>
#include <cmath>
#include <complex>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/common/cubic.hpp>
#include <larmor/perfusion/dsc/basis.hpp>
#include <numbers>
#include <numeric>

namespace larmor::dsc {
namespace {

/// First column of the circulant matrix: the padded input, by the rule.
std::vector<double> circulant_column(std::span<const double> aif, double step, Rule rule) {
  const std::size_t n = aif.size(), L = 2 * n;
  std::vector<double> padded(L, 0.0), out(L);
  std::copy(aif.begin(), aif.end(), padded.begin());
  for (std::size_t i = 0; i < L; ++i)
    out[i] = step * (rule == Rule::rectangle ? padded[i]
                                             : (padded[(i + L - 1) % L] + 4 * padded[i] + padded[(i + 1) % L]) / 6);
  return out;
}

void check(std::span<const double> aif, double step) {
  if (aif.size() < 4)
    throw Error(Errc::range, fmt::format("an arterial input of {} samples", aif.size()), "give at least 4");
  if (!(step > 0) || !std::isfinite(step))
    throw Error(Errc::range, fmt::format("a time step of {} s", step), "give a step above 0");
  double size = 0;
  for (const double a : aif) {
    if (!std::isfinite(a))
      throw Error(Errc::numeric, "the arterial input has values that are not finite", "choose other voxels");
    size += std::abs(a);
  }
  if (!(size > 0)) throw Error(Errc::numeric, "the arterial input is 0", "choose other voxels");
}

Basis circulant_basis(std::span<const double> aif, double step, Rule rule, int before) {
  const std::size_t n = aif.size(), L = 2 * n;
  const auto column = circulant_column(aif, step, rule);
  struct Wave {
    std::size_t f;
    double size, angle;
  };
  std::vector<Wave> waves;
  const double turn = 2 * std::numbers::pi / static_cast<double>(L);
  for (std::size_t f = 0; f <= n; ++f) {
    std::complex<double> A = 0;
    for (std::size_t i = 0; i < L; ++i) A += column[i] * std::polar(1.0, -turn * static_cast<double>(f * i % L));
    waves.push_back({f, std::abs(A), std::arg(A)});
  }
  std::stable_sort(waves.begin(), waves.end(), [](const Wave& a, const Wave& b) { return a.size > b.size; });

  Basis b;
  b.n_data = static_cast<int>(n), b.n_residue = static_cast<int>(L), b.before = before;
  // Circulant times cos(w i + p) is |A| cos(w i + p + arg A): cosines and sines are the singular vectors.
  const auto add = [&](const Wave& w, double phase, double norm) {
    const double omega = turn * static_cast<double>(w.f);
    for (std::size_t i = 0; i < n; ++i) b.U64.push_back(norm * std::cos(omega * static_cast<double>(i) + phase));
    for (std::size_t i = 0; i < L; ++i)
      b.V64.push_back(norm *
                      std::cos(omega * (static_cast<double>(i) - static_cast<double>(before)) + phase - w.angle));
    b.s64.push_back(w.size);
  };
  for (const Wave& w : waves) {
    if (!(w.size > 1e-12 * waves[0].size)) break;  // nothing of the input is there: no data can tell
    const bool single = w.f == 0 || w.f == n;      // the mean, and the alternating one
    add(w, 0, std::sqrt((single ? 1.0 : 2.0) / static_cast<double>(L)));
    if (!single) add(w, -std::numbers::pi / 2, std::sqrt(2.0 / static_cast<double>(L)));
    b.step_end.push_back(static_cast<int>(b.s64.size()));
  }
  return b;
}

Basis causal_basis(std::span<const double> aif, double step, Rule rule) {
  const auto n = static_cast<Eigen::Index>(aif.size());
  const auto M = convolution_matrix(aif, step, Structure::causal, rule);
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::BDCSVD<Matrix> svd(Eigen::Map<const Matrix>(M.data(), n, n), Eigen::ComputeFullU | Eigen::ComputeFullV);
  Basis b;
  b.n_data = b.n_residue = static_cast<int>(n);
  const auto& s = svd.singularValues();
  for (Eigen::Index k = 0; k < n && s(k) > 1e-12 * s(0); ++k) {
    for (Eigen::Index i = 0; i < n; ++i) b.U64.push_back(svd.matrixU()(i, k));
    for (Eigen::Index i = 0; i < n; ++i) b.V64.push_back(svd.matrixV()(i, k));
    b.s64.push_back(s(k));
    b.step_end.push_back(static_cast<int>(k) + 1);
  }
  return b;
}

}  // namespace

Structure structure_of(const std::string& name) {
  if (name == "causal") return Structure::causal;
  if (name == "circulant") return Structure::circulant;
  const std::string all[] = {"causal", "circulant"};
  throw unknown_name("matrix structure", name, all);
}
Rule rule_of(const std::string& name) {
  if (name == "rectangle") return Rule::rectangle;
  if (name == "trapezoid") return Rule::trapezoid;
  const std::string all[] = {"rectangle", "trapezoid"};
  throw unknown_name("convolution rule", name, all);
}

std::vector<double> convolution_matrix(std::span<const double> aif, double step, Structure structure, Rule rule) {
  check(aif, step);
  const std::size_t n = aif.size();
  if (structure == Structure::circulant) {
    const std::size_t L = 2 * n;
    const auto column = circulant_column(aif, step, rule);
    std::vector<double> M(n * L);
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < L; ++j) M[i * L + j] = column[(i + L - j) % L];
    return M;
  }
  std::vector<double> M(n * n, 0.0);
  const auto a = [&](std::size_t i) { return i < n ? aif[i] : 0.0; };
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      const std::size_t k = i - j;
      double w = aif[k];
      if (rule == Rule::trapezoid) {
        // The residue is a sum of hats. The first one has its right half only, and of the one that ends the integral
        // the input reaches the left half only.
        const double past = k > 0 ? aif[k - 1] : 0.0;
        if (i == 0)
          w = 0;
        else if (j == 0)
          w = (past + 2 * aif[k]) / 6;
        else if (k == 0)
          w = (2 * aif[0] + a(1)) / 6;
        else
          w = (past + 4 * aif[k] + a(k + 1)) / 6;
      }
      M[i * n + j] = step * w;
    }
  return M;
}

Basis decompose(std::span<const double> aif, double step, Structure structure, Rule rule, int before) {
  check(aif, step);
  Basis b =
      structure == Structure::circulant ? circulant_basis(aif, step, rule, before) : causal_basis(aif, step, rule);
  b.structure = structure, b.step = step, b.n_modes = static_cast<int>(b.s64.size());
  b.U.assign(b.U64.begin(), b.U64.end()), b.V.assign(b.V64.begin(), b.V64.end());
  b.s.assign(b.s64.begin(), b.s64.end());
  return b;
}

std::vector<double> tissue_curve(std::span<const double> aif, double step, const ResidueModel& residue, double MTT,
                                 double shape, double delay, Rule rule) {
  const std::size_t n = aif.size();
  std::vector<double> out(n, 0.0);
  if (rule == Rule::rectangle) {
    // R at t is its mean over an instant from t on.
    std::vector<double> R(n);
    for (std::size_t j = 0; j < n; ++j) R[j] = residue.mean(step * static_cast<double>(j), 1e-6 * step, MTT, shape);
    const auto lag = static_cast<std::ptrdiff_t>(std::lround(delay / step));
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < n; ++j) {
        const std::ptrdiff_t k = static_cast<std::ptrdiff_t>(i) - static_cast<std::ptrdiff_t>(j) - lag;
        if (k >= 0 && k < static_cast<std::ptrdiff_t>(n)) out[i] += step * aif[static_cast<std::size_t>(k)] * R[j];
      }
    return out;
  }
  constexpr int fine = 16;
  const auto extra = static_cast<std::size_t>(std::ceil(std::max(0.0, -delay) / step)) + 1;
  const auto curve = fine_tissue_curve(aif, step, residue, MTT, shape, fine, extra);
  for (std::size_t i = 0; i < n; ++i) {
    const double x = fine * (static_cast<double>(i) - delay / step);
    if (x <= 0) continue;
    const auto k = static_cast<std::size_t>(x);
    const double part = x - static_cast<double>(k);
    out[i] = curve[k] * (1 - part) + curve[k + 1] * part;
  }
  return out;
}

std::vector<double> fine_tissue_curve(std::span<const double> aif, double step, const ResidueModel& residue, double MTT,
                                      double shape, int fine, std::size_t extra) {
  // Fine pieces of the residue, each its mean, against the input at the middle of the piece: second order, and a jump
  // of the residue costs nothing.
  const std::size_t n = aif.size(), f = static_cast<std::size_t>(fine), size = (n + extra) * f + 1;
  const double h = step / fine;
  std::vector<double> times(n), input(size), R(size), out(size, 0.0);
  for (std::size_t i = 0; i < n; ++i) times[i] = step * static_cast<double>(i);
  // A first pass is a few frames wide: straight lines would cut its peak, and the flow that explains the tissue would
  // come out several per cent high.
  const perfusion::CubicCurve smooth(times, aif);
  for (std::size_t i = 0; i < size; ++i) {
    input[i] = smooth.value(h * (static_cast<double>(i) + 0.5));
    R[i] = h * residue.mean(h * static_cast<double>(i), h, MTT, shape);
  }
  std::size_t used = size;
  while (used > 1 && std::abs(R[used - 1]) < 1e-9 * R[0]) --used;
  for (std::size_t i = 1; i < size; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < std::min(i, used); ++j) sum += R[j] * input[i - 1 - j];
    out[i] = sum;
  }
  return out;
}

}  // namespace larmor::dsc
