// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/nufft/block_plan.hpp>
#include <larmor/recon/nufft/positions.hpp>
#include <limits>

namespace larmor::recon::nufft {
namespace {

struct Lists {
  std::vector<BlockPoint> points;
  std::vector<std::uint32_t> touching;
  std::vector<Piece> pieces;
  std::vector<Joint> joints;
  std::int32_t partials = 0;
};

/// Tiles that the cells start ... start + width - 1 (mod N) lie in, each once.
int tiles_along(std::int32_t start, std::int32_t width, std::int32_t N, std::int32_t tile, std::int32_t* out) {
  int count = 0;
  for (std::int32_t l = 0; l < width; ++l) {
    const std::int32_t cell = start + l < N ? start + l : start + l - N, at = cell / tile;
    if (std::find(out, out + count, at) == out + count) out[count++] = at;
  }
  return count;
}

template <class Work>
void each_tile(const BlockView& v, const BlockPoint& p, const std::int32_t* tile, const Work& work) {
  std::int32_t along[3][block_max_width];
  int count[3];
  for (int d = 0; d < 3; ++d) count[d] = tiles_along(p.start[d], v.N[d] == 1 ? 1 : v.width, v.N[d], tile[d], along[d]);
  for (int z = 0; z < count[2]; ++z)
    for (int y = 0; y < count[1]; ++y)
      for (int x = 0; x < count[0]; ++x)
        work((std::int64_t{along[2][z]} * v.tiles[1] + along[1][y]) * v.tiles[0] + along[0][x]);
}

template <class T>
Lists lists_of(const Array& k, int dims, const BlockView& v, const std::int32_t* tile, const Cancel* cancel) {
  const Positions<T> at(k, dims, v.width, v.n, v.N);
  const auto M = static_cast<std::size_t>(v.n_points);
  const auto n_tiles = static_cast<std::size_t>(v.tiles[0]) * static_cast<std::size_t>(v.tiles[1]) *
                       static_cast<std::size_t>(v.tiles[2]);
  constexpr std::size_t grain = 1 << 14;
  Lists out;
  // A stable counting sort by the tile that a sample begins in.
  std::vector<std::uint32_t> key(M), first(n_tiles + 1);
  parallel_for(
      M, grain,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t j = begin; j < end; ++j) {
          const Position p = at[static_cast<std::int64_t>(j)];
          key[j] = static_cast<std::uint32_t>((p.start[2] / tile[2] * v.tiles[1] + p.start[1] / tile[1]) * v.tiles[0] +
                                              p.start[0] / tile[0]);
        }
      },
      cancel);
  for (const auto k_j : key) ++first[k_j + 1];
  for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  std::vector<std::uint32_t> order(M);
  for (std::size_t j = 0; j < M; ++j) order[first[key[j]]++] = static_cast<std::uint32_t>(j);
  out.points.resize(M);
  parallel_for(
      M, grain,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          const Position p = at[order[i]];
          BlockPoint& to = out.points[i];
          to.index = order[i];
          for (int d = 0; d < 3; ++d) to.u[d] = p.u[d], to.start[d] = p.start[d];
        }
      },
      cancel);
  std::vector<std::int64_t> begin(n_tiles + 1);
  for (const auto& p : out.points)
    each_tile(v, p, tile, [&](std::int64_t t) { ++begin[static_cast<std::size_t>(t) + 1]; });
  for (std::size_t i = 1; i < begin.size(); ++i) begin[i] += begin[i - 1];
  if (begin.back() > std::numeric_limits<std::uint32_t>::max())
    throw Error(Errc::range, fmt::format("NUFFT: {} samples touch {} tiles of the grid", M, begin.back()),
                "split the trajectory");
  out.touching.resize(static_cast<std::size_t>(begin.back()));
  auto next = begin;
  for (std::size_t i = 0; i < M; ++i)
    each_tile(v, out.points[i], tile, [&](std::int64_t t) {
      out.touching[static_cast<std::size_t>(next[static_cast<std::size_t>(t)]++)] = static_cast<std::uint32_t>(i);
    });
  for (std::size_t t = 0; t < n_tiles; ++t) {
    const std::int64_t n = begin[t + 1] - begin[t],
                       cuts = std::max<std::int64_t>(1, (n + block_pieces - 1) / block_pieces);
    if (cuts > 1) out.joints.push_back({static_cast<std::int32_t>(t), out.partials, static_cast<std::int32_t>(cuts)});
    for (std::int64_t c = 0; c < cuts; ++c)
      out.pieces.push_back({.tile = static_cast<std::int32_t>(t),
                            .begin = static_cast<std::uint32_t>(begin[t] + n * c / cuts),
                            .end = static_cast<std::uint32_t>(begin[t] + n * (c + 1) / cuts),
                            .partial = cuts > 1 ? out.partials++ : -1});
  }
  return out;
}

}  // namespace

template <class T>
const T* BlockPlan::keep(const std::vector<T>& values) {
  const std::size_t size = values.size() * sizeof(T);
  kept_.push_back(allocate(size, device_));
  copy_bytes(kept_.back().get(), device_, values.data(), Device::cpu(), size);
  bytes_ += size;
  return reinterpret_cast<const T*>(kept_.back().get());
}

BlockPlan::BlockPlan(const Array& k, const SpreadKernel& kernel, const Shape& image, const Shape& grid, Device device,
                     const Cancel* cancel)
    : device_(device) {
  const int dims = static_cast<int>(image.size());
  view_.width = kernel.width, view_.degree = kernel.degree;
  view_.cells = view_.voxels = 1;
  const std::int32_t tile[3]{dims == 2 ? TileOf<2>::x : TileOf<3>::x, dims == 2 ? TileOf<2>::y : TileOf<3>::y,
                             dims == 2 ? TileOf<2>::z : TileOf<3>::z};
  for (int d = 0; d < 3; ++d) {
    const auto at = static_cast<std::size_t>(d);
    view_.n[d] = d < dims ? static_cast<std::int32_t>(image[at]) : 1;
    view_.N[d] = d < dims ? static_cast<std::int32_t>(grid[at]) : 1;
    view_.tiles[d] = (view_.N[d] + tile[d] - 1) / tile[d];
    view_.cells *= view_.N[d], view_.voxels *= view_.n[d];
  }
  if (view_.cells > std::numeric_limits<std::int32_t>::max())
    throw Error(Errc::range, fmt::format("NUFFT: a grid of {} has {} cells", to_string(grid), view_.cells),
                "give less than 2^31: a smaller image or oversampling, or device cpu");
  view_.n_points = k.size() / dims;
  const Lists lists = k.dtype() == DType::f32 ? lists_of<float>(k, dims, view_, tile, cancel)
                                              : lists_of<double>(k, dims, view_, tile, cancel);
  view_.n_pieces = static_cast<std::int32_t>(lists.pieces.size());
  view_.n_joints = static_cast<std::int32_t>(lists.joints.size());
  view_.n_partials = lists.partials;
  view_.points = keep(lists.points);
  view_.touching = keep(lists.touching);
  view_.pieces = keep(lists.pieces);
  view_.joints = keep(lists.joints);
  std::vector<float> rows(static_cast<std::size_t>(kernel.degree + 1) * block_row);
  for (int p = 0; p <= kernel.degree; ++p)
    for (int l = 0; l < kernel.width; ++l)
      rows[static_cast<std::size_t>(p * block_row + l)] =
          static_cast<float>(kernel.coefficients[static_cast<std::size_t>(p * kernel.width + l)]);
  view_.coefficients = keep(rows);
  for (int d = 0; d < dims; ++d) {
    std::vector<float> scaling;
    for (const double p : kernel.scaling(view_.n[d], view_.N[d])) scaling.push_back(static_cast<float>(p));
    view_.scaling[d] = keep(scaling);
  }
}

std::size_t BlockPlan::partial_bytes() const {
  const auto cells = static_cast<std::size_t>(dims() == 2 ? TileOf<2>::cells : TileOf<3>::cells);
  return static_cast<std::size_t>(view_.n_partials) * cells * sizeof(BlockComplex);
}

}  // namespace larmor::recon::nufft
