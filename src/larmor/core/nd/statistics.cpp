// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/mask.hpp>
#include <larmor/core/nd/statistics.hpp>
#include <limits>

namespace larmor::nd {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

double ranked(const std::vector<double>& sorted, double percent) {
  if (sorted.empty()) return nan;
  const double rank = percent / 100 * static_cast<double>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(rank);
  const double part = rank - static_cast<double>(low);
  return part == 0 ? sorted[low] : sorted[low] + part * (sorted[low + 1] - sorted[low]);
}

Array real_values(const Array& a) {
  if (a.dtype() == DType::c64 || a.dtype() == DType::c128)
    throw Error(Errc::type, "statistics of complex numbers: " + a.describe(), "take magnitude, phase or a part first");
  return a.to(Device::cpu()).cast(DType::f64).contiguous_copy();
}

}  // namespace

Summary summarise(std::vector<double> v) {
  Summary s;
  const auto last = std::partition(v.begin(), v.end(), [](double x) { return std::isfinite(x); });
  s.left_out = v.end() - last;
  v.erase(last, v.end());
  std::sort(v.begin(), v.end());
  s.count = static_cast<std::int64_t>(v.size());
  for (const double x : v) s.sum += x;
  const double n = static_cast<double>(s.count);
  s.mean = v.empty() ? nan : s.sum / n;
  double squares = 0;
  for (const double x : v) squares += (x - s.mean) * (x - s.mean);
  s.sd = s.count > 1 ? std::sqrt(squares / (n - 1)) : nan;
  s.minimum = v.empty() ? nan : v.front(), s.maximum = v.empty() ? nan : v.back();
  s.median = ranked(v, 50), s.p5 = ranked(v, 5), s.p95 = ranked(v, 95);
  return s;
}

std::map<std::int32_t, std::vector<double>> by_label(const Array& values, const Array& labels) {
  if (values.shape() != labels.shape())
    throw Error(Errc::shape, fmt::format("the values are {} and the labels {}", values.describe(), labels.describe()),
                "give labels of the same grid");
  const Array v = real_values(values), l = real_values(labels);
  std::map<std::int32_t, std::vector<double>> out;
  for (std::int64_t i = 0; i < v.size(); ++i) {
    const double label = l.data<double>()[i];
    if (label == 0 || std::isnan(label)) continue;
    if (label != std::floor(label) || std::abs(label) > 2e9)
      throw Error(Errc::range, fmt::format("a label of {:g}", label), "labels are whole numbers; 0 is background");
    out[static_cast<std::int32_t>(label)].push_back(v.data<double>()[i]);
    if (out.size() > 100000)
      throw Error(Errc::range, "more than 100,000 different labels", "is this a map instead of labels?");
  }
  return out;
}

Histogram histogram(const Array& values, const Array* mask, int bins, double low, double high) {
  if (bins < 1 || !(low < high) || !std::isfinite(low) || !std::isfinite(high))
    throw Error(Errc::range, fmt::format("a histogram of {} bins from {:g} to {:g}", bins, low, high),
                "give one bin or more, and a lower end below the upper");
  const Array v = real_values(values);
  Array m;
  if (mask) {
    m = as_mask(*mask);
    if (m.size() == 0 || v.size() % m.size() != 0 ||
        !std::equal(m.shape().begin(), m.shape().end(), v.shape().begin(),
                    v.shape().begin() + std::min(m.rank(), v.rank())))
      throw Error(Errc::shape, fmt::format("the mask is {} and the values {}", m.describe(), v.describe()),
                  "give a mask of the same first axes");
  }
  Histogram h;
  for (int k = 0; k <= bins; ++k) h.edges.push_back(low + (high - low) * k / bins);
  h.counts.assign(static_cast<std::size_t>(bins), 0);
  for (std::int64_t i = 0; i < v.size(); ++i) {
    const double x = v.data<double>()[i];
    if (mask && !m.data<bool>()[i % m.size()]) continue;
    if (!std::isfinite(x))
      ++h.left_out;
    else if (x < low)
      ++h.below;
    else if (x > high)
      ++h.above;
    else
      h.counts[std::min(static_cast<std::size_t>((x - low) / (high - low) * bins), h.counts.size() - 1)] += 1;
  }
  return h;
}

}  // namespace larmor::nd
