// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <larmor/flow/node_type.hpp>

namespace larmor::flow {

std::string_view to_string(SettingKind kind) {
  static constexpr std::string_view names[] = {"number",    "integer",   "boolean", "choice", "text",
                                               "file_open", "file_save", "folder",  "colour", "numbers"};
  return names[static_cast<std::size_t>(kind)];
}

Setting::Setting(std::string name_, std::string what_, int value_, double lower_, double upper_)
    : name(std::move(name_)),
      what(std::move(what_)),
      kind(SettingKind::integer),
      value(value_),
      lower(lower_),
      upper(upper_),
      step(1) {}
Setting::Setting(std::string name_, std::string what_, double value_, double lower_, double upper_)
    : name(std::move(name_)),
      what(std::move(what_)),
      kind(SettingKind::number),
      value(value_),
      lower(lower_),
      upper(upper_) {}
Setting::Setting(std::string name_, std::string what_, bool value_)
    : name(std::move(name_)), what(std::move(what_)), kind(SettingKind::boolean), value(value_) {}
Setting::Setting(std::string name_, std::string what_, const char* value_)
    : name(std::move(name_)), what(std::move(what_)), kind(SettingKind::text), value(value_) {}

namespace {
Setting made(SettingKind kind, std::string name, std::string what, Value value, std::vector<std::string> choices) {
  Setting s;
  s.name = std::move(name), s.what = std::move(what), s.kind = kind, s.value = std::move(value);
  s.choices = std::move(choices);
  return s;
}
}  // namespace

Setting Setting::choice(std::string name, std::string what, std::string value, std::vector<std::string> choices) {
  return made(SettingKind::choice, std::move(name), std::move(what), std::move(value), std::move(choices));
}
Setting Setting::open(std::string name, std::string what, std::vector<std::string> endings) {
  return made(SettingKind::file_open, std::move(name), std::move(what), "", std::move(endings));
}
Setting Setting::save(std::string name, std::string what, std::string value, std::vector<std::string> endings) {
  return made(SettingKind::file_save, std::move(name), std::move(what), std::move(value), std::move(endings));
}
Setting Setting::folder(std::string name, std::string what) {
  return made(SettingKind::folder, std::move(name), std::move(what), "", {});
}
Setting Setting::colour(std::string name, std::string what, std::string value) {
  return made(SettingKind::colour, std::move(name), std::move(what), std::move(value), {});
}
// By value as its siblings are.  NOLINTNEXTLINE(performance-unnecessary-value-param)
Setting Setting::numbers(std::string name, std::string what, std::vector<double> value) {
  return made(SettingKind::numbers, std::move(name), std::move(what), ValueTraits<std::vector<double>>::to(value), {});
}

namespace {

std::string with_unit(double v, const std::string& unit) {
  return fmt::format("{:g}", v) + (unit.empty() ? "" : " " + unit);
}

void require_range(const Setting& s, double v) {
  if (std::isfinite(v) && v >= s.lower && v <= s.upper) return;
  std::string range;
  if (std::isfinite(s.lower) && std::isfinite(s.upper))
    range = "from " + with_unit(s.lower, "") + " to " + with_unit(s.upper, s.unit);
  else if (std::isfinite(s.lower))
    range = "of " + with_unit(s.lower, s.unit) + " or more";
  else if (std::isfinite(s.upper))
    range = "of " + with_unit(s.upper, s.unit) + " or less";
  else
    range = "that is finite";
  throw Error(Errc::range, fmt::format("'{}' is {}", s.name, with_unit(v, s.unit)), "give a number " + range);
}

bool is_colour(const std::string& text) {
  return (text.size() == 7 || text.size() == 4) && text[0] == '#' &&
         std::all_of(text.begin() + 1, text.end(), [](unsigned char c) { return std::isxdigit(c) != 0; });
}

}  // namespace

Value Setting::checked(const Value& given) const {
  if (given.none()) {
    if (!optional && value.none()) throw Error(Errc::usage, "'" + name + "' is not set", what);
    return optional ? Value() : value;
  }
  const auto wrong = [&](const char* needed) {
    return Error(Errc::type, fmt::format("'{}' is {}", name, given.describe()), fmt::format("give {}", needed));
  };
  switch (kind) {
    case SettingKind::number:
    case SettingKind::integer: {
      if (given.kind() != Value::Kind::number && given.kind() != Value::Kind::array)
        throw wrong(kind == SettingKind::integer ? "a whole number" : "a number");
      const double v = ValueTraits<double>::from(given);
      if (kind == SettingKind::integer && v != std::floor(v)) throw wrong("a whole number");
      require_range(*this, v);
      return v;
    }
    case SettingKind::boolean:
      if (given.kind() != Value::Kind::boolean) throw wrong("true or false");
      return given;
    case SettingKind::choice:
      if (given.kind() != Value::Kind::text) throw wrong("one of the choices, as a text");
      if (std::find(choices.begin(), choices.end(), given.text()) == choices.end())
        throw unknown_name("choice of '" + name + "'", given.text(), choices);
      return given;
    case SettingKind::colour:
      if (given.kind() != Value::Kind::text || !is_colour(given.text())) throw wrong("a colour, like #0072B2");
      return given;
    case SettingKind::numbers: {
      if (given.kind() != Value::Kind::list && given.kind() != Value::Kind::number &&
          given.kind() != Value::Kind::array)
        throw wrong("a list of numbers");
      std::vector<double> all;
      try {
        all = ValueTraits<std::vector<double>>::from(given);
      } catch (const Error&) {
        throw wrong("a list of numbers");
      }
      for (const double v : all) require_range(*this, v);
      return ValueTraits<std::vector<double>>::to(all);
    }
    default:
      if (given.kind() != Value::Kind::text) throw wrong("a text");
      return given;
  }
}

}  // namespace larmor::flow
