// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/seg/parting.hpp>
#include <sstream>

namespace larmor::seg {
namespace {

/// First and last slice along `axis` that hold `label`; first > last when none does.
std::array<int, 2> extent(const nn::TrainSample& v, int label, std::size_t axis) {
  std::array<int, 2> out{v.size[axis], -1};
  std::size_t i = 0;
  std::array<int, 3> at{};
  for (at[2] = 0; at[2] < v.size[2]; ++at[2])
    for (at[1] = 0; at[1] < v.size[1]; ++at[1])
      for (at[0] = 0; at[0] < v.size[0]; ++at[0], ++i)
        if (v.labels[i] == label) out[0] = std::min(out[0], at[axis]), out[1] = std::max(out[1], at[axis]);
  return out;
}

}  // namespace

std::optional<Parting> find_parting(const std::vector<nn::TrainSample>& volumes, int classes, double share) {
  std::optional<Parting> best;
  double most = share;
  for (int a = 1; a < classes; ++a)
    for (int b = a + 1; b < classes; ++b)
      for (int axis = 0; axis < 3; ++axis) {
        double both = 0, a_first = 0, b_first = 0;
        for (const auto& v : volumes) {
          const auto ea = extent(v, a, static_cast<std::size_t>(axis)),
                     eb = extent(v, b, static_cast<std::size_t>(axis));
          if (ea[1] < 0 || eb[1] < 0) continue;
          ++both, a_first += ea[1] < eb[0], b_first += eb[1] < ea[0];
        }
        const double more = std::max(a_first, b_first);
        if (both == 0 || more < most * both) continue;
        most = more / both;
        best = a_first > b_first ? Parting{a, b, axis} : Parting{b, a, axis};
      }
  return best;
}

void part(Array& labels, const Array& probabilities, const Parting& parting, const Affine& image,
          const Affine& training) {
  const Affine step = image.inverse() * training;  // of an index of training in indices of the image
  std::size_t axis = 0;
  const auto along = static_cast<std::size_t>(parting.axis);
  for (std::size_t a = 1; a < 3; ++a)
    if (std::abs(step.m[a][along]) > std::abs(step.m[axis][along])) axis = a;
  const bool forward = step.m[axis][along] > 0;

  const Shape& n = labels.shape();
  const auto voxels = static_cast<std::size_t>(labels.size());
  const auto slices = static_cast<std::size_t>(n[axis]);
  std::size_t inner = 1;
  for (std::size_t a = 0; a < axis; ++a) inner *= static_cast<std::size_t>(n[a]);
  const auto l = labels.span<std::uint8_t>();
  const auto p = probabilities.span<float>();
  const auto slice_of = [&](std::size_t i) {
    const std::size_t s = i / inner % slices;
    return forward ? s : slices - 1 - s;
  };
  // Expected wrong voxels of each slice when it is called low or high.
  std::vector<double> if_low(slices), if_high(slices);
  for (std::size_t i = 0; i < voxels; ++i) {
    if (l[i] != parting.low && l[i] != parting.high) continue;
    const double a = p[static_cast<std::size_t>(parting.low) * voxels + i],
                 b = p[static_cast<std::size_t>(parting.high) * voxels + i];
    const double low = a + b > 0 ? a / (a + b) : 0.5;
    if_low[slice_of(i)] += 1 - low, if_high[slice_of(i)] += low;
  }
  double cost = 0;
  for (const double wrong : if_high) cost += wrong;
  std::size_t cut = 0;  // slices before it are low
  double least = cost;
  for (std::size_t s = 0; s < slices; ++s) {
    cost += if_low[s] - if_high[s];
    if (cost < least) least = cost, cut = s + 1;
  }
  for (std::size_t i = 0; i < voxels; ++i)
    if (l[i] == parting.low || l[i] == parting.high)
      l[i] = static_cast<std::uint8_t>(slice_of(i) < cut ? parting.low : parting.high);
}

std::string to_string(const Parting& p) { return fmt::format("{},{},{}", p.low, p.high, p.axis); }

Parting parse_parting(const std::string& text, int classes) {
  Parting p;
  char comma[2]{}, more = 0;
  std::istringstream in(text);
  if (!(in >> p.low >> comma[0] >> p.high >> comma[1] >> p.axis) || comma[0] != ',' || comma[1] != ',' || in >> more ||
      p.low < 1 || p.high < 1 || p.low >= classes || p.high >= classes || p.low == p.high || p.axis < 0 || p.axis > 2)
    throw Error(Errc::format,
                fmt::format("'parting' of the weights is '{}', two different labels of 1 to {} and an axis of 0 to 2 "
                            "are needed",
                            text, classes - 1),
                "give a file written by larmor seg train or larmor seg ensemble");
  return p;
}

}  // namespace larmor::seg
