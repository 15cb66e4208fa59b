// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/asl/partial_volume.hpp>
#include <limits>

namespace larmor::asl {
namespace {

constexpr std::size_t most = 3;

/// Inverse of the leading k x k of a symmetric matrix by cofactors of Gauss-Jordan; false when it is not determined.
bool invert(std::array<std::array<double, most>, most> a, std::size_t k,
            std::array<std::array<double, most>, most>& inverse) {
  std::array<double, most> whole{};
  for (std::size_t i = 0; i < k; ++i) {
    whole[i] = a[i][i];
    for (std::size_t j = 0; j < k; ++j) inverse[i][j] = i == j;
  }
  for (std::size_t c = 0; c < k; ++c) {
    // Positive semidefinite: the diagonal is the pivot. When 1e-4 of it is left, the fractions are proportional over
    // the window: the estimate would be all noise. A tissue that is rare there is not proportional because of that.
    const double pivot = a[c][c];
    if (!(pivot > 1e-4 * whole[c])) return false;
    for (std::size_t j = 0; j < k; ++j) a[c][j] /= pivot, inverse[c][j] /= pivot;
    for (std::size_t r = 0; r < k; ++r) {
      if (r == c) continue;
      const double q = a[r][c];
      for (std::size_t j = 0; j < k; ++j) a[r][j] -= q * a[c][j], inverse[r][j] -= q * inverse[c][j];
    }
  }
  return true;
}

}  // namespace

void check_fractions(std::span<const float> values, const char* what) {
  for (const float x : values)
    if (x > 1.5f || x < -0.5f)
      throw Error(Errc::range, fmt::format("{} holds {:g}", what, x),
                  "give fractions from 0 to 1: those in per cent divided by 100, labels as one mask a tissue");
}

std::vector<Array> pure_tissues(const Array& series, std::span<const Array> fractions,
                                std::span<const std::uint8_t> mask, const PartialVolumeOptions& options,
                                const Progress& progress, const Cancel* cancel) {
  const std::size_t k = fractions.size();
  if (k < 2 || k > most)
    throw Error(Errc::range, fmt::format("fractions of {} tissues", k),
                "give those of grey and white matter (and CSF)");
  for (const int r : options.radius)
    if (r < 0 || r > 50) throw Error(Errc::range, fmt::format("a window of {} voxels either side", r), "give 0 to 50");
  const std::int64_t nx = series.extent(0), ny = series.extent(1), nz = series.extent(2), nt = series.extent(3);
  const auto n_voxels = static_cast<std::size_t>(nx * ny * nz);
  if (!mask.empty() && mask.size() != n_voxels)
    throw Error(Errc::shape, fmt::format("the mask holds {} voxels, the series {}", mask.size(), n_voxels));
  const Array packed = series.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  std::vector<Array> kept;
  std::vector<const float*> p;
  for (const auto& f : fractions) {
    if (static_cast<std::size_t>(f.size()) != n_voxels || f.extent(0) != nx || f.extent(1) != ny)
      throw Error(
          Errc::shape,
          fmt::format("a tissue fraction of {} for a series of {}", to_string(f.shape()), to_string(series.shape())),
          "resample it to the grid of the series");
    kept.push_back(f.to(Device::cpu()).cast(DType::f32).contiguous_copy());
    p.push_back(kept.back().data<float>());
    check_fractions(kept.back().span<float>(), "a tissue fraction");
  }
  std::vector<Array> out;
  std::vector<float*> to;
  for (std::size_t i = 0; i < k; ++i) {
    out.push_back(Array::uninitialised(DType::f32, series.shape(), series.axes()));
    to.push_back(out.back().data<float>());
    std::fill_n(to.back(), out.back().size(), std::numeric_limits<float>::quiet_NaN());
  }
  const float* y = packed.data<float>();
  // A voxel is of use when it is in the mask and all that is known of it is finite.
  std::vector<std::uint8_t> use(n_voxels);
  for (std::size_t v = 0; v < n_voxels; ++v) {
    bool good = mask.empty() || mask[v];
    for (std::size_t i = 0; i < k && good; ++i) good = std::isfinite(p[i][v]);
    for (std::int64_t t = 0; t < nt && good; ++t) good = std::isfinite(y[static_cast<std::size_t>(t) * n_voxels + v]);
    use[v] = good;
  }
  progress.begin("partial volumes", static_cast<std::size_t>(ny * nz));
  parallel_for(
      static_cast<std::size_t>(ny * nz), 4,
      [&](std::size_t begin, std::size_t end) {
        std::vector<std::size_t> window;
        for (std::size_t row = begin; row < end; ++row) {
          const auto j = static_cast<std::int64_t>(row) % ny, l = static_cast<std::int64_t>(row) / ny;
          for (std::int64_t i = 0; i < nx; ++i) {
            const auto v = static_cast<std::size_t>(i + nx * (j + ny * l));
            if (!use[v]) continue;
            window.clear();
            for (std::int64_t c = std::max<std::int64_t>(0, l - options.radius[2]);
                 c <= std::min(nz - 1, l + options.radius[2]); ++c)
              for (std::int64_t b = std::max<std::int64_t>(0, j - options.radius[1]);
                   b <= std::min(ny - 1, j + options.radius[1]); ++b)
                for (std::int64_t a = std::max<std::int64_t>(0, i - options.radius[0]);
                     a <= std::min(nx - 1, i + options.radius[0]); ++a) {
                  const auto w = static_cast<std::size_t>(a + nx * (b + ny * c));
                  if (use[w]) window.push_back(w);
                }
            // Tissues of which the window holds nothing are no unknowns.
            std::array<std::size_t, most> present{};
            std::array<double, most> amount{};
            std::size_t m = 0;
            for (std::size_t q = 0; q < k; ++q) {
              for (const std::size_t w : window) amount[q] += static_cast<double>(p[q][w]);
              if (amount[q] > options.least) present[m++] = q;
            }
            std::array<std::array<double, most>, most> inverse{};
            const auto solvable = [&] {
              std::array<std::array<double, most>, most> normal{};
              for (std::size_t q = 0; q < m; ++q)
                for (std::size_t r = 0; r < m; ++r)
                  for (const std::size_t w : window)
                    normal[q][r] += static_cast<double>(p[present[q]][w]) * static_cast<double>(p[present[r]][w]);
              return invert(normal, m, inverse);
            };
            // A trace of another tissue that cannot be told apart (0.5 % grey everywhere in white matter) is left out,
            // rather than the tissue that is there.
            while (m > 0 && !solvable()) {
              auto* rarest = std::min_element(present.data(), present.data() + m,
                                              [&](std::size_t a, std::size_t b) { return amount[a] < amount[b]; });
              if (amount[*rarest] > options.least * static_cast<double>(window.size()))
                m = 0;
              else
                std::copy(rarest + 1, present.data() + m, rarest), --m;
            }
            for (std::int64_t t = 0; t < nt; ++t) {
              const std::size_t volume = static_cast<std::size_t>(t) * n_voxels;
              std::array<double, most> right{};
              for (const std::size_t w : window)
                for (std::size_t q = 0; q < m; ++q)
                  right[q] += static_cast<double>(p[present[q]][w]) * static_cast<double>(y[volume + w]);
              for (std::size_t q = 0; q < m; ++q) {
                if (!(static_cast<double>(p[present[q]][v]) >= options.least)) continue;
                double value = 0;
                for (std::size_t r = 0; r < m; ++r) value += inverse[q][r] * right[r];
                to[present[q]][volume + v] = static_cast<float>(value);
              }
            }
          }
          progress.add(1);
        }
      },
      cancel);
  progress.end();
  return out;
}

}  // namespace larmor::asl
