// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <larmor/core/error.hpp>
#include <larmor/io/figure.hpp>
#include <larmor/io/report.hpp>
#include <larmor/io/svg.hpp>

namespace larmor::io {
namespace svg {

std::string open(double width, double height, std::string_view label) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-label=\"{}\" "
      "style=\"width:100%;max-width:{:.0f}px;height:auto;font-family:system-ui,-apple-system,'Segoe UI',Roboto,"
      "'DejaVu Sans',sans-serif\" fill=\"currentColor\">",
      width, height, escape_html(label), width * 1.25);
}

std::string text(double x, double y, std::string_view anchor, std::string_view content, double size,
                 std::string_view more) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" font-size=\"{}\"{}{}>{}</text>", x, y, anchor,
                     size, more.empty() ? "" : " ", more, escape_html(content));
}

std::string line(double x1, double y1, double x2, double y2, double opacity, double width) {
  return fmt::format(
      "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"currentColor\" "
      "stroke-opacity=\"{}\" stroke-width=\"{}\"/>",
      x1, y1, x2, y2, opacity, width);
}

double text_width(std::string_view content, double size) {
  double letters = 0;
  for (const char c : content) letters += (static_cast<unsigned char>(c) & 0xC0) == 0x80 ? 0 : 1;  // UTF-8 tails
  return 0.56 * size * letters;
}

std::string grouped(double whole) {
  std::string digits = fmt::format("{:.0f}", std::abs(whole));
  for (auto i = static_cast<std::ptrdiff_t>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(static_cast<std::size_t>(i), ",");
  return whole < 0 ? "\u2212" + digits : digits;
}

std::string with_unit(const std::string& label, const std::string& unit) {
  if (unit.empty() || unit == "1") return label;
  return label.empty() ? "[" + unit + "]" : label + " [" + unit + "]";
}

}  // namespace svg

namespace {

template <class T>
Range percentiles(std::span<const T> values, double low, double high) {
  if (!(low >= 0 && low < high && high <= 100))
    throw Error(Errc::range, fmt::format("percentiles {} and {}", low, high), "give 0 <= low < high <= 100");
  std::vector<T> finite;
  for (const T v : values)
    if (std::isfinite(v)) finite.push_back(v);
  if (finite.empty()) return {};
  const auto rank = [&](double percent) {
    const double at = percent / 100 * static_cast<double>(finite.size() - 1);
    const auto below = static_cast<std::size_t>(at);
    std::nth_element(finite.begin(), finite.begin() + static_cast<std::ptrdiff_t>(below), finite.end());
    const double lower = finite[below];
    if (below + 1 == finite.size()) return lower;
    const double upper = *std::min_element(finite.begin() + static_cast<std::ptrdiff_t>(below) + 1, finite.end());
    return lower + (at - static_cast<double>(below)) * (upper - lower);
  };
  Range out{rank(low), rank(high)};
  if (!(out.hi > out.lo)) {
    const double half = out.lo == 0 ? 0.5 : 0.05 * std::abs(out.lo);
    out = {out.lo - half, out.hi + half};
  }
  return out;
}

}  // namespace

Range robust_range(std::span<const float> values, double low_percent, double high_percent) {
  return percentiles(values, low_percent, high_percent);
}
Range robust_range(std::span<const double> values, double low_percent, double high_percent) {
  return percentiles(values, low_percent, high_percent);
}

std::vector<double> nice_ticks(double lo, double hi, int about) {
  if (!std::isfinite(lo) || !std::isfinite(hi) || !(hi > lo) || about < 1) return {};
  const double raw = (hi - lo) / about, decade = std::pow(10, std::floor(std::log10(raw)));
  const double ratio = raw / decade;
  const double step = decade * (ratio < 1.5 ? 1 : ratio < 3.5 ? 2 : ratio < 7.5 ? 5 : 10);
  std::vector<double> out;
  // Integers times the step, so that 0 is 0; a hair of tolerance keeps ends that rounding pushed out.
  for (double k = std::ceil(lo / step - 1e-9); k <= hi / step + 1e-9 && out.size() < 100; ++k) out.push_back(k * step);
  return out;
}

std::string tick_text(double value, double step) {
  if (std::abs(value) < 1e-9 * std::abs(step)) return "0";
  const std::string sign = value < 0 ? "\u2212" : "";
  const double size = std::abs(value);
  const int step_exponent = static_cast<int>(std::floor(std::log10(std::abs(step)) + 1e-9));
  if (size >= 1e6 || step_exponent < -4) {
    const int exponent = static_cast<int>(std::floor(std::log10(size) + 1e-12));
    const int digits = std::clamp(exponent - step_exponent, 0, 15);
    static constexpr const char* raised[] = {"\u2070", "\u00b9", "\u00b2", "\u00b3", "\u2074",
                                             "\u2075", "\u2076", "\u2077", "\u2078", "\u2079"};
    std::string power = exponent < 0 ? "\u207b" : "";
    for (const char c : std::to_string(std::abs(exponent))) power += raised[c - '0'];
    const std::string mantissa = fmt::format("{:.{}f}", size / std::pow(10, exponent), digits);
    return sign + (mantissa == "1" ? "" : mantissa + "\u00d7") + "10" + power;
  }
  if (step_exponent >= 0) return size >= 10000 ? svg::grouped(value) : sign + fmt::format("{:.0f}", size);
  return sign + fmt::format("{:.{}f}", size, -step_exponent);
}

std::string typeset(std::string_view symbol) {
  if (symbol == "Ktrans") symbol = "K^trans";
  static const std::pair<char, const char*> lowered[] = {
      {'a', "\u2090"}, {'e', "\u2091"}, {'o', "\u2092"}, {'x', "\u2093"}, {'h', "\u2095"}, {'k', "\u2096"},
      {'l', "\u2097"}, {'m', "\u2098"}, {'n', "\u2099"}, {'p', "\u209a"}, {'s', "\u209b"}, {'t', "\u209c"},
      {'i', "\u1d62"}, {'r', "\u1d63"}, {'u', "\u1d64"}, {'v', "\u1d65"}, {'0', "\u2080"}, {'1', "\u2081"},
      {'2', "\u2082"}, {'3', "\u2083"}, {'4', "\u2084"}, {'5', "\u2085"}, {'6', "\u2086"}, {'7', "\u2087"},
      {'8', "\u2088"}, {'9', "\u2089"}};
  static const std::pair<char, const char*> raised[] = {
      {'a', "\u1d43"}, {'b', "\u1d47"}, {'c', "\u1d9c"}, {'d', "\u1d48"}, {'e', "\u1d49"},
      {'i', "\u2071"}, {'n', "\u207f"}, {'o', "\u1d52"}, {'p', "\u1d56"}, {'r', "\u02b3"},
      {'s', "\u02e2"}, {'t', "\u1d57"}, {'u', "\u1d58"}, {'v', "\u1d5b"}, {'-', "\u207b"},
      {'+', "\u207a"}, {'1', "\u00b9"}, {'2', "\u00b2"}, {'3', "\u00b3"}, {'*', "*"}};
  const auto mark = symbol.find_first_of("_^");
  if (mark == std::string_view::npos || mark == 0) return std::string(symbol);
  std::string out(symbol.substr(0, mark));
  const auto shift = [&](char c, auto& table) {
    for (const auto& [from, to] : table)
      if (from == c) return out += to, true;
    return false;
  };
  for (const char c : symbol.substr(mark + 1))
    if (!(symbol[mark] == '_' ? shift(c, lowered) : shift(c, raised))) return std::string(symbol);
  return out;
}

}  // namespace larmor::io
