// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/clinic/derive.hpp>
#include <larmor/clinic/pen.hpp>
#include <larmor/clinic/planes.hpp>

namespace larmor::clinic {
namespace {

constexpr const char* titles[] = {"Axial", "Coronal", "Sagittal"};

Colour structure_colour(const Structure& s, double alpha) {
  return {s.rgb[0] / 255.0, s.rgb[1] / 255.0, s.rgb[2] / 255.0, alpha};
}

void draw_grey(Pen& pen, const io::Slice& s, const io::Range& window, double x, double y, double w, double h) {
  cairo_t* cr = pen.cairo();
  cairo_surface_t* picture = cairo_image_surface_create(CAIRO_FORMAT_RGB24, s.width, s.height);
  cairo_surface_flush(picture);
  unsigned char* rows = cairo_image_surface_get_data(picture);
  const int stride = cairo_image_surface_get_stride(picture);
  for (int j = 0; j < s.height; ++j) {
    auto* row = reinterpret_cast<std::uint32_t*>(rows + static_cast<std::ptrdiff_t>(j) * stride);
    for (int i = 0; i < s.width; ++i) {
      const double v =
          s.values[static_cast<std::size_t>(j) * static_cast<std::size_t>(s.width) + static_cast<std::size_t>(i)];
      const double t = std::isfinite(v) ? std::clamp((v - window.lo) / (window.hi - window.lo), 0.0, 1.0) : 0;
      const auto g = static_cast<std::uint32_t>(std::lround(t * 255));
      row[i] = (g << 16) | (g << 8) | g;
    }
  }
  cairo_surface_mark_dirty(picture);
  cairo_save(cr);
  cairo_rectangle(cr, x, y, w, h);
  cairo_clip(cr);
  cairo_translate(cr, x, y);
  cairo_scale(cr, w / s.width, h / s.height);
  cairo_set_source_surface(cr, picture, 0, 0);
  cairo_pattern_set_filter(cairo_get_source(cr), CAIRO_FILTER_BILINEAR);
  cairo_pattern_set_extend(cairo_get_source(cr), CAIRO_EXTEND_PAD);
  cairo_paint(cr);
  cairo_restore(cr);
  cairo_surface_destroy(picture);
}

// A faint fill and a crisp line along the edges of its pixels.
void draw_labels(Pen& pen, const io::Slice& s, double x, double y, double w, double h) {
  cairo_t* cr = pen.cairo();
  const double px = w / s.width, py = h / s.height;
  const auto at = [&](int i, int j) {
    if (i < 0 || j < 0 || i >= s.width || j >= s.height) return 0;
    return static_cast<int>(
        s.values[static_cast<std::size_t>(j) * static_cast<std::size_t>(s.width) + static_cast<std::size_t>(i)]);
  };
  for (const auto& structure : structures()) {
    const auto fill = structure_colour(structure, 0.30), edge = structure_colour(structure, 1);
    cairo_new_path(cr);
    for (int j = 0; j < s.height; ++j)
      for (int i = 0; i < s.width; ++i) {
        if (at(i, j) != structure.label) continue;
        int end = i;
        while (end + 1 < s.width && at(end + 1, j) == structure.label) ++end;
        cairo_rectangle(cr, x + i * px, y + j * py, (end - i + 1) * px, py);
        i = end;
      }
    cairo_set_source_rgba(cr, fill.r, fill.g, fill.b, fill.a);
    cairo_fill(cr);
    for (int j = 0; j < s.height; ++j)
      for (int i = 0; i < s.width; ++i) {
        if (at(i, j) != structure.label) continue;
        const double l = x + i * px, r = l + px, t = y + j * py, b = t + py;
        const auto side = [&](int ni, int nj, double x0, double y0, double x1, double y1) {
          if (at(ni, nj) == structure.label) return;
          cairo_move_to(cr, x0, y0);
          cairo_line_to(cr, x1, y1);
        };
        side(i - 1, j, l, t, l, b), side(i + 1, j, r, t, r, b), side(i, j - 1, l, t, r, t), side(i, j + 1, l, b, r, b);
      }
    cairo_set_source_rgba(cr, edge.r, edge.g, edge.b, edge.a);
    cairo_set_line_width(cr, 0.9);
    cairo_set_line_cap(cr, CAIRO_LINE_CAP_ROUND);
    cairo_stroke(cr);
  }
}

void draw_letters(Pen& pen, const io::Slice& s, double x, double y, double w, double h) {
  const Font font{9, true, colour(0xffffff)};
  const auto put = [&](double at_x, double at_y, const std::string& letter, Pen::Align align) {
    pen.edged(at_x, at_y, letter, font, align);
  };
  put(x + 4, y + h / 2 + 3, s.left, Pen::Align::left);
  put(x + w - 4, y + h / 2 + 3, s.right, Pen::Align::right);
  put(x + w / 2, y + 11, s.top, Pen::Align::centre);
  put(x + w / 2, y + h - 4, s.bottom, Pen::Align::centre);
}

}  // namespace

io::Range grey_window(const Image& image) {
  const Array values = image.data.cast(DType::f32).contiguous_copy();
  return io::robust_range(values.span<float>(), 1, 99);
}

std::array<PlaneView, 3> plane_views(const Side& side) {
  const auto at = io::centre_voxel(side.labels.data);
  std::array<PlaneView, 3> out;
  const io::Plane planes[] = {io::Plane::axial, io::Plane::coronal, io::Plane::sagittal};
  for (std::size_t k = 0; k < 3; ++k) {
    const auto axis = static_cast<std::size_t>(io::plane_axis(side.image.affine, planes[k]));
    out[k] = {planes[k], io::take_slice(side.image.data, side.image.affine, planes[k], at[axis]),
              io::take_slice(side.labels.data, side.image.affine, planes[k], at[axis]), at[axis]};
  }
  return out;
}

void draw_planes(Pen& pen, const Side& side, double x, double y, double w, double h) {
  constexpr double gap = 8;
  const auto views = plane_views(side);
  const auto window = grey_window(side.image);
  const double cell = (w - 2 * gap) / 3;
  // One scale for the three planes.
  double zoom = 1e9;
  for (const auto& v : views)
    zoom = std::min({zoom, cell / (v.grey.width * v.grey.dx), h / (v.grey.height * v.grey.dy)});
  for (std::size_t k = 0; k < 3; ++k) {
    const double cx = x + static_cast<double>(k) * (cell + gap);
    pen.box(cx, y, cell, h, colour(0x05090c), 3);
    const auto& v = views[k];
    const double pw = v.grey.width * v.grey.dx * zoom, ph = v.grey.height * v.grey.dy * zoom;
    const double px = cx + (cell - pw) / 2, py = y + (h - ph) / 2;
    draw_grey(pen, v.grey, window, px, py, pw, ph);
    draw_labels(pen, v.labels, px, py, pw, ph);
    draw_letters(pen, v.grey, cx, y, cell, h);
    pen.edged(cx + 5, y + 11, fmt::format("{} {}", titles[k], v.index + 1), {7, false, colour(0xffffff)});
  }
  const double bar = 10 * zoom, bx = x + w - 7 - bar, by = y + h - 8;
  pen.line(bx - 0.7, by, bx + bar + 0.7, by, colour(0x000000), 2.8);
  pen.line(bx, by, bx + bar, by, colour(0xffffff), 1.4);
  pen.edged(bx + bar / 2, by - 3.5, "10 mm", {6.5, false, colour(0xffffff)}, Pen::Align::centre);
}

}  // namespace larmor::clinic
