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
  if (s < run.n) forward_at<float, 1>(run, s);
}
__global__ void deltas_of_samples(const LarmorMlpRun run) {
  const size_t s = static_cast<size_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (s < run.n) deltas_at<float, 1>(run, s);
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
constexpr int W = F::size, P = 2;  // packs of samples at a time
static_assert(nn::mlp_together % (P * W) == 0);
// As many sums as a pack has lanes, so that one pack takes them all in the end.
constexpr int tile_outputs = W == 4 ? 2 : 4, tile_inputs = W / tile_outputs;

template <int... L>
struct Lanes {};
template <int N, int... L>
struct FirstLanes : FirstLanes<N - 1, N - 1, L...> {};
template <int... L>
struct FirstLanes<0, L...> {
  using type = Lanes<L...>;
};

/// Lanes whose number has bit S hold sums of b, the others sums of a: each lane and the one that differs in bit S.
template <int S, int... L>
LARMOR_INLINE F fold(F a, F b, Lanes<L...>) {
  return F(__builtin_shufflevector(a.v, b.v, (L & S ? W + L : L)...)) +
         F(__builtin_shufflevector(a.v, b.v, (L & S ? W + (L ^ S) : L ^ S)...));
}

/// Lane k of the result is the sum over the lanes of sum[k].
template <int S = 1>
LARMOR_INLINE F across(F* sum) {
  if constexpr (S < W) {
    simd::static_for<W / (2 * S)>(
        [&](auto k) LARMOR_LAMBDA { sum[k] = fold<S>(sum[2 * k], sum[2 * k + 1], typename FirstLanes<W>::type{}); });
    return across<2 * S>(sum);
  } else {
    return sum[0];
  }
}

/// Samples [begin, end) of one layer; their sums are written, or added to those of samples before.
struct Part {
  const LarmorMlpRun& run;
  nn::MlpPlace a;
  size_t begin, end;
};

/// Gradient of O x I weights from (output, input) on, the last column being the biases' if so.
template <int O, int I, bool Bias>
LARMOR_INLINE void sum_tile(const Part& part, int output, int input) {
  const auto& [run, a, begin, end] = part;
  constexpr int X = Bias ? I - 1 : I;
  const float *d[O], *x[X > 0 ? X : 1];
  for (int o = 0; o < O; ++o) d[o] = a.delta + static_cast<size_t>(output + o) * run.stride;
  for (int i = 0; i < X; ++i) x[i] = a.in + static_cast<size_t>(input + i) * run.stride;
  F sum[W];
  simd::static_for<W>([&](auto k) LARMOR_LAMBDA { sum[k] = F(0.0f); });
  for (size_t p = begin; p < end; p += W) {
    F at[I];
    simd::static_for<X>([&](auto i) LARMOR_LAMBDA { at[i] = simd::load<F>(x[i] + p); });
    simd::static_for<O>([&](auto o) LARMOR_LAMBDA {
      const F delta = simd::load<F>(d[o] + p);
      simd::static_for<X>([&](auto i) LARMOR_LAMBDA { sum[o * I + i] = simd::fma(delta, at[i], sum[o * I + i]); });
      if constexpr (Bias) sum[o * I + X] += delta;
    });
  }
  float total[W];
  simd::store(total, across(sum));
  float* to = run.gradient + a.weights + output * a.n_in + input;
  float* const bias = run.gradient + a.weights + a.n_in * a.n_out + output;
  const float before = begin > 0 ? 1.0f : 0.0f;
  for (int o = 0; o < O; ++o) {
    for (int i = 0; i < X; ++i) to[o * a.n_in + i] = before * to[o * a.n_in + i] + total[o * I + i];
    if (Bias) bias[o] = before * bias[o] + total[o * I + X];
  }
}
template <int O, int I>
LARMOR_INLINE void sum_tile_of(const Part& part, int o, int i) {
  i + I > part.a.n_in ? sum_tile<O, I, true>(part, o, i) : sum_tile<O, I, false>(part, o, i);
}
template <int O>
void sum_tiles(const Part& part, int o) {
  const int columns = part.a.n_in + 1;
  int i = 0;
  for (; i + tile_inputs <= columns; i += tile_inputs) sum_tile_of<O, tile_inputs>(part, o, i);
  if constexpr (tile_inputs == 4) {
    if (columns - i == 3) return sum_tile_of<O, 3>(part, o, i);
    if (columns - i == 2) return sum_tile_of<O, 2>(part, o, i);
  }
  if (columns - i == 1) sum_tile<O, 1, true>(part, o, i);
}

/// P packs of samples through the network: rows as they lie, what is between in the room.
template <class In, class Out>
LARMOR_INLINE void infer_packs(const LarmorMlpInference& run, const In& in, const Out& out) {
  const float* w = run.weights;
  constexpr size_t stride = P * W;
  int widest = 0;
  for (int l = 0; l <= run.layers; ++l) widest = run.sizes[l] > widest ? run.sizes[l] : widest;
  float* const half = run.room + static_cast<size_t>(widest) * stride;
  for (int l = 0; l < run.layers; ++l) {
    const nn::MlpLayer a{w, w + run.sizes[l] * run.sizes[l + 1], run.sizes[l], run.sizes[l + 1], run.kinds[l]};
    const nn::StridedRows from{l % 2 ? run.room : half, stride}, to{l % 2 ? half : run.room, stride};
    const bool first = l == 0, last = l == run.layers - 1;
    if (first && last)
      nn::forward_layer<F, P>(a, in, out, nullptr, 0);
    else if (first)
      nn::forward_layer<F, P>(a, in, to, nullptr, 0);
    else if (last)
      nn::forward_layer<F, P>(a, from, out, nullptr, 0);
    else
      nn::forward_layer<F, P>(a, from, to, nullptr, 0);
    w = a.bias + a.n_out;
  }
}

}  // namespace

extern "C" void LARMOR_ISA_JOIN(larmor_mlp_infer_, LARMOR_ISA)(const LarmorMlpInference* run) {
  constexpr size_t packs = P * W;
  size_t done = 0;
  for (; done + packs <= run->n; done += packs)
    infer_packs(*run, nn::ListedRows<const float>{run->in, run->first + done},
                nn::ListedRows<float>{run->out, run->first + done});
  if (done == run->n) return;
  // What is left, with zeros behind it, in the room behind that of the layers.
  const size_t left = run->n - done;
  const int n_in = run->sizes[0], n_out = run->sizes[run->layers];
  int widest = 0;
  for (int l = 0; l <= run->layers; ++l) widest = run->sizes[l] > widest ? run->sizes[l] : widest;
  const nn::StridedRows rest{run->room + 2 * static_cast<size_t>(widest) * packs, packs};
  for (int i = 0; i < n_in; ++i)
    for (size_t s = 0; s < packs; ++s) rest[i][s] = s < left ? run->in[i][run->first + done + s] : 0.0f;
  infer_packs(*run, rest, rest);
  for (int o = 0; o < n_out; ++o) memcpy(run->out[o] + run->first + done, rest[o], left * sizeof(float));
}

extern "C" void LARMOR_ISA_JOIN(larmor_mlp_forward_, LARMOR_ISA)(const LarmorMlpRun* run) {
  for (size_t p = 0; p < run->n; p += P * W) nn::forward_at<F, P>(*run, p);
}

extern "C" void LARMOR_ISA_JOIN(larmor_mlp_backward_, LARMOR_ISA)(const LarmorMlpRun* run) {
  // Values and deltas of a part of a large batch stay in the second cache (1 MB of them) from the way back to the sums.
  size_t rows = 0;
  for (int l = 0; l <= run->layers; ++l) rows += static_cast<size_t>(run->sizes[l]);
  const size_t some = (1u << 17) / rows / nn::mlp_together + 1, size = some * nn::mlp_together;
  for (size_t begin = 0; begin < run->n; begin += size) {
    const size_t end = begin + size < run->n ? begin + size : run->n;
    for (size_t p = begin; p < end; p += P * W) nn::deltas_at<F, P>(*run, p);
    for (int l = 0; l < run->layers; ++l) {
      const Part part{*run, nn::place_of(*run, l), begin, end};
      const int n_out = part.a.n_out;
      int o = 0;
      for (; o + tile_outputs <= n_out; o += tile_outputs) sum_tiles<tile_outputs>(part, o);
      if constexpr (tile_outputs == 4) {
        if (n_out - o == 3) sum_tiles<3>(part, o);
        if (n_out - o == 2) sum_tiles<2>(part, o);
      }
      if (n_out - o == 1) sum_tiles<1>(part, o);
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
            for (size_t s = 0; s < run.n; ++s) forward_at<float, 1>(run, s);
          },
          [](const LarmorMlpRun& run, int) {
            for (size_t s = 0; s < run.n; ++s) deltas_at<float, 1>(run, s);
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
