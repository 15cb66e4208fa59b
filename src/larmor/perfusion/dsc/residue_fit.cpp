// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dsc/kernels/deconvolution_kernel.hpp>
#include <larmor/perfusion/dsc/kernels/scan_kernel.hpp>
#include <larmor/perfusion/dsc/residue_fit.hpp>
#include <numeric>

namespace larmor::dsc {
namespace {

constexpr int max_params = 4;  // flow, transit time, delay, shape
using Row = std::array<double, max_params>;
using Matrix = std::array<Row, max_params>;
using Node = std::array<int, 3>;  // index of transit time, delay, shape

float dot(const float* a, const float* b, std::size_t n) {
  typedef float four __attribute__((vector_size(16)));
  const auto load = [](const float* p) {
    four v;
    std::memcpy(&v, p, sizeof v);
    return v;
  };
  four one{}, two{};
  std::size_t i = 0;
  for (; i + 8 <= n; i += 8) one += load(a + i) * load(b + i), two += load(a + i + 4) * load(b + i + 4);
  one += two;
  float sum = (one[0] + one[1]) + (one[2] + one[3]);
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

/// Tissue curves of flow 1 over a grid of transit times (even in the logarithm), delays and shapes.
class CurveTable {
 public:
  CurveTable(const ResidueModel& model, std::span<const double> aif, double step, double earliest, double latest)
      : n_data_(aif.size()), step_(step), earliest_(earliest), shapes_(model.shapes) {
    // Delays of a quarter of a frame, transit times 9 % apart: between them the tangents are exact to 0.1 %.
    constexpr int fine = 8;
    n_ = {48, static_cast<int>(std::ceil((latest - earliest) / delay_step())) + 1, static_cast<int>(shapes_.size())};
    const auto extra = static_cast<std::size_t>(std::ceil(-earliest / step)) + 2;
    curves_.resize(static_cast<std::size_t>(n_[0]) * static_cast<std::size_t>(n_[1]) * static_cast<std::size_t>(n_[2]) *
                   n_data_);
    parallel_for(static_cast<std::size_t>(n_[0] * n_[2]), 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) {
        const int m = static_cast<int>(k) % n_[0], s = static_cast<int>(k) / n_[0];
        const auto curve =
            fine_tissue_curve(aif, step, model, MTT(m), shapes_[static_cast<std::size_t>(s)], fine, extra);
        for (int d = 0; d < n_[1]; ++d) {
          float* to = curves_.data() + at({m, d, s}) * n_data_;
          for (std::size_t i = 0; i < n_data_; ++i) {
            const double x = fine * (static_cast<double>(i) - delay(d) / step);
            const auto j = static_cast<std::ptrdiff_t>(std::lround(std::floor(x)));
            const double part = x - static_cast<double>(j);
            const auto u = static_cast<std::size_t>(std::max<std::ptrdiff_t>(j, 0));
            to[i] = x <= 0 ? 0.0f : static_cast<float>(curve[u] * (1 - part) + curve[u + 1] * part);
          }
        }
      }
    });
    products_.assign(curves_.size() / n_data_ * 10, 0.0);
    parallel_for(static_cast<std::size_t>(n_[1] * n_[2]), 1, [&](std::size_t begin, std::size_t end) {
      std::vector<float> rows[max_params];
      for (auto& r : rows) r.resize(n_data_);
      for (std::size_t k = begin; k < end; ++k)
        for (int m = 0; m < n_[0]; ++m) {
          const Node node{m, static_cast<int>(k) % n_[1], static_cast<int>(k) / n_[1]};
          tangents(node, rows);
          double* to = products_.data() + at(node) * 10;
          for (int i = 0; i < n_params(); ++i)
            for (int j = 0; j <= i; ++j)
              to[i * (i + 1) / 2 + j] = static_cast<double>(dot(rows[i].data(), rows[j].data(), n_data_));
        }
    });
  }
  /// The curve at a node and its tangents, one a row.
  void tangents(const Node& node, std::vector<float>* rows) const {
    std::copy_n(curve(node), n_data_, rows[0].begin());
    for (int axis = 0; axis + 1 < n_params(); ++axis) {
      const Slope s = slope(node, axis);
      for (std::size_t i = 0; i < n_data_; ++i) rows[axis + 1][i] = s.scale * (s.high[i] - s.low[i]);
    }
  }
  /// Products of the curve at a node and its tangents by the grid's coordinates, lower triangle by rows.
  const double* products(const Node& k) const { return products_.data() + at(k) * 10; }
  /// The curves whose difference, times the scale, is the tangent along an axis.
  struct Slope {
    const float *high, *low;
    float scale;
  };
  Slope slope(Node node, int axis) const {
    const auto a = static_cast<std::size_t>(axis);
    Node up = node, down = node;
    up[a] = std::min(up[a] + 1, n_[a] - 1), down[a] = std::max(down[a] - 1, 0);
    return {curve(up), curve(down), 1.0f / static_cast<float>(std::max(1, up[a] - down[a]))};
  }
  std::size_t at(const Node& k) const { return static_cast<std::size_t>((k[2] * n_[1] + k[1]) * n_[0] + k[0]); }
  const float* curve(const Node& k) const { return curves_.data() + at(k) * n_data_; }
  int size(int axis) const { return n_[static_cast<std::size_t>(axis)]; }
  static constexpr double log_step = 0.087;
  double MTT(double i) const { return 0.5 * std::exp(log_step * i); }
  double delay_step() const { return 0.25 * step_; }
  double delay(double i) const { return earliest_ + delay_step() * i; }
  double shape(double i) const {
    const auto k = std::min(static_cast<std::size_t>(std::max(i, 0.0)), shapes_.size() - 1);
    const auto next = std::min(k + 1, shapes_.size() - 1);
    return shapes_[k] * std::pow(shapes_[next] / shapes_[k], i - static_cast<double>(k));
  }
  int n_params() const { return n_[2] > 1 ? 4 : 3; }

 private:
  std::size_t n_data_;
  double step_, earliest_;
  std::vector<double> shapes_;
  std::array<int, 3> n_{};
  std::vector<float> curves_;
  std::vector<double> products_;
};

/// Solves the normal equations for n unknowns; `inverse`, unless null, gets the inverse matrix. False when they are
/// singular.
template <std::size_t N>
bool solve(const Matrix& A, const Row& b, Row& x, Matrix* inverse) {
  Row scale{};
  for (std::size_t i = 0; i < N; ++i) {
    if (!(A[i][i] > 0)) return false;
    scale[i] = 1 / std::sqrt(A[i][i]);
  }
  Matrix L{};  // with the inverses on its diagonal
  for (std::size_t i = 0; i < N; ++i)
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = A[i][j] * scale[i] * scale[j];
      for (std::size_t k = 0; k < j; ++k) sum -= L[i][k] * L[j][k];
      if (i == j && !(sum > 1e-9)) return false;
      L[i][j] = i == j ? 1 / std::sqrt(sum) : sum * L[j][j];
    }
  const auto back = [&](Row y) {
    for (std::size_t i = 0; i < N; ++i) {
      for (std::size_t k = 0; k < i; ++k) y[i] -= L[i][k] * y[k];
      y[i] *= L[i][i];
    }
    for (std::size_t i = N; i-- > 0;) {
      for (std::size_t k = i + 1; k < N; ++k) y[i] -= L[k][i] * y[k];
      y[i] *= L[i][i];
    }
    for (std::size_t i = 0; i < N; ++i) y[i] *= scale[i];
    return y;
  };
  Row right{};
  for (std::size_t i = 0; i < N; ++i) right[i] = b[i] * scale[i];
  x = back(right);
  for (std::size_t column = 0; inverse && column < N; ++column) {
    Row unit{};
    unit[column] = scale[column];
    const Row solved = back(unit);
    for (std::size_t i = 0; i < N; ++i) (*inverse)[i][column] = solved[i];
  }
  return true;
}

struct Found {
  Node node;
  Row x, offset;  // amplitude and its products with the offsets; offsets from the node
  Matrix inverse;
  Row right;  // products with the data
  double explained;
  bool solved;
};

/// Linear fit of the curve and its tangents at a node; with singular tangents the curve alone. P: parameters.
template <std::size_t P>
Found fit_at(const CurveTable& table, const Node& node, const float* y, std::size_t n) {
  Found f{node, {}, {}, {}, {}, 0, false};
  Matrix& A = f.inverse;  // the products themselves, until they are inverted
  Row& b = f.right;
  b[0] = static_cast<double>(dot(y, table.curve(node), n));
  for (std::size_t axis = 0; axis + 1 < P; ++axis) {
    const auto s = table.slope(node, static_cast<int>(axis));
    b[axis + 1] = static_cast<double>(s.scale * (dot(y, s.high, n) - dot(y, s.low, n)));
  }
  const double* products = table.products(node);
  for (std::size_t i = 0; i < P; ++i)
    for (std::size_t j = 0; j <= i; ++j) A[i][j] = products[i * (i + 1) / 2 + j];
  f.explained = A[0][0] > 0 ? b[0] * std::max(b[0], 0.0) / A[0][0] : 0;
  f.solved = solve<P>(A, b, f.x, nullptr) && f.x[0] > 0;
  if (f.solved)
    for (std::size_t i = 1; i < P; ++i) f.offset[i] = f.x[i] / f.x[0];
  return f;
}

/// From the best of the coarse table to the node whose tangents hold the minimum.
template <std::size_t P>
Found refine(const CurveTable& table, Node node, const float* y, std::size_t n) {
  Found here = fit_at<P>(table, node, y, n);
  double reach = 4;
  for (int step = 0; step < 25 && here.solved; ++step) {
    Node next = here.node;
    for (int axis = 0; axis + 1 < static_cast<int>(P); ++axis) {
      const auto a = static_cast<std::size_t>(axis);
      const double move = std::clamp(here.offset[a + 1], -reach, reach);
      next[a] = std::clamp(static_cast<int>(std::lround(next[a] + move)), 0, table.size(axis) - 1);
    }
    if (next == here.node) break;
    const Found there = fit_at<P>(table, next, y, n);
    if (there.explained > here.explained && there.solved) {
      here = there;
    } else {
      reach *= 0.5;
      if (reach < 0.5) break;
    }
  }
  if (here.solved) {
    const Matrix A = here.inverse;
    solve<P>(A, here.right, here.x, &here.inverse);
  }
  return here;
}

}  // namespace

void fit_residues(const ResidueModel& model, const dce::VoxelRows& rows, std::span<const std::int64_t> voxels,
                  std::span<const double> times, std::span<const double> aif, double step, double arrival,
                  const CurveArea& area, const DeconvolutionOptions& o, Deconvolved& out, const Progress& progress,
                  const Cancel* cancel) {
  const std::size_t n = times.size();
  const double latest = std::min(o.latest, 0.4 * (times.back() - times.front()));
  const CurveTable table(model, aif, step, o.earliest, latest);
  // Every fourth transit time, a frame of delay, every second shape; of unit norm, in blocks of 8.
  std::vector<Node> coarse;
  for (int s = table.n_params() > 3 ? 1 : 0; s < table.size(2); s += 2)
    for (int d = 2; d < table.size(1); d += 4)
      for (int m = 2; m < table.size(0); m += 4) {
        const float* c = table.curve({m, d, s});
        if (dot(c, c, n) > 0) coarse.push_back({m, d, s});
      }
  std::vector<float> blocks((coarse.size() + 7) / 8 * 8 * n, 0.0f), ones(coarse.size(), 1.0f);
  for (std::size_t k = 0; k < coarse.size(); ++k) {
    const float* c = table.curve(coarse[k]);
    const float scale = 1 / std::sqrt(dot(c, c, n));
    for (std::size_t i = 0; i < n; ++i) blocks[(k / 8 * n + i) * 8 + k % 8] = scale * c[i];
  }
  constexpr std::size_t tile = deconvolution_tile, stride = deconvolution_stride;
  const std::size_t n_tiles = (voxels.size() + tile - 1) / tile;
  const int P = table.n_params();
  std::vector<float> weight(n), moment_weight(n);
  for (std::size_t t = 0; t < n; ++t)
    weight[t] = static_cast<float>(area.weight[t]),
    moment_weight[t] = static_cast<float>(area.weight[t] * area.since[t]);
  parallel_for(
      n_tiles, std::clamp<std::size_t>(n_tiles / (8 * static_cast<std::size_t>(thread_count())), 1, 16),
      [&](std::size_t begin, std::size_t end) {
        std::vector<float> y(n * stride), index(stride), across(n * stride), rest(n), buffer, tangents[max_params];
        for (auto& r : tangents) r.resize(n);
        for (std::size_t at = begin; at < end; ++at) {
          if (cancel) cancel->check();
          const auto mine = voxels.subspan(at * tile, std::min(tile, voxels.size() - at * tile));
          const auto first = static_cast<std::size_t>(mine.front()),
                     span = static_cast<std::size_t>(mine.back()) - first + 1;
          buffer.resize(span);
          for (std::size_t t = 0; t < n; ++t) {
            const float* from = rows.get(t, first, span, buffer.data());
            float* to = y.data() + t * stride;
            for (std::size_t i = 0; i < mine.size(); ++i) to[i] = from[static_cast<std::size_t>(mine[i]) - first];
            std::fill(to + mine.size(), to + stride, 0.0f);
          }
          // A voxel's samples side by side: a column of the tile would take a cache line for each.
          for (std::size_t i = 0; i < mine.size(); i += 16)
            for (std::size_t t = 0; t < n; ++t)
              for (std::size_t k = i; k < std::min(i + 16, mine.size()); ++k) across[k * n + t] = y[t * stride + k];
          ScanRun scan{.candidates = {.n = static_cast<int>(coarse.size()),
                                      .curves = blocks.data(),
                                      .norm = ones.data(),
                                      .params = nullptr,
                                      .scale = 0,
                                      .scale_too = 0,
                                      .nonnegative = true},
                       .n = static_cast<int>(mine.size()),
                       .n_data = static_cast<int>(n),
                       .stride = stride,
                       .y = y.data(),
                       .index = index.data()};
          scan_kernel()(scan);
          for (std::size_t i = 0; i < mine.size(); ++i) {
            const auto v = static_cast<std::size_t>(mine[i]);
            const float* curve = across.data() + i * n;
            const double squares = static_cast<double>(dot(curve, curve, n)),
                         sum = static_cast<double>(dot(curve, weight.data(), n)),
                         moment = static_cast<double>(dot(curve, moment_weight.data(), n));
            const auto top = static_cast<std::size_t>(std::max_element(curve, curve + n) - curve);
            auto& status = out.status[v];
            if (!std::isfinite(squares)) {
              status = fit::FitStatus::bad_data;
              continue;
            }
            if (!(squares > 0)) {
              status = fit::FitStatus::no_signal;
              continue;
            }
            if (!(sum > 0)) {  // a curve that falls: no volume makes it
              status = fit::FitStatus::out_of_range;
              continue;
            }
            const Found f = P > 3 ? refine<4>(table, coarse[static_cast<std::size_t>(index[i])], curve, n)
                                  : refine<3>(table, coarse[static_cast<std::size_t>(index[i])], curve, n);
            if (!f.solved) {
              status = f.explained > 0 ? fit::FitStatus::singular : fit::FitStatus::out_of_range;
              continue;
            }
            bool bound = false;
            Row offset{};
            double place[3];
            for (int axis = 0; axis + 1 < P; ++axis) {
              const auto a = static_cast<std::size_t>(axis);
              offset[a + 1] = std::clamp(f.offset[a + 1], -0.75, 0.75);
              place[axis] = f.node[a] + offset[a + 1];
              const double last = table.size(axis) - 1;
              if (!(place[axis] > 0 && place[axis] < last)) bound = true;
              place[axis] = std::clamp(place[axis], 0.0, last);
            }
            table.tangents(f.node, tangents);
            std::copy_n(curve, n, rest.begin());
            for (int p = 0; p < P; ++p) {
              const auto share = static_cast<float>(f.x[0] * (p == 0 ? 1.0 : offset[static_cast<std::size_t>(p)]));
              for (std::size_t t = 0; t < n; ++t) rest[t] -= share * tangents[p][t];
            }
            const auto rss = static_cast<double>(dot(rest.data(), rest.data(), n));
            const double variance = static_cast<int>(n) > P ? rss / static_cast<double>(static_cast<int>(n) - P) : NAN;
            const double CBF = f.x[0], MTT = table.MTT(place[0]), CBV = CBF * MTT;
            out.CBF[v] = static_cast<float>(CBF), out.MTT[v] = static_cast<float>(MTT);
            out.CBV[v] = static_cast<float>(CBV);
            out.delay[v] = out.Tmax[v] = static_cast<float>(table.delay(place[1]));
            out.first_moment[v] = static_cast<float>(moment / sum - area.aif_moment);
            out.TTP[v] = static_cast<float>(times[top] - arrival);
            out.residual_sd[v] = static_cast<float>(std::sqrt(variance));
            if (P > 3) out.regularisation[v] = static_cast<float>(table.shape(place[2]));
            status = bound ? fit::FitStatus::at_bound : fit::FitStatus::converged;
            if (bound) continue;
            // x[1] is flow times the step in ln MTT.
            Row of_offset{};  // change of x by an offset of 1 of all frames
            for (int p = 0; p < P; ++p) {
              double total = 0;
              for (std::size_t t = 0; t < n; ++t) total += static_cast<double>(tangents[p][t]);
              for (int q = 0; q < P; ++q)
                of_offset[static_cast<std::size_t>(q)] +=
                    f.inverse[static_cast<std::size_t>(q)][static_cast<std::size_t>(p)] * total;
            }
            const double w = o.baseline_frames > 0 ? 1.0 / o.baseline_frames : 0.0;
            const auto covariance = [&](std::size_t i, std::size_t j) {
              return f.inverse[i][j] + w * of_offset[i] * of_offset[j];
            };
            const double k = CurveTable::log_step, c00 = covariance(0, 0), c01 = covariance(1, 0),
                         c11 = covariance(1, 1);
            const double o1 = offset[1], v00 = c00, v01 = (c01 - o1 * c00) / CBF,
                         v11 = (c11 - 2 * o1 * c01 + o1 * o1 * c00) / (CBF * CBF);
            out.CBF_se[v] = static_cast<float>(std::sqrt(variance * v00));
            out.MTT_se[v] = static_cast<float>(MTT * k * std::sqrt(variance * v11));
            out.CBV_se[v] = static_cast<float>(
                CBV * std::sqrt(variance * std::max(0.0, v00 / (CBF * CBF) + 2 * k * v01 / CBF + k * k * v11)));
          }
          progress.add(mine.size());
        }
      },
      cancel);
}

}  // namespace larmor::dsc
