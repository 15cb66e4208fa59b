// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <cairo.h>

#include <string>

/// A little drawing language over cairo: lengths in points from the top left.
namespace larmor::clinic {

struct Colour {
  double r = 0, g = 0, b = 0, a = 1;
};
Colour colour(unsigned rgb, double alpha = 1);

struct Font {
  double size = 9;
  bool bold = false;
  Colour colour = {};
};

class Pen {
 public:
  explicit Pen(cairo_t* cr) : cr_(cr) {}
  enum class Align { left, centre, right };
  /// Writes on the base line at (x, y), cut with "..." when wider than `room` (0: any width). Returns the width.
  double text(double x, double y, const std::string& text, const Font& font, Align align = Align::left,
              double room = 0);
  /// As text, but what is too wide is written smaller, down to `least`, then in two lines of that size: for what must
  /// not be cut. The second line is cut when even that is not enough.
  void fitted(double x, double y, double room, const std::string& text, Font font, double least);
  /// Text with a dark edge all round, for pictures that are bright and dark below it.
  void edged(double x, double y, const std::string& text, const Font& font, Align align = Align::left);
  double width(const std::string& text, const Font& font);
  /// Breaks text into lines of at most `room`; returns the base line after the last.
  double paragraph(double x, double y, double room, const std::string& text, const Font& font, double leading,
                   int at_most = 99);
  void box(double x, double y, double w, double h, const Colour& fill, double radius = 0);
  void frame(double x, double y, double w, double h, const Colour& stroke, double line = 0.6);
  void line(double x0, double y0, double x1, double y1, const Colour& stroke, double width = 0.6);
  void dot(double x, double y, double radius, const Colour& fill);
  cairo_t* cairo() const { return cr_; }

 private:
  void use(const Font& font);
  cairo_t* cr_;
};

}  // namespace larmor::clinic
