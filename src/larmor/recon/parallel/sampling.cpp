// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <larmor/core/nd/elementwise.hpp>
#include <larmor/core/nd/reduce.hpp>
#include <larmor/recon/parallel/sampling.hpp>
#include <numeric>

namespace larmor::recon {
namespace {

std::vector<int> all_but(const Array& a, int axis) {
  std::vector<int> out;
  for (int i = 0; i < a.rank(); ++i)
    if (i != axis) out.push_back(i);
  return out;
}

// The factor and offset of one axis, from which of its lines hold a sample.
std::pair<std::int64_t, std::int64_t> find_factor(const bool* any, std::int64_t n, const std::string& name) {
  const auto first = std::find(any, any + n, true) - any;
  if (first == n) throw Error(Errc::range, "k-space holds nothing but 0 along " + name);
  // The widest gap: calibration lines beside the lattice are nearer to each other.
  std::int64_t factor = 1, last = first;
  for (std::int64_t k = first + 1; k < n; ++k)
    if (any[k]) factor = std::max(factor, k - last), last = k;
  if (last == first) factor = n;
  for (std::int64_t k = 0; k < n; ++k)
    if (any[k] != (k % factor == first % factor))
      throw Error(Errc::range,
                  fmt::format("line {} of axis {} is {}, and lines {} + {} i make the lattice", k, name,
                              any[k] ? "sampled" : "missing", first % factor, factor),
                  "give the acceleration factor to look over calibration lines, or use recon.pics");
  return {factor, first % factor};
}
std::int64_t find_offset(const bool* any, std::int64_t n, std::int64_t factor, const std::string& name) {
  if (factor < 1 || factor > n)
    throw Error(Errc::range, fmt::format("an acceleration of {} along {} of {} lines", factor, name, n),
                fmt::format("give 1 to {}", n));
  for (std::int64_t offset = 0; offset < factor; ++offset) {
    bool all = true;
    for (std::int64_t k = offset; k < n; k += factor) all = all && any[k];
    if (all) return offset;
  }
  throw Error(Errc::range, fmt::format("lines along {} are missing from each lattice of every {}. line", name, factor),
              "give the factor that was measured with");
}

// Uniform in (0, 1), the same on every machine (SplitMix64).
class Uniform {
 public:
  explicit Uniform(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15 + 1) {}
  double operator()() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9, z = (z ^ (z >> 27)) * 0x94d049bb133111eb, z ^= z >> 31;
    return (static_cast<double>(z >> 11) + 0.5) * 0x1p-53;
  }

 private:
  std::uint64_t state_;
};

}  // namespace

Array sampled_mask(const Array& kspace, const Axes& axes) {
  std::vector<int> others, order;
  for (const auto& name : axes) kspace.axis(name);
  for (int i = 0; i < kspace.rank(); ++i)
    if (std::find(axes.begin(), axes.end(), kspace.axes()[static_cast<std::size_t>(i)]) == axes.end())
      others.push_back(i);
  const Array any = others.empty() ? nd::apply(nd::Unary::abs, kspace) : nd::reduce(nd::Reduction::any, kspace, others);
  for (const auto& name : axes) order.push_back(any.axis(name));
  return any.permuted(order).cast(DType::boolean).contiguous_copy();
}

std::int64_t Lattice::size() const {
  return std::accumulate(factor.begin(), factor.end(), std::int64_t{1}, std::multiplies<>());
}

Lattice find_lattice(const Array& mask, const std::vector<std::int64_t>& factors) {
  if (!factors.empty() && factors.size() != static_cast<std::size_t>(mask.rank()))
    throw Error(Errc::shape, fmt::format("{} factors for {} axes", factors.size(), mask.rank()));
  Lattice out{mask.axes(), {}, {}};
  for (int axis = 0; axis < mask.rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    const auto others = all_but(mask, axis);
    const Array line = others.empty() ? mask : nd::reduce(nd::Reduction::any, mask, others);
    const bool* any = line.data<bool>();
    if (factors.empty()) {
      const auto [factor, offset] = find_factor(any, mask.extent(axis), mask.axes()[a]);
      out.factor.push_back(factor), out.offset.push_back(offset);
    } else {
      out.factor.push_back(factors[a]);
      out.offset.push_back(find_offset(any, mask.extent(axis), factors[a], mask.axes()[a]));
    }
  }
  // Every point of the lattice, not only every line, must be there.
  std::vector<std::int64_t> at(static_cast<std::size_t>(mask.rank()));
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    std::int64_t rest = i;
    bool on = true;
    for (std::size_t a = 0; a < at.size(); ++a) {
      at[a] = rest % mask.shape()[a], rest /= mask.shape()[a];
      on = on && at[a] % out.factor[a] == out.offset[a];
    }
    if (!on || mask.data<bool>()[i]) continue;
    std::string place;
    for (std::size_t a = 0; a < at.size(); ++a) place += fmt::format("{}{} {}", a ? ", " : "", out.axes[a], at[a]);
    throw Error(Errc::range, "the sample at " + place + " is missing",
                "the unfolding needs a full lattice: use recon.pics for other patterns");
  }
  return out;
}

Array undersampling_mask(const Axes& axes, const Shape& shape, const std::vector<std::int64_t>& factors,
                         const MaskOptions& o) {
  if (axes.size() != shape.size() || axes.size() != factors.size() || axes.empty())
    throw Error(Errc::shape,
                fmt::format("{} axes, {} extents and {} factors", axes.size(), shape.size(), factors.size()));
  double total = 1;
  for (std::size_t a = 0; a < axes.size(); ++a) {
    if (factors[a] < 1 || factors[a] > shape[a])
      throw Error(Errc::range, fmt::format("a factor of {} along {} of {}", factors[a], axes[a], shape[a]),
                  fmt::format("give 1 to {}", shape[a]));
    total *= static_cast<double>(factors[a]);
  }
  Array mask(DType::f32, shape, axes);
  float* m = mask.data<float>();
  Uniform uniform(o.seed);
  std::vector<std::pair<double, std::int64_t>> drawn;  // by -log(u) / density: the first n are a weighted draw
  std::int64_t fixed = 0;
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    std::int64_t rest = i;
    bool regular = true, middle = true;
    double square = 0;
    for (std::size_t a = 0; a < axes.size(); ++a) {
      const std::int64_t k = rest % shape[a] - shape[a] / 2;
      rest /= shape[a];
      regular = regular && k % factors[a] == 0;
      middle = middle && (factors[a] == 1 || (k >= -(o.calibration / 2) && k < o.calibration - o.calibration / 2));
      if (factors[a] > 1) square += std::pow(2 * static_cast<double>(k) / static_cast<double>(shape[a]), 2);
    }
    if (!o.random)
      m[i] = regular || middle ? 1 : 0;
    else if (middle)
      m[i] = 1, ++fixed;
    else
      drawn.emplace_back(-std::log(uniform()) / (std::pow(std::max(1 - std::sqrt(square), 0.0), 2) + 1e-3), i);
  }
  const auto wanted = static_cast<std::int64_t>(std::llround(static_cast<double>(mask.size()) / total)) - fixed;
  std::sort(drawn.begin(), drawn.end());
  for (std::size_t i = 0; i < drawn.size() && static_cast<std::int64_t>(i) < wanted; ++i) m[drawn[i].second] = 1;
  return mask;
}

}  // namespace larmor::recon
