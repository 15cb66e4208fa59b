// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/core/device_memory.hpp>
#include <larmor/nn/kernels/mlp_kernel.hpp>
#include <larmor/nn/mlp.hpp>

namespace larmor::nn {

/// MlpTrainer with everything in the memory of a device. On the CPU it takes the same steps thread after thread: slow,
/// for tests of what a device computes. Pointers are to the memory of the device.
class MlpDeviceTrainer {
 public:
  /// Errors   Errc::device, Errc::range (no batch)
  MlpDeviceTrainer(const Mlp& network, std::size_t batch, double rate, Device device);
  std::size_t stride() const { return run_.stride; }
  float* inputs() { return run_.values; }                          // (input, sample)
  const float* outputs() const { return run_.values + outputs_; }  // (output, sample)
  float* grad() { return grad_; }                                  // of the loss by the outputs, to be written
  /// Fills inputs() with samples order[first], ... of rows (sample, input).
  void take(const float* rows, const std::uint32_t* order, std::size_t first, std::size_t n);
  void forward(std::size_t n);
  /// With grad(): the gradient of the weights, and a step of Adam.
  void step(std::size_t n);
  void set_rate(double rate) { rate_ = rate; }
  /// Weights and the gradient of the last step, on the host. Both wait until the device is done.
  void read(Mlp& network);
  std::vector<float> gradient();

 private:
  DeviceMemory memory_;
  Device device_;
  MlpLaunches launch_;
  LarmorMlpRun run_{};
  LarmorAdamRun adam_{};
  const MlpTile* tiles_ = nullptr;
  int n_tiles_ = 0;
  float* grad_ = nullptr;
  std::size_t outputs_ = 0, batch_ = 0;
  double rate_;
  std::int64_t steps_ = 0;
};

/// Loss of a batch as a kernel of the device: reads inputs and outputs, writes the gradient of the mean over n samples
/// and adds the loss of sample s to sums[s]. All in the memory of the device, rows `stride` apart.
using DeviceLoss = std::function<void(const float* inputs, const float* outputs, float* grad, double* sums,
                                      std::size_t stride, std::size_t n, int device)>;

/// nn::fit on a device: the same batches in the same order. Errors   those of nn::fit, Errc::device
FitResult fit_on(Device device, Mlp& network, std::span<const float> samples, std::size_t n, const DeviceLoss& loss,
                 const FitOptions& options = {}, const Progress& progress = {}, const Cancel* cancel = nullptr);

/// Outputs (output, sample) of inputs (input, sample), computed on a device. Errors   Errc::shape, Errc::device
std::vector<float> infer_on(Device device, const Mlp& network, std::span<const float> inputs, std::size_t n,
                            const Cancel* cancel = nullptr);

}  // namespace larmor::nn
