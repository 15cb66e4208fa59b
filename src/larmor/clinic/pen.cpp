// SPDX-License-Identifier: Apache-2.0
#include <larmor/clinic/pen.hpp>
#include <numbers>
#include <vector>

namespace larmor::clinic {

Colour colour(unsigned rgb, double alpha) {
  return {((rgb >> 16) & 255) / 255.0, ((rgb >> 8) & 255) / 255.0, (rgb & 255) / 255.0, alpha};
}

void Pen::use(const Font& font) {
  cairo_select_font_face(cr_, "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                         font.bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
  cairo_set_font_size(cr_, font.size);
  cairo_set_source_rgba(cr_, font.colour.r, font.colour.g, font.colour.b, font.colour.a);
}

namespace {

// Cairo draws nothing at all once it has met a text that is no UTF-8 (the title of a table in Latin-1, say).
std::string whole(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t n = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    bool good = n > 0 && i + n <= text.size();
    for (std::size_t k = 1; good && k < n; ++k) good = (static_cast<unsigned char>(text[i + k]) & 0xc0) == 0x80;
    out += good ? text.substr(i, n) : "?";
    i += good ? n : 1;
  }
  return out;
}

}  // namespace

double Pen::width(const std::string& text, const Font& font) {
  use(font);
  cairo_text_extents_t e;
  cairo_text_extents(cr_, whole(text).c_str(), &e);
  return e.x_advance;
}

double Pen::text(double x, double y, const std::string& text, const Font& font, Align align, double room) {
  std::string shown = text;
  double w = width(shown, font);
  while (room > 0 && w > room && !shown.empty()) {
    // Whole UTF-8 characters go.
    do shown.pop_back();
    while (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xc0) == 0x80);
    if (!shown.empty() && (static_cast<unsigned char>(shown.back()) & 0xc0) == 0xc0) shown.pop_back();
    w = width(shown + "…", font);
    if (w <= room) {
      shown += "…";
      break;
    }
  }
  cairo_move_to(cr_, align == Align::left ? x : align == Align::right ? x - w : x - w / 2, y);
  cairo_show_text(cr_, whole(shown).c_str());
  return w;
}

void Pen::edged(double x, double y, const std::string& text, const Font& font, Align align) {
  const double w = width(text, font);
  // A path and no second text, which would be found and copied out of the page.
  cairo_new_path(cr_);
  cairo_move_to(cr_, align == Align::left ? x : align == Align::right ? x - w : x - w / 2, y);
  cairo_text_path(cr_, whole(text).c_str());
  cairo_set_source_rgba(cr_, 0, 0, 0, 0.75);
  cairo_set_line_width(cr_, 0.18 * font.size);
  cairo_set_line_join(cr_, CAIRO_LINE_JOIN_ROUND);
  cairo_stroke(cr_);
  this->text(x, y, text, font, align);
}

void Pen::fitted(double x, double y, double room, const std::string& text, Font font, double least) {
  while (font.size > least && width(text, font) > room) font.size -= 0.5;
  if (width(text, font) <= room) {
    this->text(x, y, text, font);
    return;
  }
  // As much as a line holds: up to its last space, unless that leaves most of it empty (identifiers have none).
  std::size_t full = 0;
  for (std::size_t i = 1; i <= text.size(); ++i) {
    if (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;  // inside of a character
    if (width(text.substr(0, i), font) > room) break;
    full = i;
  }
  const auto space = text.rfind(' ', full);
  const auto cut = space != std::string::npos && 2 * space > full ? space : full;
  this->text(x, y - 0.3 * font.size, text.substr(0, cut), font);
  this->text(x, y + 0.85 * font.size, text.substr(cut == space ? cut + 1 : cut), font, Align::left, room);
}

double Pen::paragraph(double x, double y, double room, const std::string& text, const Font& font, double leading,
                      int at_most) {
  std::vector<std::string> lines(1);
  std::size_t at = 0;
  while (at < text.size()) {
    const auto space = text.find(' ', at);
    const std::string word = text.substr(at, space == std::string::npos ? space : space - at);
    const std::string longer = lines.back().empty() ? word : lines.back() + " " + word;
    if (!lines.back().empty() && width(longer, font) > room)
      lines.push_back(word);
    else
      lines.back() = longer;
    at = space == std::string::npos ? text.size() : space + 1;
  }
  for (std::size_t i = 0; i < lines.size() && static_cast<int>(i) < at_most; ++i, y += leading) {
    const bool last = static_cast<int>(i) + 1 == at_most && i + 1 < lines.size();
    this->text(x, y, last ? lines[i] + " …" : lines[i], font, Align::left, room);
  }
  return y;
}

void Pen::box(double x, double y, double w, double h, const Colour& fill, double radius) {
  constexpr double quarter = std::numbers::pi / 2;
  cairo_new_path(cr_);
  if (radius > 0) {
    cairo_arc(cr_, x + w - radius, y + radius, radius, -quarter, 0);
    cairo_arc(cr_, x + w - radius, y + h - radius, radius, 0, quarter);
    cairo_arc(cr_, x + radius, y + h - radius, radius, quarter, 2 * quarter);
    cairo_arc(cr_, x + radius, y + radius, radius, 2 * quarter, 3 * quarter);
    cairo_close_path(cr_);
  } else {
    cairo_rectangle(cr_, x, y, w, h);
  }
  cairo_set_source_rgba(cr_, fill.r, fill.g, fill.b, fill.a);
  cairo_fill(cr_);
}

void Pen::frame(double x, double y, double w, double h, const Colour& stroke, double line) {
  cairo_rectangle(cr_, x, y, w, h);
  cairo_set_source_rgba(cr_, stroke.r, stroke.g, stroke.b, stroke.a);
  cairo_set_line_width(cr_, line);
  cairo_stroke(cr_);
}

void Pen::line(double x0, double y0, double x1, double y1, const Colour& stroke, double width) {
  cairo_move_to(cr_, x0, y0);
  cairo_line_to(cr_, x1, y1);
  cairo_set_source_rgba(cr_, stroke.r, stroke.g, stroke.b, stroke.a);
  cairo_set_line_width(cr_, width);
  cairo_stroke(cr_);
}

void Pen::dot(double x, double y, double radius, const Colour& fill) {
  cairo_new_path(cr_);
  cairo_arc(cr_, x, y, radius, 0, 2 * std::numbers::pi);
  cairo_set_source_rgba(cr_, fill.r, fill.g, fill.b, fill.a);
  cairo_fill(cr_);
}

}  // namespace larmor::clinic
