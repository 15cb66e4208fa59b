// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/core/parallel.hpp>
#include <larmor/recon/dcf/dcf.hpp>
#include <map>
#include <numbers>

namespace larmor::recon {
namespace {

struct P {
  double x, y;
};

using Polygon = std::vector<P>;

/// What of a convex polygon is nearer to the origin than to q.
void clip(Polygon& cell, P q, Polygon& room) {
  const double half = (q.x * q.x + q.y * q.y) / 2;
  const auto beyond = [&](P p) { return p.x * q.x + p.y * q.y - half; };
  bool any = false;
  for (const P p : cell) any = any || beyond(p) > 0;
  if (!any) return;
  room.clear();
  for (std::size_t i = 0; i < cell.size(); ++i) {
    const P a = cell[i], b = cell[(i + 1) % cell.size()];
    const double fa = beyond(a), fb = beyond(b);
    if (fa <= 0) room.push_back(a);
    if ((fa <= 0) != (fb <= 0)) {
      const double t = fa / (fa - fb);
      room.push_back({a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)});
    }
  }
  cell.swap(room);
}

double area(const Polygon& cell) {
  double twice = 0;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    const P a = cell[i], b = cell[(i + 1) % cell.size()];
    twice += a.x * b.y - a.y * b.x;
  }
  return twice / 2;
}

}  // namespace

Array density_voronoi(const Trajectory& traj, const Cancel* cancel) {
  traj.check();
  if (traj.dimensions() != 2)
    throw Error(Errc::shape, fmt::format("Voronoi weights: a trajectory of {} coordinates", traj.dimensions()),
                "give a 2D one, or use the iterative method");
  const auto n = static_cast<std::size_t>(traj.size());
  const Array k = traj.k.cast(DType::f64).contiguous_copy();
  const double *kx = k.data<double>(), *ky = kx + n;

  // Places, each with how many samples lie there. Closer than a millionth of a cycle is the same place.
  constexpr double same = 1e6;
  std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> at;
  std::vector<P> places;
  std::vector<std::size_t> count, place_of(n);
  for (std::size_t j = 0; j < n; ++j) {
    const auto [it, fresh] = at.try_emplace({std::llround(kx[j] * same), std::llround(ky[j] * same)}, places.size());
    if (fresh) places.push_back({kx[j], ky[j]}), count.push_back(0);
    place_of[j] = it->second, ++count[it->second];
  }

  constexpr double rim = 0.5;
  P low = places[0], high = places[0];
  double farthest = 0;
  for (const P p : places) {
    low = {std::min(low.x, p.x), std::min(low.y, p.y)}, high = {std::max(high.x, p.x), std::max(high.y, p.y)};
    farthest = std::max(farthest, std::hypot(p.x, p.y));
  }
  low = {low.x - rim, low.y - rim}, high = {high.x + rim, high.y + rim};
  // The rim is a circle when the samples fill one, and a rectangle when they fill that.
  const double corner = std::max(std::hypot(low.x, low.y), std::hypot(high.x, high.y));
  const bool round = farthest + rim < 0.85 * corner;
  Polygon circle;
  constexpr int corners = 256;
  const double reach = (farthest + rim) / std::cos(std::numbers::pi / corners);
  for (int i = 0; round && i < corners; ++i)
    circle.push_back(
        {reach * std::cos(2 * std::numbers::pi * i / corners), reach * std::sin(2 * std::numbers::pi * i / corners)});

  // Buckets of a few places each, searched ring after ring until none can be near enough to cut the cell.
  const double width = std::max(high.x - low.x, high.y - low.y);
  const auto across =
      static_cast<std::int64_t>(std::clamp(std::sqrt(static_cast<double>(places.size()) / 2), 1.0, 2048.0));
  const double step = width / static_cast<double>(across);
  const auto bucket = [&](P p) {
    return std::pair{std::clamp<std::int64_t>(static_cast<std::int64_t>((p.x - low.x) / step), 0, across - 1),
                     std::clamp<std::int64_t>(static_cast<std::int64_t>((p.y - low.y) / step), 0, across - 1)};
  };
  std::vector<std::vector<std::uint32_t>> buckets(static_cast<std::size_t>(across * across));
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto [x, y] = bucket(places[i]);
    buckets[static_cast<std::size_t>(y * across + x)].push_back(static_cast<std::uint32_t>(i));
  }

  std::vector<double> areas(places.size());
  parallel_for(
      places.size(), 64,
      [&](std::size_t begin, std::size_t end) {
        Polygon cell, room;
        std::vector<std::pair<double, P>> ring;
        for (std::size_t i = begin; i < end; ++i) {
          const P p = places[i];
          cell = {{low.x - p.x, low.y - p.y},
                  {high.x - p.x, low.y - p.y},
                  {high.x - p.x, high.y - p.y},
                  {low.x - p.x, high.y - p.y}};
          const auto [bx, by] = bucket(p);
          for (std::int64_t r = 0; r <= across; ++r) {
            double most = 0;  // a place farther than twice the farthest corner cuts nothing
            for (const P c : cell) most = std::max(most, std::hypot(c.x, c.y));
            if (static_cast<double>(r - 1) * step > 2 * most) break;
            ring.clear();
            for (std::int64_t y = std::max<std::int64_t>(by - r, 0); y <= std::min(by + r, across - 1); ++y)
              for (std::int64_t x = std::max<std::int64_t>(bx - r, 0); x <= std::min(bx + r, across - 1); ++x) {
                if (std::max(std::abs(x - bx), std::abs(y - by)) != r) continue;
                for (const auto q : buckets[static_cast<std::size_t>(y * across + x)])
                  if (q != i) {
                    const P d{places[q].x - p.x, places[q].y - p.y};
                    ring.emplace_back(d.x * d.x + d.y * d.y, d);
                  }
              }
            std::sort(ring.begin(), ring.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
            for (const auto& [dd, q] : ring) clip(cell, q, room);
          }
          if (round) {
            // Only cells at the rim meet the circle: its sides are half planes like any other.
            double most = 0;
            for (const P c : cell) most = std::max(most, std::hypot(c.x + p.x, c.y + p.y));
            if (most > farthest + rim)
              for (std::size_t c = 0; c < circle.size(); ++c) {
                const P a = circle[c], b = circle[(c + 1) % circle.size()], m{(a.x + b.x) / 2, (a.y + b.y) / 2};
                const double length = std::hypot(m.x, m.y), gap = length - (m.x * p.x + m.y * p.y) / length;
                clip(cell, {2 * gap * m.x / length, 2 * gap * m.y / length}, room);
              }
          }
          areas[i] = area(cell);
        }
      },
      cancel);
  Array out = Array::uninitialised(DType::f32, traj.sample_shape(), traj.sample_axes());
  for (std::size_t j = 0; j < n; ++j)
    out.data<float>()[j] = static_cast<float>(areas[place_of[j]] / static_cast<double>(count[place_of[j]]));
  return out;
}

}  // namespace larmor::recon
