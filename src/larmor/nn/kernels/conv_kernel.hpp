// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

/// What the convolution kernels are told; plain numbers and pointers, because they are compiled for each instruction
/// set. Channels lie in padded memory (nn/conv.hpp): `mask` is 1 on voxels and 0 on padding.
struct LarmorConvRun {
  const float* in;  // first voxel of the first channel
  size_t in_stride;
  int cin;
  const float* weights;  // forward: (block of 8 outputs, input, tap, output of 8)
  const float* bias;     // one an output, or null
  const float* mask;
  float* out;  // forward: written
  size_t out_stride;
  int cout;
  const ptrdiff_t* taps;  // offset of each tap
  int n_taps;             // 1 or a multiple of 3
  int add;                // forward: to what `out` holds, instead of to the bias
};

/// Values of one channel: z -> y = leaky(scale z + shift + added).
struct LarmorNormRun {
  const float* in;
  const float* added;  // of a residual connection, or null
  const float* mask;
  float* out;
  size_t n;
  float scale, shift, slope;
};

/// Gradient of y = leaky(weight (z - mean) / deviation + bias + added).
struct LarmorNormGradient {
  const float *z, *y, *grad;  // grad: of y
  const float* mask;
  float* out;  // through the activation: the gradient of `added`; may be `grad` itself
  float* out_z;
  size_t n;
  float mean, per_deviation, slope, weight;
  double sum, product;  // first pass: sum of out, sum of out times the normalised z
  float voxels;
};

namespace larmor::nn {
inline constexpr int conv_block = 8;   // outputs a kernel computes together
inline constexpr int conv_chunk = 48;  // positions a kernel computes together: a multiple of every vector's length
}  // namespace larmor::nn
