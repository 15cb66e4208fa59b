// SPDX-License-Identifier: Apache-2.0
#pragma once
// The inside of a Nufft plan. Not for others.
#include <array>
#include <larmor/recon/nufft/block_plan.hpp>
#include <larmor/recon/nufft/kernel.hpp>
#include <larmor/recon/nufft/kernels/run.hpp>
#include <larmor/recon/nufft/nufft.hpp>
#include <mutex>
#include <vector>

namespace larmor::recon {
namespace nufft {

/// A length that the line transform takes (2, 3 and 5 divide it, nothing else), and its tables.
struct LineTables {
  LineFft fft{};
  std::vector<float> twiddles;
  std::vector<std::int32_t> order;
};
LineTables line_tables(std::int64_t n);
/// Lengths from n to about 1.3 n that the transform takes.
std::vector<std::int64_t> line_lengths(std::int64_t n);
/// Cycles a cell of one line that long takes, whatever the lanes.
double line_cost(std::int64_t n);

/// Work of a pass over the samples and the grid, of one transform alone or of some side by side: cells of windows that
/// are added (registers of four alone), samples, and the lines of all transforms by `line_cost`.
std::vector<double> work_of(const Shape& image, const Shape& grid, int width, double samples, int batch);

/// Whether eight transforms one after the other cost less than side by side: in 3D, where those fill no cache.
bool better_alone(const Shape& image, const Shape& grid, int width, double samples);

/// What to take for a tolerance.
struct Choice {
  int width = 0;
  std::vector<std::int64_t> grid;
};
/// Least estimated time over all windows that meet the tolerance.
Choice choose(const Shape& image, std::int64_t samples, const NufftOptions& options);

/// Planes [first, last) of the outer axis, and its points in the sort.
struct Slab {
  std::int32_t first = 0, last = 0;
  std::int64_t begin = 0, border = 0, end = 0;  // [border, end): those that reach into the next slab
};

/// Work arrays that calls share, so that their pages are touched once.
class Pool {
 public:
  Device device = {};
  // More than this many at once are of calls side by side, or of another number of lanes.
  std::size_t most_kept = 16;
  std::shared_ptr<std::byte> take(std::size_t bytes) const;
  void give(std::size_t bytes, std::shared_ptr<std::byte> memory) const;

 private:
  mutable std::mutex mutex_;
  mutable std::vector<std::pair<std::size_t, std::shared_ptr<std::byte>>> free_;
};

const Kernels& kernels_for(int dims, int lanes);
/// The most transforms side by side on this machine.
int most_lanes();

}  // namespace nufft

struct Nufft::Plan {
  NufftOptions options;
  NufftFacts facts;
  Shape image, samples;
  Axes image_axes, sample_axes;
  std::int64_t n_samples = 0, n_voxels = 0;
  int dims = 0;
  SpreadKernel kernel;
  std::vector<nufft::Slab> slabs;
  std::int64_t largest_slab = 0;  // planes
  std::shared_ptr<std::byte> points;
  std::vector<float> coefficients;  // rows of 16, aligned within
  std::array<nufft::LineTables, 3> lines;
  std::array<std::vector<float>, 3> scaling;
  nufft::Layout layout{};
  nufft::Pool pool;
  std::unique_ptr<const nufft::BlockPlan> blocks;  // of a CUDA device; slabs, points and lines are the CPU's

  std::size_t slab_bytes(int lanes) const;
  std::size_t line_bytes(int lanes) const;
  std::size_t middle_bytes(int lanes) const;
  std::size_t work_bytes(int lanes) const;
};

namespace nufft {

/// All transforms of a call, group after group.
void run_all(const Nufft::Plan& plan, bool adjoint, const Array& weights, float* samples, float* image,
             std::int64_t batch, const Cancel* cancel);
/// The same on a CUDA device, as many transforms at a time as the plan says.
void run_all_cuda(const Nufft::Plan& plan, bool adjoint, const Array& weights, float* samples, float* image,
                  std::int64_t batch, const Cancel* cancel);

}  // namespace nufft

}  // namespace larmor::recon
