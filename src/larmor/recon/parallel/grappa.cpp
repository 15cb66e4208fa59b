// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/arrange.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/coils/calibration.hpp>
#include <larmor/recon/dense.hpp>
#include <larmor/recon/operators/vectors.hpp>
#include <larmor/recon/parallel/grappa.hpp>
#include <larmor/recon/parallel/grappa_grid.hpp>
#include <larmor/recon/parallel/grappa_weights.hpp>
#include <numbers>

namespace larmor::recon {
namespace {

using C = std::complex<double>;

// Sources of all coils at a point as row `row` of a matrix: (source, coil), sources fastest.
void gather(const C* k, const SampleGrid& grid, std::int64_t coils, const std::vector<Place>& sources,
            std::int64_t point, Matrix& to, std::size_t row) {
  const Place at = grid.place(point);
  for (std::size_t s = 0; s < sources.size(); ++s) {
    const C* from = k + grid.point({at[0] + sources[s][0], at[1] + sources[s][1], at[2] + sources[s][2]});
    for (std::int64_t c = 0; c < coils; ++c, from += grid.points())
      to(row, s + sources.size() * static_cast<std::size_t>(c)) = *from;
  }
}

// Weights of coils in the combined image from the middle of k-space; (voxel, coil), of norm 1 or 0.
Array coil_weights(const Array& kspace, const Axes& axes, const std::string& coil_axis, const Box& box) {
  // The window of the low-resolution maps lies around the middle, so it takes the smaller side of the region.
  std::int64_t width = 32;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    const std::int64_t n = kspace.extent(kspace.axis(axes[a])), middle = n / 2;
    if (box.extent(a) < n) width = std::min(width, 2 * std::min(middle - box.begin[a], box.end[a] - middle));
  }
  return low_resolution_maps(kspace, axes, coil_axis,
                             {.calibration = std::max<std::int64_t>(width, 2), .threshold = 0});
}

// g of the combined image from kernels that serve the lattice: with W_kl(x) the sum over sources s of the weight from
// coil l to k times exp(-2 pi i s x), sqrt(sum over l of |sum over k of p_k W_kl|^2) / (R |p|).
Array noise_factor(const std::vector<Pattern>& patterns, const std::vector<Matrix>& weights, const SampleGrid& grid,
                   std::int64_t coils, const Array& combination_maps, const Axes& axes, const Cancel* cancel) {
  const Place n = grid.size();
  const std::int64_t voxels = grid.points();
  Array g(DType::f32, Shape(n.begin(), n.begin() + static_cast<std::ptrdiff_t>(axes.size())), axes);
  const Array maps = combination_maps.cast(DType::c128).contiguous_copy();
  const double R = static_cast<double>(patterns.size() + 1);
  std::array<std::vector<C>, 3> turns;  // exp(-2 pi i m / n)
  for (std::size_t a = 0; a < 3; ++a)
    for (std::int64_t m = 0; m < n[a]; ++m)
      turns[a].push_back(std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(m) / static_cast<double>(n[a])));
  const auto nc = static_cast<std::size_t>(coils);
  parallel_for(
      static_cast<std::size_t>(voxels), 256,
      [&](std::size_t begin, std::size_t end) {
        std::vector<C> p(nc), sum(nc);
        for (auto i = static_cast<std::int64_t>(begin); i < static_cast<std::int64_t>(end); ++i) {
          double size = 0;
          for (std::size_t c = 0; c < nc; ++c) {
            p[c] = std::conj(maps.data<C>()[i + voxels * static_cast<std::int64_t>(c)]);
            size += std::norm(p[c]);
          }
          if (size == 0) continue;
          sum = p;  // what was measured counts once
          const Place at = grid.place(i);
          for (std::size_t q = 0; q < patterns.size(); ++q) {
            const auto& sources = patterns[q].sources;
            const Matrix& w = weights[q];
            for (std::size_t s = 0; s < sources.size(); ++s) {
              C phase = 1;
              for (std::size_t a = 0; a < 3; ++a) {
                const std::int64_t turn = sources[s][a] * (at[a] - n[a] / 2);
                phase *= turns[a][static_cast<std::size_t>((turn % n[a] + n[a]) % n[a])];
              }
              for (std::size_t l = 0; l < nc; ++l) {
                C all;
                for (std::size_t k = 0; k < nc; ++k) all += p[k] * w(s + sources.size() * l, k);
                sum[l] += phase * all;
              }
            }
          }
          double noise = 0;
          for (const C v : sum) noise += std::norm(v);
          g.data<float>()[i] = static_cast<float>(std::sqrt(noise / size) / R);
        }
      },
      cancel);
  return g;
}

// The patterns of the bare lattice: for each place in its cell the sources within reach. Empty unless one of them is
// met in the data.
std::vector<Pattern> lattice_patterns(const std::vector<Pattern>& met, const Place& gaps, const Place& reach) {
  std::vector<Pattern> out;
  bool any = false;
  for (std::int64_t t = 1; t < gaps[0] * gaps[1] * gaps[2]; ++t) {
    const Place cell{t % gaps[0], t / gaps[0] % gaps[1], t / gaps[0] / gaps[1]};
    Pattern p;
    for (auto z = -reach[2]; z <= reach[2]; ++z)
      for (auto y = -reach[1]; y <= reach[1]; ++y)
        for (auto x = -reach[0]; x <= reach[0]; ++x)
          if ((x + cell[0]) % gaps[0] == 0 && (y + cell[1]) % gaps[1] == 0 && (z + cell[2]) % gaps[2] == 0)
            p.sources.push_back({x, y, z});
    any = any || std::any_of(met.begin(), met.end(), [&](const Pattern& m) { return m.sources == p.sources; });
    out.push_back(std::move(p));
  }
  if (!any) out.clear();
  return out;
}

void check(const Array& kspace, const Axes& axes, const GrappaOptions& o) {
  if (kspace.dtype() != DType::c64 && kspace.dtype() != DType::c128)
    throw Error(Errc::type, "k-space is complex and this is " + kspace.describe());
  if (axes.size() < 2 || axes.size() > 3)
    throw Error(Errc::range, fmt::format("grappa: {} axes", axes.size()), "name 2 or 3");
  if (o.lines < 2 || o.lines > 8 || o.lines % 2 || o.width < 1 || o.width > 15 || o.width % 2 == 0 || !(o.l2 >= 0))
    throw Error(Errc::range, fmt::format("grappa: {} lines, a width of {}, l2 = {}", o.lines, o.width, o.l2),
                "give an even number of lines from 2 to 8, an odd width from 1 to 15, and l2 of 0 or more");
}

/// An axis of more than one element that is neither transformed nor that of the coils; -1: none.
int outer_axis(const Array& kspace, const Axes& axes, int coil) {
  for (int i = kspace.rank() - 1; i >= 0; --i)
    if (i != coil && kspace.extent(i) > 1 &&
        std::find(axes.begin(), axes.end(), kspace.axes()[static_cast<std::size_t>(i)]) == axes.end())
      return i;
  return -1;
}

Grappa grappa_of_one(const Array& kspace, const Axes& axes, const std::string& coil_axis, const GrappaOptions& o) {
  const int coil = kspace.axis(coil_axis);
  require_finite(kspace, "k-space");
  const SampleGrid grid(sampled_mask(kspace, axes));
  std::vector<int> order;
  for (const auto& name : axes) order.push_back(kspace.axis(name));
  order.push_back(coil);
  for (int i = 0; i < kspace.rank(); ++i)
    if (std::find(order.begin(), order.end(), i) == order.end()) order.push_back(i);
  const Array source = kspace.to(Device::cpu()).permuted(order).cast(DType::c128).contiguous_copy();
  Array k = source.clone();
  const std::int64_t coils = kspace.extent(coil);
  const Place gaps = grid.gaps();
  Place reach{};
  for (std::size_t a = 0; a < axes.size(); ++a)
    reach[a] = gaps[a] > 1 ? o.lines / 2 * gaps[a] - 1 : std::min<std::int64_t>(o.width, grid.size()[a]) / 2;
  const auto patterns = patterns_of(grid, reach, 512);
  if (patterns.empty())
    throw Error(Errc::range, "grappa: every sample was measured", "transform k-space, and combine the coils");
  const Box box = grid.calibration();
  Grappa out;
  out.kernels = static_cast<int>(patterns.size());
  const C* measured = source.data<C>();
  const auto weights = grappa_weights(measured, grid, coils, box, patterns, o.l2, o.cancel, o.progress);
  C* filled = k.data<C>();
  for (std::size_t i = 0; i < patterns.size(); ++i) {
    const Matrix& w = weights[i];
    const auto& points = patterns[i].missing;
    constexpr std::size_t together = 64;  // rows of a product: they fit a core's cache
    parallel_for((points.size() + together - 1) / together, 1,
                 [&](std::size_t begin, std::size_t end) {
                   for (auto block = begin; block < end; ++block) {
                     const std::size_t first = block * together, rows = std::min(together, points.size() - first);
                     Matrix sources(rows, w.rows);
                     for (std::size_t p = 0; p < rows; ++p)
                       gather(measured, grid, coils, patterns[i].sources, points[first + p], sources, p);
                     const Matrix targets = product(sources, w);
                     for (std::size_t c = 0; c < w.columns; ++c)
                       for (std::size_t p = 0; p < rows; ++p)
                         filled[points[first + p] + grid.points() * static_cast<std::int64_t>(c)] = targets(p, c);
                   }
                 },
                 o.cancel);
  }
  std::vector<int> back(order.size());
  for (std::size_t i = 0; i < order.size(); ++i) back[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
  out.kspace = k.permuted(back).cast(kspace.dtype()).contiguous_copy();
  Array region = kspace;
  for (std::size_t a = 0; a < axes.size(); ++a) region = region.range(kspace.axis(axes[a]), box.begin[a], box.end[a]);
  out.calibration = region.contiguous_copy();
  if (o.noise) {
    const auto lattice = lattice_patterns(patterns, gaps, reach);
    if (!lattice.empty())
      out.g = noise_factor(lattice, grappa_weights(measured, grid, coils, box, lattice, o.l2, o.cancel, {}), grid,
                           coils, coil_weights(source, axes, coil_axis, box), axes, o.cancel);
  }
  return out;
}

/// The middle that every one of them has, side by side.
Array common_middle(const std::vector<Grappa>& parts, const Axes& axes, const std::string& outer) {
  std::vector<Array> regions;
  for (const auto& part : parts) regions.push_back(part.calibration);
  for (const auto& name : axes) {
    std::int64_t n = regions.front().extent(regions.front().axis(name));
    for (const auto& r : regions) n = std::min(n, r.extent(r.axis(name)));
    for (auto& r : regions) {
      const int axis = r.axis(name);
      const std::int64_t first = r.extent(axis) / 2 - n / 2;
      r = r.range(axis, first, first + n);
    }
  }
  return nd::stack(regions, outer);
}

}  // namespace

Grappa grappa(const Array& kspace, const Axes& axes, const std::string& coil_axis, const GrappaOptions& o) {
  const int coil = kspace.axis(coil_axis);
  check(kspace, axes, o);
  const int outer = outer_axis(kspace, axes, coil);
  if (outer < 0) return grappa_of_one(kspace, axes, coil_axis, o);
  require_finite(kspace, "k-space");
  const std::string name = kspace.axes()[static_cast<std::size_t>(outer)];
  std::vector<Grappa> parts;
  for (std::int64_t i = 0; i < kspace.extent(outer); ++i) try {
      parts.push_back(grappa(kspace.slice(outer, i), axes, coil_axis, o));
    } catch (Error& e) {
      throw e.at(fmt::format("{} {}", name, i));
    }
  Grappa out;
  std::vector<Array> filled, g;
  for (const auto& part : parts) {
    filled.push_back(part.kspace);
    if (!part.g.empty()) g.push_back(part.g);
    out.kernels = std::max(out.kernels, part.kernels);
  }
  std::vector<int> order;  // the new axis comes last: back to its place
  for (int i = 0; i < kspace.rank(); ++i) order.push_back(i < outer ? i : i == outer ? kspace.rank() - 1 : i - 1);
  out.kspace = nd::stack(filled, name).permuted(order).contiguous_copy();
  if (g.size() == parts.size()) out.g = nd::stack(g, name);
  out.calibration = common_middle(parts, axes, name);
  return out;
}

}  // namespace larmor::recon
