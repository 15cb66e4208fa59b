// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <complex>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/nufft/nudft.hpp>
#include <numbers>
#include <numeric>

namespace larmor::recon {
namespace {

using Complex = std::complex<double>;

/// Positions in double, and what an array holds behind the axes it shares with them.
struct Problem {
  std::vector<double> k[3];
  int dims = 0;
  std::int64_t n[3] = {1, 1, 1}, samples = 0, voxels = 1, batch = 1;
  Shape behind;
  Axes behind_axes;

  Problem(const Trajectory& traj, const Shape& image, const Array& data, bool data_are_images) {
    Trajectory{.k = traj.k, .matrix = image}.check();
    dims = traj.dimensions(), samples = traj.size();
    const Array all = traj.k.cast(DType::f64).contiguous_copy();
    for (int d = 0; d < dims; ++d) {
      const double* from = all.data<double>() + d * samples;
      k[d].assign(from, from + samples);
      n[d] = image[static_cast<std::size_t>(d)], voxels *= n[d];
    }
    const Shape need = data_are_images ? image : traj.sample_shape();
    bool right = static_cast<std::size_t>(data.rank()) >= need.size();
    for (std::size_t i = 0; right && i < need.size(); ++i) right = data.shape()[i] == need[i];
    if (!right)
      throw Error(Errc::shape,
                  fmt::format("exact transform: the data are {} and {} is needed", data.describe(), to_string(need)));
    for (auto i = need.size(); i < static_cast<std::size_t>(data.rank()); ++i) {
      behind.push_back(data.shape()[i]), behind_axes.push_back(data.axes()[i]);
      batch *= data.shape()[i];
    }
  }
  Array result(Shape shape, Axes axes) const {
    shape.insert(shape.end(), behind.begin(), behind.end());
    axes.insert(axes.end(), behind_axes.begin(), behind_axes.end());
    return Array(DType::c128, shape, axes);
  }
  /// exp(sign 2 pi i k x) for the voxels of axis d.
  void phases(int d, std::int64_t sample, double sign, Complex* out) const {
    const double turn =
        sign * 2 * std::numbers::pi * k[d][static_cast<std::size_t>(sample)] / static_cast<double>(n[d]);
    for (std::int64_t i = 0; i < n[d]; ++i) out[i] = std::polar(1.0, turn * static_cast<double>(i - n[d] / 2));
  }
};

void check_indices(std::span<const std::int64_t> at, std::int64_t n, const char* what) {
  for (const auto i : at)
    if (i < 0 || i >= n) throw Error(Errc::range, fmt::format("exact transform: {} {} of {}", what, i, n));
}

void forward(const Problem& p, const Array& image, std::span<const std::int64_t> at, Complex* out,
             const Cancel* cancel) {
  const Array all = image.cast(DType::c128).contiguous_copy();
  const auto* m = all.data<Complex>();
  parallel_for(
      at.size(), 16,
      [&](std::size_t begin, std::size_t end) {
        std::vector<Complex> ex(static_cast<std::size_t>(p.n[0])), ey(static_cast<std::size_t>(p.n[1]), 1),
            ez(static_cast<std::size_t>(p.n[2]), 1);
        for (std::size_t j = begin; j < end; ++j) {
          p.phases(0, at[j], -1, ex.data()), p.phases(1, at[j], -1, ey.data());
          if (p.dims == 3) p.phases(2, at[j], -1, ez.data());
          for (std::int64_t b = 0; b < p.batch; ++b) {
            const Complex* row = m + b * p.voxels;
            Complex total = 0;
            for (const Complex z : ez) {
              Complex plane = 0;
              for (const Complex y : ey) {
                double re = 0, im = 0;
                for (std::size_t x = 0; x < ex.size(); ++x) {
                  re += row[x].real() * ex[x].real() - row[x].imag() * ex[x].imag();
                  im += row[x].real() * ex[x].imag() + row[x].imag() * ex[x].real();
                }
                plane += y * Complex(re, im), row += ex.size();
              }
              total += z * plane;
            }
            out[static_cast<std::int64_t>(j) + b * static_cast<std::int64_t>(at.size())] = total;
          }
        }
      },
      cancel);
}

/// Samples times weights, in double.
Array weighted(const Problem& p, const Array& samples, const Array& weights) {
  Array all = samples.cast(DType::c128).clone();
  if (weights.rank() == 0) return all;
  if (weights.size() != p.samples)
    throw Error(Errc::shape, fmt::format("exact transform: {} weights for {} samples", weights.size(), p.samples));
  const Array w = weights.cast(DType::f64).contiguous_copy();
  for (std::int64_t b = 0; b < p.batch; ++b)
    for (std::int64_t j = 0; j < p.samples; ++j) all.data<Complex>()[b * p.samples + j] *= w.data<double>()[j];
  return all;
}

}  // namespace

Array nudft_forward(const Trajectory& traj, const Array& image, const Cancel* cancel) {
  if (image.rank() < traj.dimensions()) throw Error(Errc::shape, "exact transform: the image is " + image.describe());
  const Problem p(traj, Shape(image.shape().begin(), image.shape().begin() + traj.dimensions()), image, true);
  Array out = p.result(traj.sample_shape(), traj.sample_axes());
  std::vector<std::int64_t> every(static_cast<std::size_t>(p.samples));
  std::iota(every.begin(), every.end(), 0);
  forward(p, image, every, out.data<Complex>(), cancel);
  return out;
}

Array nudft_forward_at(const Trajectory& traj, const Array& image, std::span<const std::int64_t> at,
                       const Cancel* cancel) {
  if (image.rank() < traj.dimensions()) throw Error(Errc::shape, "exact transform: the image is " + image.describe());
  const Problem p(traj, Shape(image.shape().begin(), image.shape().begin() + traj.dimensions()), image, true);
  check_indices(at, p.samples, "sample");
  Array out = p.result({static_cast<std::int64_t>(at.size())}, {"sample"});
  forward(p, image, at, out.data<Complex>(), cancel);
  return out;
}

Array nudft_adjoint(const Trajectory& traj, const Shape& image, const Array& samples, const Array& weights,
                    const Cancel* cancel) {
  const Problem p(traj, image, samples, false);
  const Array all = weighted(p, samples, weights);
  Array out = p.result(image, p.dims == 3 ? Axes{"x", "y", "z"} : Axes{"x", "y"});
  const auto* s = all.data<Complex>();
  auto* m = out.data<Complex>();
  // Phases along x for some samples at a time, shared by the rows of a piece.
  constexpr std::int64_t chunk = 32;
  parallel_for(
      static_cast<std::size_t>(p.n[1] * p.n[2]), 16,
      [&](std::size_t begin, std::size_t end) {
        const std::int64_t nx = p.n[0];
        std::vector<Complex> ex(static_cast<std::size_t>(chunk * nx));
        for (std::int64_t from = 0; from < p.samples; from += chunk) {
          const std::int64_t count = std::min(chunk, p.samples - from);
          for (std::int64_t j = 0; j < count; ++j) p.phases(0, from + j, 1, ex.data() + j * nx);
          for (std::size_t row = begin; row < end; ++row) {
            const auto y = static_cast<std::int64_t>(row) % p.n[1], z = static_cast<std::int64_t>(row) / p.n[1];
            for (std::int64_t j = 0; j < count; ++j) {
              const auto at = static_cast<std::size_t>(from + j);
              double phase = p.k[1][at] * static_cast<double>(y - p.n[1] / 2) / static_cast<double>(p.n[1]);
              if (p.dims == 3) phase += p.k[2][at] * static_cast<double>(z - p.n[2] / 2) / static_cast<double>(p.n[2]);
              const Complex turn = std::polar(1.0, 2 * std::numbers::pi * phase);
              const Complex* e = ex.data() + j * nx;
              for (std::int64_t b = 0; b < p.batch; ++b) {
                const Complex c = turn * s[b * p.samples + from + j];
                Complex* to = m + b * p.voxels + static_cast<std::int64_t>(row) * nx;
                for (std::int64_t x = 0; x < nx; ++x)
                  to[x] += Complex(c.real() * e[x].real() - c.imag() * e[x].imag(),
                                   c.real() * e[x].imag() + c.imag() * e[x].real());
              }
            }
          }
        }
      },
      cancel);
  return out;
}

Array nudft_adjoint_at(const Trajectory& traj, const Shape& image, const Array& samples, const Array& weights,
                       std::span<const std::int64_t> at, const Cancel* cancel) {
  const Problem p(traj, image, samples, false);
  check_indices(at, p.voxels, "voxel");
  const Array all = weighted(p, samples, weights);
  Array out = p.result({static_cast<std::int64_t>(at.size())}, {"voxel"});
  const auto* s = all.data<Complex>();
  auto* m = out.data<Complex>();
  parallel_for(
      at.size(), 1,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          std::int64_t rest = at[i];
          double x[3] = {};
          for (int d = 0; d < p.dims; ++d) {
            x[d] = static_cast<double>(rest % p.n[d] - p.n[d] / 2) / static_cast<double>(p.n[d]);
            rest /= p.n[d];
          }
          for (std::int64_t j = 0; j < p.samples; ++j) {
            double phase = 0;
            for (int d = 0; d < p.dims; ++d) phase += p.k[d][static_cast<std::size_t>(j)] * x[d];
            const Complex turn = std::polar(1.0, 2 * std::numbers::pi * phase);
            for (std::int64_t b = 0; b < p.batch; ++b)
              m[static_cast<std::int64_t>(i) + b * static_cast<std::int64_t>(at.size())] += turn * s[b * p.samples + j];
          }
        }
      },
      cancel);
  return out;
}

}  // namespace larmor::recon
