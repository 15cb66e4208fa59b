// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/nd/mask.hpp>
#include <larmor/seg/metrics.hpp>
#include <larmor/seg/surface.hpp>
#include <limits>
#include <map>
#include <random>

namespace larmor::seg {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

/// Voxels of the mask with a face neighbour outside.
Array outer_voxels(const Array& mask) {
  const auto nx = mask.extent(0), ny = mask.extent(1), nz = mask.extent(2);
  Array out = Array::of<bool>(mask.shape());
  const auto m = mask.span<bool>();
  const auto o = out.span<bool>();
  const auto inside = [&](std::int64_t x, std::int64_t y, std::int64_t z) {
    return x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz &&
           m[static_cast<std::size_t>((z * ny + y) * nx + x)];
  };
  std::size_t i = 0;
  for (std::int64_t z = 0; z < nz; ++z)
    for (std::int64_t y = 0; y < ny; ++y)
      for (std::int64_t x = 0; x < nx; ++x, ++i)
        o[i] = m[i] && !(inside(x - 1, y, z) && inside(x + 1, y, z) && inside(x, y - 1, z) && inside(x, y + 1, z) &&
                         inside(x, y, z - 1) && inside(x, y, z + 1));
  return out;
}

/// Distances from every surface voxel of `from` to the surface `to`.
std::vector<double> distances(const Array& from, const Array& to, const std::array<double, 3>& spacing) {
  const Array d = nd::distance_to(to, spacing).contiguous_copy();
  const auto f = from.span<bool>();
  const auto v = d.span<float>();
  std::vector<double> out;
  for (std::size_t i = 0; i < f.size(); ++i)
    if (f[i]) out.push_back(v[i]);
  return out;
}

void check_pair(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size()) throw Error(Errc::shape, fmt::format("{} values against {}", a.size(), b.size()));
  if (a.size() < 2) throw Error(Errc::range, fmt::format("{} pairs of values; 2 are needed", a.size()));
}

}  // namespace

Overlap overlap(const Array& found, const Array& truth, const std::array<double, 3>& spacing, double tolerance) {
  if (found.shape() != truth.shape() || found.rank() != 3)
    throw Error(Errc::shape, fmt::format("masks of {} and {}", to_string(found.shape()), to_string(truth.shape())),
                "give two 3-D masks of one grid");
  for (const double s : spacing)
    if (!(s > 0)) throw Error(Errc::range, fmt::format("a voxel is {} mm long", s));
  if (!(tolerance >= 0)) throw Error(Errc::range, fmt::format("the tolerance is {} mm", tolerance), "0 and more");
  const Array a = nd::as_mask(found), b = nd::as_mask(truth);
  const auto pa = a.span<bool>(), pb = b.span<bool>();
  Overlap o;
  for (std::size_t i = 0; i < pa.size(); ++i) o.found += pa[i], o.truth += pb[i], o.both += pa[i] && pb[i];
  if (o.found == 0 && o.truth == 0) {
    o.dice = o.jaccard = o.nsd = 1;
    o.hd95 = o.assd = nan;
    return o;
  }
  const auto sum = static_cast<double>(o.found + o.truth), both = static_cast<double>(o.both);
  o.dice = 2 * both / sum;
  o.jaccard = both / (sum - both);
  o.volume_error = o.truth > 0 ? 100 * static_cast<double>(o.found - o.truth) / static_cast<double>(o.truth) : nan;
  if (o.found == 0 || o.truth == 0) {
    o.hd95 = o.assd = nan;
    return o;
  }
  const Array sa = outer_voxels(a), sb = outer_voxels(b);
  const auto ab = distances(sa, sb, spacing), ba = distances(sb, sa, spacing);
  double all = 0;
  for (const auto* d : {&ab, &ba})
    for (const double v : *d) all += v;
  o.nsd = surface_dice(a, b, spacing, tolerance);
  o.assd = all / static_cast<double>(ab.size() + ba.size());
  o.hd95 = std::max(percentile(ab, 95), percentile(ba, 95));
  return o;
}

LimitsOfAgreement limits_of_agreement(std::span<const double> found, std::span<const double> truth) {
  check_pair(found, truth);
  const auto n = static_cast<double>(found.size());
  LimitsOfAgreement out;
  for (std::size_t i = 0; i < found.size(); ++i) out.bias += (found[i] - truth[i]) / n;
  double squares = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double d = found[i] - truth[i] - out.bias;
    squares += d * d;
  }
  out.deviation = std::sqrt(squares / (n - 1));
  out.lower = out.bias - 1.96 * out.deviation;
  out.upper = out.bias + 1.96 * out.deviation;
  return out;
}

double icc_a1(std::span<const double> found, std::span<const double> truth) {
  check_pair(found, truth);
  const auto n = static_cast<double>(found.size());
  constexpr double k = 2;
  const double mean_a = mean(found), mean_b = mean(truth), grand = (mean_a + mean_b) / 2;
  double rows = 0, total = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double row = (found[i] + truth[i]) / 2;
    rows += k * (row - grand) * (row - grand);
    total += (found[i] - grand) * (found[i] - grand) + (truth[i] - grand) * (truth[i] - grand);
  }
  const double columns = n * ((mean_a - grand) * (mean_a - grand) + (mean_b - grand) * (mean_b - grand));
  const double msr = rows / (n - 1), msc = columns / (k - 1), mse = (total - rows - columns) / ((n - 1) * (k - 1));
  const double below = msr + (k - 1) * mse + k * (msc - mse) / n;
  return below > 0 ? (msr - mse) / below : nan;
}

Interval bootstrap(const std::vector<std::string>& persons,
                   const std::function<double(std::span<const std::size_t>)>& statistic, std::uint64_t seed, int draws,
                   double level) {
  if (persons.empty()) throw Error(Errc::range, "a bootstrap over no persons");
  std::map<std::string, std::vector<std::size_t>> images;
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < persons.size(); ++i) images[persons[i]].push_back(i), all.push_back(i);
  std::vector<const std::vector<std::size_t>*> groups;
  for (const auto& [person, mine] : images) groups.push_back(&mine);
  std::mt19937_64 random(seed);
  std::vector<double> values;
  for (int d = 0; d < draws; ++d) {
    std::vector<std::size_t> drawn;
    for (std::size_t g = 0; g < groups.size(); ++g) {
      const auto& mine = *groups[random() % groups.size()];
      drawn.insert(drawn.end(), mine.begin(), mine.end());
    }
    values.push_back(statistic(drawn));
  }
  return {statistic(all), percentile(values, 50 * (1 - level)), percentile(values, 50 * (1 + level))};
}

double percentile(std::vector<double> values, double percent) {
  if (!(percent >= 0 && percent <= 100)) throw Error(Errc::range, fmt::format("percentile {}", percent), "0 to 100");
  std::erase_if(values, [](double v) { return std::isnan(v); });
  if (values.empty()) return nan;
  std::sort(values.begin(), values.end());
  const double at = percent / 100 * static_cast<double>(values.size() - 1);
  const auto k = static_cast<std::size_t>(at);
  return k + 1 < values.size() ? values[k] + (at - static_cast<double>(k)) * (values[k + 1] - values[k]) : values[k];
}

double mean(std::span<const double> values) {
  double sum = 0, n = 0;
  for (const double v : values)
    if (!std::isnan(v)) sum += v, ++n;
  return n > 0 ? sum / n : nan;
}

}  // namespace larmor::seg
