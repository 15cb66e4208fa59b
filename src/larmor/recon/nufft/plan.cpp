// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <larmor/core/device_memory.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/nufft/plan.hpp>
#include <larmor/recon/nufft/positions.hpp>

namespace larmor::recon {
namespace nufft {
namespace {

constexpr std::int64_t tile = 8;  // cells of the inner axes that samples are sorted by

/// Room of a slab at most, with the widest lanes: what is spread on, transformed and cut stays in the second cache.
constexpr double slab_room = 1.2e6;

void check(const NufftOptions& o, const Trajectory& traj, const Shape& image) {
  traj.check();
  if (image.size() != static_cast<std::size_t>(traj.dimensions()))
    throw Error(
        Errc::shape,
        fmt::format("NUFFT: an image of {} for a trajectory of {} coordinates", to_string(image), traj.dimensions()),
        "give one extent a coordinate");
  for (const auto n : image)
    if (n < 1 || n > 32768)
      throw Error(Errc::range, fmt::format("NUFFT: an image of {}", to_string(image)),
                  "give 1 to 32768 voxels an axis");
  if (!(o.tolerance >= 1e-7 && o.tolerance <= 0.5))
    throw Error(Errc::range, fmt::format("NUFFT: a tolerance of {:.3g}", o.tolerance),
                "give 1e-6 to 1e-1; single precision ends near 5e-7");
  if (o.width != 0 && (o.width < 2 || o.width > max_kernel_width))
    throw Error(Errc::range, fmt::format("NUFFT: a window of {} points", o.width),
                fmt::format("give 2 to {}, or 0 to have it chosen", max_kernel_width));
  if (o.oversampling != 0 && !(o.oversampling >= 1.1 && o.oversampling <= 4))
    throw Error(Errc::range, fmt::format("NUFFT: an oversampling of {:.4g}", o.oversampling),
                "give 1.1 to 4, or 0 to have it chosen");
  if (traj.size() > std::int64_t{4'000'000'000})
    throw Error(Errc::range, fmt::format("NUFFT: {} samples", traj.size()), "give at most 4e9");
}

template <class T>
void sort_points(const Array& k, Nufft::Plan& plan, const Cancel* cancel) {
  const Layout& a = plan.layout;
  const int dims = plan.dims, outer_axis = dims - 1;
  const Positions<T> at(k, dims, a.width, a.n, a.N);
  const std::int64_t tiles_x = (a.N[0] + tile - 1) / tile, tiles_y = dims == 3 ? (a.N[1] + tile - 1) / tile : 1;
  std::vector<std::int32_t> slab_of(static_cast<std::size_t>(a.N[outer_axis]));
  for (std::size_t s = 0; s < plan.slabs.size(); ++s)
    for (auto o = plan.slabs[s].first; o < plan.slabs[s].last; ++o)
      slab_of[static_cast<std::size_t>(o)] = static_cast<std::int32_t>(s);
  // Keys: slab, whether it reaches beyond its end, tile. They and the order stand in the points' own memory until the
  // points themselves do: `base` of point j is its key, `index` of point i is which comes i-th.
  const std::int64_t tiles = tiles_x * tiles_y;
  auto* points = reinterpret_cast<Point*>(plan.points.get());
  const auto n = static_cast<std::size_t>(plan.n_samples);
  std::vector<std::int64_t> first(plan.slabs.size() * 2 * static_cast<std::size_t>(tiles) + 1);
  constexpr std::size_t grain = 1 << 14;
  parallel_for(
      n, grain,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t j = begin; j < end; ++j) {
          const Position p = at[static_cast<std::int64_t>(j)];
          const auto outer = p.start[outer_axis];
          const auto s = slab_of[static_cast<std::size_t>(outer)];
          const bool border = outer + a.width > plan.slabs[static_cast<std::size_t>(s)].last;
          const std::int64_t inner = dims == 3 ? (p.start[1] / tile) * tiles_x + p.start[0] / tile : p.start[0] / tile;
          points[j].base = static_cast<std::int32_t>((std::int64_t{s} * 2 + border) * tiles + inner);
        }
      },
      cancel);
  for (std::size_t j = 0; j < n; ++j) ++first[static_cast<std::size_t>(points[j].base) + 1];
  for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
  for (std::size_t s = 0; s < plan.slabs.size(); ++s) {
    const auto from = s * 2 * static_cast<std::size_t>(tiles);
    plan.slabs[s].begin = first[from];
    plan.slabs[s].border = first[from + static_cast<std::size_t>(tiles)];
    plan.slabs[s].end = first[from + 2 * static_cast<std::size_t>(tiles)];
  }
  // A stable counting sort, so that neighbours along an arm stay neighbours in memory.
  for (std::size_t j = 0; j < n; ++j)
    points[first[static_cast<std::size_t>(points[j].base)]++].index = static_cast<std::uint32_t>(j);
  parallel_for(
      n, grain,
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) {
          const std::uint32_t j = points[i].index;
          const Position p = at[j];
          points[i] = {.u = {p.u[0], p.u[1], p.u[2]},
                       .base = static_cast<std::int32_t>(dims == 3 ? p.start[1] * a.pitch + p.start[0] : p.start[0]),
                       .outer = p.start[outer_axis],
                       .index = j};
        }
      },
      cancel);
}

void require_memory(const Nufft::Plan& plan, std::size_t need) {
  if (need <= plan.options.memory) return;
  throw Error(Errc::range,
              fmt::format("NUFFT: {} samples to {} need {:.1f} MB at least, and {:.1f} MB are allowed", plan.n_samples,
                          to_string(plan.image), double(need) / 1e6, double(plan.options.memory) / 1e6),
              "allow more memory, a larger tolerance, or a smaller oversampling");
}

/// Facts of a plan by blocks: as many transforms at a time as the memory takes, 1 GB of grids unless it is told.
void take_blocks(Nufft::Plan& plan) {
  NufftFacts& facts = plan.facts;
  facts.plan_bytes = plan.blocks->bytes();
  // cuFFT keeps about one grid more to work in.
  const std::size_t one = 2 * plan.blocks->grid_bytes() + plan.blocks->partial_bytes();
  std::size_t room = std::size_t{1} << 30;
  if (plan.options.memory > 0) {
    require_memory(plan, facts.plan_bytes + one);
    room = plan.options.memory - facts.plan_bytes;
  }
  facts.lanes = static_cast<int>(std::clamp<std::size_t>(room / one, 1, 64));
  facts.work_bytes = static_cast<std::size_t>(facts.lanes) * one;
}

}  // namespace

std::shared_ptr<std::byte> Pool::take(std::size_t bytes) const {
  {
    const std::lock_guard lock(mutex_);
    for (auto& item : free_)
      if (item.first == bytes) {
        auto memory = std::move(item.second);
        item = std::move(free_.back());
        free_.pop_back();
        return memory;
      }
  }
  return allocate(bytes, device);
}
void Pool::give(std::size_t bytes, std::shared_ptr<std::byte> memory) const {
  const std::lock_guard lock(mutex_);
  if (free_.size() >= most_kept) free_.erase(free_.begin());
  free_.emplace_back(bytes, std::move(memory));
}

}  // namespace nufft

std::size_t Nufft::Plan::slab_bytes(int lanes) const {
  return static_cast<std::size_t>((largest_slab + kernel.width - 1) * layout.plane * 2 * lanes + nufft::slab_slack) *
         sizeof(float);
}
std::size_t Nufft::Plan::line_bytes(int lanes) const {
  const int cell_lanes = nufft::kernels_for(dims, lanes).cell_lanes;
  return static_cast<std::size_t>(lanes == 1 ? nufft::single_line_floats(layout, cell_lanes)
                                             : nufft::line_floats(layout, lanes)) *
         sizeof(float);
}
std::size_t Nufft::Plan::middle_bytes(int lanes) const {
  const int cell_lanes = nufft::kernels_for(dims, lanes).cell_lanes;
  const std::int64_t column = lanes == 1 ? nufft::single_column(layout, cell_lanes) : layout.column;
  return static_cast<std::size_t>(layout.N[dims - 1] * column * 2 * cell_lanes) * sizeof(float);
}
std::size_t Nufft::Plan::work_bytes(int lanes) const {
  const auto threads = std::min<std::size_t>(static_cast<std::size_t>(thread_count()), slabs.size());
  return middle_bytes(lanes) + threads * (slab_bytes(lanes) + line_bytes(lanes));
}

Nufft::Nufft(const Trajectory& traj, Shape image, const NufftOptions& options, const Cancel* cancel) {
  using namespace nufft;
  if (image.empty()) image = traj.matrix;
  nufft::check(options, traj, image);
  if (!options.device.is_cpu()) require_cuda(options.device);
  auto made = std::make_shared<Plan>();
  Plan& plan = *made;
  plan.options = options;
  plan.dims = traj.dimensions();
  plan.image = image, plan.image_axes = plan.dims == 3 ? Axes{"x", "y", "z"} : Axes{"x", "y"};
  plan.samples = traj.sample_shape(), plan.sample_axes = traj.sample_axes();
  plan.n_samples = traj.size(), plan.n_voxels = 1;
  for (const auto n : image) plan.n_voxels *= n;
  if (image != Shape(traj.matrix)) Trajectory{.k = traj.k, .matrix = image}.check();  // beyond half a cycle a voxel

  Choice choice = choose(image, plan.n_samples, options);
  const auto dims = static_cast<std::size_t>(plan.dims);
  double a = 4;
  for (std::size_t d = 0; d < dims; ++d)
    a = std::min(a, static_cast<double>(choice.grid[d]) / static_cast<double>(image[d] + 1));
  plan.kernel = spread_kernel(choice.width, a);
  const int w = choice.width;
  plan.facts.width = w, plan.facts.oversampling = a, plan.facts.grid = choice.grid;
  plan.facts.error = plan.kernel.error * std::sqrt(static_cast<double>(dims));
  const Array k = traj.k.to(Device::cpu()).contiguous_copy();
  if (!options.device.is_cpu()) {
    plan.pool.device = options.device, plan.pool.most_kept = 4;
    plan.blocks = std::make_unique<BlockPlan>(k, plan.kernel, image, choice.grid, options.device, cancel);
    take_blocks(plan);
    plan_ = std::move(made);
    return;
  }

  Layout& layout = plan.layout;
  const int degree = w <= 8 ? std::max(plan.kernel.degree, window_degree(w)) : plan.kernel.degree;
  layout.dims = plan.dims, layout.width = w, layout.degree = degree;
  plan.coefficients.assign(static_cast<std::size_t>(degree + 1) * (16 + 32) + 16, 0);
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the first address of a cache line inside
  auto* rows = reinterpret_cast<float*>((reinterpret_cast<std::uintptr_t>(plan.coefficients.data()) + 63) / 64 * 64);
  float* doubled = rows + (degree + 1) * 16;
  for (int k = degree - plan.kernel.degree, i = 0; i < (plan.kernel.degree + 1) * w; ++i) {
    const int row = k + i / w, l = i % w;
    rows[row * 16 + l] = doubled[row * 32 + 2 * l] = doubled[row * 32 + 2 * l + 1] =
        static_cast<float>(plan.kernel.coefficients[static_cast<std::size_t>(i)]);
    if (w <= 4) rows[row * 16 + 4 + l] = rows[row * 16 + l];
  }
  layout.coefficients = rows, layout.doubled = doubled;
  for (std::size_t d = 0; d < dims; ++d) {
    layout.n[d] = static_cast<std::int32_t>(image[d]), layout.N[d] = static_cast<std::int32_t>(choice.grid[d]);
    plan.lines[d] = line_tables(choice.grid[d]);
    layout.fft[d] = plan.lines[d].fft;
    for (const double p : plan.kernel.scaling(image[d], choice.grid[d]))
      plan.scaling[d].push_back(static_cast<float>(p));
    layout.scaling[d] = plan.scaling[d].data();
  }
  layout.pitch = layout.N[0] + w - 1;
  layout.plane = plan.dims == 2 ? layout.pitch : layout.pitch * (layout.N[1] + w - 1);
  // An odd number of cells from line to line of the outer axis: else its cells would share a few sets of the cache.
  layout.column = (plan.dims == 2 ? std::int64_t{layout.n[0]} : std::int64_t{layout.n[0]} * layout.n[1]) | 1;

  const std::int64_t outer = layout.N[dims - 1];
  const int lanes = std::min(most_lanes(), options.batch > 4 ? 8 : 4);
  const auto fits = static_cast<std::int64_t>(slab_room / static_cast<double>(layout.plane * 8 * lanes));
  const std::int64_t planes = std::clamp<std::int64_t>(fits, 4 * w, options.batch > 4 ? 64 : 32);
  const std::int64_t n_slabs = std::max<std::int64_t>(1, outer / planes);
  for (std::int64_t s = 0; s < n_slabs; ++s) {
    plan.slabs.push_back({.first = static_cast<std::int32_t>(s * outer / n_slabs),
                          .last = static_cast<std::int32_t>((s + 1) * outer / n_slabs)});
    plan.largest_slab = std::max<std::int64_t>(plan.largest_slab, plan.slabs.back().last - plan.slabs.back().first);
  }

  const auto point_bytes = static_cast<std::size_t>(plan.n_samples) * sizeof(Point);
  plan.facts.plan_bytes = point_bytes + plan.coefficients.size() * sizeof(float);
  for (std::size_t d = 0; d < dims; ++d)
    plan.facts.plan_bytes += (plan.lines[d].twiddles.size() + plan.scaling[d].size()) * sizeof(float);
  int most = better_alone(image, choice.grid, w, static_cast<double>(plan.n_samples)) ? 1 : most_lanes();
  if (options.memory > 0) {
    while (most > 1 && plan.facts.plan_bytes + plan.work_bytes(most) > options.memory) most = most > 4 ? most / 2 : 1;
    require_memory(plan, plan.facts.plan_bytes + plan.work_bytes(most));
  }
  plan.facts.lanes = most;
  plan.facts.work_bytes = plan.work_bytes(most);

  plan.points = allocate(point_bytes, Device::cpu());
  layout.points = reinterpret_cast<const Point*>(plan.points.get());
  k.dtype() == DType::f32 ? sort_points<float>(k, plan, cancel) : sort_points<double>(k, plan, cancel);
  plan_ = std::move(made);
}

}  // namespace larmor::recon
