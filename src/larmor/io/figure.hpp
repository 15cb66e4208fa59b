// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <array>
#include <cstdint>
#include <larmor/data/image.hpp>
#include <larmor/io/png.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace larmor::io {

// Drawings for reports: strings of inline SVG without ids, scripts or external resources, so any number of them can
// stand in one page. Axes and text are drawn in `currentColor` and follow the page's light or dark theme.

struct Range {
  double lo = 0, hi = 1;
};

/// Percentiles of the finite values (linear between ranks), widened when they coincide; {0, 1} when none is finite.
/// Errors   Errc::range unless 0 <= low_percent < high_percent <= 100
Range robust_range(std::span<const float> values, double low_percent = 2, double high_percent = 98);
Range robust_range(std::span<const double> values, double low_percent = 2, double high_percent = 98);

/// Multiples of 1, 2 or 5 x 10^k inside [lo, hi], about `about` of them.
std::vector<double> nice_ticks(double lo, double hi, int about = 5);
/// The shortest text of a tick that tells it from its neighbours a `step` away.
std::string tick_text(double value, double step);
/// A symbol as printed: "v_e" -> v with a subscript e, "K^trans" and "Ktrans" -> K with a superscript trans (UTF-8
/// sub- and superscript letters; unchanged where Unicode has none).
std::string typeset(std::string_view symbol);

/// One curve. NaN breaks the line. `error` (same length, or empty) draws +- bars.
struct Series {
  enum class Draw { line, points, both, steps };
  std::string label = {};  // in the legend; none when empty
  std::vector<double> x = {}, y = {}, error = {};
  Draw draw = Draw::line;
  std::string colour = {};  // CSS colour; empty: next of the colour-blind-safe cycle (Okabe and Ito)
  bool dashed = false;
};

/// A thin line across the plot at one value, with a short text ("median", "baseline ends").
struct Marker {
  double at = 0;
  std::string label = {};
  bool vertical = true;
};

struct Plot {
  std::string title = {};                 // small, above the axes; may be empty
  std::string x_label = {}, x_unit = {};  // "Time", "s" -> "Time [s]"
  std::string y_label = {}, y_unit = {};
  std::optional<Range> x_range = {}, y_range = {};  // default: the finite data with a margin
  bool y_from_zero = false;                         // stretch the y range to hold 0
  std::vector<Marker> markers = {};
  // Of the viewBox; the drawing scales with its container. Letters have their natural size at about 900 for a full
  // figure of HtmlReport, 440 for two side by side and 300 for three.
  int width = 440, height = 280;
  bool legend = true;
};

/// Lines and points on axes with ticks, units and a legend.
/// Errors   Errc::shape when x, y or error of a series differ in length
std::string svg_curves(const Plot& plot, std::span<const Series> series);

/// Distribution of the finite values inside plot.x_range (default: 0.5th to 99.5th percentile). `bins` 0: Freedman and
/// Diaconis, Z. Wahrscheinlichkeitstheorie 57:453 (1981), 8 to 80 bins. Marks the median. The y axis counts voxels.
std::string svg_histogram(const Plot& plot, std::span<const float> values, int bins = 0);

enum class Plane { axial, coronal, sagittal };
/// Which side of the screen shows the subject's left: radiological puts it on the right (as if seen from the feet),
/// neurological on the left (as if seen from above). Sagittal slices show anterior on the left in both.
enum class Display { radiological, neurological };

/// A slice laid out as it is shown: rows from the top, first value top left.
struct Slice {
  int width = 0, height = 0;
  double dx = 1, dy = 1;                                     // pixel size [mm]
  std::vector<float> values = {};                            // height * width; NaN where there is none
  std::string left = {}, right = {}, top = {}, bottom = {};  // anatomical letters: "R", "L", "A", ...
};

/// Cuts (x, y, z) data of any real type along the volume axis nearest to the plane's normal and turns it by the affine
/// into display convention. `index` counts along that voxel axis. Oblique volumes are not resampled: the nearest axes
/// are shown. Errors   Errc::shape unless 3-D, Errc::range (index), Errc::type (complex)
Slice take_slice(const Array& volume, const Affine& affine, Plane plane, std::int64_t index,
                 Display display = Display::radiological);
/// The voxel axis (0, 1, 2) that runs across `plane`.
int plane_axis(const Affine& affine, Plane plane);
/// A voxel (i, j, k) worth showing: the finite, non-zero voxel nearest to the centre of all of them; the middle of the
/// grid when there is none.
std::array<std::int64_t, 3> centre_voxel(const Array& volume);

/// How values become colours. Values outside the window take the end colours; NaN is transparent.
struct ColourScale {
  std::string map = "viridis";  // one of io::colour()
  Range window = {};
};

/// RGBA picture, nearest-neighbour enlarged so that pixels have the aspect of dx : dy and the longer side has at least
/// `longest` pixels. Errors   Errc::unknown_name (map)
Picture render_slice(const Slice& slice, const ColourScale& scale, int longest = 256);
std::string png_uri(const Picture& picture);  // "data:image/png;base64,..."
std::string map_png_uri(const Slice& slice, const ColourScale& scale, int longest = 256);

/// Vertical colour bar with ticks and, above it, "label [unit]".
std::string svg_colour_bar(const ColourScale& scale, const std::string& label, const std::string& unit,
                           int height = 260);

/// Three orthogonal slices through one voxel with orientation letters, slice positions and a colour bar: one figure.
struct MapView {
  std::string label = {}, unit = {};  // of the colour bar: "Ktrans", "1/min"
  ColourScale scale = {};             // window: see robust_range
  Display display = Display::radiological;
  std::optional<std::array<std::int64_t, 3>> at = {};  // default: centre_voxel(volume)
  const Array* underlay = nullptr;                     // grey picture below, same grid, seen where the map is NaN
  bool crosshair = true;                               // thin lines where the other two slices lie
  int width = 900;  // of the viewBox at most, as in Plot: 900 full, 440 for two side by side
};
std::string svg_ortho(const Array& volume, const Affine& affine, const MapView& view);

/// Every n-th axial slice of a volume in one figure, with one colour bar ("lightbox").
std::string svg_lightbox(const Array& volume, const Affine& affine, const MapView& view, int at_most = 12);

}  // namespace larmor::io
