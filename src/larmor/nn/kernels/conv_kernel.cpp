// SPDX-License-Identifier: Apache-2.0
// Direct convolution: a tile of outputs x positions stays in registers while all inputs and taps are added.
#include <larmor/core/simd/lane.hpp>
#include <larmor/nn/kernels/conv_kernel.hpp>

namespace {
namespace simd = larmor::simd;
using F = simd::Pack<float>;
constexpr int W = F::size;
// Registers: 32 wide ones with AVX-512 hold 8 x 3, 16 hold 4 x 3 beside what is loaded.
constexpr int tile_out = W >= 16 ? 8 : 4;
constexpr int tile_pos = 3;
constexpr int block = larmor::nn::conv_block;

/// Sum of the lanes, in log2 steps: lane by lane it is a third of the time of `correlate`.
LARMOR_INLINE float across(F a) {
  using ivec = simd::VectorOf<float>::ivec;
  ivec lane;
  for (int l = 0; l < W; ++l) lane[l] = l;
  simd::static_for<4>([&](auto step) {
    constexpr int half = W >> (step + 1);
    if constexpr (half > 0) a.v += __builtin_shuffle(a.v, lane ^ half);
  });
  return a.v[0];
}

LARMOR_INLINE void tile(const LarmorConvRun& run, const float* weights, int first, size_t p) {
  F acc[tile_out][tile_pos];
  simd::static_for<tile_out>([&](auto o) {
    if (run.add && first + o < run.cout) {
      const float* before = run.out + static_cast<size_t>(first + o) * run.out_stride + p;
      simd::static_for<tile_pos>([&](auto v) { acc[o][v] = simd::load<F>(before + v * W); });
    } else {
      const float b = run.bias && first + o < run.cout ? run.bias[first + o] : 0.0f;
      simd::static_for<tile_pos>([&](auto v) { acc[o][v] = F(b); });
    }
  });
  for (int c = 0; c < run.cin; ++c) {
    const float* in = run.in + static_cast<size_t>(c) * run.in_stride + p;
    for (int t = 0; t < run.n_taps; ++t) {
      const float* at = in + run.taps[t];
      F x[tile_pos];
      simd::static_for<tile_pos>([&](auto v) { x[v] = simd::load<F>(at + v * W); });
      simd::static_for<tile_out>([&](auto o) {
        const F w(weights[o]);
        simd::static_for<tile_pos>([&](auto v) { acc[o][v] = simd::fma(w, x[v], acc[o][v]); });
      });
      weights += block;
    }
  }
  simd::static_for<tile_out>([&](auto o) {
    if (first + o < run.cout) {
      float* to = run.out + static_cast<size_t>(first + o) * run.out_stride + p;
      simd::static_for<tile_pos>(
          [&](auto v) { simd::store(to + v * W, acc[o][v] * simd::load<F>(run.mask + p + v * W)); });
    }
  });
}

/// acc[o][k] = sum over positions of grad[o] * in shifted by tap k; the first n_taps of the three are kept.
LARMOR_INLINE void correlate(const float* const* grad, const float* in, const ptrdiff_t* taps, size_t begin, size_t end,
                             float* out, int n_out, size_t out_stride, int n_taps) {
  F acc[tile_out][3];
  simd::static_for<tile_out>([&](auto o) { simd::static_for<3>([&](auto k) { acc[o][k] = F(0.0f); }); });
  const ptrdiff_t t0 = taps[0], t1 = taps[1], t2 = taps[2];
  for (size_t p = begin; p < end; p += W) {
    const F x0 = simd::load<F>(in + p + t0), x1 = simd::load<F>(in + p + t1), x2 = simd::load<F>(in + p + t2);
    simd::static_for<tile_out>([&](auto o) {
      const F g = simd::load<F>(grad[o] + p);
      acc[o][0] = simd::fma(g, x0, acc[o][0]);
      acc[o][1] = simd::fma(g, x1, acc[o][1]);
      acc[o][2] = simd::fma(g, x2, acc[o][2]);
    });
  }
  simd::static_for<tile_out>([&](auto o) {
    simd::static_for<3>([&](auto k) {
      const float sum = across(acc[o][k]);
      if (o < n_out && k < n_taps) out[static_cast<size_t>(o) * out_stride + static_cast<size_t>(k)] += sum;
    });
  });
}

}  // namespace

/// Outputs of the positions [begin, end), both multiples of conv_chunk.
extern "C" void LARMOR_ISA_JOIN(larmor_conv_forward_, LARMOR_ISA)(const LarmorConvRun* run, size_t begin, size_t end) {
  const size_t per_block = static_cast<size_t>(run->cin) * static_cast<size_t>(run->n_taps) * block;
  for (size_t p = begin; p < end; p += larmor::nn::conv_chunk)
    for (int b = 0; b * block < run->cout; ++b) {
      const float* weights = run->weights + static_cast<size_t>(b) * per_block;
      for (int o = 0; o < block && b * block + o < run->cout; o += tile_out)
        for (int v = 0; v < larmor::nn::conv_chunk; v += tile_pos * W)
          tile(*run, weights + o, b * block + o, p + static_cast<size_t>(v));
    }
}

/// Gradient of the weights, (output, input, tap) += over the positions [begin, end), multiples of conv_chunk.
/// `grad` is 0 on padding: (cout) channels of out_stride.
extern "C" void LARMOR_ISA_JOIN(larmor_conv_weights_, LARMOR_ISA)(const LarmorConvRun* run, const float* grad,
                                                                  float* out, size_t begin, size_t end) {
  const size_t per_out = static_cast<size_t>(run->cin) * static_cast<size_t>(run->n_taps);
  constexpr size_t piece = 48 * 32;  // 6 kB a channel: eight gradients stay in the first cache
  for (size_t p = begin; p < end; p += piece) {
    const size_t stop = p + piece < end ? p + piece : end;
    for (int o = 0; o < run->cout; o += tile_out) {
      const int n = run->cout - o < tile_out ? run->cout - o : tile_out;
      const float* rows[tile_out];
      for (int i = 0; i < tile_out; ++i)  // beyond the last output: any row, its sums are not stored
        rows[i] = grad + static_cast<size_t>(o + (i < n ? i : 0)) * run->out_stride;
      float* to = out + static_cast<size_t>(o) * per_out;
      if (run->n_taps == 1) {  // three inputs take the places of three taps
        for (int c = 0; c < run->cin; c += 3) {
          const int left = run->cin - c;
          const ptrdiff_t stride = static_cast<ptrdiff_t>(run->in_stride);
          const ptrdiff_t inputs[3] = {0, left > 1 ? stride : 0, left > 2 ? 2 * stride : 0};
          correlate(rows, run->in + static_cast<size_t>(c) * run->in_stride, inputs, p, stop, to + c, n, per_out, left);
        }
        continue;
      }
      for (int c = 0; c < run->cin; ++c)
        for (int t = 0; t < run->n_taps; t += 3)
          correlate(rows, run->in + static_cast<size_t>(c) * run->in_stride, run->taps + t, p, stop,
                    to + static_cast<size_t>(c) * static_cast<size_t>(run->n_taps) + t, n, per_out, 3);
    }
  }
}

/// Sum and sum of squares about `centre` of one channel whose padding is 0; n a multiple of conv_chunk.
extern "C" void LARMOR_ISA_JOIN(larmor_moments_, LARMOR_ISA)(const float* in, const float* mask, float centre, size_t n,
                                                             double* sum, double* squares) {
  double s = 0, q = 0;
  for (size_t begin = 0; begin < n; begin += 4800) {  // pieces, so that float sums keep their digits
    const size_t end = begin + 4800 < n ? begin + 4800 : n;
    F a(0.0f), b(0.0f);
    for (size_t p = begin; p < end; p += W) {
      const F d = (simd::load<F>(in + p) - F(centre)) * simd::load<F>(mask + p);
      a += d;
      b = simd::fma(d, d, b);
    }
    for (int l = 0; l < W; ++l) s += simd::lane(a, l), q += simd::lane(b, l);
  }
  *sum = s;
  *squares = q;
}

extern "C" void LARMOR_ISA_JOIN(larmor_norm_, LARMOR_ISA)(const LarmorNormRun* run) {
  const F a(run->scale), b(run->shift), slope(run->slope);
  for (size_t p = 0; p < run->n; p += W) {
    F y = simd::fma(a, simd::load<F>(run->in + p), b);
    if (run->added) y += simd::load<F>(run->added + p);
    y = simd::max(y, y * slope);  // slope <= 1
    simd::store(run->out + p, y * simd::load<F>(run->mask + p));
  }
}

extern "C" void LARMOR_ISA_JOIN(larmor_norm_gradient_, LARMOR_ISA)(LarmorNormGradient* run) {
  const F mean(run->mean), r(run->per_deviation), slope(run->slope), zero(0.0f);
  double sum = 0, product = 0;
  for (size_t begin = 0; begin < run->n; begin += 4800) {
    const size_t end = begin + 4800 < run->n ? begin + 4800 : run->n;
    F a(0.0f), b(0.0f);
    for (size_t p = begin; p < end; p += W) {
      F g = simd::load<F>(run->grad + p) * simd::load<F>(run->mask + p);
      g = simd::select(simd::load<F>(run->y + p) > zero, g, g * slope);
      simd::store(run->out + p, g);
      a += g;
      b = simd::fma(g, (simd::load<F>(run->z + p) - mean) * r, b);
    }
    for (int l = 0; l < W; ++l) sum += simd::lane(a, l), product += simd::lane(b, l);
  }
  run->sum = sum;
  run->product = product;
  const F mean_g(static_cast<float>(sum) / run->voxels), mean_p(static_cast<float>(product) / run->voxels);
  const F scale(run->weight * run->per_deviation);
  for (size_t p = 0; p < run->n; p += W) {
    const F zhat = (simd::load<F>(run->z + p) - mean) * r;
    const F dz = scale * (simd::load<F>(run->out + p) - mean_g - zhat * mean_p);
    simd::store(run->out_z + p, dz * simd::load<F>(run->mask + p));
  }
}
