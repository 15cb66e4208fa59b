// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cstdint>
#include <functional>
#include <larmor/core/cancel.hpp>
#include <larmor/core/progress.hpp>
#include <larmor/nn/conv.hpp>
#include <larmor/nn/weights.hpp>
#include <span>
#include <string>
#include <vector>

struct LarmorMlpRun;

/// Small fully connected networks, one sample a voxel, on lanes: a step of training costs microseconds.
namespace larmor::nn {

enum class Activation : std::uint8_t { none, elu, relu, abs, sigmoid };
/// Errors   Errc::unknown_name
Activation activation_called(const std::string& name);
std::string_view to_string(Activation a);

struct MlpSpec {
  std::vector<int> sizes;                                          // inputs, hidden widths, outputs
  Activation hidden = Activation::elu, output = Activation::none;  // abs: of the output only
  std::int64_t parameters() const;
  /// Errors   Errc::range
  void check() const;
  bool operator==(const MlpSpec&) const = default;
};

/// Weights of a network with its forward and backward pass and Adam.
class Mlp {
 public:
  /// Uniform in +- 1 / sqrt(inputs) of a layer, from the seed alone. Errors   Errc::range
  Mlp(MlpSpec spec, std::uint64_t seed);
  /// From tensors "layer<i>.weight" (output, input) and "layer<i>.bias". Errors   Errc::format, Errc::shape
  explicit Mlp(const Weights& weights);
  Mlp(const Mlp& other);  // with weights of its own
  Mlp& operator=(const Mlp& other) { return *this = Mlp(other); }
  Mlp(Mlp&&) = default;
  Mlp& operator=(Mlp&&) = default;
  ~Mlp() = default;
  Weights weights() const;
  const MlpSpec& spec() const { return spec_; }
  std::span<float> parameters() { return {weights_.data(), count_}; }
  std::span<const float> parameters() const { return {weights_.data(), count_}; }

  /// Outputs (output, sample) of inputs (input, sample), both with n samples a row, on all threads.
  std::vector<float> operator()(std::span<const float> inputs, std::size_t n, const Cancel* cancel = nullptr) const;
  /// The same from rows of n samples that lie anywhere, one an input, to rows, one an output. Nothing is copied.
  /// Errors   Errc::shape (number of rows)
  void operator()(std::span<const float* const> inputs, std::span<float* const> outputs, std::size_t n,
                  const Cancel* cancel = nullptr) const;

 private:
  friend class MlpTrainer;
  void layout();
  MlpSpec spec_;
  Floats weights_;
  std::size_t count_ = 0, padded_ = 0;
};

/// Room for a batch, and the state of Adam (Kingma and Ba, ICLR, 2015).
class MlpTrainer {
 public:
  MlpTrainer(Mlp& network, std::size_t batch, double rate = 1e-3);
  std::size_t stride() const { return stride_; }  // of a row of inputs, outputs and gradients [samples]
  float* inputs() { return values_.data(); }      // (input, sample)
  const float* outputs() const;                   // (output, sample)
  /// Fill inputs() first.
  void forward(std::size_t n);
  /// `grad` (output, sample) of the loss by the outputs, rows stride() apart; gives the gradient of the parameters.
  std::span<const float> backward(const float* grad, std::size_t n);
  /// backward() gives the gradient by the inputs too.
  void want_input_gradients() { input_gradients_ = true; }
  const float* input_gradients() const { return deltas_.data(); }  // (input, sample)
  /// Adds the gradient of another trainer of the same network, for batches that are shared between threads.
  void add_gradient(const MlpTrainer& other, float weight = 1.0F);
  void set_rate(double rate) { rate_ = rate; }
  void step();  // Adam with the gradient of the last backward()

 private:
  LarmorMlpRun run_of(std::size_t n);
  Mlp& net_;
  std::vector<int> kinds_;
  Floats values_, deltas_, gradient_, m_, v_;
  std::size_t stride_, outputs_at_;
  bool input_gradients_ = false;
  double rate_;
  std::int64_t steps_ = 0;
};

struct FitOptions {
  std::size_t batch = 128;
  double rate = 1e-3;
  int epochs = 1000, patience = 10;  // epochs without a lower loss after which training stops
  std::uint64_t seed = 1;
};
struct FitResult {
  std::vector<double> losses;  // mean of every epoch
  int best_epoch = 0;          // from 1; the network has its weights again
  double best = 0;
};
/// Loss of a batch (mean over samples) from outputs (output, sample) and inputs, rows `stride` apart; writes its
/// gradient by the outputs, already divided by n.
using BatchLoss =
    std::function<double(const float* inputs, const float* outputs, float* grad, std::size_t stride, std::size_t n)>;

/// Trains on samples (input, sample), n a row, in random batches, and restores the weights of the epoch with the lowest
/// loss, as they were at its end. Errors   Errc::shape, Errc::range, Errc::numeric (loss not finite)
FitResult fit(Mlp& network, std::span<const float> samples, std::size_t n, const BatchLoss& loss,
              const FitOptions& options = {}, const Progress& progress = {}, const Cancel* cancel = nullptr);

}  // namespace larmor::nn
