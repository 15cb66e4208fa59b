// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/perfusion/asl/outliers.hpp>
#include <map>

namespace larmor::asl {
namespace {

double median(std::vector<double> x) {
  const auto middle = x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2);
  std::nth_element(x.begin(), middle, x.end());
  if (x.size() % 2) return *middle;
  return 0.5 * (*middle + *std::max_element(x.begin(), middle));
}

// By what 1.4826 times the median distance from the median of n is too small. Source   Croux and Rousseeuw,
// Computational Statistics 1:411 (1992)
double small_sample(std::size_t n) {
  constexpr double factor[] = {1, 1, 1.196, 1.495, 1.363, 1.206, 1.200, 1.140, 1.129, 1.107};
  return n < 10 ? factor[n] : static_cast<double>(n) / (static_cast<double>(n) - 0.8);
}

/// A figure of the images, as distances from the median of each one's group.
struct Figure {
  std::vector<double> gaps, corrected;
  double size = 0;
  void add(const std::vector<double>& group) {
    const double centre = median(group);
    for (const double v : group) {
      gaps.push_back(std::abs(v - centre)), corrected.push_back(gaps.back() * small_sample(group.size()));
      size = std::max(size, std::abs(v));
    }
  }
  // Robust sd of all groups together: that of one group of 5 is itself known to a third only, and would throw out good
  // images. Groups may be put together because noise moves mean and spatial sd of an image by about the same, however
  // bright it is. The sd has a floor of rounding, so that equal images are no outliers.
  double sd() const { return 1.4826 * median(corrected) + 1e-6 * size + 1e-30; }
};

}  // namespace

Outliers find_outliers(const Array& differences, std::span<const std::uint8_t> mask, std::span<const int> group,
                       double threshold) {
  const auto n = static_cast<std::size_t>(differences.extent(differences.rank() - 1));
  if (group.size() != n) throw Error(Errc::shape, fmt::format("{} groups for {} differences", group.size(), n));
  if (!(threshold > 0))
    throw Error(Errc::range, fmt::format("a threshold of {} sd", threshold), "give a number above 0 (3.5 is usual)");
  const Array packed = differences.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const std::size_t n_voxels = static_cast<std::size_t>(packed.size()) / n;
  if (!mask.empty() && mask.size() != n_voxels)
    throw Error(Errc::shape, fmt::format("the mask holds {} voxels, the series {}", mask.size(), n_voxels));
  Outliers r;
  const float* x = packed.data<float>();
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0, squares = 0, count = 0;
    for (std::size_t v = 0; v < n_voxels; ++v) {
      const double value = static_cast<double>(x[i * n_voxels + v]);
      if ((!mask.empty() && !mask[v]) || !std::isfinite(value)) continue;
      sum += value, squares += value * value, ++count;
    }
    const double mean = count > 0 ? sum / count : 0;
    r.mean.push_back(mean);
    r.sd.push_back(count > 0 ? std::sqrt(std::max(0.0, squares / count - mean * mean)) : 0);
  }
  r.keep.assign(n, 1), r.score.assign(n, 0);
  std::map<int, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < n; ++i) members[group[i]].push_back(i);
  std::vector<std::size_t> looked;  // images of groups that are large enough
  Figure means, spreads;
  for (const auto& [id, all] : members) {
    if (all.size() < 4) continue;
    std::vector<double> a, b;
    for (const std::size_t i : all) looked.push_back(i), a.push_back(r.mean[i]), b.push_back(r.sd[i]);
    means.add(a), spreads.add(b);
  }
  if (looked.empty()) return r;
  const double of_mean = means.sd(), of_spread = spreads.sd();
  for (std::size_t k = 0; k < looked.size(); ++k)
    r.score[looked[k]] = std::max(means.gaps[k] / of_mean, spreads.gaps[k] / of_spread);
  for (const auto& [id, all] : members) {
    std::vector<std::pair<double, std::size_t>> worst;
    for (const std::size_t i : all)
      if (r.score[i] > threshold) worst.emplace_back(-r.score[i], i);
    std::sort(worst.begin(), worst.end());
    for (std::size_t k = 0; k < worst.size() && k < all.size() / 2; ++k) r.keep[worst[k].second] = 0;
  }
  return r;
}

}  // namespace larmor::asl
