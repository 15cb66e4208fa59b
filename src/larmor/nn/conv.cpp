// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <larmor/core/device.hpp>
#include <larmor/core/isa.hpp>
#include <larmor/core/pages.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/nn/conv.hpp>
#include <larmor/nn/kernels/conv_kernel.hpp>
#include <map>
#include <mutex>
#include <new>

extern "C" {
using Forward = void(const LarmorConvRun*, size_t, size_t);
using WeightsGradient = void(const LarmorConvRun*, const float*, float*, size_t, size_t);
using MomentsOf = void(const float*, const float*, float, size_t, double*, double*);
using Norm = void(const LarmorNormRun*);
using NormGradient = void(LarmorNormGradient*);
Forward larmor_conv_forward_baseline;
WeightsGradient larmor_conv_weights_baseline;
MomentsOf larmor_moments_baseline;
Norm larmor_norm_baseline;
NormGradient larmor_norm_gradient_baseline;
#if defined(__x86_64__)
Forward larmor_conv_forward_v3, larmor_conv_forward_v4;
WeightsGradient larmor_conv_weights_v3, larmor_conv_weights_v4;
MomentsOf larmor_moments_v3, larmor_moments_v4;
Norm larmor_norm_v3, larmor_norm_v4;
NormGradient larmor_norm_gradient_v3, larmor_norm_gradient_v4;
#endif
}

namespace larmor::nn {
namespace {

struct Kernels {
  Forward* forward;
  WeightsGradient* weights;
  MomentsOf* moments;
  Norm* norm;
  NormGradient* norm_gradient;
};
Kernels kernels() {
#if defined(__x86_64__)
  if (isa() == Isa::v4)
    return {larmor_conv_forward_v4, larmor_conv_weights_v4, larmor_moments_v4, larmor_norm_v4, larmor_norm_gradient_v4};
  if (isa() == Isa::v3)
    return {larmor_conv_forward_v3, larmor_conv_weights_v3, larmor_moments_v3, larmor_norm_v3, larmor_norm_gradient_v3};
#endif
  return {larmor_conv_forward_baseline, larmor_conv_weights_baseline, larmor_moments_baseline, larmor_norm_baseline,
          larmor_norm_gradient_baseline};
}

std::size_t up_to(std::size_t n, std::size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

constexpr std::size_t most_kept = std::size_t{256} << 20;  // bytes
constexpr std::size_t large_page = std::size_t{2} << 20;

using Block = std::shared_ptr<std::byte>;
struct Kept {
  std::atomic<int> users = 0;
  std::mutex lock;
  std::size_t bytes = 0;
  std::multimap<std::size_t, Block> blocks;  // by size
};
Kept& kept() {
  static auto* all = new Kept;  // Floats of static life may be let go after any destructor
  return *all;
}

Block take(std::size_t bytes) {
  auto& k = kept();
  if (k.users > 0) {
    const std::lock_guard hold(k.lock);
    if (const auto it = k.blocks.find(bytes); it != k.blocks.end()) {
      Block block = std::move(it->second);
      k.blocks.erase(it);
      k.bytes -= bytes;
      return block;
    }
  }
  return bytes < large_page ? allocate(bytes, Device::cpu()) : allocate_pages(bytes);
}

void let_go(Block block, std::size_t bytes) {
  auto& k = kept();
  if (k.users == 0) return;
  const std::lock_guard hold(k.lock);
  if (k.users == 0 || k.bytes + bytes > most_kept) return;
  k.blocks.emplace(bytes, std::move(block));
  k.bytes += bytes;
}

}  // namespace

KeepFloats::KeepFloats() { ++kept().users; }
KeepFloats::~KeepFloats() {
  auto& k = kept();
  const std::lock_guard hold(k.lock);
  if (--k.users > 0) return;
  k.blocks.clear();
  k.bytes = 0;
}

Floats::Floats(std::size_t n, bool zeros) {
  std::size_t bytes = up_to(std::max<std::size_t>(n, 1) * sizeof(float), 64);
  if (bytes >= large_page / 2) bytes = up_to(bytes, large_page);
  Block block = take(bytes);
  auto* const first = reinterpret_cast<float*>(block.get());
  data_ = {first, [block = std::move(block), bytes](float*) mutable { let_go(std::move(block), bytes); }};
  if (zeros) std::fill_n(data_.get(), n, 0.0f);
}

ConvGrid::ConvGrid(int nx_, int ny_, int nz_) : nx(nx_), ny(ny_), nz(nz_) {
  sy = nx + 1;
  sz = sy * (ny + 1);
  guard = up_to(static_cast<std::size_t>(sz + sy + 1), 16);
  line = up_to(static_cast<std::size_t>(sz) * static_cast<std::size_t>(nz), conv_chunk);
  stride = up_to(guard + line + static_cast<std::size_t>(sz + sy + 1), 16);
  // Channels a multiple of 4 kB apart would fall on the same sets of the first cache: 7 lines more or less than that.
  while (stride / 16 % 64 % 16 != 7) stride += 16;
  mask_ = Floats(line);
  for (int z = 0; z < nz; ++z)
    for (int y = 0; y < ny; ++y) std::fill_n(mask_.data() + z * sz + y * sy, nx, 1.0f);
}

Channels::Channels(const ConvGrid& grid, int n)
    : data_(static_cast<std::size_t>(n) * grid.stride), stride_(grid.stride), guard_(grid.guard), n_(n) {}

Channels Channels::of_result(const ConvGrid& grid, int n) {
  Channels out;
  out.data_ = Floats(static_cast<std::size_t>(n) * grid.stride, false);
  out.stride_ = grid.stride, out.guard_ = grid.guard, out.n_ = n;
  for (int c = 0; c < n; ++c) {
    float* channel = out.channel(c);
    std::fill(channel - grid.guard, channel, 0.0f);
    std::fill(channel + grid.line, channel + grid.stride - grid.guard, 0.0f);
  }
  return out;
}

void to_channels(const ConvGrid& grid, const float* dense, Channels& out, int first, int n) {
  for (int c = 0; c < n; ++c) {
    float* to = out.channel(first + c);
    for (int z = 0; z < grid.nz; ++z)
      for (int y = 0; y < grid.ny; ++y, dense += grid.nx) std::copy_n(dense, grid.nx, to + z * grid.sz + y * grid.sy);
  }
}

void from_channels(const ConvGrid& grid, const Channels& in, int first, int n, float* dense) {
  for (int c = 0; c < n; ++c) {
    const float* from = in.channel(first + c);
    for (int z = 0; z < grid.nz; ++z)
      for (int y = 0; y < grid.ny; ++y, dense += grid.nx) std::copy_n(from + z * grid.sz + y * grid.sy, grid.nx, dense);
  }
}

std::vector<std::ptrdiff_t> Reach::taps(const ConvGrid& grid) const {
  std::vector<std::ptrdiff_t> out;
  for (int dz = z ? -1 : 0; dz <= (z ? 1 : 0); ++dz)
    for (int dy = y ? -1 : 0; dy <= (y ? 1 : 0); ++dy)
      for (int dx = x ? -1 : 0; dx <= (x ? 1 : 0); ++dx) out.push_back(dz * grid.sz + dy * grid.sy + dx);
  return out;
}

std::vector<float> packed(std::span<const float> weights, int cout, int cin, int taps) {
  const int blocks = (cout + conv_block - 1) / conv_block;
  std::vector<float> out(static_cast<std::size_t>(blocks) * static_cast<std::size_t>(cin * taps * conv_block), 0.0f);
  for (int o = 0; o < cout; ++o)
    for (int i = 0; i < cin * taps; ++i)
      out[static_cast<std::size_t>((o / conv_block * cin * taps + i) * conv_block + o % conv_block)] =
          weights[static_cast<std::size_t>(o * cin * taps + i)];
  return out;
}

std::vector<float> packed_transposed(std::span<const float> weights, int cout, int cin, int taps) {
  std::vector<float> turned(weights.size());
  for (int o = 0; o < cout; ++o)
    for (int i = 0; i < cin; ++i)
      for (int t = 0; t < taps; ++t)
        turned[static_cast<std::size_t>((i * cout + o) * taps + taps - 1 - t)] =
            weights[static_cast<std::size_t>((o * cin + i) * taps + t)];
  return packed(turned, cin, cout, taps);
}

void convolve(const ConvGrid& grid, const Reach& reach, const Channels& in, int first_in, int cin,
              std::span<const float> packed_weights, std::span<const float> bias, Channels& out, int first_out,
              int cout, const Cancel* cancel, bool add) {
  const auto taps = reach.taps(grid);
  const LarmorConvRun run{in.channel(first_in),
                          in.stride(),
                          cin,
                          packed_weights.data(),
                          bias.empty() ? nullptr : bias.data(),
                          grid.mask(),
                          out.channel(first_out),
                          out.stride(),
                          cout,
                          taps.data(),
                          static_cast<int>(taps.size()),
                          add ? 1 : 0};
  const auto kernel = kernels().forward;
  // Pieces of about a tenth of a millisecond: 2e7 multiply-adds at 2e11 a second.
  const std::size_t per_chunk =
      static_cast<std::size_t>(cin) * static_cast<std::size_t>(cout) * taps.size() * conv_chunk;
  const std::size_t grain = std::max<std::size_t>(1, 20'000'000 / std::max<std::size_t>(1, per_chunk));
  parallel_for(
      grid.line / conv_chunk, grain,
      [&](std::size_t begin, std::size_t end) { kernel(&run, begin * conv_chunk, end * conv_chunk); }, cancel);
}

void convolve_weights(const ConvGrid& grid, const Reach& reach, const Channels& in, int cin, const Channels& grad,
                      int first_grad, int cout, std::span<float> out) {
  const auto taps = reach.taps(grid);
  const LarmorConvRun run{in.channel(0),
                          in.stride(),
                          cin,
                          nullptr,
                          nullptr,
                          grid.mask(),
                          nullptr,
                          grad.stride(),
                          cout,
                          taps.data(),
                          static_cast<int>(taps.size()),
                          0};
  kernels().weights(&run, grad.channel(first_grad), out.data(), 0, grid.line);
}

Moments moments(const ConvGrid& grid, const float* channel) {
  double sum = 0, squares = 0;
  const auto n = static_cast<double>(grid.voxels());
  const auto kernel = kernels().moments;
  kernel(channel, grid.mask(), 0, grid.line, &sum, &squares);
  const double mean = sum / n;
  // A second pass about the mean: the difference of the squares loses its digits when the mean is large.
  kernel(channel, grid.mask(), static_cast<float>(mean), grid.line, &sum, &squares);
  const double rest = sum / n;
  return {static_cast<double>(static_cast<float>(mean)) + rest, std::max(0.0, squares / n - rest * rest)};
}

void scale_shift(const ConvGrid& grid, const float* in, float scale, float shift, const float* added, float slope,
                 float* out) {
  const LarmorNormRun run{in, added, grid.mask(), out, grid.line, scale, shift, slope};
  kernels().norm(&run);
}

double sum_of(const ConvGrid& grid, const float* channel) {
  double sum = 0, squares = 0;
  kernels().moments(channel, grid.mask(), 0, grid.line, &sum, &squares);
  return sum;
}

namespace {

constexpr double epsilon = 1e-5;  // added to the variance, as torch.nn.InstanceNorm3d does by default

}  // namespace

Moments norm(const ConvGrid& grid, const float* z, float weight, float bias, const float* added, float slope,
             float* y) {
  const auto m = moments(grid, z);
  const double scale = weight / std::sqrt(m.variance + epsilon);
  scale_shift(grid, z, static_cast<float>(scale), static_cast<float>(bias - scale * m.mean), added, slope, y);
  return m;
}

NormSlopes norm_gradient(const ConvGrid& grid, const float* z, const Moments& m, float weight, const float* y,
                         float slope, float* grad, float* dz) {
  LarmorNormGradient run{z,
                         y,
                         grad,
                         grid.mask(),
                         grad,
                         dz,
                         grid.line,
                         static_cast<float>(m.mean),
                         static_cast<float>(1 / std::sqrt(m.variance + epsilon)),
                         slope,
                         weight,
                         0,
                         0,
                         static_cast<float>(grid.voxels())};
  kernels().norm_gradient(&run);
  return {static_cast<float>(run.product), static_cast<float>(run.sum)};
}

}  // namespace larmor::nn
