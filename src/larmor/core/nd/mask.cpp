// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/blocks.hpp>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/mask.hpp>
#include <limits>
#include <vector>

namespace larmor::nd {
namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

// Lower envelope of parabolas: out[q] = min_p (step^2 (q - p)^2 + f[p]), for one line of n elements.
struct Envelope {
  std::vector<std::int64_t> place;
  std::vector<double> from, line;
  void run(double* f, std::int64_t n, std::int64_t stride, double step) {
    place.resize(static_cast<std::size_t>(n)), from.resize(static_cast<std::size_t>(n) + 1);
    line.resize(static_cast<std::size_t>(n));
    const double ss = step * step;
    std::int64_t k = -1;
    for (std::int64_t q = 0; q < n; ++q) {
      const double v = line[static_cast<std::size_t>(q)] = f[q * stride];
      if (v == inf) continue;
      double meets = -inf;
      while (k >= 0) {
        const auto p = place[static_cast<std::size_t>(k)];
        const double fp = line[static_cast<std::size_t>(p)];
        meets = ((v - fp) / ss + static_cast<double>(q * q - p * p)) / (2.0 * static_cast<double>(q - p));
        if (meets > from[static_cast<std::size_t>(k)]) break;
        --k;
      }
      if (k < 0) meets = -inf;
      ++k;
      place[static_cast<std::size_t>(k)] = q;
      from[static_cast<std::size_t>(k)] = meets;
    }
    if (k < 0) return;
    const std::int64_t last = k;
    k = 0;
    for (std::int64_t q = 0; q < n; ++q) {
      while (k < last && from[static_cast<std::size_t>(k) + 1] < static_cast<double>(q)) ++k;
      const auto p = place[static_cast<std::size_t>(k)];
      const double d = static_cast<double>(q - p);
      f[q * stride] = ss * d * d + line[static_cast<std::size_t>(p)];
    }
  }
};

void require_spacing(const std::array<double, 3>& spacing) {
  for (const double s : spacing)
    if (!(s > 0) || !std::isfinite(s))
      throw Error(Errc::range, fmt::format("a spacing of {:g}", s), "give positive lengths");
}

// Squared distance to the elements where mask == wanted.
std::vector<double> squared_distance(const Array& mask, bool wanted, const std::array<double, 3>& spacing,
                                     const Cancel* cancel) {
  const auto n = static_cast<std::size_t>(mask.size());
  std::vector<double> d(n);
  const bool* m = mask.data<bool>();
  for (std::size_t i = 0; i < n; ++i) d[i] = m[i] == wanted ? 0 : inf;
  std::int64_t stride = 1;
  for (int axis = 0; axis < std::min(3, mask.rank()); ++axis) {
    const std::int64_t length = mask.extent(axis);
    if (n == 0) break;
    if (length > 1) {
      const auto lines = static_cast<std::size_t>(mask.size() / length);
      parallel_for(
          lines, 64,
          [&](std::size_t first, std::size_t last) {
            Envelope envelope;
            for (std::size_t l = first; l < last; ++l) {
              const auto i = static_cast<std::int64_t>(l);
              envelope.run(d.data() + i / stride * stride * length + i % stride, length, stride,
                           spacing[static_cast<std::size_t>(axis)]);
            }
          },
          cancel);
    }
    stride *= length;
  }
  return d;
}

}  // namespace

Array as_mask(const Array& a, const Cancel* cancel) {
  const Array host = a.to(Device::cpu());
  if (host.dtype() == DType::boolean) return host.contiguous_copy();
  const Array truth = apply(Binary::not_equal, host, Array(DType::f32, {}), cancel);
  const bool whole = host.dtype() == DType::u8 || host.dtype() == DType::i16 || host.dtype() == DType::i32;
  if (whole) return truth;
  return apply(Binary::logical_and, truth, apply(Unary::logical_not, apply(Unary::is_nan, host, cancel), cancel),
               cancel)
      .contiguous_copy();
}

double otsu(const Array& array) {
  const Array a = array.to(Device::cpu()).cast(DType::f64).contiguous_copy();
  const auto values = a.span<const double>();
  double low = inf, high = -inf;
  for (const double v : values)
    if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
  if (!(low < high))
    throw Error(Errc::numeric, "no threshold parts values that are all the same", "give an array with contrast");
  constexpr int bins = 256;
  std::vector<double> counts(bins), sums(bins);
  double n = 0, total = 0;
  for (const double v : values) {
    if (!std::isfinite(v)) continue;
    const auto bin = std::min<std::size_t>(static_cast<std::size_t>((v - low) / (high - low) * bins), bins - 1);
    counts[bin] += 1, sums[bin] += v - low, n += 1, total += v - low;
  }
  double best = -1, below = 0, sum = 0;
  int first = 0, last = 0;
  for (int k = 0; k + 1 < bins; ++k) {
    below += counts[static_cast<std::size_t>(k)], sum += sums[static_cast<std::size_t>(k)];
    if (below == 0 || below == n) continue;
    const double apart = total * below / n - sum;
    const double between = apart * apart / (below * (n - below));
    // Empty bins between two groups are all as good; the middle of them is taken.
    if (between > best * (1 + 1e-12))
      best = between, first = last = k;
    else if (between >= best * (1 - 1e-12))
      last = k;
  }
  return low + (high - low) * ((first + last) / 2.0 + 1) / bins;
}

Array distance_to(const Array& mask_, const std::array<double, 3>& spacing, const Cancel* cancel) {
  require_spacing(spacing);
  const Array mask = as_mask(mask_, cancel);
  const auto d = squared_distance(mask, true, spacing, cancel);
  Array out = Array::uninitialised(DType::f32, mask.shape(), mask.axes());
  for (std::size_t i = 0; i < d.size(); ++i) out.data<float>()[i] = static_cast<float>(std::sqrt(d[i]));
  return out;
}

Array morphology(Morphology op, const Array& mask_, double radius, const std::array<double, 3>& spacing,
                 const Cancel* cancel) {
  require_spacing(spacing);
  if (!(radius >= 0) || !std::isfinite(radius))
    throw Error(Errc::range, fmt::format("a ball of radius {:g}", radius), "give a length >= 0");
  if (op == Morphology::open)
    return morphology(Morphology::dilate, morphology(Morphology::erode, mask_, radius, spacing, cancel), radius,
                      spacing, cancel);
  if (op == Morphology::close)
    return morphology(Morphology::erode, morphology(Morphology::dilate, mask_, radius, spacing, cancel), radius,
                      spacing, cancel);
  const Array mask = as_mask(mask_, cancel);
  const bool grows = op == Morphology::dilate;
  const auto d = squared_distance(mask, grows, spacing, cancel);
  Array out = Array::uninitialised(DType::boolean, mask.shape(), mask.axes());
  // A rounding of the spacing must not leave out elements that lie exactly at the radius.
  const double reach = radius * radius * (1 + 1e-9);
  for (std::size_t i = 0; i < d.size(); ++i) out.data<bool>()[i] = (d[i] <= reach) == grows;
  return out;
}

}  // namespace larmor::nd
