// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/io/figure.hpp>
#include <larmor/io/report.hpp>
#include <larmor/io/svg.hpp>
#include <limits>

namespace larmor::io {
namespace {

constexpr std::string_view background = "#0e1217";

std::string base64(std::span<const std::byte> bytes) {
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    for (std::size_t k = 0; k < 3; ++k) three = three << 8 | (k < n ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? digits[three >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

void require_3d(const Array& volume) {
  if (volume.rank() != 3 || volume.empty())
    throw Error(Errc::shape, "a figure of slices needs one 3-D volume, this is " + volume.describe(),
                "take one time point of a series first");
}

// Which voxel axis runs along each world axis (R, A, S), and whether it points that way.
struct Orientation {
  std::array<int, 3> axis{};
  std::array<bool, 3> positive{};
  explicit Orientation(const Affine& affine) {
    const std::string letters = affine.orientation();
    for (int i = 0; i < 3; ++i) {
      const char c = letters[static_cast<std::size_t>(i)];
      const std::size_t world = c == 'R' || c == 'L' ? 0 : c == 'A' || c == 'P' ? 1 : 2;
      axis[world] = i;
      positive[world] = c == "RAS"[world];
    }
  }
};

std::size_t world_axis(Plane plane) { return plane == Plane::sagittal ? 0 : plane == Plane::coronal ? 1 : 2; }

}  // namespace

int plane_axis(const Affine& affine, Plane plane) { return Orientation(affine).axis[world_axis(plane)]; }

Slice take_slice(const Array& volume, const Affine& affine, Plane plane, std::int64_t index, Display display) {
  require_3d(volume);
  const Orientation o(affine);
  const int normal = o.axis[world_axis(plane)];
  const Array cut = volume.to(Device::cpu()).slice(normal, index).cast(DType::f32);

  // The world axes along the screen: to the right and to the top.
  const std::size_t right = plane == Plane::sagittal ? 1 : 0, top = plane == Plane::axial ? 1 : 2;
  const bool right_is_positive = plane != Plane::sagittal && display == Display::neurological;
  Slice s;
  const int u = o.axis[right], v = o.axis[top];
  s.width = static_cast<int>(volume.extent(u));
  s.height = static_cast<int>(volume.extent(v));
  const auto size = affine.spacing();
  s.dx = size[static_cast<std::size_t>(u)], s.dy = size[static_cast<std::size_t>(v)];
  const std::string plus = "RAS", minus = "LPI";
  s.right = (right_is_positive ? plus : minus)[right], s.left = (right_is_positive ? minus : plus)[right];
  s.top = plus[top], s.bottom = minus[top];
  const bool flip_u = o.positive[right] != right_is_positive, flip_v = o.positive[top];  // rows run downwards

  const std::int64_t step_u = cut.strides()[u > normal ? static_cast<std::size_t>(u) - 1 : static_cast<std::size_t>(u)];
  const std::int64_t step_v = cut.strides()[v > normal ? static_cast<std::size_t>(v) - 1 : static_cast<std::size_t>(v)];
  const float* from = cut.data<float>();
  s.values.reserve(static_cast<std::size_t>(s.width) * static_cast<std::size_t>(s.height));
  for (int y = 0; y < s.height; ++y)
    for (int x = 0; x < s.width; ++x)
      s.values.push_back(from[(flip_u ? s.width - 1 - x : x) * step_u + (flip_v ? s.height - 1 - y : y) * step_v]);
  return s;
}

std::array<std::int64_t, 3> centre_voxel(const Array& volume) {
  require_3d(volume);
  const Array data = volume.to(Device::cpu()).cast(DType::f32).contiguous_copy();
  const float* v = data.data<float>();
  const std::int64_t nx = data.extent(0), ny = data.extent(1), nz = data.extent(2);
  const auto each = [&](auto&& f) {
    for (std::int64_t k = 0, at = 0; k < nz; ++k)
      for (std::int64_t j = 0; j < ny; ++j)
        for (std::int64_t i = 0; i < nx; ++i, ++at)
          if (std::isfinite(v[at]) && v[at] != 0)
            f(static_cast<double>(i), static_cast<double>(j), static_cast<double>(k));
  };
  double count = 0, ci = 0, cj = 0, ck = 0;
  each([&](double i, double j, double k) { ++count, ci += i, cj += j, ck += k; });
  if (count == 0) return {nx / 2, ny / 2, nz / 2};
  ci /= count, cj /= count, ck /= count;
  std::array<std::int64_t, 3> best{};
  double least = std::numeric_limits<double>::infinity();
  each([&](double i, double j, double k) {
    const double d = (i - ci) * (i - ci) + (j - cj) * (j - cj) + (k - ck) * (k - ck);
    if (d < least)
      least = d, best = {static_cast<std::int64_t>(i), static_cast<std::int64_t>(j), static_cast<std::int64_t>(k)};
  });
  return best;
}

Picture render_slice(const Slice& slice, const ColourScale& scale, int longest) {
  const auto size_of_pixel = [](double mm) { return std::isfinite(mm) && mm > 0 ? mm : 1.0; };
  const double dx = size_of_pixel(slice.dx), dy = size_of_pixel(slice.dy);
  const double wide = slice.width * dx, high = slice.height * dy;
  // No voxel may fall between pixels, and 4096 pixels are enough for any screen.
  double zoom = std::max({longest / std::max(wide, high), 1 / dx, 1 / dy});
  zoom = std::min(zoom, 4096 / std::max(wide, high));
  Picture p;
  p.width = std::max(1, static_cast<int>(std::lround(wide * zoom)));
  p.height = std::max(1, static_cast<int>(std::lround(high * zoom)));
  std::array<std::array<std::uint8_t, 3>, 256> table;
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = colour(scale.map, static_cast<double>(i) / 255);
  p.pixels.resize(static_cast<std::size_t>(p.width) * static_cast<std::size_t>(p.height) * 4);
  std::uint8_t* to = p.pixels.data();
  const double span = scale.window.hi - scale.window.lo;
  for (int y = 0; y < p.height; ++y) {
    const auto row = static_cast<std::int64_t>(y) * slice.height / p.height * slice.width;
    for (int x = 0; x < p.width; ++x, to += 4) {
      const float v =
          slice.values[static_cast<std::size_t>(row + static_cast<std::int64_t>(x) * slice.width / p.width)];
      if (std::isnan(v)) continue;  // transparent
      const double t = span > 0 ? std::clamp((v - scale.window.lo) / span, 0., 1.) : (v > scale.window.lo ? 1. : 0.);
      const auto& c = table[static_cast<std::size_t>(std::lround(255 * t))];
      to[0] = c[0], to[1] = c[1], to[2] = c[2], to[3] = 255;
    }
  }
  return p;
}

std::string png_uri(const Picture& picture) { return "data:image/png;base64," + base64(encode_png(picture)); }

std::string map_png_uri(const Slice& slice, const ColourScale& scale, int longest) {
  return png_uri(render_slice(slice, scale, longest));
}

namespace {

// The smallest picture that keeps every voxel, one pixel each; the browser enlarges it to the size in mm.
std::string image(const Slice& slice, const ColourScale& scale, double x, double y, double width, double height) {
  Slice square = slice;
  square.dx = square.dy = 1;
  return fmt::format(
      "<image x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" preserveAspectRatio=\"none\" "
      "style=\"image-rendering:pixelated\" href=\"{}\"/>",
      x, y, width, height, png_uri(render_slice(square, scale, 1)));
}

// Bar of 12 units with ticks to its right, its top at y.
std::string bar(const ColourScale& scale, double x, double y, double height) {
  Slice ramp{1, 256, 1, 1, {}, "", "", "", ""};
  for (int i = 255; i >= 0; --i) ramp.values.push_back(static_cast<float>(i) / 255);
  std::string out = image(ramp, {scale.map, {0, 1}}, x, y, 12, height);
  out += fmt::format(
      "<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"12\" height=\"{:.2f}\" fill=\"none\" stroke=\"currentColor\" "
      "stroke-opacity=\"0.4\"/>",
      x, y, height);
  const auto ticks = nice_ticks(scale.window.lo, scale.window.hi, std::max(2, static_cast<int>(height / 45)));
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : scale.window.hi - scale.window.lo;
  for (const double t : ticks) {
    const double at = y + (scale.window.hi - t) / (scale.window.hi - scale.window.lo) * height;
    out += svg::line(x + 12, at, x + 16, at, 0.6) + svg::text(x + 19, at + 4, "start", tick_text(t, step), 11.5);
  }
  return out;
}

double bar_width(const ColourScale& scale, const std::string& title) {
  double widest = 0;
  const auto ticks = nice_ticks(scale.window.lo, scale.window.hi, 5);
  for (const double t : ticks)
    widest = std::max(widest, svg::text_width(tick_text(t, ticks.size() > 1 ? ticks[1] - ticks[0] : 1)));
  // At least 84, so that maps in a column have one size whatever their ticks.
  // Capitals and brackets of a title are wider than the mean letter.
  return std::max({84.0, 24 + widest, 1.15 * svg::text_width(title, 12) + 4});
}

void check_window(const ColourScale& scale) {
  colour(scale.map, 0);
  if (!std::isfinite(scale.window.lo) || !std::isfinite(scale.window.hi) || !(scale.window.hi > scale.window.lo))
    throw Error(Errc::range, fmt::format("a colour window from {} to {}", scale.window.lo, scale.window.hi),
                "give lo < hi, for example from robust_range()");
}

// A dark panel with the map over its underlay.
std::string panel(const Slice& map, const std::optional<Slice>& below, Range below_window, const ColourScale& scale,
                  double x, double y, double width, double height) {
  std::string out = fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"/>", x,
                                y, width, height, background);
  if (below) out += image(*below, {"grey", below_window}, x, y, width, height);
  return out + image(map, scale, x, y, width, height);
}

std::string letter(double x, double y, std::string_view anchor, const std::string& content) {
  return svg::text(x, y, anchor, content, 11,
                   "style=\"fill:#fff;fill-opacity:.85;stroke:#000;stroke-opacity:.5;"
                   "stroke-width:2.5px;paint-order:stroke\"");
}

Range underlay_window(const Array* underlay) {
  if (!underlay) return {};
  const Array data = underlay->to(Device::cpu()).cast(DType::f32).contiguous_copy();
  return robust_range(data.span<float>(), 1, 99.5);
}

void check_underlay(const Array& volume, const Array* underlay) {
  if (underlay && underlay->shape() != volume.shape())
    throw Error(Errc::shape,
                "an underlay of " + to_string(underlay->shape()) + " below a map of " + to_string(volume.shape()),
                "give one volume on the grid of the map");
}

}  // namespace

std::string svg_colour_bar(const ColourScale& scale, const std::string& label, const std::string& unit, int height) {
  check_window(scale);
  const std::string title = svg::with_unit(label, unit);
  return svg::open(bar_width(scale, title) + 8, height, title) + svg::text(4, 15, "start", title, 12) +
         bar(scale, 4, 26, height - 36.0) + "</svg>";
}

std::string svg_ortho(const Array& volume, const Affine& affine, const MapView& view) {
  require_3d(volume);
  check_window(view.scale);
  check_underlay(volume, view.underlay);
  const auto at = view.at ? *view.at : centre_voxel(volume);
  const Orientation o(affine);
  constexpr Plane planes[] = {Plane::axial, Plane::coronal, Plane::sagittal};
  std::vector<Slice> slices;
  std::vector<std::optional<Slice>> below;
  double wide = 0, high = 0;
  for (const Plane plane : planes) {
    const auto index = at[static_cast<std::size_t>(plane_axis(affine, plane))];
    slices.push_back(take_slice(volume, affine, plane, index, view.display));
    below.push_back(view.underlay ? std::optional(take_slice(*view.underlay, affine, plane, index, view.display))
                                  : std::nullopt);
    wide += slices.back().width * slices.back().dx;
    high = std::max(high, slices.back().height * slices.back().dy);
  }
  const Range grey = underlay_window(view.underlay);
  const std::string title = svg::with_unit(view.label, view.unit);
  constexpr double gap = 8, head = 26;
  const double room = view.width - 3 * gap - 8 - bar_width(view.scale, title);
  const double zoom = std::min(std::max(room, 60.0) / wide, 300 / high);
  const double tall = std::max(high * zoom, 110.0);  // room for the colour bar beside a thin slab
  const double total = wide * zoom + 3 * gap + 8 + bar_width(view.scale, title);
  std::string out = svg::open(total, head + tall + 6, title);
  static constexpr const char* names[] = {"axial", "coronal", "sagittal"};
  double x = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const Slice& s = slices[i];
    const double w = s.width * s.dx * zoom, h = s.height * s.dy * zoom, y = head;
    const auto index = at[static_cast<std::size_t>(plane_axis(affine, planes[i]))];
    out += svg::text(x, head - 9, "start", fmt::format("{} {}", names[i], index), 11.5, "fill-opacity=\"0.8\"");
    out += panel(s, below[i], grey, view.scale, x, y, w, h);
    if (view.crosshair) {
      const std::size_t right = planes[i] == Plane::sagittal ? 1 : 0, top = planes[i] == Plane::axial ? 1 : 2;
      const auto place = [&](std::size_t world, bool towards_positive, int extent) {
        const auto voxel = static_cast<double>(at[static_cast<std::size_t>(o.axis[world])]) + 0.5;
        return o.positive[world] == towards_positive ? voxel / extent : 1 - voxel / extent;
      };
      const bool positive = planes[i] != Plane::sagittal && view.display == Display::neurological;
      const double cx = x + w * place(right, positive, s.width), cy = y + h * place(top, false, s.height);
      out += fmt::format(
          "<path d=\"M{0:.1f} {1:.1f}V{2:.1f}M{3:.1f} {4:.1f}H{5:.1f}\" stroke=\"#fff\" stroke-opacity=\"0.4\" "
          "stroke-width=\"0.8\" stroke-dasharray=\"3 3\" fill=\"none\"/>",
          cx, y, y + h, x, cy, x + w);
    }
    out += letter(x + 4, y + h / 2 + 4, "start", s.left) + letter(x + w - 4, y + h / 2 + 4, "end", s.right);
    if (h > 50) out += letter(x + w / 2, y + 12, "middle", s.top) + letter(x + w / 2, y + h - 4, "middle", s.bottom);
    x += w + gap;
  }
  out += svg::text(x + 8, head - 9, "start", title, 12) + bar(view.scale, x + 8, head, tall);
  return out + "</svg>";
}

std::string svg_lightbox(const Array& volume, const Affine& affine, const MapView& view, int at_most) {
  require_3d(volume);
  check_window(view.scale);
  check_underlay(volume, view.underlay);
  const int axis = plane_axis(affine, Plane::axial);
  // From foot to head over the slices that show something.
  std::vector<std::int64_t> filled;
  for (std::int64_t k = 0; k < volume.extent(axis); ++k) {
    const Slice s = take_slice(volume, affine, Plane::axial, k, view.display);
    if (std::any_of(s.values.begin(), s.values.end(), [](float v) { return std::isfinite(v) && v != 0; }))
      filled.push_back(k);
  }
  if (filled.empty()) filled.push_back(volume.extent(axis) / 2);
  if (!Orientation(affine).positive[2]) std::reverse(filled.begin(), filled.end());
  const auto count = std::min<std::size_t>(filled.size(), static_cast<std::size_t>(std::max(1, at_most)));
  std::vector<std::int64_t> shown;
  for (std::size_t i = 0; i < count; ++i)
    shown.push_back(filled[count == 1 ? filled.size() / 2 : i * (filled.size() - 1) / (count - 1)]);

  const Slice first = take_slice(volume, affine, Plane::axial, shown[0], view.display);
  const Range grey = underlay_window(view.underlay);
  const std::string title = svg::with_unit(view.label, view.unit);
  const std::size_t columns = std::min<std::size_t>(count, 6), rows = (count + columns - 1) / columns;
  constexpr double gap = 6, head = 26;
  const double mm_wide = first.width * first.dx, mm_high = first.height * first.dy;
  const double room = view.width - 8 - bar_width(view.scale, title) - gap * static_cast<double>(columns);
  const double zoom = std::min(std::max(room, 60.0) / static_cast<double>(columns) / mm_wide, 260 / mm_high);
  const double w = mm_wide * zoom, h = mm_high * zoom;
  const double tall = static_cast<double>(rows) * (h + gap) - gap;
  const double x_bar = static_cast<double>(columns) * (w + gap) + 8;
  std::string out = svg::open(x_bar + bar_width(view.scale, title), head + std::max(tall, 110.) + 6, title);
  out +=
      svg::text(0, head - 9, "start", fmt::format("axial slices, left = {}", first.left), 11.5, "fill-opacity=\"0.8\"");
  for (std::size_t i = 0; i < count; ++i) {
    const double x = static_cast<double>(i % columns) * (w + gap),
                 y = head + static_cast<double>(i / columns) * (h + gap);
    const auto below = view.underlay
                           ? std::optional(take_slice(*view.underlay, affine, Plane::axial, shown[i], view.display))
                           : std::nullopt;
    out += panel(take_slice(volume, affine, Plane::axial, shown[i], view.display), below, grey, view.scale, x, y, w, h);
    out += letter(x + 4, y + h - 5, "start", std::to_string(shown[i]));
  }
  out += svg::text(x_bar, head - 9, "start", title, 12) + bar(view.scale, x_bar, head, std::max(tall, 100.));
  return out + "</svg>";
}

}  // namespace larmor::io
