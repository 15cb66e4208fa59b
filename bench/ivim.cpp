// SPDX-License-Identifier: Apache-2.0
// Time a voxel and core of the ways to estimate IVIM, on the classical simulation (8 b-values, Rician noise 0.01), and
// the errors that come with it.
//
//   bench_ivim [voxels] [method...]
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/estimate.hpp>
#include <larmor/perfusion/ivim/network_data.hpp>
#include <larmor/perfusion/ivim/simulate.hpp>
#include <string>
#include <vector>

using namespace larmor;

int main(int argc, char** argv) {
  const std::size_t n = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20000;
  std::vector<std::string> which;
  for (int i = 2; i < argc; ++i) which.emplace_back(argv[i]);
  set_thread_count(1);
  const auto s = ivim::simulate(n, ivim::classical_b, ivim::classical_prior(), 0.01);
  const ivim::Signals signals{.data = s.signal, .b = {ivim::classical_b.begin(), ivim::classical_b.end()}, .mask = {}};
  ivim::EstimateOptions options;
  options.noise_sd = 0.01;
  options.f = {0.1, 0.4}, options.D = {0.5e-3, 2e-3}, options.D_star = {0.01, 0.1}, options.log_D_star = false;
  fmt::print("{} voxels, 8 b-values, one core, instruction set {}; best of 5\n", n, to_string(isa()));
  fmt::print("{:<16} {:>14}   RMSE: {:>10} {:>12} {:>10}\n", "method", "us/voxel/core", "f", "D [mm2/s]", "D*");
  for (const char* method : {"ivim.segmented", "ivim.lm", "ivim.map", "ivim.varpro", "ivim.posterior"}) {
    if (!which.empty() && std::find(which.begin(), which.end(), method) == which.end()) continue;
    double best = 1e300;
    ivim::Estimate e;
    for (int repeat = 0; repeat < 5; ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      e = ivim::methods().get(method).run(signals, options, {}, nullptr);
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    double rmse[4]{};
    for (std::size_t m = 1; m < 4; ++m) {
      std::size_t count = 0;
      for (std::size_t v = 0; v < n; ++v)
        if (fit::usable(e.fit.status[v])) rmse[m] += std::pow(e.fit.values[m][v] - s.truth[m][v], 2), ++count;
      rmse[m] = std::sqrt(rmse[m] / static_cast<double>(count));
    }
    fmt::print("{:<16} {:>14.3f}         {:>10.4f} {:>12.3e} {:>10.5f}\n", method, best / static_cast<double>(n) * 1e6,
               rmse[1], rmse[2], rmse[3]);
  }
  if (which.empty() || std::find(which.begin(), which.end(), "network") != which.end()) {
    // Inference alone, of a network of the usual size; its training is that of larmor ivim evaluate's table.
    ivim::PosteriorTraining training;
    training.prior = ivim::classical_prior(), training.pool = 1024, training.steps = 1, training.epochs = 1;
    const auto network =
        ivim::train_posterior({.b = {ivim::classical_b.begin() + 1, ivim::classical_b.end()}}, training);
    const auto data = ivim::network_data(signals);
    const std::vector<float> noise(n, 0.01F);
    double best = 1e300, sum = 0;
    for (int repeat = 0; repeat < 5; ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      const auto e = network(data.ratios, noise, n);
      best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
      for (std::size_t v = 0; v < n; ++v) sum += e.f[v];
    }
    if (!std::isfinite(sum)) return 1;
    fmt::print("{:<16} {:>14.3f}         (8-40-40-6, means and sds)\n", "network", best / static_cast<double>(n) * 1e6);
  }
  return 0;
}
