// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <larmor/core/error.hpp>
#include <larmor/core/parallel.hpp>
#include <larmor/perfusion/dce/aif_detect.hpp>
#include <larmor/perfusion/dce/voxel_rows.hpp>
#include <limits>
#include <numeric>

namespace larmor::dce {
namespace {

using Curve = std::vector<float>;

struct Feature {
  std::int64_t voxel;
  double height, half_time, sharpness, score;
};

double median(std::vector<double>& v) {
  const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

/// Height, time of the rise through half of it, peak over area, and the noise sd from differences of neighbours.
Feature feature_of(std::span<const float> C, std::span<const double> t, double& noise) {
  Feature f{};
  const auto top = static_cast<std::size_t>(std::max_element(C.begin(), C.end()) - C.begin());
  f.height = C[top];
  std::size_t i = top;
  while (i > 0 && C[i - 1] > 0.5 * f.height) --i;
  const double below = i > 0 ? C[i - 1] : 0, above = C[i];
  const double part = i > 0 ? (0.5 * f.height - below) / (above - below) : 0;
  f.half_time = i > 0 ? t[i - 1] + part * (t[i] - t[i - 1]) : t[0];
  double area = 0;
  for (std::size_t k = 1; k < C.size(); ++k) area += 0.5 * (C[k] + C[k - 1]) * (t[k] - t[k - 1]);
  f.sharpness = area > 0 ? f.height / area : 0;
  std::vector<double> differences;
  for (std::size_t k = 1; k < C.size(); ++k) differences.push_back(std::abs(C[k] - C[k - 1]));
  noise = median(differences) / (0.6745 * std::sqrt(2.0));
  return f;
}

double distance(const Curve& a, const Curve& b) {
  double d = 0;
  for (std::size_t i = 0; i < a.size(); ++i) d += double(a[i] - b[i]) * double(a[i] - b[i]);
  return d;
}

/// k-means from the first curve and then each time the farthest: no chance in it.
std::vector<std::size_t> cluster(const std::vector<Curve>& curves, std::size_t k) {
  std::vector<Curve> centre{curves[0]};
  std::vector<double> nearest(curves.size(), std::numeric_limits<double>::infinity());
  while (centre.size() < k) {
    for (std::size_t i = 0; i < curves.size(); ++i)
      nearest[i] = std::min(nearest[i], distance(curves[i], centre.back()));
    const auto far = std::max_element(nearest.begin(), nearest.end());
    if (!(*far > 0)) break;
    centre.push_back(curves[static_cast<std::size_t>(far - nearest.begin())]);
  }
  std::vector<std::size_t> of(curves.size(), 0);
  for (int round = 0; round < 100; ++round) {
    bool moved = false;
    for (std::size_t i = 0; i < curves.size(); ++i) {
      std::size_t best = 0;
      for (std::size_t c = 1; c < centre.size(); ++c)
        if (distance(curves[i], centre[c]) < distance(curves[i], centre[best])) best = c;
      moved |= best != of[i];
      of[i] = best;
    }
    if (round > 0 && !moved) break;
    for (std::size_t c = 0; c < centre.size(); ++c) {
      Curve sum(curves[0].size(), 0.0f);
      float n = 0;
      for (std::size_t i = 0; i < curves.size(); ++i)
        if (of[i] == c) {
          n += 1;
          for (std::size_t t = 0; t < sum.size(); ++t) sum[t] += curves[i][t];
        }
      if (n > 0)
        for (std::size_t t = 0; t < sum.size(); ++t) centre[c][t] = sum[t] / n;
    }
  }
  return of;
}

Aif mean_curve(const VoxelRows& rows, std::span<const double> times, std::span<const std::int64_t> voxels,
               std::string source) {
  Aif aif{.times = {times.begin(), times.end()},
          .values = std::vector<double>(times.size(), 0.0),
          .plasma = false,
          .Hct = 0,
          .source = std::move(source)};
  float one;
  for (std::size_t t = 0; t < times.size(); ++t)
    for (const auto v : voxels)
      aif.values[t] += *rows.get(t, static_cast<std::size_t>(v), 1, &one) / static_cast<double>(voxels.size());
  return aif;
}

Error no_artery(const std::string& why) {
  return Error(Errc::numeric, "automatic AIF: nothing looks like an artery: " + why,
               "give a mask of the artery, a file, or a population AIF");
}

/// Position of x between the smallest and the largest of the candidates, 0..1; 1 when they are all alike.
void multiply_scaled(std::vector<Feature>& all, double Feature::*what, bool small_is_good) {
  const auto [low, high] =
      std::minmax_element(all.begin(), all.end(), [&](const auto& a, const auto& b) { return a.*what < b.*what; });
  const double least = (*low).*what, range = (*high).*what - least;
  for (auto& f : all) {
    const double x = range > 0 ? (f.*what - least) / range : 1.0;
    f.score *= range > 0 && small_is_good ? 1 - x : x;
  }
}

/// Refuses the best group when it looks like tissue.
///
/// usual   height that three quarters of the rising voxels stay below [mM]
void require_blood(const Aif& curve, double usual, const AifCriteria& criteria) {
  // Blood is several times higher than any tissue: of a voxel of tissue a fifth is blood at most, and during the first
  // pass little has leaked. In objects of every model with an artery it stands 5 to 15 times above `usual`, in the
  // same ones without an artery the best tissue 1.1 to 2.2 times. Where most of what rises is vessels (a mask of them)
  // the height itself tells: no tissue reaches 2.5 mM.
  const double least_ratio = criteria.least_ratio, blood_height = criteria.blood_height;
  const auto top =
      static_cast<std::size_t>(std::max_element(curve.values.begin(), curve.values.end()) - curve.values.begin());
  const double peak = curve.values[top];
  if (peak < least_ratio * usual && peak < blood_height)
    throw no_artery(
        fmt::format("the best group of voxels peaks at {:.3g} {}, only {:.1f} times as high as three quarters "
                    "of the voxels that rise (an artery: {:g} times{})",
                    peak, criteria.unit, peak / usual, least_ratio,
                    std::isfinite(blood_height) ? fmt::format(", or {:g} {}", blood_height, criteria.unit) : ""));
  // The first pass leaves: a minute after the rise a fifth to a third is left. A plateau is tissue that stands out (a
  // tumour).
  constexpr double pass = 60;  // [s]
  const double most_left = criteria.most_left;
  std::size_t rise = top;
  while (rise > 0 && curve.values[rise - 1] > 0.5 * peak) --rise;
  double left = 0, n = 0;
  for (std::size_t t = rise; t < curve.size(); ++t)
    if (curve.times[t] > curve.times[rise] + pass) left += curve.values[t], ++n;
  if (n >= 3 && left / n > most_left * peak)
    throw no_artery(fmt::format(
        "the best group of voxels keeps {:.0f} % of its peak from a minute after its rise (an artery: {:g} % at "
        "most)",
        100 * left / n / peak, 100 * most_left));
}

}  // namespace

AifDetection detect_aif(const Array& concentration, std::span<const double> times, std::span<const std::uint8_t> mask,
                        const AifCriteria& criteria) {
  const VoxelRows rows(concentration, "concentration");
  rows.check_times(times);
  rows.check_mask(mask);
  const std::size_t n_voxels = rows.n_voxels(), n_frames = rows.n_frames();
  if (n_frames < 8)
    throw Error(Errc::range, fmt::format("automatic AIF: {} frames", n_frames), "give at least 8 frames");

  std::vector<Feature> features(n_voxels);
  std::vector<double> noise(n_voxels, -1);
  parallel_for(n_voxels, 1024, [&](std::size_t begin, std::size_t end) {
    Curve C(n_frames);
    float one;
    for (std::size_t v = begin; v < end; ++v) {
      features[v].voxel = -1;
      if (!mask.empty() && !mask[v]) continue;
      bool finite = true;
      for (std::size_t t = 0; t < n_frames; ++t) C[t] = *rows.get(t, v, 1, &one), finite &= std::isfinite(C[t]);
      if (!finite) continue;
      features[v] = feature_of(C, times, noise[v]);
      features[v].voxel = static_cast<std::int64_t>(v);
      features[v].score = 1;
    }
  });
  std::erase_if(features, [](const Feature& f) { return f.voxel < 0; });
  std::erase_if(noise, [](double s) { return s < 0; });
  if (features.empty()) throw no_artery("no voxel has finite values");
  std::vector<double> heights;
  for (const auto& f : features) heights.push_back(f.height);
  const std::size_t rank = std::min(heights.size() - 1, std::max<std::size_t>(2, heights.size() / 1000));
  std::nth_element(heights.begin(), heights.begin() + static_cast<std::ptrdiff_t>(rank), heights.end(),
                   std::greater<>());
  const double highest = heights[rank];
  const double rising = 8 * median(noise), least_height = std::max(rising, 0.2 * highest);
  std::vector<double> risen;
  for (const auto& f : features)
    if (f.height > rising) risen.push_back(f.height);
  std::erase_if(features, [&](const Feature& f) { return !(f.height > least_height) || !(f.sharpness > 0); });
  if (features.size() < 3) throw no_artery(fmt::format("{} voxels rise above 8 noise sd", features.size()));

  multiply_scaled(features, &Feature::height, false);
  multiply_scaled(features, &Feature::half_time, true);
  multiply_scaled(features, &Feature::sharpness, false);
  AifDetection out;
  out.n_candidates = static_cast<int>(features.size());
  out.score.assign(n_voxels, 0.0f);
  for (const auto& f : features) out.score[static_cast<std::size_t>(f.voxel)] = static_cast<float>(f.score);

  std::stable_sort(features.begin(), features.end(), [](const auto& a, const auto& b) { return a.score > b.score; });
  features.resize(std::clamp<std::size_t>(features.size() / 5, std::min<std::size_t>(features.size(), 12), 300));
  std::vector<Curve> curves;
  float one;
  for (const auto& f : features) {
    Curve C(n_frames);
    for (std::size_t t = 0; t < n_frames; ++t) C[t] = *rows.get(t, static_cast<std::size_t>(f.voxel), 1, &one);
    curves.push_back(std::move(C));
  }
  const auto of = cluster(curves, std::clamp<std::size_t>(features.size() / 6, 1, 8));
  double best = -1;
  std::size_t chosen = 0;
  for (std::size_t c = 0; c <= *std::max_element(of.begin(), of.end()); ++c) {
    double score = 0, n = 0;
    for (std::size_t i = 0; i < of.size(); ++i)
      if (of[i] == c) score += features[i].score, ++n;
    out.n_clusters += n > 0;
    if (n >= 3 && score / n > best) best = score / n, chosen = c;
  }
  if (best < 0) throw no_artery("no 3 voxels have alike curves");
  for (std::size_t i = 0; i < of.size(); ++i)
    if (of[i] == chosen) out.voxels.push_back(features[i].voxel);
  std::sort(out.voxels.begin(), out.voxels.end());
  out.blood = mean_curve(rows, times, out.voxels, fmt::format("automatic, mean of {} voxels", out.voxels.size()));
  const auto quarter = risen.begin() + static_cast<std::ptrdiff_t>(risen.size() * 3 / 4);
  std::nth_element(risen.begin(), quarter, risen.end());
  require_blood(out.blood, *quarter, criteria);
  return out;
}

Aif aif_from_mask(const Array& concentration, std::span<const double> times, std::span<const std::uint8_t> region) {
  const VoxelRows rows(concentration, "concentration");
  rows.check_times(times);
  rows.check_count(region.size(), "AIF region");
  rows.check_mask(region);
  std::vector<std::int64_t> voxels;
  float one;
  for (std::size_t v = 0; v < region.size(); ++v) {
    bool finite = region[v] != 0;
    for (std::size_t t = 0; finite && t < times.size(); ++t) finite = std::isfinite(*rows.get(t, v, 1, &one));
    if (finite) voxels.push_back(static_cast<std::int64_t>(v));
  }
  if (voxels.empty())
    throw Error(Errc::numeric, "AIF region: no voxel of it has finite values",
                "give another region, or check T10 there");
  auto aif = mean_curve(rows, times, voxels, fmt::format("region, mean of {} voxels", voxels.size()));
  aif.check();
  return aif;
}

}  // namespace larmor::dce
