// SPDX-License-Identifier: Apache-2.0
// One source for CPU and CUDA: the curve fits of every IVIM model end in the same minimum on both.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <larmor/core/device.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <random>

namespace larmor {
namespace {

/// Different parameters in every voxel, (voxel, sample), with Gaussian noise of 1 % of S0 = 1.
Array varied(const ivim::Model& model, std::span<const double> design, std::size_t samples, std::int64_t n) {
  Array data = Array::of<float>({n, static_cast<std::int64_t>(samples)}, {"voxel", "b"});
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> factor(-0.4, 0.4);
  std::normal_distribution<double> noise(0, 0.01);
  std::vector<double> signal(samples);
  for (std::int64_t v = 0; v < n; ++v) {
    std::vector<double> p;
    for (const auto& q : model.params) p.push_back(std::min(q.start * std::exp(factor(random)), 0.8 * q.upper));
    p[0] = 1;
    fit::curve_signal(model, design, p, {}, signal);
    for (std::size_t k = 0; k < samples; ++k)
      data.data<float>()[static_cast<std::int64_t>(k) * n + v] = static_cast<float>(signal[k] + noise(random));
  }
  return data;
}

TEST(CurveFit, IsTheSameOnCuda) {
  if (cuda_device_count() == 0) GTEST_SKIP() << "no CUDA device: " << cuda_why_not();
  const std::vector<double> b{0, 5, 10, 20, 35, 60, 100, 150, 220, 300, 400, 500, 600, 700, 850, 1000};
  constexpr std::int64_t n = 20'000;
  for (const auto& id : ivim::models().ids()) {
    const auto& model = ivim::models().get(id);
    std::vector<double> design;
    for (const double value : b) {
      design.push_back(value);
      // What a model wants beside b is a flow weighting [s/mm]: here of a bipolar pair with 20 ms between the lobes.
      for (std::size_t extra = 1; extra < model.design.size(); ++extra) design.push_back(0.08 * std::sqrt(value));
    }
    const Array data = varied(model, design, b.size(), n);
    const auto seconds = [](auto&& run) {
      const auto start = std::chrono::steady_clock::now();
      auto result = run();
      return std::pair{std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(), result};
    };
    fit::CurveFitOptions on_cuda;
    on_cuda.device = Device::cuda();
    const auto [cpu_time, cpu] = seconds([&] { return fit::fit_curves(model, data, design); });
    fit::fit_curves(model, data, design, {}, {}, on_cuda);  // loads the kernels
    const auto [cuda_time, cuda] = seconds([&] { return fit::fit_curves(model, data, design, {}, {}, on_cuda); });
    int different = 0, compared = 0;
    for (std::size_t v = 0; v < static_cast<std::size_t>(n); ++v) {
      if (!usable(cpu.status[v]) || !usable(cuda.status[v])) continue;
      for (std::size_t i = 0; i < cpu.params.size(); ++i) {
        const double se = std::isfinite(cpu.standard_error[i][v]) ? cpu.standard_error[i][v] : 0;
        ++compared;
        // Both stop within 1e-6 of a parameter, in single precision: far inside the standard error.
        different += !(std::abs(cuda.values[i][v] - cpu.values[i][v]) <= 0.01 * se + 1e-4 * std::abs(cpu.values[i][v]));
      }
    }
    std::printf("%-20s %.3f us/voxel on the CPU, %.4f on CUDA; %d of %d parameters differ\n", id.c_str(),
                1e6 * cpu_time / n, 1e6 * cuda_time / n, different, compared);
    EXPECT_GT(compared, static_cast<int>(0.9 * n) * static_cast<int>(cpu.params.size())) << id;
    // Two minima of the same depth, or a parameter that the data say nothing of.
    EXPECT_LE(different, compared / 200) << id;
  }
}

}  // namespace
}  // namespace larmor
