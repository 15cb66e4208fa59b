// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/io/file.hpp>
#include <larmor/io/report.hpp>
#include <larmor/io/report_style.hpp>

namespace larmor::io {
namespace {

// Length of a well-formed UTF-8 sequence at `at`, 0 when it is not one (overlong forms and surrogates included).
std::size_t utf8_length(std::string_view s, std::size_t at) {
  const auto byte = [&](std::size_t i) { return i < s.size() ? static_cast<unsigned char>(s[i]) : 0u; };
  const unsigned lead = byte(at);
  const std::size_t n = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
  if (n < 2) return n;
  unsigned code = lead & (0xFFu >> (n + 1));
  for (std::size_t i = 1; i < n; ++i) {
    if (byte(at + i) >> 6 != 2) return 0;
    code = code << 6 | (byte(at + i) & 63);
  }
  static constexpr unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
  return code < least[n] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0 : n;
}

bool is_numeric(std::string_view cell) {
  if (cell.empty() || cell == "-" || cell == "\u2013" || cell == "\u2014" || cell == "nan" || cell == "NaN")
    return true;
  // Digits with the marks that stand in numbers: sign, point, groups, exponent, percent, +-, times.
  std::string rest(cell);
  for (const std::string_view mark : {"\u2212", "\u00b1", "\u00d7", "\u2009", "\u00a0"})
    for (auto at = rest.find(mark); at != std::string::npos; at = rest.find(mark)) rest.erase(at, mark.size());
  return rest.find_first_of("0123456789") != std::string::npos &&
         rest.find_first_not_of("0123456789+-.,eE% /") == std::string::npos;
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t n = utf8_length(text, i);
    if (n == 0) {
      out += "\uFFFD";
      ++i;
      continue;
    }
    const char c = text[i];
    if (n > 1)
      out += text.substr(i, n);
    else if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else if (static_cast<unsigned char>(c) < 32 && c != '\n' && c != '\t')
      out += "\uFFFD";  // control characters are no text
    else
      out += c;
    i += n;
  }
  return out;
}

HtmlReport::HtmlReport(std::string title, std::string subtitle)
    : title_(std::move(title)),
      subtitle_(std::move(subtitle)),
      footer_("Larmor " LARMOR_VERSION ". Research use only, not for diagnosis.") {}

HtmlReport& HtmlReport::section(const std::string& title, const std::string& lead) {
  if (!sections_.empty()) body_ += "</section>\n";
  sections_.push_back(title);
  body_ += fmt::format("<section id=\"s{}\">\n<h2>{}</h2>\n", sections_.size(), escape_html(title));
  if (!lead.empty()) body_ += fmt::format("<p class=\"lead\">{}</p>\n", escape_html(lead));
  return *this;
}

HtmlReport& HtmlReport::heading(const std::string& text) {
  body_ += fmt::format("<h3>{}</h3>\n", escape_html(text));
  return *this;
}

HtmlReport& HtmlReport::paragraph(const std::string& text) {
  body_ += fmt::format("<p>{}</p>\n", escape_html(text));
  return *this;
}

HtmlReport& HtmlReport::note(const std::string& text) {
  body_ += fmt::format("<p class=\"note\"><b>Note</b> {}</p>\n", escape_html(text));
  return *this;
}

HtmlReport& HtmlReport::warning(const std::string& text) {
  body_ += fmt::format("<p class=\"warning\"><b>Warning</b> {}</p>\n", escape_html(text));
  return *this;
}

HtmlReport& HtmlReport::tiles(const std::vector<Tile>& tiles) {
  static constexpr const char* moods[] = {"", " mood-good", " mood-warning", " mood-bad"};
  body_ += "<div class=\"tiles\">";
  for (const auto& tile : tiles) {
    body_ += fmt::format("<div class=\"tile{}\"><b>{}", moods[static_cast<int>(tile.mood)], escape_html(tile.value));
    if (!tile.unit.empty()) body_ += fmt::format("<span>{}</span>", escape_html(tile.unit));
    body_ += fmt::format("</b><i>{}</i></div>", escape_html(tile.label));
  }
  body_ += "</div>\n";
  return *this;
}

HtmlReport& HtmlReport::key_values(const KeyValues& pairs) {
  if (pairs.empty()) return *this;
  body_ += "<dl>";
  for (const auto& [key, value] : pairs)
    body_ += fmt::format("<dt>{}</dt><dd>{}</dd>", escape_html(key), escape_html(value));
  body_ += "</dl>\n";
  return *this;
}

HtmlReport& HtmlReport::table(const Table& table, const std::string& caption) {
  std::vector<std::string> open(table.columns.size());
  for (std::size_t c = 0; c < open.size(); ++c) {
    const bool numbers = !table.rows.empty() && std::all_of(table.rows.begin(), table.rows.end(), [&](const auto& row) {
      return c >= row.size() || is_numeric(row[c]);
    });
    open[c] = numbers ? " class=\"n\"" : "";
  }
  body_ += "<div class=\"scroll\"><table>";
  if (!caption.empty()) body_ += fmt::format("<caption>{}</caption>", escape_html(caption));
  body_ += "<thead><tr>";
  for (std::size_t c = 0; c < open.size(); ++c)
    body_ += fmt::format("<th scope=\"col\"{}>{}</th>", open[c], escape_html(table.columns[c]));
  body_ += "</tr></thead><tbody>\n";
  for (const auto& row : table.rows) {
    body_ += "<tr>";
    for (std::size_t c = 0; c < open.size(); ++c)
      body_ += fmt::format("<td{}>{}</td>", open[c], c < row.size() ? escape_html(row[c]) : "");
    body_ += "</tr>\n";
  }
  body_ += "</tbody></table></div>\n";
  return *this;
}

HtmlReport& HtmlReport::figure(const Figure& figure) {
  body_ += "<figure>";
  if (!figure.title.empty()) body_ += fmt::format("<h4>{}</h4>", escape_html(figure.title));
  body_ += figure.svg;
  if (!figure.caption.empty()) body_ += fmt::format("<figcaption>{}</figcaption>", escape_html(figure.caption));
  body_ += "</figure>\n";
  return *this;
}

HtmlReport& HtmlReport::figures(const std::vector<Figure>& figures, int columns) {
  body_ += fmt::format("<div class=\"figures c{}\">", std::clamp(columns, 1, 3));
  for (const auto& f : figures) figure(f);
  body_ += "</div>\n";
  return *this;
}

HtmlReport& HtmlReport::details(const std::string& summary, const std::string& preformatted, bool open) {
  body_ += fmt::format("<details{}><summary>{}</summary><pre>{}</pre></details>\n", open ? " open" : "",
                       escape_html(summary), escape_html(preformatted));
  return *this;
}

HtmlReport& HtmlReport::footer(const std::string& text) {
  footer_ = text;
  return *this;
}

std::string HtmlReport::html() const {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, "
      "initial-scale=1\">\n<title>{0}</title>\n<style>{1}</style>\n"
      "</head>\n<body>\n<div class=\"page\">\n<header><h1>{0}</h1>",
      escape_html(title_), report_style);
  if (!subtitle_.empty()) out += fmt::format("<p>{}</p>", escape_html(subtitle_));
  out += "</header>\n";
  const bool index = sections_.size() > 1;
  if (index) {
    out += "<nav aria-label=\"Sections\"><ol>";
    for (std::size_t i = 0; i < sections_.size(); ++i)
      out += fmt::format("<li><a href=\"#s{}\">{}</a></li>", i + 1, escape_html(sections_[i]));
    out += "</ol></nav>\n";
  }
  out += index ? "<main>\n" : "<main class=\"alone\">\n";
  out += body_;
  if (!sections_.empty()) out += "</section>\n";
  return out + fmt::format("</main>\n<footer>{}</footer>\n</div>\n</body>\n</html>\n", escape_html(footer_));
}

void HtmlReport::write(const std::filesystem::path& path) const { write_text(path, html()); }

}  // namespace larmor::io
