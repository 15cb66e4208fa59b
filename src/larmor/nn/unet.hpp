// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <larmor/core/cancel.hpp>
#include <larmor/nn/weights.hpp>
#include <span>
#include <string>
#include <vector>

namespace larmor::nn {

/// A U-Net: a level is a block, a way down to the next level, which is a U-Net of one level less, the way up, and a
/// block on both together.
///
/// Block      conv 3, norm, leaky ReLU, conv 3, norm, + input (through a 1 x 1 x 1 convolution when the channels
/// differ;
///            only when residual), leaky ReLU 0.01. Norm: over the voxels of one image and channel
/// Down, up   convolution, transposed convolution by 2 with stride 2
/// dims 2     the same in the planes across the first axis (sagittal for RAS images): kernels have 1 along x, x keeps
///            its size
/// Source     Ronneberger et al., MICCAI 9351:234 (2015); Isensee et al., Nat. Methods 18:203 (2021)
struct UNetSpec {
  int dims = 3;
  int in = 1, classes = 3;
  std::vector<int> filters{8, 24, 48, 96};  // one a level
  bool residual = true;
  int supervised = 2;  // levels below the first that have an output of their own during training

  int levels() const { return static_cast<int>(filters.size()); }
  /// Extents of an image must be multiples of this, in x, y, z.
  std::array<int, 3> multiple() const;
  /// Multiply-adds of one image of this size.
  double work(std::array<int, 3> size) const;
  /// Errors   Errc::range
  void check() const;
  std::string to_json() const;
  static UNetSpec from_json(const std::string& text);
};

/// Names and shapes of all weights of the network, in the order of the network.
std::vector<std::pair<std::string, std::vector<std::int64_t>>> weight_shapes(const UNetSpec& spec);

/// A U-Net that runs on the CPU on lanes, without libtorch.
class UNet {
 public:
  /// The spec is in the metadata "net". Errors   Errc::format (no spec), Errc::unknown_name (a weight is missing),
  /// Errc::shape (a weight of another shape)
  explicit UNet(const Weights& weights);
  const UNetSpec& spec() const { return spec_; }
  /// Logits (class, z, y, x) of one image (channel, z, y, x), x fastest, of size {nx, ny, nz}.
  /// Errors   Errc::shape when the size is no multiple of spec().multiple()
  std::vector<float> operator()(std::span<const float> image, std::array<int, 3> size,
                                const Cancel* cancel = nullptr) const;

 private:
  UNetSpec spec_;
  std::map<std::string, std::vector<float>> packed_, plain_;
};

/// softmax over the classes (class, voxel), in place.
void softmax(std::span<float> logits, int classes);

}  // namespace larmor::nn
