// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <complex>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/nufft/gridding.hpp>
#include <larmor/recon/nufft/kernel.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

using Complex = std::complex<float>;

void check(const Trajectory& traj, const GridOptions& o) {
  traj.check();
  if (!(o.width >= 1 && o.width <= 16) || !(o.oversampling >= 1 && o.oversampling <= 4))
    throw Error(Errc::range, fmt::format("gridding: a window of {:.3g} cells at {:.3g} x", o.width, o.oversampling),
                "give 1 to 16 cells and 1 to 4 x");
}

Shape grid_shape(const Trajectory& traj, const GridOptions& o) {
  Shape out;
  for (const auto n : traj.matrix) out.push_back(grid_points(n, o.oversampling));
  return out;
}

std::int64_t product(const Shape& shape) {
  std::int64_t n = 1;
  for (const auto e : shape) n *= e;
  return n;
}

/// Extents and axes of `a` behind those of `need`.
std::pair<Shape, Axes> behind(const Array& a, const Shape& need, const char* what) {
  bool right = static_cast<std::size_t>(a.rank()) >= need.size();
  for (std::size_t i = 0; right && i < need.size(); ++i) right = a.shape()[i] == need[i];
  if (!right)
    throw Error(Errc::shape, fmt::format("gridding: {} are {} and {} is needed", what, a.describe(), to_string(need)));
  const auto n = static_cast<std::ptrdiff_t>(need.size());
  return {{a.shape().begin() + n, a.shape().end()}, {a.axes().begin() + n, a.axes().end()}};
}

Array made(Shape shape, Axes axes, const std::pair<Shape, Axes>& batch) {
  shape.insert(shape.end(), batch.first.begin(), batch.first.end());
  axes.insert(axes.end(), batch.second.begin(), batch.second.end());
  return Array(DType::c64, shape, axes);
}

Axes image_axes(std::size_t dims) { return dims == 3 ? Axes{"x", "y", "z"} : Axes{"x", "y"}; }

/// The window in steps of 1/1024 cell, between which it is a line: error below 1e-6 of its height.
class Table {
 public:
  explicit Table(const GridOptions& o) : half_(o.width / 2) {
    const auto n = static_cast<std::size_t>(std::ceil(half_ * steps)) + 2;
    for (std::size_t i = 0; i < n; ++i)
      values_.push_back(static_cast<float>(grid_window(o, static_cast<double>(i) / steps)));
  }
  float operator()(double z) const {
    const double at = std::abs(z);
    if (at >= half_) return 0;
    const auto i = static_cast<std::size_t>(at * steps);
    const auto f = static_cast<float>(at * steps - static_cast<double>(i));
    return values_[i] + f * (values_[i + 1] - values_[i]);
  }
  double half() const { return half_; }

 private:
  static constexpr double steps = 1024;
  double half_;
  std::vector<float> values_;
};

/// Calls work(grid index, weight) for every cell that sample j reaches, wrapped around.
class Cells {
 public:
  Cells(const Trajectory& traj, const GridOptions& o)
      : table_(o), N_(grid_shape(traj, o)), k_(traj.k.cast(DType::f64).contiguous_copy()) {
    samples_ = traj.size();
    for (std::size_t d = 0; d < N_.size(); ++d)
      scale_.push_back(static_cast<double>(N_[d]) / static_cast<double>(traj.matrix[d]));
  }
  template <class Work>
  void of(std::int64_t j, const Work& work) const {
    std::int64_t first[3] = {}, count[3] = {1, 1, 1};
    float w[3][18] = {{1}, {1}, {1}};
    for (std::size_t d = 0; d < N_.size(); ++d) {
      const double t =
          k_.data<double>()[static_cast<std::int64_t>(d) * samples_ + j] * scale_[d] + static_cast<double>(N_[d] / 2);
      first[d] = static_cast<std::int64_t>(std::ceil(t - table_.half()));
      count[d] = static_cast<std::int64_t>(std::floor(t + table_.half())) - first[d] + 1;
      for (std::int64_t i = 0; i < count[d]; ++i) w[d][i] = table_(static_cast<double>(first[d] + i) - t);
    }
    const auto wrapped = [&](std::size_t d, std::int64_t i) { return ((first[d] + i) % N_[d] + N_[d]) % N_[d]; };
    for (std::int64_t z = 0; z < count[2]; ++z)
      for (std::int64_t y = 0; y < count[1]; ++y) {
        const std::int64_t row = ((N_.size() == 3 ? wrapped(2, z) * N_[1] : 0) + wrapped(1, y)) * N_[0];
        for (std::int64_t x = 0; x < count[0]; ++x) work(row + wrapped(0, x), w[0][x] * w[1][y] * w[2][z]);
      }
  }

 private:
  Table table_;
  Shape N_;
  Array k_;
  std::int64_t samples_ = 0;
  std::vector<double> scale_;
};

/// 1 / the window's transform along an axis of n voxels of the image.
std::vector<float> correction(std::int64_t n, const GridOptions& o) {
  const auto N = static_cast<double>(grid_points(n, o.oversampling));
  std::vector<float> out;
  for (std::int64_t i = 0; i < n; ++i)
    out.push_back(static_cast<float>(1 / grid_window_transform(o, static_cast<double>(i - n / 2) / N)));
  return out;
}

/// Between an image and the middle of a grid; voxel by voxel with the correction.
template <class Work>
void pair_up(const Trajectory& traj, const GridOptions& o, std::int64_t batch, const Work& work) {
  const Shape N = grid_shape(traj, o), &n = traj.matrix;
  std::vector<float> c[3] = {{1}, {1}, {1}};
  std::int64_t e[3] = {1, 1, 1}, E[3] = {1, 1, 1};
  for (std::size_t d = 0; d < n.size(); ++d) c[d] = correction(n[d], o), e[d] = n[d], E[d] = N[d];
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t z = 0; z < e[2]; ++z)
      for (std::int64_t y = 0; y < e[1]; ++y)
        for (std::int64_t x = 0; x < e[0]; ++x) {
          const auto at = [](std::int64_t i, std::int64_t small, std::int64_t large) {
            return i - small / 2 + large / 2;
          };
          const std::int64_t small = ((b * e[2] + z) * e[1] + y) * e[0] + x;
          const std::int64_t large =
              ((b * E[2] + at(z, e[2], E[2])) * E[1] + at(y, e[1], E[1])) * E[0] + at(x, e[0], E[0]);
          work(small, large,
               c[0][static_cast<std::size_t>(x)] * c[1][static_cast<std::size_t>(y)] *
                   c[2][static_cast<std::size_t>(z)]);
        }
}

}  // namespace

std::int64_t grid_points(std::int64_t n, double oversampling) {
  return 2 * static_cast<std::int64_t>(std::ceil(oversampling * static_cast<double>(n) / 2 - 1e-9));
}

double grid_window(const GridOptions& o, double z) {
  const double q = 2 * z / o.width;
  if (std::abs(q) > 1) return 0;
  if (o.window == GridWindow::gaussian)
    return std::exp(-std::numbers::pi * (o.oversampling - 0.5) / (o.oversampling * o.width / 2) * z * z);
  return std::cyl_bessel_i(0.0, kaiser_bessel_beta(o.width, o.oversampling) * std::sqrt(std::max(0.0, 1 - q * q)));
}

double grid_window_transform(const GridOptions& o, double x) {
  // Simpson's rule; the window has no kink inside, and 400 panels leave 1e-9.
  constexpr int panels = 400;
  const double step = o.width / 2 / panels;
  double sum = 0;
  for (int i = 0; i <= panels; ++i) {
    const double z = i * step, f = grid_window(o, z) * std::cos(2 * std::numbers::pi * z * x);
    sum += (i == 0 || i == panels ? 1 : i % 2 ? 4 : 2) * f;
  }
  return 2 * sum * step / 3;
}

Array grid_samples(const Trajectory& traj, const Array& samples, const Array& weights, const GridOptions& o) {
  check(traj, o);
  const auto batch = behind(samples, traj.sample_shape(), "samples");
  const Shape N = grid_shape(traj, o);
  const Array in = samples.cast(DType::c64).contiguous_copy();
  Array w;
  if (weights.rank() > 0) {
    behind(weights, traj.sample_shape(), "weights");
    w = weights.cast(DType::f32).contiguous_copy();
  }
  Array out = made(N, image_axes(N.size()), batch);
  const Cells cells(traj, o);
  const std::int64_t M = traj.size(), points = product(N);
  parallel_for(
      static_cast<std::size_t>(product(batch.first)), 1,
      [&](std::size_t begin, std::size_t end) {
        for (auto b = static_cast<std::int64_t>(begin); b < static_cast<std::int64_t>(end); ++b)
          for (std::int64_t j = 0; j < M; ++j) {
            Complex s = in.data<Complex>()[b * M + j];
            if (w.rank() > 0) s *= w.data<float>()[j];
            cells.of(j, [&](std::int64_t i, float c) { out.data<Complex>()[b * points + i] += s * c; });
          }
      },
      o.cancel);
  return out;
}

Array degrid_samples(const Trajectory& traj, const Array& grid, const GridOptions& o) {
  check(traj, o);
  const Shape N = grid_shape(traj, o);
  const auto batch = behind(grid, N, "points of the grid");
  const Array in = grid.cast(DType::c64).contiguous_copy();
  Array out = made(traj.sample_shape(), traj.sample_axes(), batch);
  const Cells cells(traj, o);
  const std::int64_t M = traj.size(), points = product(N);
  parallel_for(
      static_cast<std::size_t>(product(batch.first)), 1,
      [&](std::size_t begin, std::size_t end) {
        for (auto b = static_cast<std::int64_t>(begin); b < static_cast<std::int64_t>(end); ++b)
          for (std::int64_t j = 0; j < M; ++j) {
            Complex s = 0;
            cells.of(j, [&](std::int64_t i, float c) { s += in.data<Complex>()[b * points + i] * c; });
            out.data<Complex>()[b * M + j] = s;
          }
      },
      o.cancel);
  return out;
}

Array rolloff(const Trajectory& traj, const Array& image, const GridOptions& o) {
  check(traj, o);
  const auto batch = behind(image, grid_shape(traj, o), "voxels");
  const Array in = image.cast(DType::c64).contiguous_copy();
  Array out = made(traj.matrix, image_axes(traj.matrix.size()), batch);
  pair_up(traj, o, product(batch.first), [&](std::int64_t small, std::int64_t large, float c) {
    out.data<Complex>()[small] = in.data<Complex>()[large] * c;
  });
  return out;
}

Array rolloff_before(const Trajectory& traj, const Array& image, const GridOptions& o) {
  check(traj, o);
  const auto batch = behind(image, traj.matrix, "voxels");
  const Array in = image.cast(DType::c64).contiguous_copy();
  Array out = made(grid_shape(traj, o), image_axes(traj.matrix.size()), batch);
  pair_up(traj, o, product(batch.first), [&](std::int64_t small, std::int64_t large, float c) {
    out.data<Complex>()[large] = in.data<Complex>()[small] * c;
  });
  return out;
}

}  // namespace larmor::recon
