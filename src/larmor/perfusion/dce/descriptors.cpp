// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/descriptors.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <limits>

namespace larmor::dce {
namespace {

/// Weights w with sum_i w_i C(t_i) = integral of the linear interpolant from `from` to `to`, both inside the times.
std::vector<float> integral_weights(std::span<const double> t, double from, double to) {
  std::vector<float> w(t.size(), 0.0f);
  for (std::size_t i = 0; i + 1 < t.size(); ++i) {
    const double a = std::max(from, t[i]), b = std::min(to, t[i + 1]);
    if (!(b > a)) continue;
    const double right = ((a + b) / 2 - t[i]) / (t[i + 1] - t[i]);
    w[i] += static_cast<float>((b - a) * (1 - right));
    w[i + 1] += static_cast<float>((b - a) * right);
  }
  return w;
}

}  // namespace

Descriptors describe_uptake(const Array& concentration, std::span<const double> times, double arrival,
                            std::span<const std::uint8_t> mask, const Cancel* cancel) {
  const VoxelRows rows(concentration, "concentration");
  rows.check_times(times);
  rows.check_mask(mask);
  if (!(arrival >= times.front() && arrival < times.back()))
    throw Error(
        Errc::range,
        fmt::format("bolus arrival at {} s; the curves run from {} to {} s", arrival, times.front(), times.back()),
        "give an arrival inside the acquisition");
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  const std::size_t n_voxels = rows.n_voxels(), n_frames = rows.n_frames();
  const std::vector<float> none(n_voxels, nan);
  Descriptors out{none, none, none, none, none, none, none};

  const struct {
    double length;
    std::vector<float>& map;
  } areas[] = {{60, out.iAUC60}, {90, out.iAUC90}, {180, out.iAUC180}};
  std::vector<std::vector<float>> weights;
  for (const auto& area : areas) weights.push_back(integral_weights(times, arrival, arrival + area.length));
  // The value at arrival, between the frames around it.
  const auto after = static_cast<std::size_t>(std::upper_bound(times.begin(), times.end(), arrival) - times.begin());
  const auto part = static_cast<float>((arrival - times[after - 1]) / (times[after] - times[after - 1]));
  const std::size_t first = part == 0 ? after - 1 : after;  // first frame not before arrival

  constexpr std::size_t block = 1024;
  parallel_for(
      n_voxels, block,
      [&](std::size_t begin, std::size_t end) {
        std::vector<float> buffer(block), start(block), top(block), poison(block), area[3];
        std::vector<std::size_t> at(block);
        std::vector<double> C0(block), C1(block);
        for (auto& a : area) a.resize(block);
        for (std::size_t b = begin; b < end; b += block) {
          const std::size_t n = std::min(block, end - b);
          std::fill(start.begin(), start.end(), 0.0f), std::fill(poison.begin(), poison.end(), 0.0f);
          std::fill(top.begin(), top.end(), -std::numeric_limits<float>::infinity());
          std::fill(at.begin(), at.end(), first);
          for (auto& a : area) std::fill(a.begin(), a.end(), 0.0f);
          for (std::size_t t = 0; t < n_frames; ++t) {
            const float* C = rows.get(t, b, n, buffer.data());
            for (std::size_t i = 0; i < n; ++i) poison[i] += C[i] - C[i];
            for (std::size_t k = 0; k < 3; ++k)
              if (const float w = weights[k][t]; w != 0)
                for (std::size_t i = 0; i < n; ++i) area[k][i] += w * C[i];
            if (t + 1 == after || t == after)
              for (std::size_t i = 0; i < n; ++i) start[i] += (t == after ? part : 1 - part) * C[i];
            if (t >= first)
              for (std::size_t i = 0; i < n; ++i)
                if (C[i] > top[i]) top[i] = C[i], at[i] = t;
          }
          std::fill(C0.begin(), C0.end(), 0.0), std::fill(C1.begin(), C1.end(), 0.0);
          double t0 = 0, t1 = 0, t2 = 0;  // sums over the frames from the end back to this one, about the last time
          for (std::size_t t = n_frames; t-- > first;) {
            const float* C = rows.get(t, b, n, buffer.data());
            const double x = times[t] - times.back();
            t0 += 1, t1 += x, t2 += x * x;
            const double det = t0 * t2 - t1 * t1;
            for (std::size_t i = 0; i < n; ++i) {
              C0[i] += C[i], C1[i] += x * C[i];
              if (at[i] != t) continue;
              const bool good = poison[i] == 0 && (mask.empty() || mask[b + i]);
              if (good && t + 1 < n_frames) out.wash_out[b + i] = static_cast<float>((t0 * C1[i] - t1 * C0[i]) / det);
            }
          }
          for (std::size_t i = 0; i < n; ++i) {
            if (poison[i] != 0 || (!mask.empty() && !mask[b + i])) continue;
            for (std::size_t k = 0; k < 3; ++k)
              if (arrival + areas[k].length <= times.back() * (1 + 1e-12)) areas[k].map[b + i] = area[k][i];
            const auto ttp = static_cast<float>(times[at[i]] - arrival);
            out.TTP[b + i] = ttp, out.peak[b + i] = top[i];
            if (ttp > 0) out.wash_in[b + i] = (top[i] - start[i]) / ttp;
          }
        }
      },
      cancel);
  return out;
}

}  // namespace larmor::dce
