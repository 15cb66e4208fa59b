// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/visit.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/coil_combine.hpp>
#include <vector>

namespace larmor::recon {
namespace {

using Complex = std::complex<double>;

// Images as (voxel of one volume, coil) with coils side by side, for one volume.
struct Volume {
  std::array<std::int64_t, 3> n{};
  std::int64_t coils = 0;
  const Complex* data = nullptr;  // [voxel * coils + coil]
};

// Eigenvector of the largest eigenvalue of the sum of m m^H over the block around (x, y, z), norm 1; 0 without signal.
void dominant(const Volume& v, const std::array<std::int64_t, 3>& at, const std::array<std::int64_t, 3>& half,
              std::vector<const Complex*>& block, std::vector<Complex>& direction, std::vector<Complex>& next) {
  block.clear();
  std::array<std::int64_t, 3> low, high;
  for (std::size_t a = 0; a < 3; ++a)
    low[a] = std::max<std::int64_t>(at[a] - half[a], 0), high[a] = std::min(at[a] + half[a], v.n[a] - 1);
  const Complex* strongest = nullptr;
  double most = 0;
  for (auto z = low[2]; z <= high[2]; ++z)
    for (auto y = low[1]; y <= high[1]; ++y)
      for (auto x = low[0]; x <= high[0]; ++x) {
        const Complex* m = v.data + (x + v.n[0] * (y + v.n[1] * z)) * v.coils;
        block.push_back(m);
        double energy = 0;
        for (std::int64_t c = 0; c < v.coils; ++c) energy += std::norm(m[c]);
        if (energy > most) most = energy, strongest = m;
      }
  const auto coils = static_cast<std::size_t>(v.coils);
  std::fill(direction.begin(), direction.end(), Complex{});
  if (!strongest) return;
  for (std::size_t c = 0; c < coils; ++c) direction[c] = strongest[c] / std::sqrt(most);
  // The start is the strongest voxel, which lies near the answer: 3 to 8 rounds are usual.
  for (int round = 0; round < 50; ++round) {
    std::fill(next.begin(), next.end(), Complex{});
    for (const Complex* m : block) {
      double re = 0, im = 0;  // m^H direction
      for (std::size_t c = 0; c < coils; ++c) {
        re += m[c].real() * direction[c].real() + m[c].imag() * direction[c].imag();
        im += m[c].real() * direction[c].imag() - m[c].imag() * direction[c].real();
      }
      for (std::size_t c = 0; c < coils; ++c)
        next[c] += Complex(m[c].real() * re - m[c].imag() * im, m[c].real() * im + m[c].imag() * re);
    }
    double size = 0;
    for (const auto& d : next) size += std::norm(d);
    size = std::sqrt(size);
    double change = 0;
    for (std::size_t c = 0; c < coils; ++c) {
      next[c] /= size;
      change += std::norm(next[c] - direction[c]);
    }
    std::swap(direction, next);
    if (change < 1e-12) break;
  }
}

}  // namespace

Combined combine_adaptive(const Array& images, int coil_axis, const AdaptiveOptions& o) {
  if (images.dtype() != DType::c64 && images.dtype() != DType::c128)
    throw Error(Errc::type, "images of coils are complex and these are " + images.describe(),
                "combine magnitudes with the root of the sum of squares");
  if (coil_axis < 0 || coil_axis >= images.rank())
    throw Error(Errc::range, fmt::format("coil axis {} of {}", coil_axis, images.describe()));
  if (o.block < 1 || o.block > 31 || o.block % 2 == 0)
    throw Error(Errc::range, fmt::format("a block of {} voxels", o.block), "give an odd number from 1 to 31");
  if (o.space < 2 || o.space > 3 || images.rank() - 1 < o.space)
    throw Error(Errc::range, fmt::format("{} axes of space in {}", o.space, images.describe()),
                "give 2 or 3, and images of that many axes beside the coils");
  // Coils first, so that a voxel's coils lie side by side.
  std::vector<int> order{coil_axis};
  for (int i = 0; i < images.rank(); ++i)
    if (i != coil_axis) order.push_back(i);
  const Array m = images.to(Device::cpu()).permuted(order).cast(DType::c128).contiguous_copy();
  Shape shape(m.shape().begin() + 1, m.shape().end());
  Axes axes(m.axes().begin() + 1, m.axes().end());
  Array image(DType::c128, shape, axes), maps(DType::c128, m.shape(), m.axes());
  if (m.size() == 0) return {image.cast(images.dtype()), maps.cast(images.dtype())};
  const std::int64_t coils = m.extent(0);
  Volume volume{{m.extent(1), m.extent(2), o.space > 2 ? m.extent(3) : 1}, coils, nullptr};
  const std::int64_t voxels = volume.n[0] * volume.n[1] * volume.n[2];
  std::vector<double> energy(static_cast<std::size_t>(coils), 0);
  const Complex* all = m.data<Complex>();
  for (std::int64_t i = 0; i < m.size(); ++i) energy[static_cast<std::size_t>(i % coils)] += std::norm(all[i]);
  const auto reference = static_cast<std::size_t>(std::max_element(energy.begin(), energy.end()) - energy.begin());
  const std::int64_t half = o.block / 2;
  const std::array<std::int64_t, 3> halves{half, half, o.space > 2 ? half : 0};
  o.progress.begin("combining coils", static_cast<std::size_t>(image.size()));
  parallel_for(
      static_cast<std::size_t>(image.size()), 64,
      [&](std::size_t first, std::size_t last) {
        std::vector<const Complex*> block;
        std::vector<Complex> direction(static_cast<std::size_t>(coils)), next = direction;
        for (std::size_t p = first; p < last; ++p) {
          const auto i = static_cast<std::int64_t>(p), at = i % voxels;
          Volume here = volume;
          here.data = all + i / voxels * voxels * coils;
          dominant(here, {at % volume.n[0], at / volume.n[0] % volume.n[1], at / volume.n[0] / volume.n[1]}, halves,
                   block, direction, next);
          Complex towards = direction[reference];
          if (o.phase == AdaptivePhase::block_mean) {
            // conj of the block's combined signal, the sum of direction^H m.
            towards = 0;
            for (const Complex* m : block)
              for (std::size_t c = 0; c < static_cast<std::size_t>(coils); ++c)
                towards += direction[c] * std::conj(m[c]);
          }
          const double size = std::abs(towards);
          const Complex turn = size > 0 ? std::conj(towards) / size : Complex(1);
          Complex sum;
          for (std::size_t c = 0; c < static_cast<std::size_t>(coils); ++c) {
            direction[c] *= turn;
            maps.data<Complex>()[p * static_cast<std::size_t>(coils) + c] = direction[c];
            sum += std::conj(direction[c]) * all[p * static_cast<std::size_t>(coils) + c];
          }
          image.data<Complex>()[p] = sum;
        }
        o.progress.add(last - first);
      },
      o.cancel);
  o.progress.end();
  // The maps in the order of the images' axes.
  std::vector<int> back(static_cast<std::size_t>(images.rank()));
  for (std::size_t k = 0; k < order.size(); ++k) back[static_cast<std::size_t>(order[k])] = static_cast<int>(k);
  return {image.cast(images.dtype()), maps.permuted(back).contiguous_copy().cast(images.dtype())};
}

}  // namespace larmor::recon
