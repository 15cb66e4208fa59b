// SPDX-License-Identifier: Apache-2.0
#pragma once
// Plain data that the host hands to the kernels of small fully connected networks (CPU objects of every instruction
// set, CUDA).
#include <stddef.h>
#include <stdint.h>

/// A network on a block of samples. All arrays are feature-major: (feature, sample), `stride` samples apart, a multiple
/// of mlp_together on the CPU. Activations: 0 none, 1 ELU, 2 ReLU, 3 abs, 4 sigmoid.
struct LarmorMlpRun {
  int layers;            // of weights
  const int* sizes;      // layers + 1 widths
  const int* kinds;      // an activation a layer
  const float* weights;  // layer by layer: (output, input), then the biases (output)
  float* values;         // the inputs first, then what each layer gives after its activation
  float* deltas;         // rows as values: gradients before the activation, for the way back; null: inference
  const float* grad;     // backward: gradient by the outputs (output, sample); padding may hold anything
  float* gradient;       // backward: written, as weights
  size_t stride;
  size_t n;           // samples; those up to a multiple of mlp_together are computed too, with a gradient of 0
  bool input_deltas;  // gradients by the inputs too
};

/// The network alone, without training: from n samples of rows that lie anywhere to rows that lie anywhere.
struct LarmorMlpInference {
  int layers;
  const int *sizes, *kinds;
  const float* weights;
  const float* const* in;  // (inputs) rows of samples
  float* const* out;       // (outputs)
  float* room;             // mlp_room(widest layer) numbers, 64-byte aligned
  size_t first, n;         // samples first, ... first + n - 1 of the rows; nothing else is read or written
};

struct LarmorAdamRun {
  float *weights, *m, *v;
  const float* gradient;
  size_t n;
  float rate, b1, b2, correction1, correction2, epsilon;
};

/// Inputs of a batch out of all samples: rows (sample, input), places order[first], order[first + 1], ...
struct LarmorMlpBatch {
  const float* rows;
  const uint32_t* order;
  size_t first;
};

namespace larmor::nn {

/// Samples that go through the network together, whose values stay in the first cache: two packs of 64 bytes.
inline constexpr size_t mlp_together = 32;
inline constexpr size_t mlp_room(size_t widest) { return 3 * widest * mlp_together; }

/// Distance of rows of n samples [samples]: whole packs, and an odd number of them, or all rows of a batch of a power
/// of two would fall into the same lines of the caches.
inline constexpr size_t mlp_stride(size_t n) { return ((n + mlp_together - 1) / mlp_together | 1) * mlp_together; }

/// Tiles of the weights that a block of threads sums over samples: 4 x 4 of a layer, or 16 of its biases.
inline constexpr int mlp_tile = 16, mlp_block = 128;
struct MlpTile {
  int layer, output, input;  // input -1: biases
};

/// The launches of one step, on a device, or thread after thread on the CPU for tests. Pointers of the runs are to
/// where the work runs; MlpTile (n_tiles) too.
struct MlpLaunches {
  void (*gather)(const LarmorMlpRun&, const LarmorMlpBatch&, int device);
  void (*forward)(const LarmorMlpRun&, int device);
  void (*deltas)(const LarmorMlpRun&, int device);
  /// The gradient of every weight, and its step of Adam.
  void (*step)(const LarmorMlpRun&, const LarmorAdamRun&, const MlpTile*, int n_tiles, int device);
  void (*wait)(int device);
};

}  // namespace larmor::nn
