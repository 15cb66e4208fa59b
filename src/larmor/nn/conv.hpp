// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <larmor/core/cancel.hpp>
#include <memory>
#include <span>
#include <vector>

namespace larmor::nn {

/// Floats that begin at a multiple of 64 bytes: a vector across two cache lines is read twice.
class Floats {
 public:
  Floats() = default;
  explicit Floats(std::size_t n, bool zeros = true);
  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }

 private:
  std::shared_ptr<float[]> data_;
};

/// While one is alive, memory of Floats that is let go is kept for the next of its size, at most 256 MB in all: the
/// layers of a network take the same blocks again and again, and pages that the system gives anew cost more to touch
/// than a layer to compute.
class KeepFloats {
 public:
  KeepFloats();
  ~KeepFloats();
  KeepFloats(const KeepFloats&) = delete;
  KeepFloats& operator=(const KeepFloats&) = delete;
};

/// A block of voxels with a border of zeros that neighbours share: a row of nx voxels is followed by one 0, a plane by
/// one row of 0, the whole has a plane of 0 before and after. A convolution by 3 x 3 x 3 then is a sum of shifts of one
/// long line, whose vectors are full whatever the size of a row.
class ConvGrid {
 public:
  ConvGrid() = default;
  ConvGrid(int nx, int ny, int nz);
  int nx = 0, ny = 0, nz = 0;
  std::ptrdiff_t sy = 0, sz = 0;  // steps between rows and planes
  std::size_t guard = 0;          // zeros before the first voxel
  std::size_t line = 0;           // positions computed, a multiple of conv_chunk; padding among them
  std::size_t stride = 0;         // of a channel
  std::size_t voxels() const {
    return static_cast<std::size_t>(nx) * static_cast<std::size_t>(ny) * static_cast<std::size_t>(nz);
  }
  const float* mask() const { return mask_.data(); }

 private:
  Floats mask_;
};

/// Channels on a grid, zeros on its border. Copies share their memory.
class Channels {
 public:
  Channels() = default;
  Channels(const ConvGrid& grid, int n);
  /// For the result of convolve, which writes every position computed: only what lies beyond them is 0.
  static Channels of_result(const ConvGrid& grid, int n);
  int count() const { return n_; }
  std::size_t stride() const { return stride_; }
  float* channel(int c) { return data_.data() + static_cast<std::size_t>(c) * stride_ + guard_; }  // its first voxel
  const float* channel(int c) const { return data_.data() + static_cast<std::size_t>(c) * stride_ + guard_; }

 private:
  Floats data_;
  std::size_t stride_ = 0, guard_ = 0;
  int n_ = 0;
};

/// Between packed memory (channel, z, y, x), x fastest, and channels with borders, `first` the first channel.
void to_channels(const ConvGrid& grid, const float* dense, Channels& out, int first, int n);
void from_channels(const ConvGrid& grid, const Channels& in, int first, int n, float* dense);

/// Which neighbours a convolution sees: 3 along the axes that are true, 1 along the others; zeros outside.
struct Reach {
  bool x = true, y = true, z = true;
  std::vector<std::ptrdiff_t> taps(const ConvGrid& grid) const;  // in the order of weights: z, y, x
  int count() const { return (x ? 3 : 1) * (y ? 3 : 1) * (z ? 3 : 1); }
};

/// Weights (output, input, tap) in the order in which the kernels read them.
std::vector<float> packed(std::span<const float> weights, int cout, int cin, int taps);
/// The same for the gradient of the input: inputs and outputs change places, taps are reversed.
std::vector<float> packed_transposed(std::span<const float> weights, int cout, int cin, int taps);

/// Convolution (cross-correlation, stride 1, zeros outside) of channels [first_in, first_in + cin) into
/// [first_out, first_out + cout), as torch.nn.Conv3d with padding 1. `bias` may be empty. `add`: to what is there.
void convolve(const ConvGrid& grid, const Reach& reach, const Channels& in, int first_in, int cin,
              std::span<const float> packed_weights, std::span<const float> bias, Channels& out, int first_out,
              int cout, const Cancel* cancel = nullptr, bool add = false);
/// Gradient of the weights, (output, input, tap), added to `out`: `grad` is 0 on the border.
void convolve_weights(const ConvGrid& grid, const Reach& reach, const Channels& in, int cin, const Channels& grad,
                      int first_grad, int cout, std::span<float> out);
/// Sum over the voxels of one channel that is 0 on the border.
double sum_of(const ConvGrid& grid, const float* channel);

struct Moments {
  double mean = 0, variance = 0;  // biased
};
Moments moments(const ConvGrid& grid, const float* channel);
/// out = leaky(scale in + shift + added): `added` null for none; slope 1 for no activation.
void scale_shift(const ConvGrid& grid, const float* in, float scale, float shift, const float* added, float slope,
                 float* out);

/// y = leaky(InstanceNorm(z) weight + bias + added) of one channel, which gives the moments of z: `added` may be null,
/// y may be z.
Moments norm(const ConvGrid& grid, const float* z, float weight, float bias, const float* added, float slope, float* y);
struct NormSlopes {
  float weight = 0, bias = 0;
};
/// Its gradient: `grad` holds that by y and gets that by `added`; dz gets that by z. Returns those by weight and bias.
NormSlopes norm_gradient(const ConvGrid& grid, const float* z, const Moments& m, float weight, const float* y,
                         float slope, float* grad, float* dz);

}  // namespace larmor::nn
