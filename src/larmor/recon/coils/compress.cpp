// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/fft.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/coils/compress.hpp>
#include <larmor/recon/coils/noise.hpp>
#include <larmor/recon/operators/vectors.hpp>

namespace larmor::recon {
namespace {

using C = std::complex<double>;

void require_count(const Array& kspace, int coil_axis, int n) {
  if (coil_axis < 0 || coil_axis >= kspace.rank())
    throw Error(Errc::range, fmt::format("coil axis {} of {}", coil_axis, kspace.describe()));
  if (n < 1 || n > kspace.extent(coil_axis))
    throw Error(Errc::range, fmt::format("{} virtual coils of {}", n, kspace.extent(coil_axis)),
                fmt::format("give 1 to {}", kspace.extent(coil_axis)));
}

// Rows: the eigenvectors of the largest eigenvalues, conjugated, of a covariance x_a conj(x_b).
Matrix strongest(const EigenPairs& pairs, std::size_t n) {
  Matrix out(n, pairs.vectors.rows);
  for (std::size_t r = 0; r < n; ++r)
    for (std::size_t c = 0; c < out.columns; ++c) out(r, c) = std::conj(pairs.vectors(c, r));
  return out;
}

}  // namespace

CoilCompression svd_compression(const Array& kspace, int coil_axis, int n) {
  require_count(kspace, coil_axis, n);
  const auto pairs = hermitian_eigen(noise_covariance(kspace, coil_axis));
  CoilCompression out{strongest(pairs, static_cast<std::size_t>(n)), {}};
  double total = 0, sum = 0;
  for (const double v : pairs.values) total += std::max(v, 0.0);
  for (const double v : pairs.values) out.energy.push_back(total > 0 ? (sum += std::max(v, 0.0)) / total : 0);
  return out;
}

GeometricCompression geometric_compression(const Array& kspace, int coil_axis, int axis, int n, const Cancel* cancel) {
  require_count(kspace, coil_axis, n);
  if (axis < 0 || axis >= kspace.rank() || axis == coil_axis)
    throw Error(Errc::range, fmt::format("axis {} of {} with the coils along {}", axis, kspace.describe(), coil_axis));
  require_finite(kspace, "k-space");
  const Array hybrid = ifft(kspace, {axis}, {.norm = FftNorm::unitary, .centred = true, .cancel = cancel});
  const auto places = static_cast<std::size_t>(kspace.extent(axis));
  const int coil_of_place = coil_axis > axis ? coil_axis - 1 : coil_axis;
  std::vector<Matrix> mix(places);
  std::vector<double> kept(places), all(places);
  parallel_for(
      places, 1,
      [&](std::size_t begin, std::size_t end) {
        for (auto p = begin; p < end; ++p) {
          const auto pairs =
              hermitian_eigen(noise_covariance(hybrid.slice(axis, static_cast<std::int64_t>(p)), coil_of_place));
          mix[p] = strongest(pairs, static_cast<std::size_t>(n));
          for (std::size_t k = 0; k < pairs.values.size(); ++k) {
            all[p] += std::max(pairs.values[k], 0.0);
            if (k < static_cast<std::size_t>(n)) kept[p] += std::max(pairs.values[k], 0.0);
          }
        }
      },
      cancel);
  // From the middle outwards: a unitary turn of the virtual coils changes nothing that they hold.
  const auto align = [&](std::size_t p, std::size_t to) {
    mix[p] = product(nearest_unitary(product(mix[to], conjugate_transpose(mix[p]))), mix[p]);
  };
  for (std::size_t p = places / 2 + 1; p < places; ++p) align(p, p - 1);
  for (std::size_t p = places / 2; p-- > 0;) align(p, p + 1);
  Shape shape = kspace.shape();
  shape[static_cast<std::size_t>(coil_axis)] = n;
  // The axis last, so that every place is one block.
  std::vector<int> order;
  for (int i = 0; i < kspace.rank(); ++i)
    if (i != axis) order.push_back(i);
  order.push_back(axis);
  Shape block_shape;
  Axes block_axes;
  for (const int i : order) {
    block_shape.push_back(shape[static_cast<std::size_t>(i)]);
    block_axes.push_back(kspace.axes()[static_cast<std::size_t>(i)]);
  }
  Array blocks(kspace.dtype(), block_shape, block_axes);
  const std::size_t block = places ? blocks.bytes() / places : 0;
  double sum = 0, total = 0;
  for (std::size_t p = 0; p < places; ++p) {
    if (cancel) cancel->check();
    const Array one =
        mix_coils(hybrid.slice(axis, static_cast<std::int64_t>(p)), coil_of_place, mix[p]).contiguous_copy();
    std::copy(static_cast<const std::byte*>(one.raw()), static_cast<const std::byte*>(one.raw()) + block,
              static_cast<std::byte*>(blocks.raw()) + p * block);
    sum += kept[p], total += all[p];
  }
  std::vector<int> back(order.size());
  for (std::size_t k = 0; k < order.size(); ++k) back[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
  return {fft(blocks.permuted(back), {axis}, {.norm = FftNorm::unitary, .centred = true, .cancel = cancel}),
          total > 0 ? sum / total : 0};
}

}  // namespace larmor::recon
