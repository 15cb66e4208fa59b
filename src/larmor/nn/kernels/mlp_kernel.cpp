// SPDX-License-Identifier: Apache-2.0
// A pack of samples goes through all layers while its values are in the first cache.
#include <larmor/core/simd/lane.hpp>
#include <larmor/nn/kernels/mlp_kernel.hpp>

namespace {
namespace simd = larmor::simd;
using F = simd::Pack<float>;
constexpr int W = F::size;

LARMOR_INLINE F activate(F z, int kind) {
  const F zero(0.0f), one(1.0f);
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

/// Derivative from the value after the activation; abs keeps its sign apart (`z`).
LARMOR_INLINE F slope(F y, int kind) {
  const F zero(0.0f), one(1.0f);
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

/// One layer for N packs of outputs at a time: inputs are read once for N outputs.
template <int N>
LARMOR_INLINE void outputs(const float* w, const float* bias, const float* in, size_t stride, int n_in, F* out) {
  simd::static_for<N>([&](auto o) { out[o] = F(bias[o]); });
  for (int i = 0; i < n_in; ++i) {
    const F x = simd::load<F>(in + static_cast<size_t>(i) * stride);
    simd::static_for<N>([&](auto o) { out[o] = simd::fma(F(w[o * n_in + i]), x, out[o]); });
  }
}

float across(F a) {
  float s = 0;
  for (int l = 0; l < W; ++l) s += simd::lane(a, l);
  return s;
}

}  // namespace

extern "C" void LARMOR_ISA_JOIN(larmor_mlp_forward_, LARMOR_ISA)(const LarmorMlpRun* run) {
  const size_t stride = run->stride;
  for (size_t p = 0; p < run->n; p += W) {
    const float* w = run->weights;
    float* in = run->values + p;
    for (int l = 0; l < run->layers; ++l) {
      const int n_in = run->sizes[l], n_out = run->sizes[l + 1], kind = run->kinds[l];
      const float* bias = w + n_in * n_out;
      float* out = in + static_cast<size_t>(n_in) * stride;
      const auto keep = [&](int o, F z) {
        if (kind == 3) {  // the sign of abs goes into the room of the deltas, for the way back
          float* sign = run->deltas + static_cast<size_t>(o) * stride + p;
          if (l + 1 == run->layers) simd::store(sign, simd::select(z < F(0.0f), F(-1.0f), F(1.0f)));
        }
        simd::store(out + static_cast<size_t>(o) * stride, activate(z, kind));
      };
      int o = 0;
      // Eight sums at once hide the time that a product takes: two of them can begin every cycle, each takes four.
      for (; o + 8 <= n_out; o += 8) {
        F z[8];
        outputs<8>(w + o * n_in, bias + o, in, stride, n_in, z);
        for (int k = 0; k < 8; ++k) keep(o + k, z[k]);
      }
      for (; o + 4 <= n_out; o += 4) {
        F z[4];
        outputs<4>(w + o * n_in, bias + o, in, stride, n_in, z);
        for (int k = 0; k < 4; ++k) keep(o + k, z[k]);
      }
      for (; o < n_out; ++o) {
        F z[1];
        outputs<1>(w + o * n_in, bias + o, in, stride, n_in, z);
        keep(o, z[0]);
      }
      w = bias + n_out;
      in = out;
    }
  }
}

/// `deltas` holds the gradient of the last layer's value times, for abs, the sign that forward left there.
extern "C" void LARMOR_ISA_JOIN(larmor_mlp_backward_, LARMOR_ISA)(const LarmorMlpRun* run) {
  const size_t stride = run->stride;
  for (size_t i = 0; i < run->n_weights * static_cast<size_t>(W); i += W) simd::store(run->sums + i, F(0.0f));
  int widest = 0;
  size_t values = 0;
  for (int l = 0; l <= run->layers; ++l) {
    if (run->sizes[l] > widest) widest = run->sizes[l];
    values += static_cast<size_t>(run->sizes[l]);
  }
  for (size_t p = 0; p < run->n; p += W) {
    size_t at_weights = run->n_weights, at_values = values;
    float* delta = run->deltas + p;
    float* next = run->deltas + static_cast<size_t>(widest) * stride + p;
    for (int l = run->layers - 1; l >= 0; --l) {
      const int n_in = run->sizes[l], n_out = run->sizes[l + 1], kind = run->kinds[l];
      at_weights -= static_cast<size_t>(n_out) * static_cast<size_t>(n_in + 1);
      at_values -= static_cast<size_t>(n_out);
      const float* y = run->values + at_values * stride + p;
      const float* x = run->values + (at_values - static_cast<size_t>(n_in)) * stride + p;
      const float* w = run->weights + at_weights;
      float* sum = run->sums + at_weights * static_cast<size_t>(W);
      for (int o = 0; o < n_out; ++o) {  // through the activation, and the biases
        const F d = simd::load<F>(delta + static_cast<size_t>(o) * stride) *
                    slope(simd::load<F>(y + static_cast<size_t>(o) * stride), kind);
        simd::store(delta + static_cast<size_t>(o) * stride, d);
        float* s = sum + static_cast<size_t>(n_in * n_out + o) * static_cast<size_t>(W);
        simd::store(s, simd::load<F>(s) + d);
      }
      for (int i = 0; i < n_in; ++i) {
        const F in = simd::load<F>(x + static_cast<size_t>(i) * stride);
        F back(0.0f);
        for (int o = 0; o < n_out; ++o) {
          const F d = simd::load<F>(delta + static_cast<size_t>(o) * stride);
          float* s = sum + static_cast<size_t>(o * n_in + i) * static_cast<size_t>(W);
          simd::store(s, simd::fma(d, in, simd::load<F>(s)));
          back = simd::fma(F(w[o * n_in + i]), d, back);
        }
        if (l > 0) simd::store(next + static_cast<size_t>(i) * stride, back);
      }
      float* other = delta;
      delta = next;
      next = other;
    }
  }
  for (size_t i = 0; i < run->n_weights; ++i)
    run->gradient[i] = across(simd::load<F>(run->sums + i * static_cast<size_t>(W)));
}

extern "C" void LARMOR_ISA_JOIN(larmor_adam_, LARMOR_ISA)(const LarmorAdamRun* run) {
  const F b1(run->b1), b2(run->b2), a1(1 - run->b1), a2(1 - run->b2), rate(run->rate * run->correction1),
      c2(run->correction2), epsilon(run->epsilon);
  for (size_t i = 0; i < run->n; i += W) {  // the arrays are padded to a multiple of 16
    const F g = simd::load<F>(run->gradient + i);
    const F m = simd::fma(b1, simd::load<F>(run->m + i), a1 * g),
            v = simd::fma(b2, simd::load<F>(run->v + i), a2 * g * g);
    simd::store(run->m + i, m);
    simd::store(run->v + i, v);
    simd::store(run->weights + i, simd::load<F>(run->weights + i) - rate * m / (simd::sqrt(v * c2) + epsilon));
  }
}
