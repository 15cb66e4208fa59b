// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <larmor/core/error.hpp>
#include <larmor/core/units.hpp>

namespace larmor::units {
namespace {

struct Named {
  std::string_view name;
  double scale;
  Dimension dimension;
};
//                         time length amount angle field mass signal
constexpr Dimension none{{{0, 0, 0, 0, 0, 0, 0}}};
constexpr Dimension time{{{1, 0, 0, 0, 0, 0, 0}}};
constexpr Dimension rate{{{-1, 0, 0, 0, 0, 0, 0}}};
constexpr Dimension length{{{0, 1, 0, 0, 0, 0, 0}}};
constexpr Dimension volume{{{0, 3, 0, 0, 0, 0, 0}}};
constexpr Dimension amount{{{0, 0, 1, 0, 0, 0, 0}}};
constexpr Dimension concentration{{{0, -3, 1, 0, 0, 0, 0}}};
constexpr Dimension angle{{{0, 0, 0, 1, 0, 0, 0}}};
constexpr Dimension field{{{0, 0, 0, 0, 1, 0, 0}}};
constexpr Dimension mass{{{0, 0, 0, 0, 0, 1, 0}}};
constexpr Dimension signal{{{0, 0, 0, 0, 0, 0, 1}}};

// Scales are to s, mm, mM mm3 (the amount in 1 mm3 at 1 mM, which makes mM itself 1), rad, T, g and a.u.
constexpr Named table[] = {
    {"s", 1, time},
    {"ms", millisecond, time},
    {"us", 1e-6, time},
    {"ns", 1e-9, time},
    {"min", 60, time},
    {"h", 3600, time},
    {"Hz", 1, rate},
    {"kHz", 1e3, rate},
    {"MHz", 1e6, rate},
    {"m", 1e3, length},
    {"cm", 10, length},
    {"mm", 1, length},
    {"um", 1e-3, length},
    {"L", 1e6, volume},
    {"dL", 1e5, volume},
    {"mL", 1e3, volume},
    {"ml", 1e3, volume},
    {"uL", 1, volume},
    {"mol", 1e9, amount},
    {"mmol", 1e6, amount},
    {"umol", 1e3, amount},
    {"nmol", 1, amount},
    {"M", 1e3, concentration},
    {"mM", 1, concentration},
    {"uM", 1e-3, concentration},
    {"rad", 1, angle},
    {"mrad", 1e-3, angle},
    {"deg", degree, angle},
    {"T", 1, field},
    {"mT", 1e-3, field},
    {"uT", 1e-6, field},
    {"G", 1e-4, field},
    {"kg", 1e3, mass},
    {"g", 1, mass},
    {"mg", 1e-3, mass},
    {"%", 1e-2, none},
    {"ppm", 1e-6, none},
    {"a.u.", 1, signal},
};

Dimension combined(const Dimension& a, const Dimension& b, int power) {
  Dimension out = a;
  for (std::size_t i = 0; i < out.power.size(); ++i)
    out.power[i] = static_cast<std::int8_t>(out.power[i] + power * b.power[i]);
  return out;
}

// What people type or paste, in the spelling of the table.
std::string plain(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> spelling[] = {
      {"\xC2\xB5", "u"}, {"\xCE\xBC", "u"}, {"\xC2\xB0", "deg"},   {"\xC2\xB7", "*"},    {"\xC2\xB9", "1"},
      {"\xC2\xB2", "2"}, {"\xC2\xB3", "3"}, {"\xE2\x81\xBB", "-"}, {"\xE2\x88\x92", "-"}};
  std::string out;
  while (!text.empty()) {
    bool replaced = false;
    for (const auto& [from, to] : spelling)
      if (text.starts_with(from)) {
        out += to, text.remove_prefix(from.size()), replaced = true;
        break;
      }
    if (!replaced) out += text.front(), text.remove_prefix(1);
  }
  return out;
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '%'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Reader {
 public:
  explicit Reader(std::string_view text) : written_(text), text_(plain(text)) {}

  Unit read() {
    if (text_.find_first_not_of(' ') == std::string::npos) fail("it is empty", "write 1 for a pure number");
    if (text_.size() > 200) fail("it is longer than 200 characters", "write something like mL/min/100mL");
    const Unit unit = product();
    if (place_ < text_.size()) fail(fmt::format("'{}' is not expected", text_.substr(place_)));
    if (!std::isfinite(unit.scale) || unit.scale == 0) fail("its size is not a number that fits");
    return unit;
  }

 private:
  [[noreturn]] void fail(const std::string& why, std::string advice = {}) const {
    const std::string shown(written_.substr(0, 60));
    if (advice.empty()) advice = "write something like 1/min, mL/min/100mL, mm2/s or 1/(s mM)";
    throw Error(Errc::usage, fmt::format("unit '{}': {}", shown, why), advice);
  }

  char peek() {
    while (place_ < text_.size() && text_[place_] == ' ') ++place_;
    return place_ < text_.size() ? text_[place_] : '\0';
  }

  // factor { ['*'] factor | '/' factor }, from left to right
  Unit product() {
    Unit unit = powered();
    for (;;) {
      const char next = peek();
      int power = 1;
      if (next == '*' || next == '/') {
        power = next == '*' ? 1 : -1;
        ++place_;
      } else if (!is_letter(next) && !is_digit(next) && next != '(') {
        return unit;
      }
      const Unit part = powered();
      unit.scale = power > 0 ? unit.scale * part.scale : unit.scale / part.scale;
      unit.dimension = combined(unit.dimension, part.dimension, power);
      limit(unit);
    }
  }

  void limit(const Unit& unit) const {
    for (const auto p : unit.dimension.power)
      if (std::abs(p) > 12) fail("a power beyond 12");
  }

  Unit powered() {
    const char next = peek();
    Unit unit;
    if (next == '(') {
      if (++depth_ > 20) fail("brackets nest deeper than 20");
      ++place_;
      unit = product();
      if (peek() != ')') fail("a ')' is missing");
      ++place_, --depth_;
    } else if (is_digit(next)) {
      const char *first = text_.data() + place_, *last = text_.data() + text_.size();
      const auto [end, error] = std::from_chars(first, last, unit.scale, std::chars_format::fixed);
      if (error != std::errc() || !(unit.scale > 0)) fail("a number is not positive");
      place_ += static_cast<std::size_t>(end - first);
      if (!is_letter(peek())) return unit;
      const Unit counted = powered();  // "100mL" is one thing: mL/100mL/min divides by all of it
      return {unit.scale * counted.scale, counted.dimension};
    } else if (is_letter(next)) {
      unit = named();
    } else if (next == '\0') {
      fail("it ends where a unit is expected");
    } else {
      fail(fmt::format("'{}' is not expected", text_.substr(place_)));
    }
    const int power = exponent();
    Unit raised{std::pow(unit.scale, power), combined({}, unit.dimension, power)};
    limit(raised);
    return raised;
  }

  Unit named() {
    const std::size_t begin = place_;
    while (place_ < text_.size() && (is_letter(text_[place_]) || text_[place_] == '.')) ++place_;
    const std::string_view name = std::string_view(text_).substr(begin, place_ - begin);
    for (const auto& known : table)
      if (known.name == name) return {known.scale, known.dimension};
    throw unknown_name("unit", name, names(), "known units: " + fmt::format("{}", fmt::join(names(), " ")))
        .at(fmt::format("unit '{}'", written_.substr(0, 60)));
  }

  int exponent() {
    std::size_t at = place_;
    const bool marked = at < text_.size() && text_[at] == '^';
    if (marked) ++at;
    const bool negative = at < text_.size() && text_[at] == '-';
    if (negative) ++at;
    if (at >= text_.size() || !is_digit(text_[at])) {
      if (marked || negative) fail("a power is missing after '^' or '-'");
      return 1;
    }
    const int power = text_[at] - '0';
    if (at + 1 < text_.size() && is_digit(text_[at + 1])) fail("a power beyond 9");
    place_ = at + 1;
    return negative ? -power : power;
  }

  std::string_view written_;
  std::string text_;
  std::size_t place_ = 0;
  int depth_ = 0;
};

}  // namespace

std::string Dimension::engine_unit() const {
  constexpr std::string_view base[] = {"s", "mm", "mmol", "rad", "T", "g", "a.u."};
  auto left = power;
  std::string above, below;
  const auto write = [&](std::string_view name, int p) {
    std::string& side = p > 0 ? above : below;
    if (!side.empty()) side += ' ';
    side += name;
    if (std::abs(p) > 1) side += std::to_string(std::abs(p));
  };
  // An amount always comes as a concentration here: mM, with its volume taken off the lengths.
  if (const int c = left[amount]; c != 0) {
    write("mM", c);
    left[length] = static_cast<std::int8_t>(left[length] + 3 * c), left[amount] = 0;
  }
  for (const std::size_t i : {std::size_t(signal), std::size_t(length), std::size_t(mass), std::size_t(angle),
                              std::size_t(field), std::size_t(time)})
    if (left[i] != 0) write(base[i], left[i]);
  if (below.empty()) return above.empty() ? "1" : above;
  const bool several = below.find(' ') != std::string::npos;
  return (above.empty() ? "1" : above) + (several ? "/(" + below + ")" : "/" + below);
}

Unit parse(std::string_view text) { return Reader(text).read(); }

double factor(std::string_view from, std::string_view to) {
  const Unit a = parse(from), b = parse(to);
  if (a.dimension != b.dimension)
    throw Error(Errc::usage,
                fmt::format("'{}' does not convert to '{}': one is measured in {}, the other in {}", from, to,
                            a.dimension.engine_unit(), b.dimension.engine_unit()),
                fmt::format("give a unit that measures the same as '{}'", to));
  return a.scale / b.scale;
}

double convert(double value, std::string_view from, std::string_view to) { return value * factor(from, to); }

std::string engine_unit(std::string_view unit) { return parse(unit).dimension.engine_unit(); }

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const auto& known : table) out.emplace_back(known.name);
  return out;
}

}  // namespace larmor::units
