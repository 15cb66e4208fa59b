// SPDX-License-Identifier: Apache-2.0
// Convolution by 3 x 3 x 3: forward, gradient of the weights, in GFLOP/s of processor time of one thread.
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/conv_half.hpp>
#include <random>
#include <vector>

namespace {
double cpu() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}
}  // namespace

int main() {
  using namespace larmor::nn;
  larmor::set_thread_count(1);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  fmt::print("convolution 3x3x3, f32, 1 thread, {}; tiles: bfloat16, rounding of the input included\n",
             larmor::to_string(larmor::isa()));
  for (const auto& [cin, cout, down] : {std::array{1, 8, 1},
                                        {8, 8, 1},
                                        {16, 8, 1},
                                        {16, 16, 1},
                                        {32, 16, 1},
                                        {24, 24, 2},
                                        {48, 24, 2},
                                        {48, 48, 4},
                                        {64, 64, 4},
                                        {96, 96, 8}}) {
    const ConvGrid grid(40 / down, 56 / down, 40 / down);
    Channels in(grid, cin), out(grid, cout);
    std::vector<float> dense(static_cast<std::size_t>(cin) * grid.voxels());
    for (auto& v : dense) v = normal(random);
    to_channels(grid, dense.data(), in, 0, cin);
    std::vector<float> weights(static_cast<std::size_t>(cin * cout * 27));
    for (auto& v : weights) v = normal(random);
    const auto w = packed(weights, cout, cin, 27);
    const double gflop = 2e-9 * 27 * cin * cout * static_cast<double>(grid.voxels());
    double best = 1e9, best_weights = 1e9, best_half = 1e9, best_half_weights = 1e9;
    const bool half = half_available() && half_pays(cin, cout);
    const auto tiles = packed_half(weights, cout, cin, 27);
    for (int r = 0; r < 7; ++r) {
      double t = cpu();
      convolve(grid, {}, in, 0, cin, w, {}, out, 0, cout);
      best = std::min(best, cpu() - t);
      t = cpu();
      convolve_weights(grid, {}, in, cin, out, 0, cout, weights);
      best_weights = std::min(best_weights, cpu() - t);
      if (!half) continue;
      t = cpu();
      convolve_half(grid, {}, in, 0, cin, tiles, {}, out, 0, cout);
      best_half = std::min(best_half, cpu() - t);
      t = cpu();
      convolve_weights_half(grid, {}, in, cin, out, 0, cout, weights);
      best_half_weights = std::min(best_half_weights, cpu() - t);
    }
    fmt::print("{:3} -> {:3} on {:2} x {:2} x {:2}: forward {:6.1f} GFLOP/s, weights {:6.1f} GFLOP/s{}\n", cin, cout,
               grid.nx, grid.ny, grid.nz, gflop / best, gflop / best_weights,
               half ? fmt::format("; tiles {:6.1f} and {:6.1f}", gflop / best_half, gflop / best_half_weights) : "");
  }
}
