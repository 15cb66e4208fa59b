// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/io/figure.hpp>
#include <larmor/io/montage.hpp>
#include <numbers>

namespace larmor::io {
namespace {

using Rgb = std::array<std::uint8_t, 3>;
constexpr Rgb missing{32, 36, 48};

std::uint8_t byte_of(double v) { return static_cast<std::uint8_t>(std::lround(255 * std::clamp(v, 0.0, 1.0))); }

void put(Picture& p, std::int64_t x, std::int64_t y, const Rgb& c) {
  if (x < 0 || y < 0 || x >= p.width || y >= p.height) return;
  std::copy(c.begin(), c.end(), p.pixels.begin() + (y * p.width + x) * 3);
}

// Phases around a circle in the lower right corner.
void draw_ring(Picture& p) {
  const double radius = std::clamp(std::min(p.width, p.height) * 0.09, 6.0, 40.0), cx = p.width - 1.25 * radius,
               cy = p.height - 1.25 * radius;
  for (int y = static_cast<int>(cy - radius); y <= cy + radius; ++y)
    for (int x = static_cast<int>(cx - radius); x <= cx + radius; ++x) {
      const double dx = x - cx, dy = cy - y, r = std::hypot(dx, dy) / radius;
      if (r <= 1 && r >= 0.6) put(p, x, y, complex_colour(1, std::atan2(dy, dx)));
    }
}

}  // namespace

Rgb complex_colour(double magnitude, double phase) {
  const double quarter = phase / (std::numbers::pi / 2);
  const double hue = quarter >= 1    ? 120 - 120 * (quarter - 1)
                     : quarter >= 0  ? 180 - 60 * quarter
                     : quarter >= -1 ? 180 - 120 * quarter
                                     : 300 + 60 * (-quarter - 1);
  const double sector = std::fmod(hue, 360) / 60, part = 1 - std::abs(std::fmod(sector, 2) - 1);
  static constexpr int order[6][3] = {{0, 1, 2}, {1, 0, 2}, {2, 0, 1}, {2, 1, 0}, {1, 2, 0}, {0, 2, 1}};
  const double parts[3] = {1, part, 0};
  Rgb out{};
  for (std::size_t c = 0; c < 3; ++c)
    out[c] = byte_of(magnitude * parts[order[std::min(static_cast<int>(sector), 5)][c]]);
  return out;
}

Picture montage(const Array& array, const Montage& o) {
  if (array.rank() < 2 || array.size() == 0)
    throw Error(Errc::shape, "a picture of " + array.describe(), "give two axes or more, of one element or more");
  const bool complex = array.dtype() == DType::c64 || array.dtype() == DType::c128;
  if (o.zoom < 1 || o.zoom > 64 || o.columns < 0 || !(o.gamma > 0))
    throw Error(Errc::range, fmt::format("zoom {}, {} columns, gamma {:g}", o.zoom, o.columns, o.gamma),
                "give a zoom of 1 to 64, 0 columns or more, and a positive gamma");
  if (o.window && !(o.window->first < o.window->second))
    throw Error(Errc::range, fmt::format("a window from {:g} to {:g}", o.window->first, o.window->second),
                "give a lower end below the upper");
  const std::int64_t nx = array.extent(0), ny = array.extent(1), planes = array.size() / (nx * ny);
  const auto square =
      static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(planes * ny) / static_cast<double>(nx))));
  const std::int64_t columns = std::min(o.columns > 0 ? std::int64_t{o.columns} : square, planes);
  const std::int64_t rows = (planes + columns - 1) / columns;
  const double pixels = static_cast<double>(columns * nx * o.zoom) * static_cast<double>(rows * ny * o.zoom);
  if (planes > 4096 || pixels > 1e8)
    throw Error(Errc::shape, fmt::format("a picture of {} planes and {:.0f} pixels", planes, pixels),
                "take a part with array.crop, or fewer pixels a voxel");
  const Array data = array.to(Device::cpu()).cast(complex ? DType::c128 : DType::f64).contiguous_copy();
  std::vector<double> size(static_cast<std::size_t>(data.size()));
  for (std::size_t i = 0; i < size.size(); ++i)
    size[i] = complex ? std::abs(data.data<std::complex<double>>()[i]) : data.data<double>()[i];
  Range window{0, 1};
  if (o.window)
    window = {o.window->first, o.window->second};
  else
    window = robust_range(size, 1, 99);
  if (!o.window && complex) window.lo = 0;
  Picture out;
  out.width = static_cast<int>(columns * nx * o.zoom), out.height = static_cast<int>(rows * ny * o.zoom),
  out.channels = 3;
  out.pixels.assign(static_cast<std::size_t>(out.width) * static_cast<std::size_t>(out.height) * 3, 0);
  (void)colour(o.map, 0);  // an unknown map is an error for complex numbers too
  for (std::int64_t p = 0; p < planes; ++p)
    for (std::int64_t y = 0; y < ny; ++y)
      for (std::int64_t x = 0; x < nx; ++x) {
        const auto at = static_cast<std::size_t>(x + nx * (y + ny * p));
        const double t = std::pow(std::clamp((size[at] - window.lo) / (window.hi - window.lo), 0.0, 1.0), o.gamma);
        const Rgb c = std::isnan(size[at]) ? missing
                      : complex            ? complex_colour(t, std::arg(data.data<std::complex<double>>()[at]))
                                           : colour(o.map, t);
        const std::int64_t left = (p % columns * nx + x) * o.zoom,
                           top = (p / columns * ny + (o.y_up ? ny - 1 - y : y)) * o.zoom;
        for (int v = 0; v < o.zoom; ++v)
          for (int u = 0; u < o.zoom; ++u) put(out, left + u, top + v, c);
      }
  if (complex && o.ring) draw_ring(out);
  return out;
}

}  // namespace larmor::io
