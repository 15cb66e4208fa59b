// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/nn/mlp_device.hpp>
#include <larmor/perfusion/ivim/deep.hpp>
#include <random>

extern "C" {
using IvimLoss = double(const float*, int, const float*, const float*, float*, size_t, size_t, float);
IvimLoss larmor_ivim_loss_baseline;
#if defined(__x86_64__)
IvimLoss larmor_ivim_loss_v3, larmor_ivim_loss_v4;
#endif
}

namespace larmor::ivim {

void reconstruction_loss_emulated(const float* b, int n_b, const float* signal, const float* out, float* grad,
                                  double* sums, std::size_t stride, std::size_t n);
void reconstruction_loss_launch(const float* b, int n_b, const float* signal, const float* out, float* grad,
                                double* sums, std::size_t stride, std::size_t n, int device);

namespace deep {
namespace {

IvimLoss* kernel() {
#if defined(__x86_64__)
  if (isa() == Isa::v4) return larmor_ivim_loss_v4;
  if (isa() == Isa::v3) return larmor_ivim_loss_v3;
#endif
  return larmor_ivim_loss_baseline;
}

void check_b(std::span<const double> b) {
  if (b.size() < 3) throw Error(Errc::range, fmt::format("{} b-values above 0; 3 parameters need 3", b.size()));
  for (const double v : b)
    if (!(v > 0) || !std::isfinite(v))
      throw Error(Errc::range, fmt::format("a b-value is {} s/mm2", v),
                  "divide by the signal at b = 0 and give those above 0");
}

}  // namespace

Simulated simulate(std::span<const double> b, const SimulateOptions& o) {
  check_b(b);
  if (o.samples == 0 || !(o.D_low > 0 && o.D_low <= o.D_high && o.D_star_low > 0 && o.D_star_low <= o.D_star_high) ||
      !(o.f_low >= 0 && o.f_low <= o.f_high && o.f_high <= 1) || !(o.noise >= 0))
    throw Error(Errc::range,
                fmt::format("{} samples, D {} to {}, f {} to {}, D_star {} to {}, noise {}", o.samples, o.D_low,
                            o.D_high, o.f_low, o.f_high, o.D_star_low, o.D_star_high, o.noise),
                "give ranges from low to high, diffusion above 0, f between 0 and 1");
  std::mt19937_64 random(o.seed);
  const auto uniform = [&](double lo, double hi) {
    return lo + (hi - lo) * std::uniform_real_distribution<double>()(random);
  };
  std::normal_distribution<double> normal(0, 1);
  Simulated out;
  const std::size_t n = o.samples;
  out.signals.resize(b.size() * n);
  for (std::size_t s = 0; s < n; ++s) {
    const double D = uniform(o.D_low, o.D_high), f = uniform(o.f_low, o.f_high),
                 D_star = uniform(o.D_star_low, o.D_star_high);
    out.truth.D.push_back(static_cast<float>(D)), out.truth.f.push_back(static_cast<float>(f)),
        out.truth.D_star.push_back(static_cast<float>(D_star));
    for (std::size_t i = 0; i < b.size(); ++i) {
      const double exact = (1 - f) * std::exp(-b[i] * D) + f * std::exp(-b[i] * D_star);
      const double real = exact + o.noise * normal(random), imaginary = o.noise * normal(random);
      out.signals[i * n + s] = static_cast<float>(std::hypot(real, imaginary));
    }
  }
  return out;
}

nn::MlpSpec network_spec(std::size_t n_b) {
  const int n = static_cast<int>(n_b);
  return {{n, n, n, n, 3}, nn::Activation::elu, nn::Activation::abs};
}

double reconstruction_loss(std::span<const float> b, const float* signals, const float* outputs, float* grad,
                           std::size_t stride, std::size_t n) {
  return kernel()(b.data(), static_cast<int>(b.size()), signals, outputs, grad, stride, n, 1 / static_cast<float>(n)) /
         static_cast<double>(n);
}

DeepResult train(std::span<const double> b, std::span<const float> signals, std::size_t n,
                 const nn::FitOptions& options, const Progress& progress, const Cancel* cancel) {
  check_b(b);
  const std::vector<float> bf(b.begin(), b.end());
  DeepResult out{nn::Mlp(network_spec(b.size()), options.seed), {}};
  out.fit = nn::fit(
      out.network, signals, n,
      [&](const float* in, const float* outputs, float* grad, std::size_t stride, std::size_t count) {
        return reconstruction_loss(bf, in, outputs, grad, stride, count);
      },
      options, progress, cancel);
  return out;
}

DeepResult train_on(Device device, std::span<const double> b, std::span<const float> signals, std::size_t n,
                    const nn::FitOptions& options, const Progress& progress, const Cancel* cancel) {
  check_b(b);
  const std::vector<float> bf(b.begin(), b.end());
  DeviceMemory memory(device);
  if (!device.is_cpu()) require_cuda(device);
  const float* there = memory.copy(bf.data(), bf.size());
  const int n_b = static_cast<int>(b.size());
  DeepResult out{nn::Mlp(network_spec(b.size()), options.seed), {}};
  out.fit = nn::fit_on(
      device, out.network, signals, n,
      [&](const float* in, const float* outputs, float* grad, double* sums, std::size_t stride, std::size_t count,
          [[maybe_unused]] int index) {
#if defined(LARMOR_HAS_CUDA)
        if (!device.is_cpu())
          return reconstruction_loss_launch(there, n_b, in, outputs, grad, sums, stride, count, index);
#endif
        reconstruction_loss_emulated(there, n_b, in, outputs, grad, sums, stride, count);
      },
      options, progress, cancel);
  return out;
}

Truth infer(const nn::Mlp& network, std::span<const float> signals, std::size_t n, const Cancel* cancel) {
  if (network.spec().sizes.back() != 3)
    throw Error(Errc::shape,
                fmt::format("the network has {} outputs; D_star, D and f are 3", network.spec().sizes.back()),
                "give weights of larmor ivim train");
  const auto y = network(signals, n, cancel);
  Truth out{{y.begin() + static_cast<std::ptrdiff_t>(n), y.begin() + static_cast<std::ptrdiff_t>(2 * n)},
            {y.begin() + static_cast<std::ptrdiff_t>(2 * n), y.end()},
            {y.begin(), y.begin() + static_cast<std::ptrdiff_t>(n)}};
  for (std::size_t s = 0; s < n; ++s)
    if (out.D[s] > out.D_star[s]) std::swap(out.D[s], out.D_star[s]), out.f[s] = 1 - out.f[s];
  return out;
}

}  // namespace deep
}  // namespace larmor::ivim
