// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/dcf/dcf.hpp>
#include <larmor/recon/dcf/kernels/run.hpp>

extern "C" {
const larmor::recon::dcf::Functions* larmor_density_baseline(int dims, bool separable);
#if defined(__x86_64__)
const larmor::recon::dcf::Functions* larmor_density_v3(int dims, bool separable);
const larmor::recon::dcf::Functions* larmor_density_v4(int dims, bool separable);
#endif
}

namespace larmor::recon {
namespace {

using namespace dcf;

constexpr double cells_a_cycle = 2;  // of the kernel's radius: kernel_cells / 2
constexpr std::int64_t rim = 2;      // cells of room around the samples
// A slab of planes (rows in 2D) is one piece of work, and what its samples touch is its own memory.
constexpr std::int64_t least_planes = 8, most_slabs = 32, tile = 16;
// Neighbours along an arm add to the same cells, a few columns further on: each would wait until what the one before
// has stored is in the cache. So a slab's samples are taken from so many places of its order in turn.
constexpr std::int64_t streams = 4;

const Functions& functions_for(int dims, bool separable) {
#if defined(__x86_64__)
  switch (isa()) {
    case Isa::v4:
      return *larmor_density_v4(dims, separable);
    case Isa::v3:
      return *larmor_density_v3(dims, separable);
    default:
      break;
  }
#endif
  return *larmor_density_baseline(dims, separable);
}

/// Two grids of cells are what takes memory; asked for before the system ends the process for it.
void require_memory(const std::int64_t* size, int dims) {
  double bytes = 2 * sizeof(float);
  std::string grid;
  for (int d = 0; d < dims; ++d) {
    bytes *= static_cast<double>(size[d]);
    grid += fmt::format("{}{}", d > 0 ? " x " : "", size[d]);
  }
  const double there = static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
  if (bytes > there)
    throw Error(Errc::range,
                fmt::format("density compensation: two grids of {} take {:.1f} GB, and this machine has {:.1f} GB",
                            grid, bytes / 1e9, there / 1e9),
                "give a smaller matrix, or use analytic or Voronoi weights");
}

class Density {
 public:
  Density(const Trajectory& traj, const DensityOptions& o) : cancel_(o.cancel) {
    dims_ = traj.dimensions(), samples_ = traj.size();
    for (int d = 0; d < dims_; ++d)
      size_[d] = static_cast<std::int64_t>(cells_a_cycle) * traj.matrix[static_cast<std::size_t>(d)] + 1 + 2 * rim;
    require_memory(size_, dims_);
    const bool separable = o.kernel == DensityKernel::square;
    functions_ = &functions_for(dims_, separable);
    grid_.dims = dims_;
    grid_.pitch = size_[0], grid_.plane = dims_ == 3 ? size_[0] * size_[1] : size_[0];
    // Twice the kernel is summed over cells: scaled so that the sum stands for the integral over (cycles/FOV)^d.
    const auto c = density_kernel(o.kernel, dims_);
    const double scale = std::pow(cells_a_cycle, -(separable ? 0.5 : dims_ / 2.0));
    for (std::size_t m = 0; m < kernel_terms; ++m) grid_.coefficients[m] = static_cast<float>(c[m] * scale);
    const std::int64_t outer = size_[dims_ - 1];
    slabs_ = std::clamp<std::int64_t>(outer / least_planes, 1, most_slabs);
    const Array k = traj.k.contiguous_copy();
    k.dtype() == DType::f32 ? sort<float>(k, traj) : sort<double>(k, traj);
    weights_.assign(static_cast<std::size_t>(samples_), 1.0f);
    // Planes of a slab, and those above that its samples reach: kernel_cells - 1.
    for (std::int64_t s = 0; s < slabs_; ++s)
      slab_at_.push_back(slab_at_.back() + static_cast<std::size_t>((planes(s) + kernel_cells - 1) * grid_.plane));
    cells_.resize(slab_at_.back());
    if (functions_->prepared_bytes == 0) return;
    kept_ = allocate(static_cast<std::size_t>(samples_) * functions_->prepared_bytes, Device::cpu());
    each_slab([&](std::size_t s) { functions_->prepare(grid(s), places_.data() + begin_[s], count(s), kept(s)); });
  }

  /// The first sums, of weights 1.
  void begin() {
    each_slab([&](std::size_t s) {
      functions_->spread(grid(s), places_.data() + begin_[s], kept(s), weights_.data() + begin_[s], count(s));
    });
  }
  /// Divides by the sums and, unless it is the last time, takes the next.
  void iterate(bool last) {
    // What reaches above a slab belongs to the next; then both know the sums.
    const auto halo = static_cast<std::size_t>((kernel_cells - 1) * grid_.plane);
    for (std::size_t s = 1; s + 1 < slab_at_.size(); ++s) {
      float *first = cells_.data() + slab_at_[s], *above = first - halo;
      for (std::size_t i = 0; i < halo; ++i) above[i] = first[i] += above[i];
    }
    if (next_.empty() && !last) next_.resize(cells_.size());
    each_slab([&](std::size_t s) {
      float* weights = weights_.data() + begin_[s];
      const Place* places = places_.data() + begin_[s];
      if (last) return functions_->divide(grid(s), places, kept(s), weights, count(s));
      float* next = next_.data() + slab_at_[s];
      std::fill(next, next_.data() + slab_at_[s + 1], 0.0f);
      functions_->iterate(grid(s), next, places, kept(s), weights, count(s));
    });
    if (!last) std::swap(cells_, next_);
  }

  void result(float* out) const {
    for (std::size_t j = 0; j < places_.size(); ++j) out[places_[j].index] = weights_[j];
  }

 private:
  template <class Work>
  void each_slab(const Work& work) {
    parallel_for(
        static_cast<std::size_t>(slabs_), 1,
        [&](std::size_t begin, std::size_t end) {
          for (auto s = begin; s < end; ++s) work(s);
        },
        cancel_);
  }
  std::int64_t count(std::size_t s) const { return begin_[s + 1] - begin_[s]; }
  std::int64_t first_plane(std::int64_t s) const { return s * size_[dims_ - 1] / slabs_; }
  std::int64_t planes(std::int64_t s) const { return first_plane(s + 1) - first_plane(s); }
  std::byte* kept(std::size_t s) const {
    return kept_ ? kept_.get() + static_cast<std::size_t>(begin_[s]) * functions_->prepared_bytes : nullptr;
  }
  SlabGrid grid(std::size_t s) {
    SlabGrid g = grid_;
    g.cells = cells_.data() + slab_at_[s];
    return g;
  }

  template <class T>
  void sort(const Array& k, const Trajectory& traj) {
    const std::int64_t across = (size_[0] + tile - 1) / tile, up = dims_ == 3 ? (size_[1] + tile - 1) / tile : 1;
    std::vector<std::int32_t> slab_of(static_cast<std::size_t>(size_[dims_ - 1]));
    for (std::int64_t s = 0; s < slabs_; ++s)
      for (auto p = first_plane(s); p < first_plane(s + 1); ++p)
        slab_of[static_cast<std::size_t>(p)] = static_cast<std::int32_t>(s);
    std::vector<Place> found(static_cast<std::size_t>(samples_));
    double middle[3] = {};
    const T* from[3] = {};
    for (int d = 0; d < dims_; ++d) {
      middle[d] =
          static_cast<double>(rim) + cells_a_cycle * static_cast<double>(traj.matrix[static_cast<std::size_t>(d)]) / 2;
      from[d] = k.data<T>() + d * samples_;
    }
    parallel_for(
        found.size(), 1 << 14,
        [&](std::size_t begin, std::size_t end) {
          for (std::size_t j = begin; j < end; ++j) {
            double at[3] = {};
            for (int d = 0; d < dims_; ++d)
              // Within the grid even when a position sits on the very edge, rounding included.
              at[d] = std::clamp(middle[d] + cells_a_cycle * static_cast<double>(from[d][j]), 1.0,
                                 static_cast<double>(size_[d] - 3));
            const auto first = static_cast<std::int64_t>(at[dims_ - 1]) - 1;
            const auto s = slab_of[static_cast<std::size_t>(first)];
            at[dims_ - 1] -= static_cast<double>(first_plane(s));
            auto outer = static_cast<float>(at[dims_ - 1]);
            // Just under a plane may round up to it, which may be beyond what the slab has.
            if (static_cast<double>(outer) >= std::floor(at[dims_ - 1]) + 1) outer = std::nextafter(outer, 0.0f);
            const auto tile_y = dims_ == 3 ? static_cast<std::int64_t>(at[1]) / tile : 0;
            // What it is sorted by stands in the place of its index, which is j until it is sorted.
            found[j] = {{static_cast<float>(at[0]), dims_ == 2 ? outer : static_cast<float>(at[1]), outer},
                        static_cast<std::uint32_t>((std::int64_t{s} * up + tile_y) * across +
                                                   static_cast<std::int64_t>(at[0]) / tile)};
          }
        },
        cancel_);
    std::vector<std::int64_t> first(static_cast<std::size_t>(slabs_ * up * across) + 1);
    for (const Place& p : found) ++first[p.index + 1];
    for (std::size_t i = 1; i < first.size(); ++i) first[i] += first[i - 1];
    for (std::int64_t s = 0; s <= slabs_; ++s) begin_.push_back(first[static_cast<std::size_t>(s * up * across)]);
    std::vector<Place> sorted(found.size());
    for (std::size_t j = 0; j < found.size(); ++j) {
      Place& to = sorted[static_cast<std::size_t>(first[found[j].index]++)];
      to = found[j], to.index = static_cast<std::uint32_t>(j);
    }
    places_ = std::move(found);
    each_slab([&](std::size_t s) {
      const std::int64_t length = count(s) / streams;
      const Place* from = sorted.data() + begin_[s];
      Place* to = places_.data() + begin_[s];
      for (std::int64_t i = 0; i < length; ++i)
        for (std::int64_t stream = 0; stream < streams; ++stream) *to++ = from[stream * length + i];
      std::copy(from + streams * length, from + count(s), to);
    });
  }

  int dims_ = 0;
  std::int64_t samples_ = 0, size_[3] = {1, 1, 1}, slabs_ = 1;
  const Cancel* cancel_;
  const Functions* functions_ = nullptr;
  SlabGrid grid_{};
  std::vector<Place> places_;
  std::vector<std::int64_t> begin_;
  std::vector<float> weights_;
  std::shared_ptr<std::byte> kept_;
  // All slabs are one block: many small ones would stay with the heap when they are freed.
  std::vector<std::size_t> slab_at_{0};
  std::vector<float> cells_, next_;
};

}  // namespace

Array density_iterative(const Trajectory& traj, const DensityOptions& options) {
  traj.check();
  if (options.iterations < 1)
    throw Error(Errc::range, fmt::format("density compensation: {} iterations", options.iterations), "give 1 or more");
  Density density(traj, options);
  if (options.progress) options.progress->begin("density compensation", static_cast<std::size_t>(options.iterations));
  density.begin();
  for (int i = 0; i < options.iterations; ++i) {
    density.iterate(i + 1 == options.iterations);
    if (options.progress) options.progress->add(1);
  }
  if (options.progress) options.progress->end();
  Array out = Array::uninitialised(DType::f32, traj.sample_shape(), traj.sample_axes());
  density.result(out.data<float>());
  return out;
}

}  // namespace larmor::recon
