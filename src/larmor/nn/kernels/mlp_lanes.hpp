// SPDX-License-Identifier: Apache-2.0
#pragma once
// What a small network does with a pack of samples on the CPU, with one sample a thread in CUDA: the way forward, the
// way back, the gradient of a tile of weights, and Adam.
#include <larmor/core/simd/lane.hpp>
#include <larmor/nn/kernels/mlp_kernel.hpp>

namespace larmor::nn {
inline namespace LARMOR_ISA_NAMESPACE {

/// 2^(whole part) from the bits that the shift by 1.5 2^23 has left in `biased`, times p in [0.7, 1.42).
LARMOR_INLINE float scaled(float p, float biased) {
  uint32_t bits, at;
  memcpy(&bits, &biased, 4);
  memcpy(&at, &p, 4);
  at += bits << 23;
  memcpy(&p, &at, 4);
  return p;
}
#if !defined(__CUDACC__)
LARMOR_INLINE simd::Pack<float> scaled(simd::Pack<float> p, simd::Pack<float> biased) {
  using F = simd::Pack<float>;
  using ivec = simd::VectorOf<float>::ivec;
  return F(reinterpret_cast<F::vec>(reinterpret_cast<ivec>(p.v) + (reinterpret_cast<ivec>(biased.v) << 23)));
}
#endif

/// ELU within 1.5e-7, in 14 instructions where simd::exp alone takes 16: 2^r, |r| <= 1/2, by a polynomial of degree 5
/// with the least relative error (9e-8) among those that are 1 at 0. exp(z) - 1 >= z, so one maximum joins both parts.
template <class T>
LARMOR_INLINE T elu(T z) {
  const T below = simd::max(simd::min(z, T(0.0f)), T(-87.0f));
  const T biased = simd::fma(below, T(1.44269504f), T(12582912.0f));
  const T r = simd::fma(below, T(1.44269504f), T(12582912.0f) - biased);
  T p = simd::fma(T(0.00132647269f), r, T(0.00967151266f));
  p = simd::fma(p, r, T(0.0555073374f));
  p = simd::fma(p, r, T(0.240222421f));
  p = simd::fma(p, r, T(0.693146978f));
  p = simd::fma(p, r, T(1.0f));
  return simd::max(z, scaled(p, biased) - T(1.0f));
}

/// All of N activations, so that the choice is made once for them.
template <class T, int N>
LARMOR_INLINE void activate(T (&z)[N], int kind) {
  const auto each = [&](auto f) LARMOR_LAMBDA { simd::static_for<N>([&](auto k) LARMOR_LAMBDA { z[k] = f(z[k]); }); };
  const T zero(0.0f), one(1.0f);
  switch (kind) {
    case 1:
      return each([](T x) LARMOR_LAMBDA { return elu(x); });
    case 2:
      return each([&](T x) LARMOR_LAMBDA { return simd::max(x, zero); });
    case 3:
      return each([](T x) LARMOR_LAMBDA { return simd::abs(x); });
    case 4:
      return each([&](T x) LARMOR_LAMBDA { return one / (one + simd::exp(-x)); });
    default:
      return;
  }
}

/// Derivative from the value after the activation; that of abs is the sign that the way forward left.
template <class T>
LARMOR_INLINE T slope(T y, int kind) {
  const T zero(0.0f), one(1.0f);
  switch (kind) {
    case 1:
      return simd::min(y, zero) + one;
    case 2:
      return simd::select(y > zero, one, zero);
    case 4:
      return y * (one - y);
    default:
      return one;
  }
}

/// Rows of samples: `stride` apart, or each where it is. Samples from the first on.
struct StridedRows {
  float* first;
  size_t stride;
  LARMOR_INLINE float* operator[](int i) const { return first + static_cast<size_t>(i) * stride; }
};
template <class Number>
struct ListedRows {
  Number* const* rows;
  size_t sample;
  LARMOR_INLINE Number* operator[](int i) const { return rows[i] + sample; }
};

/// z[k P + q] += sum over j of w[k across + j along] row j of pack q, k < N, q < P: a row is read once for N results, a
/// weight once for P packs.
template <class T, int P, int N, class Rows>
LARMOR_INLINE void add_products(const float* w, int across, int along, const Rows& rows, int n, T (&z)[N * P]) {
  for (int j = 0; j < n; ++j) {
    const float* row = rows[j];
    T x[P];
    simd::static_for<P>([&](auto q) LARMOR_LAMBDA { x[q] = simd::load<T>(row + q * simd::LaneTraits<T>::size); });
    simd::static_for<N>([&](auto k) LARMOR_LAMBDA {
      const T weight(w[k * across + j * along]);
      simd::static_for<P>([&](auto q) LARMOR_LAMBDA { z[k * P + q] = simd::fma(weight, x[q], z[k * P + q]); });
    });
  }
}

// Results at once: with two packs of samples they are the independent sums that hide the four cycles of a product, and
// fill the registers (32 with 64-byte vectors, else 16) but for rows, weight and what the activation needs.
#if LARMOR_VECTOR_BYTES == 64 || defined(__CUDACC__)
inline constexpr int mlp_most = 8;
#else
inline constexpr int mlp_most = 5;
#endif

/// f(Index<N>, first) over n results in blocks of N <= mlp_most that differ by one at most.
template <class F>
LARMOR_INLINE void in_blocks(int n, const F& f) {
  const int blocks = (n + mlp_most - 1) / mlp_most, least = n / blocks;
  for (int first = 0, longer = n % blocks; first < n;) {
    const int size = least + (longer-- > 0 ? 1 : 0);
    switch (size) {
      case 1:
        f(simd::Index<1>{}, first);
        break;
      case 2:
        f(simd::Index<2>{}, first);
        break;
      case 3:
        f(simd::Index<3>{}, first);
        break;
      case 4:
        f(simd::Index<4>{}, first);
        break;
      case 5:
        f(simd::Index<5>{}, first);
        break;
#if LARMOR_VECTOR_BYTES == 64 || defined(__CUDACC__)
      case 6:
        f(simd::Index<6>{}, first);
        break;
      case 7:
        f(simd::Index<7>{}, first);
        break;
      default:
        f(simd::Index<8>{}, first);
#else
      default:
        break;
#endif
    }
    first += size;
  }
}

struct MlpLayer {
  const float *w, *bias;
  int n_in, n_out, kind;
};

/// One layer for P packs of samples. `sign`: null, or where that of the sums goes (abs).
template <class T, int P, class In, class Out>
LARMOR_INLINE void forward_layer(const MlpLayer& a, const In& in, const Out& out, float* sign, size_t stride) {
  constexpr int W = simd::LaneTraits<T>::size;
  in_blocks(a.n_out, [&](auto size, int o) LARMOR_LAMBDA {
    constexpr int N = size;
    T z[N * P];
    simd::static_for<N * P>([&](auto k) LARMOR_LAMBDA { z[k] = T(a.bias[o + k / P]); });
    add_products<T, P, N>(a.w + o * a.n_in, a.n_in, 1, in, a.n_in, z);
    if (sign)
      simd::static_for<N * P>([&](auto k) LARMOR_LAMBDA {
        simd::store(sign + static_cast<size_t>(o + k / P) * stride + k % P * W,
                    simd::select(z[k] < T(0.0f), T(-1.0f), T(1.0f)));
      });
    activate<T, N * P>(z, a.kind);
    simd::static_for<N>([&](auto k) LARMOR_LAMBDA {
      float* row = out[o + k];
      simd::static_for<P>([&](auto q) LARMOR_LAMBDA { simd::store(row + q * W, z[k * P + q]); });
    });
  });
}

/// Values of all layers for the P packs of samples from p on.
template <class T, int P>
LARMOR_INLINE void forward_at(const LarmorMlpRun& run, size_t p) {
  const float* w = run.weights;
  size_t at = p;
  for (int l = 0; l < run.layers; ++l) {
    const MlpLayer a{w, w + run.sizes[l] * run.sizes[l + 1], run.sizes[l], run.sizes[l + 1], run.kinds[l]};
    const StridedRows in{run.values + at, run.stride};
    at += static_cast<size_t>(a.n_in) * run.stride;
    float* sign = run.deltas && a.kind == 3 ? run.deltas + at : nullptr;
    forward_layer<T, P>(a, in, StridedRows{run.values + at, run.stride}, sign, run.stride);
    w = a.bias + a.n_out;
  }
}

/// Gradients by what goes into each activation, for the P packs of samples from p on; 0 beyond the last.
template <class T, int P>
LARMOR_INLINE void deltas_at(const LarmorMlpRun& run, size_t p) {
  constexpr int W = simd::LaneTraits<T>::size;
  size_t at = p, end = 0;
  for (int l = 0; l < run.layers; ++l)
    at += static_cast<size_t>(run.sizes[l]) * run.stride,
        end += static_cast<size_t>(run.sizes[l] + 1) * static_cast<size_t>(run.sizes[l + 1]);
  T lanes(0.0f);
  for (int i = 1; i < W; ++i) simd::set_lane(lanes, i, static_cast<float>(i));
  const int last = run.kinds[run.layers - 1];
  for (int o = 0; o < run.sizes[run.layers]; ++o)
    for (int q = 0; q < P; ++q) {
      const size_t row = static_cast<size_t>(o) * run.stride + static_cast<size_t>(q * W);
      float* d = run.deltas + at + row;
      const T by_value = last == 3 ? simd::load<T>(d) : slope(simd::load<T>(run.values + at + row), last);
      // Beyond the last sample lanes are compared with less than 0.
      const auto inside = lanes + T(static_cast<float>(q * W)) < T(static_cast<float>(run.n - p));
      simd::store(d, simd::select(inside, simd::load<T>(run.grad + row + p) * by_value, T(0.0f)));
    }
  for (int l = run.layers - 1; l >= (run.input_deltas ? 0 : 1); --l) {
    const int n_in = run.sizes[l], n_out = run.sizes[l + 1];
    end -= static_cast<size_t>(n_in + 1) * static_cast<size_t>(n_out);
    const float* w = run.weights + end;
    const StridedRows delta{run.deltas + at, run.stride};
    at -= static_cast<size_t>(n_in) * run.stride;
    const StridedRows y{run.values + at, run.stride}, to{run.deltas + at, run.stride};
    const int kind = l > 0 ? run.kinds[l - 1] : 0;  // inputs have no activation
    in_blocks(n_in, [&](auto size, int i) LARMOR_LAMBDA {
      constexpr int N = size;
      T d[N * P];
      simd::static_for<N * P>([&](auto k) LARMOR_LAMBDA { d[k] = T(0.0f); });
      add_products<T, P, N>(w + i, 1, n_in, delta, n_out, d);
      simd::static_for<N * P>([&](auto k) LARMOR_LAMBDA {
        const size_t pack = static_cast<size_t>(k % P * W);
        const T value = simd::load<T>(y[i + k / P] + pack);
        simd::store(to[i + k / P] + pack, kind == 0 ? d[k] : d[k] * slope(value, kind));
      });
    });
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
