// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/ivim/average.hpp>
#include <larmor/perfusion/ivim/model.hpp>
#include <numeric>

namespace larmor::ivim {
namespace {

/// A trace needs the same set of directions at every b-value, or that set several times. One that lacks a direction
/// decays with another diffusivity than its neighbours, and a fit takes the step between them for perfusion.
void check_directions(std::span<const double> b, const std::vector<std::vector<std::size_t>>& groups) {
  const std::vector<std::size_t>* least = nullptr;
  for (const auto& g : groups)
    if (b[g[0]] > 0 && (!least || g.size() < least->size())) least = &g;
  for (const auto& g : groups)
    if (b[g[0]] > 0 && g.size() != least->size() && (least->size() < 3 || g.size() % least->size() != 0))
      throw Error(Errc::range,
                  fmt::format("{} volumes at b = {:g} s/mm2 and {} at b = {:g}: a direction is missing, so their "
                              "geometric means are no traces of the same tensor",
                              least->size(), b[(*least)[0]], g.size(), b[g[0]]),
                  "leave that b-value out, or average none or mean");
}

}  // namespace

Averaged average_b(const Array& data, std::span<const double> b, Average how, double tolerance) {
  const std::size_t n = b.size();
  if (data.rank() < 1 || data.extent(data.rank() - 1) != static_cast<std::int64_t>(n))
    throw Error(Errc::shape,
                fmt::format("{} b-values for data of {} (b is the last axis)", n, to_string(data.shape())));
  check_b_values(b);
  Averaged out;
  if (how == Average::none) {
    out.signal = data, out.b.assign(b.begin(), b.end()), out.counts.assign(n, 1.0);
    return out;
  }
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t k) { return b[i] < b[k]; });
  std::vector<std::vector<std::size_t>> groups;
  for (const auto i : order) {
    if (groups.empty() || b[i] > b[groups.back()[0]] + tolerance) groups.emplace_back();
    groups.back().push_back(i);
  }
  if (how == Average::geometric) check_directions(b, groups);
  Shape shape = data.shape();
  shape.back() = static_cast<std::int64_t>(groups.size());
  const auto& names = data.axes();
  out.signal = Array(DType::f32, shape, names);
  const Array packed = data.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const auto voxels = static_cast<std::size_t>(packed.size()) / n;
  const float* from = packed.data<float>();
  float* to = out.signal.data<float>();
  for (std::size_t g = 0; g < groups.size(); ++g) {
    double sum = 0;
    for (const auto i : groups[g]) sum += b[i];
    out.b.push_back(sum / static_cast<double>(groups[g].size()));
    out.counts.push_back(static_cast<double>(groups[g].size()));
  }
  parallel_for(voxels, 16384, [&](std::size_t begin, std::size_t end) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const double share = 1.0 / out.counts[g];
      for (std::size_t v = begin; v < end; ++v) {
        double sum = 0, largest = 0;
        for (const auto i : groups[g]) largest = std::max(largest, std::abs(double{from[i * voxels + v]}));
        for (const auto i : groups[g]) {
          const double s = from[i * voxels + v];
          sum += how == Average::mean || std::isnan(s) ? s : std::log(std::max(s, 1e-6 * largest));
        }
        const bool logs = how == Average::geometric && largest > 0;
        to[g * voxels + v] = static_cast<float>(how == Average::mean ? sum * share
                                                : logs               ? std::exp(sum * share)
                                                : std::isnan(sum)    ? sum
                                                                     : 0.0);
      }
    }
  });
  return out;
}

}  // namespace larmor::ivim
