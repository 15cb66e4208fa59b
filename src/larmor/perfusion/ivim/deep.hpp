// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <larmor/core/cancel.hpp>
#include <larmor/core/device.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/nn/mlp.hpp>
#include <span>
#include <vector>

/// Intravoxel incoherent motion by a network of voxels that learns without labels: it gives D_star, D and f, and its
/// loss is the misfit of the signal they predict, S(b) / S0 = (1 - f) exp(-b D) + f exp(-b D_star).
///
/// Source   Barbieri et al., Magn. Reson. Med. 83:312 (2020)
namespace larmor::ivim::deep {

struct Truth {
  std::vector<float> D, f, D_star;  // [mm2/s, 1, mm2/s]
};
struct Simulated {
  std::vector<float> signals;  // (b, sample), S / S0, b > 0 only
  Truth truth;
};
struct SimulateOptions {
  std::size_t samples = 100'000;
  double D_low = 0.5e-3, D_high = 2e-3, f_low = 0.1, f_high = 0.4, D_star_low = 0.01, D_star_high = 0.1;
  double noise = 0.01;  // standard deviation of both parts of the complex noise, S0 = 1
  std::uint64_t seed = 1;
};
/// Uniform parameters, exact signals, Rician noise. Errors   Errc::range (b <= 0, ranges)
Simulated simulate(std::span<const double> b, const SimulateOptions& options = {});

/// Three hidden layers as wide as there are b-values, ELU, three outputs through abs. Outputs: D_star, D, f.
nn::MlpSpec network_spec(std::size_t n_b);

struct DeepResult {
  nn::Mlp network;
  nn::FitResult fit;
};
/// Adam 1e-3, batch 128, patience 10, best weights restored. The b-values must be above 0 [s/mm2].
/// Errors   those of nn::fit; Errc::range
DeepResult train(std::span<const double> b, std::span<const float> signals, std::size_t n,
                 const nn::FitOptions& options = {}, const Progress& progress = {}, const Cancel* cancel = nullptr);

/// The same batches in the same order by the kernels of a device. On the CPU these run thread after thread, for tests.
/// Errors   those of train(); Errc::device
DeepResult train_on(Device device, std::span<const double> b, std::span<const float> signals, std::size_t n,
                    const nn::FitOptions& options = {}, const Progress& progress = {}, const Cancel* cancel = nullptr);

/// Parameters of signals (b, sample). D and D_star of a sample change places, with f and 1 - f, when D is the larger:
/// the model is the same. Errors   Errc::shape
Truth infer(const nn::Mlp& network, std::span<const float> signals, std::size_t n, const Cancel* cancel = nullptr);

/// Misfit of a batch and its gradient by D_star, D, f, as the training uses it (nn::BatchLoss).
double reconstruction_loss(std::span<const float> b, const float* signals, const float* outputs, float* grad,
                           std::size_t stride, std::size_t n);

}  // namespace larmor::ivim::deep
