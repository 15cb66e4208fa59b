// SPDX-License-Identifier: Apache-2.0
// Compiled for processors with AVX-512, bfloat16 and matrix tiles; nothing else may call it.
#include <immintrin.h>

#include <larmor/nn/kernels/half_kernel.hpp>

namespace {

struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t bytes[16] = {};
  uint8_t rows[16] = {};
};

void shape(TileShapes& s, int tile, int rows, int bytes) {
  s.rows[tile] = static_cast<uint8_t>(rows);
  s.bytes[tile] = static_cast<uint16_t>(bytes);
}

inline __m256i rounded(const float* from) { return (__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(from)); }

/// Rows and columns of 16 x 16 change places.
inline void transpose(const uint32_t* const* rows, uint32_t* to) {
  __m512i a[16], b[16];
  for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(rows[i]);
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
  for (int i = 0; i < 16; i += 4)
    for (int k = 0; k < 2; ++k) {
      a[i + 2 * k] = _mm512_unpacklo_epi64(b[i + k], b[i + k + 2]);
      a[i + 2 * k + 1] = _mm512_unpackhi_epi64(b[i + k], b[i + k + 2]);
    }
  // a[4 g + c] holds, in each quarter q, column 4 q + c of the rows 4 g to 4 g + 3.
  for (int c = 0; c < 4; ++c) {
    const __m512i low = _mm512_shuffle_i32x4(a[c], a[4 + c], 0x44), high = _mm512_shuffle_i32x4(a[c], a[4 + c], 0xee);
    const __m512i low2 = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0x44),
                  high2 = _mm512_shuffle_i32x4(a[8 + c], a[12 + c], 0xee);
    _mm512_storeu_si512(to + 16 * c, _mm512_shuffle_i32x4(low, low2, 0x88));
    _mm512_storeu_si512(to + 16 * (4 + c), _mm512_shuffle_i32x4(low, low2, 0xdd));
    _mm512_storeu_si512(to + 16 * (8 + c), _mm512_shuffle_i32x4(high, high2, 0x88));
    _mm512_storeu_si512(to + 16 * (12 + c), _mm512_shuffle_i32x4(high, high2, 0xdd));
  }
}

}  // namespace

/// n a multiple of 16; b may be null: zeros.
extern "C" void larmor_half_pairs(const float* a, const float* b, uint32_t* out, size_t n) {
  for (size_t p = 0; p < n; p += 16) {
    __m512i both = _mm512_cvtepu16_epi32(rounded(a + p));
    if (b) both = _mm512_or_si512(both, _mm512_slli_epi32(_mm512_cvtepu16_epi32(rounded(b + p)), 16));
    _mm512_storeu_si512(out + p, both);
  }
}

extern "C" void larmor_half_rounded(const float* in, uint16_t* out, size_t n) {
  for (size_t p = 0; p < n; p += 16) _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + p), rounded(in + p));
}

/// 16 rows of positions (uint16, stride apart) to blocks of 32 positions: (block, two positions, row).
extern "C" void larmor_half_transposed(const uint16_t* in, size_t stride, uint32_t* out, size_t blocks) {
  for (size_t b = 0; b < blocks; ++b) {
    const uint32_t* rows[16];
    for (size_t r = 0; r < 16; ++r) rows[r] = reinterpret_cast<const uint32_t*>(in + r * stride + 32 * b);
    transpose(rows, out + 256 * b);
  }
}

/// Outputs of the positions [begin, end), both multiples of 48.
extern "C" void larmor_half_forward(const LarmorHalfRun* run, size_t begin, size_t end) {
  TileShapes shapes;
  for (int c = 0; c < 3; ++c) shape(shapes, c, 16, 64);
  shape(shapes, 3, 16, 4 * run->rows);
  for (int b = 4; b < 7; ++b) shape(shapes, b, run->rows, 64);
  _tile_loadconfig(&shapes);
  alignas(64) float sums[3][16][16];
  const size_t stride = 4 * run->pair_stride;
  for (size_t p = begin; p < end; p += 48)
    for (int first = 0; first < run->cout; first += 16) {
      const uint16_t* weights = run->weights + static_cast<size_t>(first / 16) * static_cast<size_t>(run->blocks) *
                                                   static_cast<size_t>(run->n_taps) * 512;
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      for (int k = 0; k < run->blocks; ++k) {
        const uint32_t* in = run->pairs + static_cast<size_t>(16 * k) * run->pair_stride + p;
        for (int t = 0; t < run->n_taps; ++t, weights += 512) {
          const uint32_t* at = in + run->taps[t];
          _tile_loadd(3, weights, 64);
          _tile_loadd(4, at, stride);
          _tile_dpbf16ps(0, 3, 4);
          _tile_loadd(5, at + 16, stride);
          _tile_dpbf16ps(1, 3, 5);
          _tile_loadd(6, at + 32, stride);
          _tile_dpbf16ps(2, 3, 6);
        }
      }
      _tile_stored(0, sums[0], 64);
      _tile_stored(1, sums[1], 64);
      _tile_stored(2, sums[2], 64);
      for (int o = 0; o < 16 && first + o < run->cout; ++o) {
        float* to = run->out + static_cast<size_t>(first + o) * run->out_stride + p;
        const __m512 bias = _mm512_set1_ps(run->bias ? run->bias[first + o] : 0.0f);
        for (int v = 0; v < 3; ++v) {
          const __m512 y = _mm512_add_ps(_mm512_load_ps(sums[v][o]), run->add ? _mm512_loadu_ps(to + 16 * v) : bias);
          _mm512_storeu_ps(to + 16 * v, _mm512_mul_ps(y, _mm512_loadu_ps(run->mask + p + 16 * v)));
        }
      }
    }
  _tile_release();
}

extern "C" void larmor_half_weights(const LarmorHalfWeights* run) {
  TileShapes shapes;
  for (int t = 0; t < 8; ++t) shape(shapes, t, 16, 64);
  _tile_loadconfig(&shapes);
  constexpr size_t piece = 64;  // blocks of positions: 16 inputs and 16 gradients of a piece stay in the second cache
  for (size_t begin = 0; begin < run->position_blocks; begin += piece) {
    const size_t end = begin + piece < run->position_blocks ? begin + piece : run->position_blocks;
    for (int o = 0; o < run->out_blocks; ++o)
      for (int i = 0; i < run->in_blocks; ++i) {
        const uint32_t* grad = run->grad + static_cast<size_t>(o) * run->position_blocks * 256;
        const uint16_t* in = run->in + static_cast<size_t>(16 * i) * run->in_stride;
        float* sums = run->sums + static_cast<size_t>((o * run->in_blocks + i) * run->n_taps) * 256;
        for (int first = 0; first < run->n_taps; first += 6, sums += 6 * 256) {
          const ptrdiff_t* taps = run->taps + first;
          const int n = run->n_taps - first;
          // Names of tiles are numbers in the instructions, so the loop over them is written out.
#define LARMOR_EACH_TILE(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define LARMOR_LOAD(k) \
  if ((k) < n) _tile_loadd(k, sums + 256 * (k), 64);
          LARMOR_EACH_TILE(LARMOR_LOAD)
          for (size_t b = begin; b < end; ++b) {
            _tile_loadd(7, grad + 256 * b, 64);
#define LARMOR_MULTIPLY(k)                                     \
  if ((k) < n) {                                               \
    _tile_loadd(6, in + 32 * b + taps[k], 2 * run->in_stride); \
    _tile_dpbf16ps(k, 6, 7);                                   \
  }
            LARMOR_EACH_TILE(LARMOR_MULTIPLY)
          }
#define LARMOR_STORE(k) \
  if ((k) < n) _tile_stored(k, sums + 256 * (k), 64);
          LARMOR_EACH_TILE(LARMOR_STORE)
#undef LARMOR_STORE
#undef LARMOR_MULTIPLY
#undef LARMOR_LOAD
#undef LARMOR_EACH_TILE
        }
      }
  }
  _tile_release();
}
