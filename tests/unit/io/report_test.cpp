// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <larmor/io/figure.hpp>
#include <larmor/io/report.hpp>

#include "support.hpp"

using namespace larmor;
using namespace larmor::io;
using namespace larmor::test;
using testing::HasSubstr;
using testing::Not;

namespace {

double gamma_like(double t) { return t < 20 ? 0 : std::pow((t - 20) / 8, 2) * std::exp(-(t - 20) / 8); }

/// A report of the kind the DCE command makes, on a phantom: a head with a ring of tissue and an enhancing lesion.
HtmlReport example() {
  const std::int64_t nx = 64, ny = 72, nz = 20;
  Array map = Array::of<float>({nx, ny, nz}), T1w = Array::of<float>({nx, ny, nz});
  std::mt19937 rng(3);
  std::normal_distribution<float> noise(0, 1);
  std::vector<float> inside;
  for (std::int64_t k = 0; k < nz; ++k)
    for (std::int64_t j = 0; j < ny; ++j)
      for (std::int64_t i = 0; i < nx; ++i) {
        const double x = (static_cast<double>(i) - 31.5) / 26, y = (static_cast<double>(j) - 35.5) / 32,
                     z = (static_cast<double>(k) - 9.5) / 10;
        const double r = std::sqrt(x * x + y * y + z * z), l = std::hypot(x - 0.35, y - 0.2, z) / 0.28;
        const auto at = i + nx * (j + ny * k);
        const double ventricle = std::hypot(x / 0.35, (y + 0.1) / 0.45, z / 0.5);
        T1w.data<float>()[at] = r > 1.12 ? 2 * std::abs(noise(rng))
                                : r > 1  ? 160 + 6 * noise(rng)
                                : ventricle < 0.7
                                    ? 40 + 4 * noise(rng)
                                    : 100 + 15 * static_cast<float>(std::sin(9 * x) * std::cos(8 * y)) + 4 * noise(rng);
        float v = std::nanf("");
        if (r < 0.93 && ventricle >= 0.7)
          v = static_cast<float>(0.04 + 0.02 * std::sin(5 * x) + (l < 1 ? 0.25 * (1 - l * l) + 0.05 : 0)) +
              0.006f * noise(rng);
        map.data<float>()[at] = v;
        if (!std::isnan(v)) inside.push_back(v);
      }
  const Affine affine = Affine::scaling(-3, 3, 5);
  HtmlReport r("DCE perfusion", "sub-01 \u00b7 extended Tofts \u00b7 64 x 72 x 20 voxels, 60 frames");
  r.tiles({{"98.7", "%", "voxels fitted", Tile::Mood::good},
           {"31,204", "", "voxels in the mask"},
           {"0.062", "1/min", "median " + typeset("Ktrans")},
           {"1.21", "M voxels/s", "fit speed"},
           {"397", "", "voxels failed", Tile::Mood::warning}});
  r.key_values({{"Dynamic", "sub-01_dce.nii.gz"},
                {"AIF", "Parker 2006, Hct 0.42, delay 3.1 s"},
                {"Baseline T1", "variable flip angle, 5 angles"}});
  r.section("Maps", "Radiological display: the subject's right is on the left. Grey: mean of the baseline frames.");
  const Range window = robust_range(inside);
  r.figure(
      {svg_ortho(map, affine,
                 {.label = typeset("Ktrans"), .unit = "1/min", .scale = {"viridis", {0, window.hi}}, .underlay = &T1w}),
       "Volume transfer constant. Voxels without a fit are transparent.", typeset("Ktrans")});
  r.figure(
      {svg_lightbox(map, affine,
                    {.label = typeset("v_e"), .unit = "1", .scale = {"inferno", {0, window.hi}}, .underlay = &T1w}),
       "Extravascular extracellular volume fraction, every second slice.", typeset("v_e")});
  r.section("Distributions");
  r.figures({{svg_histogram({.x_label = typeset("Ktrans"), .x_unit = "1/min"}, inside), "All fitted voxels.", ""},
             {svg_histogram({.x_label = typeset("v_p"), .x_unit = "1"}, inside), "All fitted voxels.", ""}});
  Series aif{.label = "Parker 2006 (plasma)", .x = {}, .y = {}, .error = {}},
      fit{.label = "fit", .x = {}, .y = {}, .error = {}},
      data{.label = "measured", .x = {}, .y = {}, .error = {}, .draw = Series::Draw::points};
  for (int i = 0; i < 60; ++i) {
    const double t = 5.0 * i;
    aif.x.push_back(t), aif.y.push_back(8 * gamma_like(t) + 0.8 * (1 - std::exp(-std::max(0., t - 25) / 10)));
    fit.x.push_back(t), fit.y.push_back(0.6 * (1 - std::exp(-std::max(0., t - 20) / 60)));
    data.x.push_back(t), data.y.push_back(fit.y.back() + 0.02 * static_cast<double>(noise(rng)));
  }
  r.section("Arterial input and fits");
  r.figure({svg_curves({.title = "",
                        .x_label = "Time",
                        .x_unit = "s",
                        .y_label = "Cp",
                        .y_unit = "mM",
                        .markers = {{20, "bolus arrives", true}},
                        .width = 900,
                        .height = 300},
                       std::vector<Series>{aif}),
            "Arterial input function as used.", ""});
  std::vector<Figure> voxels;
  for (int i = 0; i < 3; ++i)
    voxels.push_back(
        {svg_curves({.x_label = "Time", .x_unit = "s", .y_label = "C", .y_unit = "mM", .width = 300, .height = 220},
                    std::vector<Series>{data, fit}),
         "R2 0.98", "Voxel (31, 40, " + std::to_string(9 + i) + ")"});
  r.figures(voxels, 3);
  r.section("Failures");
  r.warning("397 voxels (1.3 %) have no values; they are NaN in every map.");
  r.table({{"Status", "Meaning", "Voxels", "Share"},
           {{"converged", "converged inside all bounds", "30,120", "96.5 %"},
            {"at_bound", "converged with a parameter on a bound", "687", "2.2 %"},
            {"no_signal", "constant or zero data, nothing to fit", "397", "1.3 %"}},
           ""},
          "Status of the fit in the mask; the same numbers are in status.nii.gz.");
  r.note("Standard errors come from the Jacobian at the solution.");
  r.section("Settings")
      .details("config.yaml", "model: extended_tofts\naif:\n  source: parker2006   # <plasma>\n  Hct: 0.42\n", true)
      .details("Provenance", "{}");
  return r;
}

}  // namespace

TEST(Report, IsOneSelfContainedFile) {
  TempFolder dir;
  example().write(dir / "report.html");
  const std::string html = slurp(dir / "report.html");
  // LARMOR_KEEP_REPORT: where to leave the example for a look in a browser.
  if (const char* keep = std::getenv("LARMOR_KEEP_REPORT")) spill(keep, html);
  EXPECT_TRUE(html.starts_with("<!doctype html>"));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<link")));
  EXPECT_THAT(html, Not(HasSubstr("@import")));
  EXPECT_THAT(html, Not(HasSubstr("url(")));
  // No address but the name space of SVG; every picture is in the file.
  for (auto at = html.find("http"); at != std::string::npos; at = html.find("http", at + 1))
    EXPECT_EQ(html.substr(at, 26), "http://www.w3.org/2000/svg");
  for (auto at = html.find("href=\""); at != std::string::npos; at = html.find("href=\"", at + 1))
    EXPECT_TRUE(html[at + 6] == '#' || html.substr(at + 6, 21) == "data:image/png;base64") << html.substr(at, 40);
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme:dark"));
  EXPECT_THAT(html, HasSubstr("@media print"));
  EXPECT_THAT(html, HasSubstr("Research use only, not for diagnosis."));
  for (int i = 1; i <= 5; ++i) {
    EXPECT_THAT(html, HasSubstr("href=\"#s" + std::to_string(i) + "\""));
    EXPECT_THAT(html, HasSubstr("<section id=\"s" + std::to_string(i) + "\""));
  }
  EXPECT_THAT(html, HasSubstr("<td class=\"n\">30,120</td>"));
  EXPECT_THAT(html, HasSubstr("<td>converged</td>"));
  EXPECT_THAT(html, HasSubstr("# &lt;plasma&gt;"));
}

TEST(Report, TextIsEscapedEverywhere) {
  const std::string evil = "<script>alert('x')</script>&\"";
  HtmlReport r(evil, evil);
  r.section(evil, evil).heading(evil).paragraph(evil).note(evil).warning(evil).tiles({{evil, evil, evil}});
  r.key_values({{evil, evil}}).table({{evil}, {{evil}}, ""}, evil).figure({"", evil, evil}).details(evil, evil);
  r.section("two").footer(evil);
  EXPECT_THAT(r.html(), Not(HasSubstr("<script")));
  EXPECT_EQ(escape_html(evil), "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&amp;&quot;");
}

TEST(Report, OnlyUtf8IsPassedOn) {
  EXPECT_EQ(escape_html("\xC3\xA4 \u00b5 \u2212"), "\xC3\xA4 \u00b5 \u2212");
  EXPECT_EQ(escape_html("\xE4x"), "\uFFFDx");                    // Latin-1
  EXPECT_EQ(escape_html("a\xC3"), "a\uFFFD");                    // cut off
  EXPECT_EQ(escape_html("\xC0\xAF"), "\uFFFD\uFFFD");            // overlong
  EXPECT_EQ(escape_html("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");  // surrogate
  EXPECT_EQ(escape_html(std::string("a\0b", 3)),
            "a\uFFFD"
            "b");
}

TEST(Report, ColumnsOfNumbersGoToTheRight) {
  HtmlReport r("t");
  r.table({{"name", "value", "mixed", "range"},
           {{"a", "1.5", "1", "0.1 \u00b1 0.02"}, {"b", "-", "x", "\u22121e-5"}, {"c", "", "2", "1,200"}},
           ""});
  const std::string html = r.html();
  EXPECT_THAT(html, HasSubstr("<th scope=\"col\">name</th><th scope=\"col\" class=\"n\">value</th>"
                              "<th scope=\"col\">mixed</th><th scope=\"col\" class=\"n\">range</th>"));
  EXPECT_THAT(html, HasSubstr("<main class=\"alone\">"));  // no index without sections
}
