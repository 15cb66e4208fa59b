// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <larmor/core/nd/mask.hpp>
#include <numeric>

namespace larmor::nd {
namespace {

std::int32_t root_of(std::vector<std::int32_t>& parent, std::int32_t i) {
  while (parent[static_cast<std::size_t>(i)] != i) {
    auto& p = parent[static_cast<std::size_t>(i)];
    p = parent[static_cast<std::size_t>(p)];
    i = p;
  }
  return i;
}

struct Offset {
  std::int64_t x, y, z;
};
// The half of the neighbours that come earlier in memory.
std::vector<Offset> earlier(Touch touch, bool plane) {
  std::vector<Offset> out;
  for (std::int64_t z = -1; z <= 0; ++z)
    for (std::int64_t y = -1; y <= 1; ++y)
      for (std::int64_t x = -1; x <= 1; ++x) {
        const bool before = z < 0 || (z == 0 && (y < 0 || (y == 0 && x < 0)));
        const auto steps = std::abs(x) + std::abs(y) + std::abs(z);
        if (before && steps <= static_cast<int>(touch) + 1 && !(plane && z != 0)) out.push_back({x, y, z});
      }
  return out;
}

// Labels of one volume (or plane) of a mask; returns how many, by falling size.
std::int32_t label_volume(const bool* mask, const std::array<std::int64_t, 3>& n, const std::vector<Offset>& near,
                          std::int32_t* labels) {
  const std::int64_t size = n[0] * n[1] * n[2];
  std::vector<std::int32_t> parent(1, 0);
  for (std::int64_t z = 0, at = 0; z < n[2]; ++z)
    for (std::int64_t y = 0; y < n[1]; ++y)
      for (std::int64_t x = 0; x < n[0]; ++x, ++at) {
        labels[at] = 0;
        if (!mask[at]) continue;
        std::int32_t mine = 0;
        for (const auto& o : near) {
          const std::int64_t u = x + o.x, v = y + o.y, w = z + o.z;
          if (u < 0 || v < 0 || w < 0 || u >= n[0] || v >= n[1]) continue;
          const std::int32_t other = labels[u + n[0] * (v + n[1] * w)];
          if (other == 0) continue;
          const std::int32_t root = root_of(parent, other);
          if (mine == 0) {
            mine = root;
          } else if (root != mine) {
            const auto [low, high] = std::minmax(mine, root);
            parent[static_cast<std::size_t>(high)] = low;
            mine = low;
          }
        }
        if (mine == 0) mine = static_cast<std::int32_t>(parent.size()), parent.push_back(mine);
        labels[at] = mine;
      }
  std::vector<std::int64_t> sizes(parent.size());
  for (std::int64_t i = 0; i < size; ++i)
    if (labels[i]) ++sizes[static_cast<std::size_t>(labels[i] = root_of(parent, labels[i]))];
  std::vector<std::int32_t> order;
  for (std::size_t l = 1; l < sizes.size(); ++l)
    if (sizes[l]) order.push_back(static_cast<std::int32_t>(l));
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) {
    return sizes[static_cast<std::size_t>(a)] > sizes[static_cast<std::size_t>(b)];
  });
  std::vector<std::int32_t> rank(sizes.size());
  for (std::size_t k = 0; k < order.size(); ++k)
    rank[static_cast<std::size_t>(order[k])] = static_cast<std::int32_t>(k + 1);
  for (std::int64_t i = 0; i < size; ++i) labels[i] = rank[static_cast<std::size_t>(labels[i])];
  return static_cast<std::int32_t>(order.size());
}

}  // namespace

Array components(const Array& mask_, Touch touch, bool plane, const Cancel* cancel) {
  const Array mask = as_mask(mask_, cancel);
  Array out = Array::uninitialised(DType::i32, mask.shape(), mask.axes());
  const std::array<std::int64_t, 3> n{mask.extent(0), mask.extent(1), plane ? 1 : mask.extent(2)};
  const std::int64_t volume = n[0] * n[1] * n[2];
  if (mask.size() == 0) return out;
  if (volume >= INT32_MAX)
    throw Error(Errc::range, "components of " + mask.describe(), "label pieces of fewer than 2^31 elements");
  const auto near = earlier(touch, plane);
  for (std::int64_t at = 0; at < mask.size(); at += volume) {
    if (cancel) cancel->check();
    label_volume(mask.data<bool>() + at, n, near, out.data<std::int32_t>() + at);
  }
  return out;
}

Array largest_components(const Array& mask, int n, std::int64_t smallest, Touch touch, const Cancel* cancel) {
  if (n < 1) throw Error(Errc::range, "the largest " + std::to_string(n) + " pieces", "give 1 or more");
  const Array labels = components(mask, touch, false, cancel);
  Array out = Array::uninitialised(DType::boolean, labels.shape(), labels.axes());
  const std::int64_t volume = labels.extent(0) * labels.extent(1) * labels.extent(2);
  const auto* l = labels.data<std::int32_t>();
  for (std::int64_t at = 0; at < labels.size(); at += volume) {
    std::vector<std::int64_t> sizes(1);
    for (std::int64_t i = at; i < at + volume; ++i) {
      const auto label = static_cast<std::size_t>(l[i]);
      if (label >= sizes.size()) sizes.resize(label + 1);
      ++sizes[label];
    }
    for (std::int64_t i = at; i < at + volume; ++i)
      out.data<bool>()[i] = l[i] > 0 && l[i] <= n && sizes[static_cast<std::size_t>(l[i])] >= smallest;
  }
  return out;
}

Array fill_holes(const Array& mask_, bool plane, const Cancel* cancel) {
  const Array mask = as_mask(mask_, cancel);
  Array background = Array::uninitialised(DType::boolean, mask.shape(), mask.axes());
  for (std::int64_t i = 0; i < mask.size(); ++i) background.data<bool>()[i] = !mask.data<bool>()[i];
  const Array labels = components(background, Touch::faces, plane, cancel);
  const std::array<std::int64_t, 3> n{mask.extent(0), mask.extent(1), plane ? 1 : mask.extent(2)};
  const std::int64_t volume = n[0] * n[1] * n[2];
  Array out = mask.clone();
  for (std::int64_t at = 0; at < mask.size(); at += volume) {
    const auto* l = labels.data<std::int32_t>() + at;
    std::vector<bool> open(1, true);
    // A border is one only along axes of more than one element: a single slice is a plane.
    for (std::int64_t i = 0; i < volume; ++i) {
      const std::int64_t x = i % n[0], y = i / n[0] % n[1], z = i / n[0] / n[1];
      const auto label = static_cast<std::size_t>(l[i]);
      if (label >= open.size()) open.resize(label + 1);
      const bool border = (n[0] > 1 && (x == 0 || x == n[0] - 1)) || (n[1] > 1 && (y == 0 || y == n[1] - 1)) ||
                          (n[2] > 1 && (z == 0 || z == n[2] - 1));
      if (border) open[label] = true;
    }
    for (std::int64_t i = 0; i < volume; ++i)
      if (!open[static_cast<std::size_t>(l[i])]) out.data<bool>()[at + i] = true;
  }
  return out;
}

}  // namespace larmor::nd
