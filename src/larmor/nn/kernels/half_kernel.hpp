// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Convolutions of bfloat16 on matrix tiles of the processor (AMX): plain numbers and pointers, as in conv_kernel.hpp.
/// A tile has 16 rows of 64 bytes: 16 numbers of f32 or 32 of bfloat16.
struct LarmorHalfRun {
  /// Two inputs of a position side by side; from the first voxel of the first two. 16 rows a block of 32 inputs; with
  /// fewer than 32 inputs `rows` of them.
  const uint32_t* pairs;
  size_t pair_stride;
  int blocks, rows;
  const uint16_t* weights;  // (block of 16 outputs, block of 32 inputs, tap, output of 16, input of 32)
  const float* bias;        // one an output, or null
  const float* mask;
  float* out;
  size_t out_stride;
  int cout;
  const ptrdiff_t* taps;
  int n_taps;
  int add;  // to what `out` holds, instead of to the bias
};

/// Gradient of the weights: sums over positions of in, shifted by the taps, times grad.
struct LarmorHalfWeights {
  const uint16_t* in;  // (input, position), from the first voxel; padded to 16 inputs
  size_t in_stride;
  int in_blocks;
  const uint32_t* grad;  // (block of 16 outputs, block of 32 positions, two positions of 16, output of 16)
  size_t position_blocks;
  int out_blocks;
  const ptrdiff_t* taps;
  int n_taps;
  float* sums;  // (block of outputs, block of inputs, tap, input of 16, output of 16), added to
};
