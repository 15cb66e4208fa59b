// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/coils/noise.hpp>
#include <larmor/recon/operators/vectors.hpp>

namespace larmor::recon {
namespace {

using C = std::complex<double>;

void require_coils(const Array& data, int axis) {
  if (data.dtype() != DType::c64 && data.dtype() != DType::c128)
    throw Error(Errc::type, "data of coils are complex and these are " + data.describe());
  if (axis < 0 || axis >= data.rank())
    throw Error(Errc::range, fmt::format("coil axis {} of {}", axis, data.describe()));
}

std::vector<int> coil_last(const Array& data, int axis) {
  std::vector<int> order;
  for (int i = 0; i < data.rank(); ++i)
    if (i != axis) order.push_back(i);
  order.push_back(axis);
  return order;
}

}  // namespace

Matrix noise_covariance(const Array& noise, int coil_axis) {
  require_coils(noise, coil_axis);
  require_finite(noise, "the noise");
  const std::int64_t coils = noise.extent(coil_axis), samples = coils ? noise.size() / coils : 0;
  if (samples < coils)
    throw Error(Errc::range, fmt::format("{} samples of noise for {} coils", samples, coils),
                "give at least as many samples as coils; a thousand are good");
  const Array n = noise.to(Device::cpu()).permuted(coil_last(noise, coil_axis)).cast(DType::c128).contiguous_copy();
  // Columns are coils: the Gram matrix is conj(n_a) n_b, the conjugate of the covariance.
  Matrix columns(static_cast<std::size_t>(samples), static_cast<std::size_t>(coils));
  std::copy(n.data<C>(), n.data<C>() + n.size(), columns.data.begin());
  Matrix out = gram(columns);
  for (auto& v : out.data) v = std::conj(v) / static_cast<double>(samples);
  return out;
}

Matrix whitening(const Matrix& covariance) {
  // A coil without noise, or two that are the same, leave a pivot of rounding size only.
  for (std::size_t c = 0; c < covariance.rows; ++c)
    if (!(covariance(c, c).real() > 0))
      throw Error(Errc::numeric, fmt::format("coil {} has noise of variance {}", c, covariance(c, c).real()),
                  "leave coils without noise out");
  const Matrix L = cholesky(covariance);
  for (std::size_t c = 0; c < L.rows; ++c)
    if (!(L(c, c).real() > 1e-6 * std::sqrt(covariance(c, c).real())))
      throw Error(Errc::numeric, fmt::format("the noise of coil {} is a combination of that of the others", c),
                  "leave one of them out, or compress the coils first");
  return inverse_lower(L);
}

Array mix_coils(const Array& data, int coil_axis, const Matrix& m, const Cancel* cancel) {
  require_coils(data, coil_axis);
  const auto coils = static_cast<std::size_t>(data.extent(coil_axis));
  if (m.columns != coils)
    throw Error(Errc::shape, fmt::format("a matrix of {} x {} for {} coils", m.rows, m.columns, coils),
                fmt::format("give one of {} columns", coils));
  const auto order = coil_last(data, coil_axis);
  const Array x = data.to(Device::cpu()).permuted(order).contiguous_copy();
  Shape shape = x.shape();
  shape.back() = static_cast<std::int64_t>(m.rows);
  Array y(x.dtype(), shape, x.axes());
  const std::size_t samples = coils ? static_cast<std::size_t>(x.size()) / coils : 0;
  const auto mix = [&](auto t) {
    using T = decltype(t);
    const T* from = reinterpret_cast<const T*>(x.data<std::complex<T>>());
    T* to = reinterpret_cast<T*>(y.data<std::complex<T>>());
    // 1024 samples of all coils stay in the second-level cache.
    parallel_for(
        samples, 1024,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t r = 0; r < m.rows; ++r)
            for (std::size_t c = 0; c < coils; ++c) {
              const T re = static_cast<T>(m(r, c).real()), im = static_cast<T>(m(r, c).imag());
              const T* a = from + 2 * samples * c;
              T* b = to + 2 * samples * r;
              for (std::size_t i = begin; i < end; ++i) {
                b[2 * i] += re * a[2 * i] - im * a[2 * i + 1];
                b[2 * i + 1] += re * a[2 * i + 1] + im * a[2 * i];
              }
            }
        },
        cancel);
  };
  if (x.dtype() == DType::c64)
    mix(float{});
  else
    mix(double{});
  std::vector<int> back(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) back[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
  return y.permuted(back).contiguous_copy();
}

}  // namespace larmor::recon
