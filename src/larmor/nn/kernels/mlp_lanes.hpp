// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a small network does with a pack of samples on the CPU, with one sample a thread in CUDA: the way forward, the
// way back, the gradient of a tile of weights, and Adam.
#include <larmor/core/simd/lane.hpp>
#include <larmor/nn/kernels/mlp_kernel.hpp>

namespace larmor::nn {
inline namespace LARMOR_ISA_NAMESPACE {

template <class T>
LARMOR_INLINE T activate(T z, int kind) {
  const T zero(0.0f), one(1.0f);
  switch (kind) {
    case 1:
      return simd::select(z > zero, z, simd::exp(simd::min(z, zero)) - one);
    case 2:
      return simd::max(z, zero);
    case 3:
      return simd::abs(z);
    case 4:
      return one / (one + simd::exp(-z));
    default:
      return z;
  }
}

/// Derivative from the value after the activation; that of abs is the sign that the way forward left.
template <class T>
LARMOR_INLINE T slope(T y, int kind) {
  const T zero(0.0f), one(1.0f);
  switch (kind) {
    case 1:
      return simd::select(y > zero, one, y + one);
    case 2:
      return simd::select(y > zero, one, zero);
    case 4:
      return y * (one - y);
    default:
      return one;
  }
}

/// out[k] += sum over j of w[k across + j along] row j, k < N: rows are read once for N results.
template <class T, int N>
LARMOR_INLINE void add_products(const float* w, int across, int along, const float* rows, size_t stride, int n,
                                T* out) {
  for (int j = 0; j < n; ++j) {
    const T x = simd::load<T>(rows + static_cast<size_t>(j) * stride);
    simd::static_for<N>([&](auto k) LARMOR_LAMBDA { out[k] = simd::fma(T(w[k * across + j * along]), x, out[k]); });
  }
}

struct MlpLayer {
  const float *w, *bias;
  int n_in, n_out, kind;
};

template <class T, int N>
LARMOR_INLINE void forward_block(const MlpLayer& a, int o, const float* in, float* out, float* sign, size_t stride) {
  T z[N];
  for (int k = 0; k < N; ++k) z[k] = T(a.bias[o + k]);
  add_products<T, N>(a.w + o * a.n_in, a.n_in, 1, in, stride, a.n_in, z);
  for (int k = 0; k < N; ++k) {
    const size_t at = static_cast<size_t>(o + k) * stride;
    if (sign) simd::store(sign + at, simd::select(z[k] < T(0.0f), T(-1.0f), T(1.0f)));
    simd::store(out + at, activate(z[k], a.kind));
  }
}

/// Values of all layers for the samples from p on.
template <class T>
LARMOR_INLINE void forward_at(const LarmorMlpRun& run, size_t p) {
  const float* w = run.weights;
  size_t at = p;
  for (int l = 0; l < run.layers; ++l) {
    const MlpLayer a{w, w + run.sizes[l] * run.sizes[l + 1], run.sizes[l], run.sizes[l + 1], run.kinds[l]};
    const float* in = run.values + at;
    at += static_cast<size_t>(a.n_in) * run.stride;
    float* out = run.values + at;
    float* sign = run.deltas && a.kind == 3 ? run.deltas + at : nullptr;
    int o = 0;
    // Eight sums at once hide the time that a product takes: two of them can begin every cycle, each takes four.
    for (; o + 8 <= a.n_out; o += 8) forward_block<T, 8>(a, o, in, out, sign, run.stride);
    for (; o + 4 <= a.n_out; o += 4) forward_block<T, 4>(a, o, in, out, sign, run.stride);
    for (; o < a.n_out; ++o) forward_block<T, 1>(a, o, in, out, sign, run.stride);
    w = a.bias + a.n_out;
  }
}

template <class T, int N>
LARMOR_INLINE void back_block(const float* w, int n_in, int n_out, int i, const float* delta, const float* y, int kind,
                              float* to, size_t stride) {
  T d[N];
  for (int k = 0; k < N; ++k) d[k] = T(0.0f);
  add_products<T, N>(w + i, 1, n_in, delta, stride, n_out, d);
  for (int k = 0; k < N; ++k) {
    const size_t at = static_cast<size_t>(i + k) * stride;
    simd::store(to + at, kind < 0 ? d[k] : d[k] * slope(simd::load<T>(y + at), kind));
  }
}

/// Gradients by what goes into each activation, for the samples from p on; 0 beyond the last.
template <class T>
LARMOR_INLINE void deltas_at(const LarmorMlpRun& run, size_t p) {
  size_t at = p, end = 0;
  for (int l = 0; l < run.layers; ++l)
    at += static_cast<size_t>(run.sizes[l]) * run.stride,
        end += static_cast<size_t>(run.sizes[l] + 1) * static_cast<size_t>(run.sizes[l + 1]);
  T lanes(0.0f);
  for (int i = 1; i < simd::LaneTraits<T>::size; ++i) simd::set_lane(lanes, i, static_cast<float>(i));
  const auto inside = lanes < T(static_cast<float>(run.n - p));
  const int last = run.kinds[run.layers - 1];
  for (int o = 0; o < run.sizes[run.layers]; ++o) {
    const size_t row = static_cast<size_t>(o) * run.stride;
    float* d = run.deltas + at + row;
    const T by_value = last == 3 ? simd::load<T>(d) : slope(simd::load<T>(run.values + at + row), last);
    simd::store(d, simd::select(inside, simd::load<T>(run.grad + row + p) * by_value, T(0.0f)));
  }
  for (int l = run.layers - 1; l >= (run.input_deltas ? 0 : 1); --l) {
    const int n_in = run.sizes[l], n_out = run.sizes[l + 1];
    end -= static_cast<size_t>(n_in + 1) * static_cast<size_t>(n_out);
    const float *w = run.weights + end, *delta = run.deltas + at;
    at -= static_cast<size_t>(n_in) * run.stride;
    const float* y = run.values + at;
    float* to = run.deltas + at;
    const int kind = l > 0 ? run.kinds[l - 1] : -1;  // inputs have no activation
    int i = 0;
    for (; i + 8 <= n_in; i += 8) back_block<T, 8>(w, n_in, n_out, i, delta, y, kind, to, run.stride);
    for (; i + 4 <= n_in; i += 4) back_block<T, 4>(w, n_in, n_out, i, delta, y, kind, to, run.stride);
    for (; i < n_in; ++i) back_block<T, 1>(w, n_in, n_out, i, delta, y, kind, to, run.stride);
  }
}

/// Where a layer's rows and weights begin.
struct MlpPlace {
  const float *in, *delta;
  size_t weights;
  int n_in, n_out;
};
LARMOR_INLINE MlpPlace place_of(const LarmorMlpRun& run, int layer) {
  size_t row = 0, weights = 0;
  for (int l = 0; l < layer; ++l)
    row += static_cast<size_t>(run.sizes[l]),
        weights += static_cast<size_t>(run.sizes[l] + 1) * static_cast<size_t>(run.sizes[l + 1]);
  const int n_in = run.sizes[layer], n_out = run.sizes[layer + 1];
  return {run.values + row * run.stride, run.deltas + (row + static_cast<size_t>(n_in)) * run.stride, weights, n_in,
          n_out};
}

/// sum[o I + i] += delta o times input i over samples first, first + step, ... below n. Rows beyond the layer are the
/// last one again, and nobody reads their sums.
template <class T, int O, int I>
LARMOR_INLINE void weight_sums(const MlpPlace& a, size_t stride, int output, int input, size_t first, size_t step,
                               size_t n, T* sum) {
  const float *d[O], *x[I];
  for (int o = 0; o < O; ++o)
    d[o] = a.delta + static_cast<size_t>(output + o < a.n_out ? output + o : a.n_out - 1) * stride;
  for (int i = 0; i < I; ++i) x[i] = a.in + static_cast<size_t>(input + i < a.n_in ? input + i : a.n_in - 1) * stride;
  for (size_t p = first; p < n; p += step) {
    T at[I];
    simd::static_for<I>([&](auto i) LARMOR_LAMBDA { at[i] = simd::load<T>(x[i] + p); });
    simd::static_for<O>([&](auto o) LARMOR_LAMBDA {
      const T delta = simd::load<T>(d[o] + p);
      simd::static_for<I>([&](auto i) LARMOR_LAMBDA { sum[o * I + i] = simd::fma(delta, at[i], sum[o * I + i]); });
    });
  }
}

/// The same of N biases from `output` on.
template <class T, int N>
LARMOR_INLINE void bias_sums(const MlpPlace& a, size_t stride, int output, size_t first, size_t step, size_t n,
                             T* sum) {
  const float* d[N];
  for (int o = 0; o < N; ++o)
    d[o] = a.delta + static_cast<size_t>(output + o < a.n_out ? output + o : a.n_out - 1) * stride;
  for (size_t p = first; p < n; p += step)
    simd::static_for<N>([&](auto o) LARMOR_LAMBDA { sum[o] += simd::load<T>(d[o] + p); });
}

/// Place of sum k of a tile of O x I weights, or of its biases, among all weights; -1: beyond the layer.
template <int O, int I>
LARMOR_INLINE int64_t weight_of(const MlpPlace& a, int output, int input, int k) {
  const auto begin = static_cast<int64_t>(a.weights);
  if (input < 0) return output + k < a.n_out ? begin + a.n_in * a.n_out + output + k : -1;
  const int o = output + k / I, i = input + k % I;
  return o < a.n_out && i < a.n_in ? begin + o * a.n_in + i : -1;
}

/// Adam (Kingma and Ba, ICLR, 2015) for the weights from i on.
template <class T>
LARMOR_INLINE void adam_at(const LarmorAdamRun& run, size_t i) {
  const T g = simd::load<T>(run.gradient + i);
  const T m = simd::fma(T(run.b1), simd::load<T>(run.m + i), T(1 - run.b1) * g);
  const T v = simd::fma(T(run.b2), simd::load<T>(run.v + i), T(1 - run.b2) * g * g);
  simd::store(run.m + i, m);
  simd::store(run.v + i, v);
  const T step = T(run.rate * run.correction1) * m / (simd::sqrt(v * T(run.correction2)) + T(run.epsilon));
  simd::store(run.weights + i, simd::load<T>(run.weights + i) - step);
}

// --- what a thread of a block does between two barriers, for CUDA and its emulation ----------------------------------

/// Inputs of sample s.
LARMOR_INLINE void gather_sample(const LarmorMlpRun& run, const LarmorMlpBatch& batch, size_t s) {
  const int n_in = run.sizes[0];
  const float* row = batch.rows + static_cast<size_t>(batch.order[batch.first + s]) * static_cast<size_t>(n_in);
  for (int i = 0; i < n_in; ++i) run.values[static_cast<size_t>(i) * run.stride + s] = row[i];
}

/// Thread t's share of a tile's sums; room (mlp_tile, mlp_block).
LARMOR_INLINE void tile_begin(const LarmorMlpRun& run, const MlpTile& tile, int t, float* room) {
  const MlpPlace a = place_of(run, tile.layer);
  float sum[mlp_tile] = {};
  if (tile.input < 0)
    bias_sums<float, mlp_tile>(a, run.stride, tile.output, static_cast<size_t>(t), mlp_block, run.n, sum);
  else
    weight_sums<float, 4, 4>(a, run.stride, tile.output, tile.input, static_cast<size_t>(t), mlp_block, run.n, sum);
  for (int k = 0; k < mlp_tile; ++k) room[k * mlp_block + t] = sum[k];
}
/// Adds up the shares of `half` threads and those beyond: 64, 32, ... 1, with a barrier before each.
LARMOR_INLINE void tile_fold(int half, int t, float* room) {
  if (t >= half) return;
  for (int k = 0; k < mlp_tile; ++k) room[k * mlp_block + t] += room[k * mlp_block + t + half];
}
/// Thread t < mlp_tile keeps the gradient of one weight and steps it.
LARMOR_INLINE void tile_end(const LarmorMlpRun& run, const LarmorAdamRun& adam, const MlpTile& tile, int t,
                            const float* room) {
  if (t >= mlp_tile) return;
  const int64_t at = weight_of<4, 4>(place_of(run, tile.layer), tile.output, tile.input, t);
  if (at < 0) return;
  run.gradient[at] = room[t * mlp_block];
  adam_at<float>(adam, static_cast<size_t>(at));
}

}  // namespace LARMOR_ISA_NAMESPACE
}  // namespace larmor::nn
