// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/cancel.hpp>
#include <larmor/core/device.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/nn/mlp.hpp>
#include <larmor/nn/normed.hpp>
#include <larmor/nn/weights.hpp>
#include <larmor/perfusion/ivim/grid_posterior.hpp>
#include <span>
#include <string>
#include <vector>

/// Networks that take the signals of one voxel and give its parameters.
namespace larmor::ivim {

/// What a network is trained for.
struct Protocol {
  std::vector<double> b;            // [s/mm2] above 0, rising, each once
  std::vector<double> counts = {};  // volumes averaged into each; empty: 1
  double count0 = 1;                // and at b = 0; 0: S0 is known, and signals are not divided by a noisy one
};

enum class NetworkKind {
  original,  // self-supervised, one network, abs outputs: Barbieri et al., MRM 83:312 (2020)
  optim,     // self-supervised, one network a parameter, bounded outputs, S0 too: Kaandorp et al., MRM 86:2250 (2021)
  posterior  // supervised by simulation: mean and sd of the posterior, told the noise
};
NetworkKind network_kind(const std::string& name);  // Errors   Errc::unknown_name
std::string_view to_string(NetworkKind kind);

/// Estimates of n samples. sd is empty for networks that give none.
struct NetworkEstimate {
  std::vector<float> f, D, D_star;           // [1, mm2/s, mm2/s]
  std::vector<float> sd_f, sd_D, sd_D_star;  // of the posterior
};

class VoxelNetwork {
 public:
  NetworkKind kind = NetworkKind::posterior;
  Protocol protocol;
  Prior prior;                                 // posterior: of the training
  double noise_low = 0.01, noise_high = 0.01;  // noise sd of one volume over S0 that it was trained for
  double low[4]{0.005, 0.0, 0.0, 0.8}, high[4]{0.2, 0.005, 0.7, 1.2};  // optim: of D_star, D, f, S0 at sigmoid 0 and 1
  std::vector<nn::Mlp> nets;                                           // one; optim: D_star, D, f, S0

  VoxelNetwork() = default;
  /// Errors   Errc::format, Errc::shape
  explicit VoxelNetwork(const nn::Weights& weights);
  nn::Weights weights() const;

  /// ratios (b, sample): signals over that at b = 0; noise (sample): sd of one volume over the same, read by kind
  /// posterior only, clamped to what it was trained for. Errors   Errc::shape, Errc::device
  NetworkEstimate operator()(std::span<const float> ratios, std::span<const float> noise, std::size_t n,
                             const Cancel* cancel = nullptr, Device device = Device::cpu()) const;
};

/// How training went.
struct NetworkTraining {
  std::vector<double> losses;               // by epoch; posterior: of samples that are not trained on
  int best_epoch = 0;                       // from 1; the network has its weights
  std::vector<double> restart_losses = {};  // the best of every start, of self-supervised networks
  double seconds = 0;
};

/// Voxels of a patient and what the grid posterior says of their own signals (patient_voxels in network_data.hpp).
struct PatientVoxels {
  std::size_t n = 0;
  std::vector<float> ratios, noise;   // (b, voxel), (voxel): as networks take them
  std::vector<float> mean[3], sd[3];  // of f, D, D_star
};

struct PosteriorTraining {
  Prior prior;                                 // D_star even, or its logarithm
  double noise_low = 0.01, noise_high = 0.01;  // sd of one volume over S0, even in its logarithm between
  std::vector<int> hidden{40, 40};             // widths
  std::size_t pool = 1 << 19;                  // parameters, with new noise whenever they are used
  std::size_t batch = 1024, steps = 0;         // of an epoch; 0: as often as the pool is large, at most 400
  int epochs = 60, patience = 12;              // at most; epochs without a lower loss until it stops
  double rate = 3e-3;                          // of Adam at the start; falls to nothing as half a cosine
  std::uint64_t seed = 1;
  PatientVoxels voxels = {};
  double voxel_share = 0.25;  // of the samples of a batch that are voxels, when there are any
  Device device = {};
  bool emulate = false;  // the threads of a device one after the other on the CPU: slow, for tests
};
/// Trains mean and sd on simulated signals: squared error of the mean, and the likelihood of its errors for the sd. A
/// patient's voxels have no truth: their loss is the mean of the same over the posterior of their signals.
/// Errors   Errc::range (b-values, counts, ranges, sizes), Errc::shape (voxels)
VoxelNetwork train_posterior(const Protocol& protocol, const PosteriorTraining& options, NetworkTraining* how = nullptr,
                             const Progress& progress = {}, const Cancel* cancel = nullptr);

struct SelfTraining {
  nn::FitOptions fit = {};
  // optim: ranges of the outputs D_star, D, f, S0
  double low[4]{0.005, 0.0, 0.0, 0.8}, high[4]{0.2, 0.005, 0.7, 1.2};
  nn::Regularised regularised = {};  // optim: those of the paper are batch_norm and a dropout of 0.1
  int restarts = 1;                  // from other first weights; the one of the lowest loss is kept
  Device device = {};
  bool emulate = false;  // the threads of a device one after the other on the CPU: slow, for tests
};
/// Trains by the misfit of the signals (b, sample) that its parameters predict; kind original or optim.
/// Errors   Errc::range, Errc::shape, Errc::numeric
VoxelNetwork train_self(NetworkKind kind, const Protocol& protocol, std::span<const float> ratios, std::size_t n,
                        const SelfTraining& options = {}, NetworkTraining* how = nullptr, const Progress& progress = {},
                        const Cancel* cancel = nullptr);

}  // namespace larmor::ivim
