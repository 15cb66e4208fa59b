// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <stddef.h>

/// A small fully connected network on a block of samples. All arrays are feature-major: (feature, sample), `stride`
/// samples apart, a multiple of 16. Activations: 0 none, 1 ELU, 2 ReLU, 3 abs, 4 sigmoid.
struct LarmorMlpRun {
  int layers;            // of weights
  const int* sizes;      // layers + 1 widths
  const int* kinds;      // an activation a layer
  const float* weights;  // layer by layer: (output, input), then the biases (output)
  float* values;         // forward: the input first, then what each layer gives after its activation
  float* deltas;         // backward: the gradient of the output, then room for the widest layer, twice
  float* sums;           // backward: packs of the gradient, 16 floats a weight, zeroed by the kernel
  float* gradient;       // backward: written, as weights
  size_t stride;
  size_t n;  // samples; those up to a multiple of 16 are computed too, with a gradient of 0
  size_t n_weights;
};

struct LarmorAdamRun {
  float *weights, *m, *v;
  const float* gradient;
  size_t n;
  float rate, b1, b2, correction1, correction2, epsilon;
};
