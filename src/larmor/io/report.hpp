// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <larmor/io/table.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace larmor::io {

using KeyValues = std::vector<std::pair<std::string, std::string>>;

/// A figure and what it shows. `svg` comes from io/figure.hpp and goes in as it is; the texts are escaped.
struct Figure {
  std::string svg, caption = {};
  std::string title = {};  // above the figure, may be empty
};

/// A large number with its unit and what it is ("412,000", "voxels/s", "fit speed").
struct Tile {
  std::string value, unit = {}, label = {};
  enum class Mood { neutral, good, warning, bad } mood = Mood::neutral;
};

/// One self-contained HTML file: no scripts, fonts or pictures from outside; light and dark theme, printable.
///
///   HtmlReport r("DCE perfusion", "sub-01, extended Tofts");
///   r.tiles({{"98.7", "%", "voxels fitted"}});
///   r.section("Maps").figure({svg_ortho(...), "Ktrans ..."}).warning("12 voxels on a bound");
///   r.section("Settings").details("config.yaml", yaml_text);
///   r.write(folder / "report.html");
///
/// Everything added before the first section() stands at the top, under the title. All text is escaped.
class HtmlReport {
 public:
  explicit HtmlReport(std::string title, std::string subtitle = {});

  /// Begins a section; from two on they are listed in an index beside the text.
  HtmlReport& section(const std::string& title, const std::string& lead = {});
  HtmlReport& heading(const std::string& text);  // inside a section, not in the index
  HtmlReport& paragraph(const std::string& text);
  HtmlReport& note(const std::string& text);
  HtmlReport& warning(const std::string& text);
  HtmlReport& tiles(const std::vector<Tile>& tiles);
  HtmlReport& key_values(const KeyValues& pairs);
  /// Columns whose cells are all numbers (or empty, "-", "nan", a number with "%") are set to the right.
  HtmlReport& table(const Table& table, const std::string& caption = {});
  HtmlReport& figure(const Figure& figure);  // over the full width
  /// Side by side, `columns` on a wide screen, fewer on a narrow one.
  HtmlReport& figures(const std::vector<Figure>& figures, int columns = 2);
  /// A closed drawer with preformatted text (settings, provenance, logs).
  HtmlReport& details(const std::string& summary, const std::string& preformatted, bool open = false);

  /// Line at the foot; default "Larmor <version>. Research use only, not for diagnosis."
  HtmlReport& footer(const std::string& text);

  std::string html() const;
  void write(const std::filesystem::path& path) const;  // atomic

 private:
  std::string title_, subtitle_, footer_, body_;
  std::vector<std::string> sections_;
};

/// `&`, `<`, `>` and quotes as entities; bytes that are not UTF-8 become the replacement character.
std::string escape_html(std::string_view text);

}  // namespace larmor::io
