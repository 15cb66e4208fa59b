// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <larmor/nn/unet.hpp>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace larmor::nn {

/// Weights of a network, or their gradients, by the names of weight_shapes().
template <class T>
using ByName = std::map<std::string, std::span<T>>;

/// The network with its gradient on lanes: what trains on the CPU. Images of a batch are worked on side by side, each
/// by one thread where there are enough of them; what a pass needs to know for the way back stays in memory that is
/// used again in every step. Results do not depend on the number of threads.
class UNetGradient {
 public:
  /// For batches of `batch` images of one size. `half`: inputs of convolutions are rounded to bfloat16 where the
  /// processor has matrix tiles. Errors   Errc::shape when the size is no multiple of spec.multiple()
  UNetGradient(const UNetSpec& spec, std::array<int, 3> size, int batch, bool half = false);
  ~UNetGradient();
  UNetGradient(const UNetGradient&) = delete;
  UNetGradient& operator=(const UNetGradient&) = delete;

  /// Logits of level 0 and of the supervised levels below, each (image, class, z, y, x), from images (image, channel,
  /// z, y, x).
  void forward(const ByName<const float>& weights, const float* images, const std::vector<float*>& logits);
  /// After forward with the same weights: adds the gradients by the weights to those by the logits.
  void backward(const ByName<const float>& weights, const std::vector<const float*>& by_logits,
                const ByName<float>& gradients);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace larmor::nn
