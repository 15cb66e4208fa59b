// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/io/figure.hpp>
#include <limits>

#include "support.hpp"

using namespace larmor;
using namespace larmor::io;
using namespace larmor::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace {

const float nan_f = std::numeric_limits<float>::quiet_NaN();

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++n;
  return n;
}

/// Every tag is closed in order: what a browser needs to show an inline drawing.
void expect_well_formed(const std::string& svg) {
  std::vector<std::string> open;
  for (auto at = svg.find('<'); at != std::string::npos; at = svg.find('<', at + 1)) {
    const auto end = svg.find('>', at);
    ASSERT_NE(end, std::string::npos);
    if (svg[at + 1] == '/') {
      ASSERT_FALSE(open.empty());
      EXPECT_EQ(svg.substr(at + 2, end - at - 2), open.back());
      open.pop_back();
    } else if (svg[end - 1] != '/') {
      open.push_back(svg.substr(at + 1, svg.find_first_of(" >", at) - at - 1));
    }
  }
  EXPECT_TRUE(open.empty());
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf\"")));
  EXPECT_THAT(svg, Not(HasSubstr(" id=")));
}

/// (x, y, z) with the value 100 i + 10 j + k.
Array coded(std::int64_t nx, std::int64_t ny, std::int64_t nz) {
  Array a = Array::of<float>({nx, ny, nz});
  float* v = a.data<float>();
  for (std::int64_t k = 0; k < nz; ++k)
    for (std::int64_t j = 0; j < ny; ++j)
      for (std::int64_t i = 0; i < nx; ++i) *v++ = static_cast<float>(100 * i + 10 * j + k);
  return a;
}

}  // namespace

TEST(Figure, RobustRangeIsPercentilesOfWhatIsFinite) {
  std::vector<float> v;
  for (int i = 0; i <= 100; ++i) v.push_back(static_cast<float>(i));
  v.push_back(nan_f);
  v.push_back(std::numeric_limits<float>::infinity());
  const auto r = robust_range(v, 2, 98);
  EXPECT_DOUBLE_EQ(r.lo, 2);
  EXPECT_DOUBLE_EQ(r.hi, 98);
  EXPECT_DOUBLE_EQ(robust_range(std::vector<double>{1, 2}, 25, 75).lo, 1.25);
  // Always a window that can be used.
  const auto flat = robust_range(std::vector<float>{3, 3, 3});
  EXPECT_LT(flat.lo, 3);
  EXPECT_GT(flat.hi, 3);
  EXPECT_EQ(robust_range(std::vector<float>{nan_f}).hi, 1);
  EXPECT_EQ(robust_range(std::span<const float>{}).lo, 0);
  EXPECT_EQ(caught([&] { robust_range(v, 50, 50); }).code(), Errc::range);
  EXPECT_EQ(caught([&] { robust_range(v, -1, 50); }).code(), Errc::range);
}

TEST(Figure, TicksAreRoundAndInside) {
  std::mt19937 rng(2);
  std::uniform_real_distribution<double> exponent(-8, 8), sign(-1, 1);
  for (int i = 0; i < 1000; ++i) {
    const double lo = sign(rng) * std::pow(10, exponent(rng)), hi = lo + std::pow(10, exponent(rng));
    const auto ticks = nice_ticks(lo, hi, 5);
    ASSERT_GE(ticks.size(), 2u) << lo << " " << hi;
    ASSERT_LE(ticks.size(), 10u);
    const double step = ticks[1] - ticks[0], slack = 1e-6 * step + 1e-12 * std::abs(hi);
    EXPECT_GE(ticks.front(), lo - slack);
    EXPECT_LE(ticks.back(), hi + slack);
    if (std::abs(lo) < 1e3 * (hi - lo)) {
      for (std::size_t k = 1; k < ticks.size(); ++k)  // neighbours read differently
        EXPECT_NE(tick_text(ticks[k], step), tick_text(ticks[k - 1], step)) << lo << " " << hi;
    }
  }
  EXPECT_THAT(nice_ticks(0, 1, 5), ElementsAre(0, testing::DoubleEq(0.2), testing::DoubleEq(0.4),
                                               testing::DoubleEq(0.6), testing::DoubleEq(0.8), 1));
  EXPECT_TRUE(nice_ticks(1, 1).empty());
  EXPECT_TRUE(nice_ticks(0, std::nan("")).empty());
}

TEST(Figure, TickTexts) {
  EXPECT_EQ(tick_text(0.25, 0.05), "0.25");
  EXPECT_EQ(tick_text(1, 0.5), "1.0");
  EXPECT_EQ(tick_text(-20, 10), "\u221220");
  EXPECT_EQ(tick_text(12000, 2000), "12,000");
  EXPECT_EQ(tick_text(2e-6, 1e-6), "2\u00d710\u207b\u2076");
  EXPECT_EQ(tick_text(1e7, 1e7), "10\u2077");
  EXPECT_EQ(tick_text(1e-17, 0.1), "0");
}

TEST(Figure, Symbols) {
  EXPECT_EQ(typeset("v_e"), "v\u2091");
  EXPECT_EQ(typeset("Ktrans"), "K\u1d57\u02b3\u1d43\u207f\u02e2");
  EXPECT_EQ(typeset("T_10"), "T\u2081\u2080");
  EXPECT_EQ(typeset("v_Q"), "v_Q");  // Unicode has no such subscript
  EXPECT_EQ(typeset("kep"), "kep");
}

TEST(Figure, CurvesAreDrawnAndBrokenAtNaN) {
  const std::vector<Series> series{
      {.label = "fit <1>", .x = {0, 1, 2, 3}, .y = {0, 1, NAN, 2}, .error = {}, .draw = Series::Draw::line},
      {.label = "data",
       .x = {0, 1, 2, 3},
       .y = {0.1, 0.9, 1.5, INFINITY},
       .error = {0.1, 0.1, 0.1, 0.1},
       .draw = Series::Draw::points}};
  Plot plot{.title = "Voxel & fit", .x_label = "Time", .x_unit = "s", .y_label = "C", .y_unit = "mM"};
  plot.markers = {{1.5, "bolus", true}, {1, "", false}, {99, "outside", true}};
  const std::string svg = svg_curves(plot, series);
  expect_well_formed(svg);
  EXPECT_THAT(svg, HasSubstr("Time [s]"));
  EXPECT_THAT(svg, HasSubstr("C [mM]"));
  EXPECT_THAT(svg, HasSubstr("fit &lt;1&gt;"));
  EXPECT_THAT(svg, HasSubstr("Voxel &amp; fit"));
  EXPECT_THAT(svg, HasSubstr("bolus"));
  EXPECT_THAT(svg, Not(HasSubstr("outside")));
  EXPECT_EQ(count(svg, "<circle"), 3u + 1u);  // three finite points and one in the legend
  const auto path = svg.substr(svg.find("<path"), 200);
  EXPECT_EQ(count(path.substr(0, path.find("fill")), "M"), 2u);  // lifted once
  auto bad = series;
  bad[0].y.pop_back();
  EXPECT_EQ(caught([&] { svg_curves(plot, bad); }).code(), Errc::shape);
}

TEST(Figure, EmptyAndConstantCurvesAreStillPlots) {
  expect_well_formed(svg_curves({}, {}));
  const std::vector<Series> flat{{.label = "", .x = {1}, .y = {0}, .error = {}},
                                 {.label = "", .x = {1}, .y = {NAN}, .error = {}}};
  expect_well_formed(svg_curves({}, flat));
  const std::vector<Series> wild{{.label = "", .x = {0, 1e300}, .y = {-1e300, 1e300}, .error = {}}};
  expect_well_formed(svg_curves({.x_range = Range{0, 1}, .y_range = Range{0, 1}}, wild));
}

TEST(Figure, HistogramCountsEveryVoxelInTheWindow) {
  std::vector<float> values;
  std::mt19937 rng(1);
  std::normal_distribution<float> gauss(5, 1);
  for (int i = 0; i < 5000; ++i) values.push_back(gauss(rng));
  values.push_back(nan_f);
  const Plot plot{.x_label = "v", .x_range = Range{0, 10}, .width = 560, .height = 320};
  const std::string svg = svg_histogram(plot, values, 10);
  expect_well_formed(svg);
  EXPECT_THAT(svg, HasSubstr("median 5.0"));
  EXPECT_THAT(svg, HasSubstr("Voxels"));
  // Heights are in proportion to the counts: their sum over the tallest is the count over the largest count.
  std::vector<double> heights;
  for (auto at = svg.find("<rect"); at != std::string::npos; at = svg.find("<rect", at + 1))
    heights.push_back(std::stod(svg.substr(svg.find("height=\"", at) + 8)));
  std::vector<double> counts(10);
  for (const float v : values)
    if (v >= 0 && v <= 10) ++counts[std::min<std::size_t>(static_cast<std::size_t>(v), 9)];
  double sum = 0, tallest = 0, total = 0, largest = 0;
  for (const double h : heights) sum += h, tallest = std::max(tallest, h);
  for (const double c : counts) total += c, largest = std::max(largest, c);
  EXPECT_NEAR(sum / tallest, total / largest, 0.01);  // heights have one decimal of about 250
  expect_well_formed(svg_histogram({}, values));
  expect_well_formed(svg_histogram({}, {}));
  expect_well_formed(svg_histogram({}, std::vector<float>(10, 2.f)));
}

TEST(Figure, HistogramOfAFewCasesShowsTheWorst) {
  std::vector<float> values{0.2f};
  for (int i = 0; i < 12; ++i) values.push_back(0.9f + 0.003f * static_cast<float>(i));
  const std::string svg = svg_histogram({.width = 560, .height = 320}, values, 40);
  double sum = 0, tallest = 0;
  for (auto at = svg.find("<rect"); at != std::string::npos; at = svg.find("<rect", at + 1)) {
    const double h = std::stod(svg.substr(svg.find("height=\"", at) + 8));
    sum += h, tallest = std::max(tallest, h);
  }
  // A bin is 0.0183 wide: 0.9 to 0.933 fill two of them, seven in the fuller one.
  EXPECT_NEAR(sum / tallest, 13.0 / 7, 0.02);
  // The median of an even number is the mean of the two in the middle.
  const std::vector<float> four{0, 1, 2, 10};
  EXPECT_THAT(svg_histogram({.width = 560, .height = 320}, four, 10), HasSubstr("median 1.5"));
  // Cases are counted in whole numbers: no two ticks are called the same.
  for (int n = 0; n <= 7; ++n) {
    const auto tick = ">" + std::to_string(n) + "</text>";
    const auto first = svg.find(tick);
    EXPECT_EQ(first == std::string::npos ? first : svg.find(tick, first + 1), std::string::npos) << n;
  }
}

TEST(Figure, SlicesAreLaidOutForTheDisplay) {
  const Array v = coded(4, 3, 2);  // RAS: i to the right, j to the front, k up
  const Slice axial = take_slice(v, Affine::scaling(1, 2, 3), Plane::axial, 1);
  EXPECT_EQ(axial.width, 4);
  EXPECT_EQ(axial.height, 3);
  EXPECT_EQ(axial.dy, 2);
  // Radiological: the subject's right on the left of the screen, the front on top.
  EXPECT_EQ(axial.left + axial.right + axial.top + axial.bottom, "RLAP");
  EXPECT_EQ(axial.values.front(), 321);
  EXPECT_EQ(axial.values.back(), 1);
  const Slice neuro = take_slice(v, Affine{}, Plane::axial, 1, Display::neurological);
  EXPECT_EQ(neuro.left + neuro.right, "LR");
  EXPECT_EQ(neuro.values.front(), 21);
  const Slice coronal = take_slice(v, Affine{}, Plane::coronal, 2);
  EXPECT_EQ(coronal.left + coronal.right + coronal.top + coronal.bottom, "RLSI");
  EXPECT_EQ(coronal.values.front(), 321);
  const Slice sagittal = take_slice(v, Affine{}, Plane::sagittal, 3);
  EXPECT_EQ(sagittal.left + sagittal.right + sagittal.top + sagittal.bottom, "APSI");
  EXPECT_THAT(sagittal.values, ElementsAre(321, 311, 301, 320, 310, 300));
}

TEST(Figure, TheSameBodyLooksTheSameHoweverItWasScanned) {
  // Store one volume in all 48 axis orders and directions, with the affine that says so: every plane shows the same.
  const Array v = coded(4, 3, 2);
  const Affine base = Affine::scaling(1, 2, 3);
  const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const auto& order : orders)
    for (int flips = 0; flips < 8; ++flips) {
      const Array turned = v.permuted(std::vector<int>(order, order + 3)).contiguous_copy();
      Array stored = turned.clone();
      Affine affine;
      affine.m[3] = {0, 0, 0, 1};
      for (std::size_t r = 0; r < 3; ++r) affine.m[r] = {0, 0, 0, 0};
      std::array<std::int64_t, 3> n{turned.extent(0), turned.extent(1), turned.extent(2)};
      for (std::size_t a = 0; a < 3; ++a) {
        const auto world = static_cast<std::size_t>(order[a]);
        const bool flip = flips >> a & 1;
        affine.m[world][a] = base.m[world][world] * (flip ? -1 : 1);
        if (flip) affine.m[world][3] = base.m[world][world] * static_cast<double>(n[a] - 1);
      }
      for (std::int64_t k = 0; k < n[2]; ++k)
        for (std::int64_t j = 0; j < n[1]; ++j)
          for (std::int64_t i = 0; i < n[0]; ++i) {
            const auto f = [&](int a, std::int64_t x) {
              return flips >> a & 1 ? n[static_cast<std::size_t>(a)] - 1 - x : x;
            };
            stored.data<float>()[f(0, i) + n[0] * (f(1, j) + n[1] * f(2, k))] =
                turned.data<float>()[i + n[0] * (j + n[1] * k)];
          }
      for (const Plane plane : {Plane::axial, Plane::coronal, Plane::sagittal}) {
        const int axis = plane_axis(affine, plane), base_axis = plane_axis(base, plane);
        EXPECT_EQ(order[axis], base_axis);
        const bool flip = flips >> axis & 1;
        const Slice a = take_slice(stored, affine, plane, flip ? n[static_cast<std::size_t>(axis)] - 1 : 0);
        const Slice b = take_slice(v, base, plane, 0);
        EXPECT_EQ(a.values, b.values);
        EXPECT_EQ(a.left + a.right + a.top + a.bottom, b.left + b.right + b.top + b.bottom);
        EXPECT_EQ(a.dx, b.dx);
        EXPECT_EQ(a.dy, b.dy);
      }
    }
}

TEST(Figure, PicturesKeepAspectAndShowNaNAsNothing) {
  Slice s{2, 1, 1, 4, {0, nan_f}, "", "", "", ""};
  const Picture p = render_slice(s, {"grey", {0, 1}}, 100);
  EXPECT_EQ(p.height, 100);
  EXPECT_EQ(p.width, 50);
  EXPECT_EQ(p.pixels[3], 255);                                        // 0: black and opaque
  EXPECT_EQ(p.pixels[4 * 49 + 3], 0);                                 // NaN: clear
  EXPECT_EQ(render_slice(s, {"grey", {-1, 1}}, 100).pixels[0], 128);  // middle of the window
  EXPECT_EQ(render_slice(s, {"grey", {0, 0}}, 100).pixels[0], 0);     // no window: lower end, no division by 0
  EXPECT_EQ(caught([&] { render_slice(s, {"gray-ish", {0, 1}}, 10); }).code(), Errc::unknown_name);
  // Many voxels: none is lost between pixels.
  Slice row{300, 1, 0.5, 0.5, std::vector<float>(300, 1.f), "", "", "", ""};
  EXPECT_EQ(render_slice(row, {"grey", {0, 1}}, 100).width, 300);
}

TEST(Figure, DataUriIsAPng) {
  const std::string uri = map_png_uri(Slice{1, 1, 1, 1, {0.5f}, "", "", "", ""}, {"viridis", {0, 1}}, 1);
  ASSERT_TRUE(uri.starts_with("data:image/png;base64,iVBORw0KGgo"));  // the PNG mark
  // Decoded by the base64 program: the bytes the encoder made.
  TempFolder dir;
  spill(dir / "a.b64", uri.substr(22));
  ASSERT_EQ(std::system(("base64 -d " + (dir / "a.b64").string() + " > " + (dir / "a.png").string()).c_str()), 0);
  const Picture p = read_png(dir / "a.png");
  const auto middle = colour("viridis", 128. / 255);
  EXPECT_EQ(p.pixels, (std::vector<std::uint8_t>{middle[0], middle[1], middle[2], 255}));
}

TEST(Figure, CentreVoxelIsOneThatShows) {
  Array v = Array::of<float>({10, 10, 10});
  EXPECT_THAT(centre_voxel(v), ElementsAre(5, 5, 5));
  // A ring has its centre of mass in its hole.
  for (std::int64_t i = 0; i < 10; ++i)
    for (std::int64_t j = 0; j < 10; ++j) {
      const double r = std::hypot(static_cast<double>(i) - 4.5, static_cast<double>(j) - 4.5);
      v.data<float>()[i + 10 * j + 200] = r > 3 && r < 4.5 ? 1.f : 0.f;
    }
  const auto c = centre_voxel(v);
  EXPECT_EQ(c[2], 2);
  EXPECT_EQ(v.data<float>()[c[0] + 10 * c[1] + 100 * c[2]], 1);
}

TEST(Figure, OrthogonalViews) {
  const Array v = coded(4, 3, 2);
  MapView view{.label = "Ktrans", .unit = "1/min", .scale = {"viridis", {0, 300}}};
  const std::string plain = svg_ortho(v, Affine{}, view);
  expect_well_formed(plain);
  EXPECT_EQ(count(plain, "<image"), 3u + 1u);
  EXPECT_THAT(plain, HasSubstr("Ktrans [1/min]"));
  EXPECT_THAT(plain, Not(HasSubstr("http://www.w3.org/1999")));
  view.underlay = &v;
  view.display = Display::neurological;
  EXPECT_EQ(count(svg_ortho(v, Affine{}, view), "<image"), 6u + 1u);
  const std::string box = svg_lightbox(v, Affine{}, view, 12);
  expect_well_formed(box);
  EXPECT_EQ(count(box, "<image"), 2 * 2u + 1u);
  EXPECT_EQ(count(svg_lightbox(coded(2, 2, 40), Affine{}, {.label = "", .unit = "", .scale = {"viridis", {0, 1}}}, 9),
                  "<image"),
            9u + 1u);
  expect_well_formed(svg_colour_bar({"inferno", {-0.1, 0.3}}, "T1", "s"));

  // No wider than asked, whatever the ticks.
  for (const int width : {300, 440, 900})
    for (const double hi : {1.0, 1e-7, 20000.0}) {
      view.width = width, view.scale.window = {0, hi};
      for (const auto& svg : {svg_ortho(v, Affine{}, view), svg_lightbox(v, Affine{}, view)})
        EXPECT_LE(std::stod(svg.substr(svg.find("viewBox=\"0 0 ") + 13)), width + 1) << hi;
    }

  const Array other = coded(2, 2, 2);
  view.underlay = &other;
  EXPECT_EQ(caught([&] { svg_ortho(v, Affine{}, view); }).code(), Errc::shape);
  view.underlay = nullptr;
  view.scale.window = {1, 1};
  EXPECT_EQ(caught([&] { svg_ortho(v, Affine{}, view); }).code(), Errc::range);
  EXPECT_EQ(caught([&] { svg_colour_bar({"viridis", {0, NAN}}, "", ""); }).code(), Errc::range);
  EXPECT_EQ(caught([&] { take_slice(Array::of<float>({2, 2, 2, 3}), Affine{}, Plane::axial, 0); }).code(), Errc::shape);
  EXPECT_EQ(caught([&] { take_slice(v, Affine{}, Plane::axial, 2); }).code(), Errc::range);
  EXPECT_EQ(caught([&] {
              take_slice(Array::of<std::complex<float>>({2, 2, 2}), Affine{}, Plane::axial, 0);
            }).code(),
            Errc::type);
}
