// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/recon/nufft/plan.hpp>
#include <limits>
#include <numbers>

namespace larmor::recon::nufft {
namespace {

/// Error of the best window, within 10 % of what the fit of each gives for widths from 3 and oversampling from 1.2
/// to 2.
double expected_error(int width, double oversampling) {
  const double gap = 1 - 1 / oversampling;
  return 4 * gap * std::exp(-std::numbers::pi * width * std::sqrt(gap));
}

/// Rounding of floats, which the scaling magnifies towards the edges of the image: a window that is wide for its
/// oversampling is nearly zero there. The exponent is that of the Kaiser-Bessel window's transform, middle to edge.
double expected_rounding(int width, double oversampling, double dims) {
  const double fall = std::numbers::pi * width * (1 - 0.5 / oversampling - std::sqrt(1 - 1 / oversampling));
  return 1.2e-7 * std::pow(std::max(1.0, 0.06 * std::exp(fall)), dims);
}

double least_oversampling(int width, double error) {
  double low = 1.1, high = 4;
  if (expected_error(width, low) <= error) return low;
  if (expected_error(width, high) > error) return std::numeric_limits<double>::infinity();
  while (high - low > 1e-3) {
    const double middle = (low + high) / 2;
    (expected_error(width, middle) > error ? low : high) = middle;
  }
  return high;
}

/// Fastest length that holds the window, of a (n + 1) points at least: voxels have an extent.
std::int64_t grid_length(std::int64_t n, double a, int width) {
  const auto least =
      std::max<std::int64_t>(static_cast<std::int64_t>(std::ceil(a * static_cast<double>(n + 1) - 1e-9)), 2 * width);
  const auto lengths = line_lengths(least);
  return *std::min_element(lengths.begin(), lengths.end(), [](std::int64_t p, std::int64_t q) {
    return static_cast<double>(p) * line_cost(p) < static_cast<double>(q) * line_cost(q);
  });
}

// Nanoseconds a unit of `work_of`, as `bench_nufft constants` measures them with AVX-512 (it prints the model beside
// the times: within 11 % alone, 35 % together). Only their ratios matter here.
struct Costs {
  double cell, sample, line;
};
constexpr Costs alone[2]{{0.58, 4.5, 0.048}, {0.46, 6.1, 0.054}}, together[2]{{0.46, 20, 0.35}, {0.93, 49, 0.45}};

double time_of(const Shape& image, const Shape& grid, int width, double samples, int batch) {
  const auto work = work_of(image, grid, width, samples, batch);
  const Costs& c = (batch == 1 ? alone : together)[image.size() - 2];
  return c.cell * work[0] + c.sample * work[1] + c.line * work[2];
}

}  // namespace

bool better_alone(const Shape& image, const Shape& grid, int width, double samples) {
  return 8 * time_of(image, grid, width, samples, 1) < time_of(image, grid, width, samples, 8);
}

std::vector<double> work_of(const Shape& image, const Shape& grid, int width, double samples, int batch) {
  const auto dims = image.size();
  // Of one transform a row of the window is one or two registers of eight numbers: as many as four cells.
  double cells = batch == 1 ? (width <= 4 ? 1 : width <= 8 ? 2 : 4) : width, lines_all = 0;
  for (std::size_t d = 1; d < dims; ++d) cells *= width;
  for (std::size_t d = 0; d < dims; ++d) {
    double lines = 1;  // inner axes are cut to the image once they are transformed
    for (std::size_t e = 0; e < dims; ++e)
      if (e != d) lines *= static_cast<double>(e < d ? image[e] : grid[e]);
    lines_all += lines * static_cast<double>(grid[d]) * line_cost(grid[d]);
  }
  return {samples * cells, samples, lines_all};
}

Choice choose(const Shape& image, std::int64_t samples, const NufftOptions& options) {
  const double dims = static_cast<double>(image.size());
  const double most = 0.85 * options.tolerance;
  Choice best;
  double least = std::numeric_limits<double>::infinity(), nearest_error = least;
  int nearest = 0;
  for (int width = 2; width <= max_kernel_width; ++width) {
    if (options.width && width != options.width) continue;
    const double error = most / std::sqrt(dims);
    const double a = options.oversampling > 0 ? options.oversampling : least_oversampling(width, error);
    if (!std::isfinite(a)) continue;
    // With both given there is nothing to choose. With one, the other follows; what cannot be met is met as nearly as
    // can be.
    if (!options.width) {
      const double total = std::hypot(expected_error(width, a) * std::sqrt(dims), expected_rounding(width, a, dims));
      if (total > most) {
        if (total < nearest_error) nearest_error = total, nearest = width;
        continue;
      }
    }
    std::vector<std::int64_t> grid;
    for (const auto n : image) grid.push_back(grid_length(n, a, width));
    const auto M = static_cast<double>(samples);
    double time = 8 * time_of(image, grid, width, M, 1);
    if (options.batch > 3) time = std::min(time, time_of(image, grid, width, M, 8));
    if (time < least) least = time, best = {width, grid};
  }
  if (best.width == 0) {
    NufftOptions forced = options;
    forced.width = nearest ? nearest : 8;
    if (!(forced.oversampling > 0)) forced.oversampling = 2;
    return choose(image, samples, forced);
  }
  return best;
}

}  // namespace larmor::recon::nufft
