// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/nn/mlp.hpp>
#include <memory>

namespace larmor::nn {

/// How the hidden layers of a NormedMlp are regularised.
struct Regularised {
  bool batch_norm = false;  // between weights and activation
  double dropout = 0;       // probability that a hidden unit is left out of a step, [0, 1)
};

/// Training of a network whose hidden layers are normalised over the batch and left out at random. What it has learned
/// is a plain network: the normalisation by running means folds into the weights, and nothing is left out any more.
///
/// Source   Ioffe and Szegedy, ICML (2015); Srivastava et al., J. Mach. Learn. Res. 15:1929 (2014)
class NormedMlp {
 public:
  /// Errors   Errc::range (sizes, batch, dropout)
  NormedMlp(const MlpSpec& spec, std::uint64_t seed, std::size_t batch, double rate, const Regularised& how);
  std::size_t stride() const { return layers_.front().trainer->stride(); }
  float* inputs() { return layers_.front().trainer->inputs(); }               // (input, sample)
  const float* outputs() const { return layers_.back().trainer->outputs(); }  // (output, sample)
  /// `training`: by the means of the batch, with units left out; else by running means, as plain() does.
  void forward(std::size_t n, bool training);
  /// After forward(n, true): gradients from that by the outputs (output, sample), and a step of Adam.
  void step(const float* grad, std::size_t n);
  void set_rate(double rate);
  Mlp plain() const;

 private:
  /// Scale and shift of normalised values, with their state of Adam: scales first, then shifts.
  struct Norm {
    Floats parameters, gradient, m, v;
    std::vector<float> mean, variance;  // running
    std::vector<float> inverse_sd;      // of the batch
  };
  struct Layer {
    std::unique_ptr<Mlp> weights;
    std::unique_ptr<MlpTrainer> trainer;
    Norm norm;
    Floats normalised, active, kept;  // (output, sample); kept: 0, or the inverse of the share that is kept
  };
  void activate(Layer& layer, float* to, std::size_t n, bool training);
  void back(Layer& layer, const float* from, float* grad, std::size_t n);
  void step(Norm& norm);
  MlpSpec spec_;
  Regularised how_;
  std::vector<Layer> layers_;
  double rate_;
  std::int64_t steps_ = 0;
  std::uint64_t random_;
};

}  // namespace larmor::nn
