// SPDX-License-Identifier: Apache-2.0
#include <larmor/core/parallel.hpp>
#include <larmor/nn/corners.hpp>

namespace larmor::nn {
namespace {

/// Calls move(place in (a, b, corner), place in (a, corner, b), place in (corner, b, a)).
template <class Move>
void each_weight(int a, int b, int dims, const Move& move) {
  const int corners = corner_count(dims);
  for (int i = 0; i < a; ++i)
    for (int j = 0; j < b; ++j)
      for (int k = 0; k < corners; ++k)
        move(static_cast<std::size_t>((i * b + j) * corners + k), static_cast<std::size_t>((i * corners + k) * b + j),
             static_cast<std::size_t>((k * b + j) * a + i));
}

/// Calls move(row of the small grid, row of the large grid) for every corner of every channel of [0, n).
template <class Move>
void each_row(const ConvGrid& small, const ConvGrid& large, int dims, int n, const Move& move) {
  const int across = dims == 2 ? 1 : 2;
  parallel_for(static_cast<std::size_t>(n), 1, [&](std::size_t begin, std::size_t end) {
    for (auto channel = begin; channel < end; ++channel) {
      const int c = static_cast<int>(channel);
      for (int z = 0; z < 2 * small.nz; ++z)
        for (int y = 0; y < 2 * small.ny; ++y)
          for (int x = 0; x < across; ++x) {
            const int corner = ((z % 2) * 2 + y % 2) * across + x;
            move(c, corner * n + c, (z / 2) * small.sz + (y / 2) * small.sy, z * large.sz + y * large.sy + x);
          }
    }
  });
}

}  // namespace

std::vector<float> down_as_point(std::span<const float> weights, int a, int b, int dims) {
  std::vector<float> out(weights.size());
  each_weight(a, b, dims, [&](auto from, auto down, auto) { out[down] = weights[from]; });
  return out;
}
std::vector<float> up_as_point(std::span<const float> weights, int a, int b, int dims) {
  std::vector<float> out(weights.size());
  each_weight(a, b, dims, [&](auto from, auto, auto up) { out[up] = weights[from]; });
  return out;
}
void add_down_from_point(std::span<const float> point, int a, int b, int dims, std::span<float> weights) {
  each_weight(a, b, dims, [&](auto to, auto down, auto) { weights[to] += point[down]; });
}
void add_up_from_point(std::span<const float> point, int a, int b, int dims, std::span<float> weights) {
  each_weight(a, b, dims, [&](auto to, auto, auto up) { weights[to] += point[up]; });
}

void split_corners(const ConvGrid& small, const ConvGrid& large, int dims, const Channels& from, int first, int n,
                   Channels& to) {
  const int step = dims == 2 ? 1 : 2;
  each_row(small, large, dims, n, [&](int c, int part, std::ptrdiff_t at_small, std::ptrdiff_t at_large) {
    const float* a = from.channel(first + c) + at_large;
    float* b = to.channel(part) + at_small;
    for (int i = 0; i < small.nx; ++i) b[i] = a[i * step];
  });
}

void join_corners(const ConvGrid& small, const ConvGrid& large, int dims, const Channels& from, Channels& to, int first,
                  int n, bool add) {
  const int step = dims == 2 ? 1 : 2;
  each_row(small, large, dims, n, [&](int c, int part, std::ptrdiff_t at_small, std::ptrdiff_t at_large) {
    const float* a = from.channel(part) + at_small;
    float* b = to.channel(first + c) + at_large;
    if (add)
      for (int i = 0; i < small.nx; ++i) b[i * step] += a[i];
    else
      for (int i = 0; i < small.nx; ++i) b[i * step] = a[i];
  });
}

}  // namespace larmor::nn
