// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <complex>
#include <larmor/core/fft.hpp>
#include <larmor/recon/nufft/toeplitz.hpp>
#include <numeric>

namespace larmor::recon {
namespace {

using Complex = std::complex<float>;

std::vector<int> first_axes(std::size_t n) {
  std::vector<int> axes(n);
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

/// Calls work(index in the image, index in the doubled one) for every row of it, with the row's length.
template <class Work>
void each_row(const Shape& n, const Work& work) {
  const std::int64_t nz = n.size() == 3 ? n[2] : 1;
  for (std::int64_t z = 0; z < nz; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y) work((z * n[1] + y) * n[0], (z * 2 * n[1] + y) * 2 * n[0], n[0]);
}

}  // namespace

ToeplitzNormal::ToeplitzNormal(const Trajectory& traj, const Shape& image, const Array& weights, double tolerance,
                               const Cancel* cancel)
    : image_(image.empty() ? Shape(traj.matrix) : image) {
  Trajectory{.k = traj.k, .matrix = image_}.check();
  // Differences of voxels over two fields of view: the same phases with k and the matrix doubled.
  Trajectory twice{.k = traj.k.cast(DType::f64).clone(), .matrix = image_};
  for (auto& k : twice.k.span<double>()) k *= 2;
  for (auto& n : twice.matrix) n *= 2;
  Array ones = Array::uninitialised(DType::c64, traj.sample_shape(), traj.sample_axes());
  for (auto& v : ones.span<Complex>()) v = 1;
  Array kernel = Nufft(twice, {}, {.tolerance = tolerance, .batch = 1}, cancel).adjoint(ones, weights, cancel);
  // The difference of a whole field of view does not occur; without it the kernel is Hermitian and its spectrum real.
  const auto dims = image_.size();
  for (std::size_t d = 0; d < dims; ++d) {
    Array edge = kernel.range(static_cast<int>(d), 0, 1);
    const std::int64_t n0 = edge.extent(0), n1 = edge.extent(1), n2 = edge.extent(2);
    const auto stride = [&](std::size_t i) { return i < edge.strides().size() ? edge.strides()[i] : 0; };
    for (std::int64_t z = 0; z < n2; ++z)
      for (std::int64_t y = 0; y < n1; ++y)
        for (std::int64_t x = 0; x < n0; ++x) edge.data<Complex>()[x * stride(0) + y * stride(1) + z * stride(2)] = 0;
  }
  const auto axes = first_axes(dims);
  const Array spectrum = fft(kernel, axes, {.centred = true, .cancel = cancel});
  // In the order of a transform that is not centred, with the 1 / N of the way back.
  spectrum_ = Array::uninitialised(DType::f32, spectrum.shape(), spectrum.axes());
  const Shape& N = spectrum.shape();
  const std::int64_t Nz = dims == 3 ? N[2] : 1;
  for (std::int64_t z = 0; z < Nz; ++z)
    for (std::int64_t y = 0; y < N[1]; ++y)
      for (std::int64_t x = 0; x < N[0]; ++x) {
        const auto from = [](std::int64_t i, std::int64_t n) { return (i + n / 2) % n; };
        spectrum_.data<float>()[(z * N[1] + y) * N[0] + x] =
            spectrum.data<Complex>()[(from(z, Nz) * N[1] + from(y, N[1])) * N[0] + from(x, N[0])].real() /
            static_cast<float>(spectrum.size());
      }
}

Array ToeplitzNormal::apply(const Array& image, const Cancel* cancel) const {
  const auto dims = image_.size();
  bool right = static_cast<std::size_t>(image.rank()) >= dims;
  for (std::size_t d = 0; right && d < dims; ++d) right = image.shape()[d] == image_[d];
  if (!right)
    throw Error(Errc::shape, fmt::format("normal operator: the images are {} and it is for {}", image.describe(),
                                         to_string(image_)));
  const Array in = image.cast(DType::c64).contiguous_copy();
  Array out = Array::uninitialised(DType::c64, in.shape(), in.axes());
  const auto axes = first_axes(dims);
  std::int64_t voxels = 1;
  for (const auto n : image_) voxels *= n;
  for (std::int64_t at = 0; at < in.size(); at += voxels) {
    Array twice(DType::c64, spectrum_.shape(), spectrum_.axes());
    each_row(image_, [&](std::int64_t small, std::int64_t large, std::int64_t n) {
      std::copy_n(in.data<Complex>() + at + small, n, twice.data<Complex>() + large);
    });
    twice = fft(twice, axes, {.cancel = cancel});
    for (std::int64_t i = 0; i < twice.size(); ++i) twice.data<Complex>()[i] *= spectrum_.data<float>()[i];
    twice = ifft(twice, axes, {.norm = FftNorm::none, .cancel = cancel});
    each_row(image_, [&](std::int64_t small, std::int64_t large, std::int64_t n) {
      std::copy_n(twice.data<Complex>() + large, n, out.data<Complex>() + at + small);
    });
  }
  return out;
}

}  // namespace larmor::recon
