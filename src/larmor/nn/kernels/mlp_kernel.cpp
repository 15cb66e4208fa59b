// SPDX-License-Identifier: Apache-2.0
// Compiled once for each instruction set, and for CUDA.
#include <larmor/nn/kernels/mlp_lanes.hpp>

#if defined(LARMOR_ISA_cuda)
#include <larmor/core/cuda_check.cuh>

namespace larmor::nn {
namespace {

__global__ void gather_samples(const LarmorMlpRun run, const LarmorMlpBatch batch) {
  const size_t s = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (s < run.n) gather_sample(run, batch, s);
}
__global__ void forward_samples(const LarmorMlpRun run) {
  const size_t s = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (s < run.n) forward_at<float>(run, s);
}
__global__ void deltas_of_samples(const LarmorMlpRun run) {
  const size_t s = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (s < run.n) deltas_at<float>(run, s);
}
__global__ void __launch_bounds__(mlp_block)
    step_of_tiles(const LarmorMlpRun run, const LarmorAdamRun adam, const MlpTile* tiles) {
  __shared__ float room[mlp_tile * mlp_block];
  const MlpTile tile = tiles[blockIdx.x];
  const int t = static_cast<int>(threadIdx.x);
  tile_begin(run, tile, t, room);
  for (int half = mlp_block / 2; half > 0; half /= 2) {
    __syncthreads();
    tile_fold(half, t, room);
  }
  __syncthreads();
  tile_end(run, adam, tile, t, room);
}

constexpr unsigned threads = 128;
unsigned blocks_for(size_t n) { return static_cast<unsigned>((n + threads - 1) / threads); }

void gather(const LarmorMlpRun& run, const LarmorMlpBatch& batch, int device) {
  const cuda::OnDevice here(device);
  gather_samples<<<blocks_for(run.n), threads>>>(run, batch);
  cuda::check_launch("reading a batch");
}
void forward(const LarmorMlpRun& run, int device) {
  const cuda::OnDevice here(device);
  forward_samples<<<blocks_for(run.n), threads>>>(run);
  cuda::check_launch("a network");
}
void deltas(const LarmorMlpRun& run, int device) {
  const cuda::OnDevice here(device);
  deltas_of_samples<<<blocks_for(run.n), threads>>>(run);
  cuda::check_launch("the way back through a network");
}
void step(const LarmorMlpRun& run, const LarmorAdamRun& adam, const MlpTile* tiles, int n_tiles, int device) {
  const cuda::OnDevice here(device);
  step_of_tiles<<<static_cast<unsigned>(n_tiles), mlp_block>>>(run, adam, tiles);
  cuda::check_launch("a step of training");
}
void wait(int device) {
  const cuda::OnDevice here(device);
  cuda::check(cudaDeviceSynchronize(), "a network");
}

}  // namespace

// Launches of one stream follow one another; the host waits only where it reads.
MlpLaunches mlp_cuda() { return {gather, forward, deltas, step, wait}; }

}  // namespace larmor::nn
#else

namespace {
namespace simd = larmor::simd;
namespace nn = larmor::nn;
using F = simd::Pack<float>;
constexpr int W = F::size;
// As many sums as a pack has lanes, so that one pack takes them all in the end.
constexpr int tile_outputs = W == 4 ? 2 : 4, tile_inputs = W / tile_outputs;

/// Sums of neighbours: those of a, then those of b.
LARMOR_INLINE F neighbours(F a, F b) {
#if LARMOR_VECTOR_BYTES == 64
  return F(__builtin_shufflevector(a.v, b.v, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)) +
         F(__builtin_shufflevector(a.v, b.v, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31));
#elif LARMOR_VECTOR_BYTES == 32
  return F(__builtin_shufflevector(a.v, b.v, 0, 2, 4, 6, 8, 10, 12, 14)) +
         F(__builtin_shufflevector(a.v, b.v, 1, 3, 5, 7, 9, 11, 13, 15));
#else
  return F(__builtin_shufflevector(a.v, b.v, 0, 2, 4, 6)) + F(__builtin_shufflevector(a.v, b.v, 1, 3, 5, 7));
#endif
}

/// Lane k of the result is the sum over the lanes of sum[k].
template <int N>
LARMOR_INLINE F across(F* sum) {
  if constexpr (N > 1) {
    simd::static_for<N / 2>([&](auto k) LARMOR_LAMBDA { sum[k] = neighbours(sum[2 * k], sum[2 * k + 1]); });
    return across<N / 2>(sum);
  } else {
    return sum[0];
  }
}

void put_tile(const LarmorMlpRun& run, const nn::MlpPlace& a, int output, int input, F* sum) {
  const F total = across<W>(sum);
  for (int k = 0; k < W; ++k) {
    const int64_t at = nn::weight_of<tile_outputs, tile_inputs>(a, output, input, k);
    if (at >= 0) run.gradient[at] = simd::lane(total, k);
  }
}

}  // namespace

extern "C" void LARMOR_ISA_JOIN(larmor_mlp_forward_, LARMOR_ISA)(const LarmorMlpRun* run) {
  for (size_t p = 0; p < run->n; p += W) nn::forward_at<F>(*run, p);
}

extern "C" void LARMOR_ISA_JOIN(larmor_mlp_backward_, LARMOR_ISA)(const LarmorMlpRun* run) {
  for (size_t p = 0; p < run->n; p += W) nn::deltas_at<F>(*run, p);
  for (int l = 0; l < run->layers; ++l) {
    const nn::MlpPlace a = nn::place_of(*run, l);
    F sum[W];
    for (int o = 0; o < a.n_out; o += tile_outputs)
      for (int i = 0; i < a.n_in; i += tile_inputs) {
        simd::static_for<W>([&](auto k) LARMOR_LAMBDA { sum[k] = F(0.0f); });
        nn::weight_sums<F, tile_outputs, tile_inputs>(a, run->stride, o, i, 0, W, run->n, sum);
        put_tile(*run, a, o, i, sum);
      }
    for (int o = 0; o < a.n_out; o += W) {
      simd::static_for<W>([&](auto k) LARMOR_LAMBDA { sum[k] = F(0.0f); });
      nn::bias_sums<F, W>(a, run->stride, o, 0, W, run->n, sum);
      put_tile(*run, a, o, -1, sum);
    }
  }
}

extern "C" void LARMOR_ISA_JOIN(larmor_adam_, LARMOR_ISA)(const LarmorAdamRun* run) {
  for (size_t i = 0; i < run->n; i += W) nn::adam_at<F>(*run, i);  // the arrays are padded to a multiple of 16
}

#if defined(LARMOR_ISA_baseline)
namespace larmor::nn {

/// The kernels of CUDA, block after block and thread after thread: for tests of what they compute.
MlpLaunches mlp_emulated() {
  return {[](const LarmorMlpRun& run, const LarmorMlpBatch& batch, int) {
            for (size_t s = 0; s < run.n; ++s) gather_sample(run, batch, s);
          },
          [](const LarmorMlpRun& run, int) {
            for (size_t s = 0; s < run.n; ++s) forward_at<float>(run, s);
          },
          [](const LarmorMlpRun& run, int) {
            for (size_t s = 0; s < run.n; ++s) deltas_at<float>(run, s);
          },
          [](const LarmorMlpRun& run, const LarmorAdamRun& adam, const MlpTile* tiles, int n_tiles, int) {
            float room[mlp_tile * mlp_block];
            for (int b = 0; b < n_tiles; ++b) {
              for (int t = 0; t < mlp_block; ++t) tile_begin(run, tiles[b], t, room);
              for (int half = mlp_block / 2; half > 0; half /= 2)
                for (int t = 0; t < mlp_block; ++t) tile_fold(half, t, room);
              for (int t = 0; t < mlp_block; ++t) tile_end(run, adam, tiles[b], t, room);
            }
          },
          [](int) {}};
}

}  // namespace larmor::nn
#endif
#endif
