// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/conv_half.hpp>
#include <larmor/nn/kernels/conv_kernel.hpp>
#include <larmor/nn/kernels/half_kernel.hpp>
#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#define LARMOR_HALF 1
extern "C" {
void larmor_half_pairs(const float* a, const float* b, uint32_t* out, size_t n);
void larmor_half_rounded(const float* in, uint16_t* out, size_t n);
void larmor_half_transposed(const uint16_t* in, size_t stride, uint32_t* out, size_t blocks);
void larmor_half_forward(const LarmorHalfRun* run, size_t begin, size_t end);
void larmor_half_weights(const LarmorHalfWeights* run);
}
#endif

namespace larmor::nn {
namespace {

[[maybe_unused]] bool ask() {
#if defined(LARMOR_HALF)
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d >> 22 & 1) == 0 || (d >> 24 & 1) == 0) return false;  // tiles
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) == 0 || (a >> 5 & 1) == 0) return false;  // AVX-512 of bfloat16
  if (!isa_available(Isa::v4)) return false;
  // The registers are large: Linux gives them to who asks (arch_prctl ARCH_REQ_XCOMP_PERM of XTILEDATA).
  return ::syscall(SYS_arch_prctl, 0x1023, 18) == 0;
#else
  return false;
#endif
}

/// Rounded to nearest, ties to even.
std::uint16_t bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (std::isnan(value)) return static_cast<std::uint16_t>(bits >> 16 | 64);
  return static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

std::size_t size(int n) { return static_cast<std::size_t>(n); }

/// (output, input, tap) in tiles, from weights that `at` gives.
template <class At>
std::vector<std::uint16_t> tiles(int cout, int cin, int taps, const At& at) {
  const int blocks_out = (cout + 15) / 16, blocks_in = (cin + 31) / 32;
  std::vector<std::uint16_t> out(size(blocks_out) * size(blocks_in) * size(taps) * 512, 0);
  for (int o = 0; o < cout; ++o)
    for (int i = 0; i < cin; ++i)
      for (int t = 0; t < taps; ++t)
        out[((size(o / 16) * size(blocks_in) + size(i / 32)) * size(taps) + size(t)) * 512 +
            size(o % 16 * 32 + i % 32)] = bfloat16(at(o, i, t));
  return out;
}

/// Memory of a thread that grows to what its largest layer needs.
template <class T>
T* room(std::vector<T>& memory, std::size_t n) {
  if (memory.size() < n) memory.resize(n);
  return memory.data();
}

}  // namespace

bool half_available() {
  static const bool there = ask();
  return there && isa() == Isa::v4;
}

std::vector<std::uint16_t> packed_half(std::span<const float> w, int cout, int cin, int taps) {
  return tiles(cout, cin, taps, [&](int o, int i, int t) { return w[size((o * cin + i) * taps + t)]; });
}
std::vector<std::uint16_t> packed_half_transposed(std::span<const float> w, int cout, int cin, int taps) {
  return tiles(cin, cout, taps, [&](int i, int o, int t) { return w[size((o * cin + i) * taps + taps - 1 - t)]; });
}

#if defined(LARMOR_HALF)

void convolve_half(const ConvGrid& grid, const Reach& reach, const Channels& in, int first_in, int cin,
                   std::span<const std::uint16_t> packed_weights, std::span<const float> bias, Channels& out,
                   int first_out, int cout, bool add) {
  static thread_local std::vector<std::uint32_t> memory;
  const int blocks = (cin + 31) / 32, rows = blocks > 1 ? 16 : (cin + 1) / 2;
  const std::size_t n_rows = size(blocks > 1 ? 16 * blocks : rows);
  std::uint32_t* pairs = room(memory, n_rows * grid.stride);
  for (std::size_t r = 0; r < n_rows; ++r) {
    const int c = static_cast<int>(2 * r);
    std::uint32_t* to = pairs + r * grid.stride;
    if (c < cin)
      larmor_half_pairs(in.channel(first_in + c) - grid.guard,
                        c + 1 < cin ? in.channel(first_in + c + 1) - grid.guard : nullptr, to, grid.stride);
    else
      std::fill_n(to, grid.stride, 0u);
  }
  const auto taps = reach.taps(grid);
  const LarmorHalfRun run{pairs + grid.guard,
                          grid.stride,
                          blocks,
                          rows,
                          packed_weights.data(),
                          bias.empty() ? nullptr : bias.data(),
                          grid.mask(),
                          out.channel(first_out),
                          out.stride(),
                          cout,
                          taps.data(),
                          static_cast<int>(taps.size()),
                          add ? 1 : 0};
  const std::size_t per_chunk = size(cin) * size(cout) * taps.size() * conv_chunk;
  parallel_for(
      grid.line / conv_chunk, std::max<std::size_t>(1, 100'000'000 / per_chunk),
      [&](std::size_t begin, std::size_t end) { larmor_half_forward(&run, begin * conv_chunk, end * conv_chunk); });
}

void convolve_weights_half(const ConvGrid& grid, const Reach& reach, const Channels& in, int cin, const Channels& grad,
                           int first_grad, int cout, std::span<float> out) {
  static thread_local std::vector<std::uint16_t> in_memory, row_memory;
  static thread_local std::vector<std::uint32_t> grad_memory;
  static thread_local std::vector<float> sum_memory;
  const int in_blocks = (cin + 15) / 16, out_blocks = (cout + 15) / 16;
  const std::size_t blocks = (grid.line + 31) / 32, line = 32 * blocks;
  // Room behind the last block, whose gradients are 0, for the taps that reach farther.
  const std::size_t stride = grid.stride + 32;
  std::uint16_t* rounded = room(in_memory, size(16 * in_blocks) * stride);
  for (int c = 0; c < 16 * in_blocks; ++c) {
    std::uint16_t* to = rounded + size(c) * stride;
    if (c < cin) larmor_half_rounded(in.channel(c) - grid.guard, to, grid.stride);
    std::fill(to + (c < cin ? grid.stride : 0), to + stride, std::uint16_t{0});
  }
  std::uint16_t* rows = room(row_memory, 16 * line);
  std::uint32_t* turned = room(grad_memory, size(out_blocks) * blocks * 256);
  for (int b = 0; b < out_blocks; ++b) {
    for (int r = 0; r < 16; ++r) {
      std::uint16_t* to = rows + size(r) * line;
      const bool there = 16 * b + r < cout;
      if (there) larmor_half_rounded(grad.channel(first_grad + 16 * b + r), to, grid.line);
      std::fill(to + (there ? grid.line : 0), to + line, std::uint16_t{0});
    }
    larmor_half_transposed(rows, line, turned + size(b) * blocks * 256, blocks);
  }
  const auto taps = reach.taps(grid);
  const int n_taps = static_cast<int>(taps.size());
  const std::size_t n_sums = size(out_blocks) * size(in_blocks) * taps.size() * 256;
  float* sums = room(sum_memory, n_sums);
  std::fill_n(sums, n_sums, 0.0f);
  const LarmorHalfWeights run{rounded + grid.guard, stride,      in_blocks, turned, blocks,
                              out_blocks,           taps.data(), n_taps,    sums};
  larmor_half_weights(&run);
  for (int o = 0; o < cout; ++o)
    for (int i = 0; i < cin; ++i)
      for (int t = 0; t < n_taps; ++t)
        out[size((o * cin + i) * n_taps + t)] +=
            sums[size(((o / 16 * in_blocks + i / 16) * n_taps + t) * 256 + i % 16 * 16 + o % 16)];
}

#else

void convolve_half(const ConvGrid&, const Reach&, const Channels&, int, int, std::span<const std::uint16_t>,
                   std::span<const float>, Channels&, int, int, bool) {
  throw Error(Errc::device, "this processor has no matrix tiles");
}
void convolve_weights_half(const ConvGrid&, const Reach&, const Channels&, int, const Channels&, int, int,
                           std::span<float>) {
  throw Error(Errc::device, "this processor has no matrix tiles");
}

#endif

}  // namespace larmor::nn
