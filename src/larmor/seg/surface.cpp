// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/nd/mask.hpp>
#include <larmor/seg/surface.hpp>
#include <limits>

namespace larmor::seg {
namespace {

using Point = std::array<double, 3>;

/// The line between two neighbouring corners of a cube, as its corners' bits: a unique number of each of the 12.
int line_of(int a, int b) { return (a & b) * 8 + (a ^ b); }

Point cross(const Point& a, const Point& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}

/// Twice the area of a closed polygon, by triangles about the mean of its corners.
double twice_area(const std::vector<Point>& corners) {
  Point middle{};
  for (const auto& p : corners)
    for (std::size_t a = 0; a < 3; ++a) middle[a] += p[a] / static_cast<double>(corners.size());
  double sum = 0;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    Point from{}, to{};
    for (std::size_t a = 0; a < 3; ++a) {
      from[a] = corners[i][a] - middle[a];
      to[a] = corners[(i + 1) % corners.size()][a] - middle[a];
    }
    const Point n = cross(from, to);
    sum += std::sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]);
  }
  return sum;
}

std::array<double, 256> element_areas(const std::array<double, 3>& spacing) {
  std::array<double, 256> all{};
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = element_area(static_cast<std::uint8_t>(i), spacing);
  return all;
}

/// First and last voxel of either mask along each axis.
std::array<std::array<std::int64_t, 2>, 3> around(const Array& a, const Array& b) {
  std::array<std::array<std::int64_t, 2>, 3> box;
  for (auto& axis : box) axis = {std::numeric_limits<std::int64_t>::max(), -1};
  const auto pa = a.span<bool>(), pb = b.span<bool>();
  std::size_t i = 0;
  for (std::int64_t z = 0; z < a.extent(2); ++z)
    for (std::int64_t y = 0; y < a.extent(1); ++y)
      for (std::int64_t x = 0; x < a.extent(0); ++x, ++i) {
        if (!pa[i] && !pb[i]) continue;
        const std::array<std::int64_t, 3> at{x, y, z};
        for (std::size_t k = 0; k < 3; ++k) box[k] = {std::min(box[k][0], at[k]), std::max(box[k][1], at[k])};
      }
  return box;
}

}  // namespace

double element_area(std::uint8_t inside, const std::array<double, 3>& spacing) {
  const auto in = [&](int corner) { return (inside >> corner & 1) != 0; };
  // On each of the 6 faces the surface is one line between the middles of two crossed edges, or two of them.
  std::array<std::vector<int>, 64> next;  // by line_of
  const auto link = [&](int a, int b) {
    next[static_cast<std::size_t>(a)].push_back(b);
    next[static_cast<std::size_t>(b)].push_back(a);
  };
  for (int axis = 0; axis < 3; ++axis)
    for (int side = 0; side < 2; ++side) {
      const int u = 1 << (axis + 1) % 3, v = 1 << (axis + 2) % 3, from = side << axis;
      const std::array<int, 4> ring{from, from + u, from + u + v, from + v};
      std::vector<int> crossed;
      for (std::size_t i = 0; i < 4; ++i)
        if (const int a = ring[i], b = ring[(i + 1) % 4]; in(a) != in(b)) crossed.push_back(line_of(a, b));
      if (crossed.size() == 2) link(crossed[0], crossed[1]);
      if (crossed.size() == 4)  // edges i and i + 1 meet at corner i + 1
        for (std::size_t i = 0; i < 4; ++i)
          if (in(ring[(i + 1) % 4])) link(crossed[i], crossed[(i + 1) % 4]);
    }
  const auto middle = [&](int line) {
    Point p{};
    for (std::size_t a = 0; a < 3; ++a) p[a] = spacing[a] * ((line & 7) >> a & 1 ? 0.5 : (line >> 3) >> a & 1);
    return p;
  };
  double area = 0;
  for (std::size_t first = 0; first < next.size(); ++first) {  // each crossed edge has two others: closed polygons
    std::vector<Point> corners;
    auto at = static_cast<int>(first);
    while (!next[static_cast<std::size_t>(at)].empty()) {
      corners.push_back(middle(at));
      const int to = next[static_cast<std::size_t>(at)].back();
      next[static_cast<std::size_t>(at)].pop_back();
      auto& back = next[static_cast<std::size_t>(to)];
      back.erase(std::find(back.begin(), back.end(), at));
      at = to;
    }
    if (corners.size() > 2) area += twice_area(corners) / 2;
  }
  return area;
}

Surface surface_of(const Array& mask, const std::array<double, 3>& spacing) {
  const auto areas = element_areas(spacing);
  const auto nx = mask.extent(0), ny = mask.extent(1), nz = mask.extent(2);
  Surface out{Array::of<bool>({nx + 1, ny + 1, nz + 1}), {}};
  const auto m = mask.span<bool>();
  const auto where = out.where.span<bool>();
  const auto inside = [&](std::int64_t x, std::int64_t y, std::int64_t z) {
    return x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz &&
           m[static_cast<std::size_t>((z * ny + y) * nx + x)];
  };
  std::size_t i = 0;
  for (std::int64_t z = 0; z <= nz; ++z)
    for (std::int64_t y = 0; y <= ny; ++y) {
      unsigned after = 0;  // voxels at x: those at x - 1 of the next corner
      for (std::int64_t x = 0; x <= nx; ++x, ++i) {
        unsigned bits = after >> 1;
        after = 0;
        for (unsigned k = 0; k < 4; ++k)
          if (inside(x, y - 1 + (k & 1), z - 1 + (k >> 1))) after |= 2u << 2 * k;
        bits |= after;
        if (bits == 0 || bits == 255) continue;
        where[i] = true;
        out.area.push_back(areas[bits]);
      }
    }
  return out;
}

double surface_dice(const Array& a, const Array& b, const std::array<double, 3>& spacing, double tolerance) {
  const auto box = around(a, b);  // no element of either surface lies outside it
  const auto cut = [&](const Array& m) {
    Array part = m;
    for (int k = 0; k < 3; ++k) {
      const auto& [first, last] = box[static_cast<std::size_t>(k)];
      part = part.range(k, first, last + 1);
    }
    return surface_of(part.contiguous_copy(), spacing);
  };
  const Surface sa = cut(a), sb = cut(b);
  double near = 0, all = 0;
  const auto count = [&](const Surface& of, const Surface& to) {
    const Array distance = nd::distance_to(to.where, spacing).contiguous_copy();
    const auto d = distance.span<float>();
    const auto w = of.where.span<bool>();
    std::size_t k = 0;
    for (std::size_t i = 0; i < w.size(); ++i) {
      if (!w[i]) continue;
      near += d[i] <= tolerance + 1e-6 ? of.area[k] : 0;  // the distances are floats
      all += of.area[k++];
    }
  };
  count(sa, sb);
  count(sb, sa);
  return near / all;
}

}  // namespace larmor::seg
