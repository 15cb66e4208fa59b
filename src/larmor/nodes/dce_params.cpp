// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/nodes/dce_ports.hpp>

namespace larmor::nodes {
namespace {

std::string trimmed(std::string_view s) {
  const auto from = s.find_first_not_of(" \t\n\r");
  if (from == std::string_view::npos) return {};
  return std::string(s.substr(from, s.find_last_not_of(" \t\n\r") - from + 1));
}

std::vector<std::string> parts_of(const std::string& text, const char* separators) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find_first_of(separators, at), text.size());
    if (auto part = trimmed(std::string_view(text).substr(at, end - at)); !part.empty()) out.push_back(std::move(part));
    at = end + 1;
  }
  return out;
}

// "0.1", "2 1/min": in engine units; without a unit it is in `shown`.
double number_in(const std::string& text, const std::string& shown, const std::string& engine,
                 const std::string& what) {
  double value = 0;
  const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value))
    throw Error(Errc::usage, fmt::format("{} is '{}', not a number", what, text),
                shown == "1" ? "give a number" : fmt::format("give a number such as 5 or '5 {}'", shown));
  const std::string unit = trimmed(std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)));
  try {
    return unit.empty()     ? units::convert(value, shown, engine)
           : unit == engine ? value
                            : units::convert(value, unit, engine);
  } catch (Error& e) {
    throw e.at(fmt::format("{} = '{}'", what, text));
  }
}

// Units by name of every parameter of every model.
std::map<std::string, std::string> known_params() {
  std::map<std::string, std::string> units{{"delay", "s"}};
  for (const auto& [id, m] : dce::models())
    for (const auto& p : m.params) units.emplace(p.name, p.unit);
  return units;
}

std::pair<std::string, std::string> split_at(const std::string& text, char separator, const char* like) {
  const auto at = text.find(separator);
  if (at == std::string::npos)
    throw Error(Errc::usage, fmt::format("'{}' has no '{}'", text, separator), fmt::format("write it like {}", like));
  return {trimmed(std::string_view(text).substr(0, at)), trimmed(std::string_view(text).substr(at + 1))};
}

constexpr const char* example = "Ktrans: upper=2 1/min, start=0.1; vp: fixed=0.02";

}  // namespace

std::map<std::string, dce::ParamSetting> parse_param_settings(const std::string& text,
                                                              const std::map<std::string, std::string>& given) {
  const auto known = given.empty() ? known_params() : given;
  std::vector<std::string> names;
  for (const auto& [name, unit] : known) names.push_back(name);
  const std::vector<std::string> kinds{"fixed", "lower", "upper", "start", "prior_mean", "prior_sd", "prior_log"};
  std::map<std::string, dce::ParamSetting> out;
  for (const auto& part : parts_of(text, ";\n")) {
    const auto [name, rest] = split_at(part, ':', example);
    const auto it = known.find(name);
    if (it == known.end()) throw unknown_name("model parameter", name, names);
    const std::string engine = it->second, shown = units::display_unit(name, engine);
    dce::ParamSetting p;
    // Of a log-normal prior the sd has no unit: known before the numbers are read.
    for (const auto& item : parts_of(rest, ",")) p.prior_log = p.prior_log || item == "prior_log=true";
    for (const auto& item : parts_of(rest, ",")) {
      const auto [kind, value] = split_at(item, '=', example);
      if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
        throw unknown_name("setting of a parameter", kind, kinds);
      if (kind == "prior_log") {
        if (value != "true" && value != "false")
          throw Error(Errc::usage, fmt::format("{} prior_log is '{}'", name, value), "write true or false");
        continue;
      }
      const bool of_log = kind == "prior_sd" && p.prior_log;
      const double x = number_in(value, of_log ? "1" : shown, of_log ? "1" : engine, name + " " + kind);
      if (kind == "prior_sd" && !(x > 0))
        throw Error(Errc::usage, fmt::format("{} prior_sd is {}; it must be above 0", name, value),
                    "give the standard deviation of the prior");
      (kind == "fixed"        ? p.fixed
       : kind == "lower"      ? p.lower
       : kind == "upper"      ? p.upper
       : kind == "start"      ? p.start
       : kind == "prior_mean" ? p.prior_mean
                              : p.prior_sd) = x;
    }
    if (p.lower && p.upper && !(*p.lower < *p.upper))
      throw Error(Errc::usage,
                  fmt::format("{}: lower {:g} is not below upper {:g} {}", name,
                              units::convert(*p.lower, engine, shown), units::convert(*p.upper, engine, shown), shown),
                  "swap them, or use 'fixed'");
    out[name] = p;
  }
  return out;
}

std::string param_settings_text(const std::map<std::string, dce::ParamSetting>& settings,
                                const std::map<std::string, std::string>& given) {
  const auto known = given.empty() ? known_params() : given;
  std::string out;
  for (const auto& [name, p] : settings) {
    const std::string unit = known.at(name) == "1" ? "" : " " + known.at(name);
    std::string items;
    const auto add = [&](const char* kind, const std::optional<double>& x, const std::string& in) {
      if (x) items += fmt::format("{}{}={}{}", items.empty() ? "" : ", ", kind, *x, in);
    };
    add("fixed", p.fixed, unit), add("lower", p.lower, unit), add("upper", p.upper, unit), add("start", p.start, unit);
    add("prior_mean", p.prior_mean, unit), add("prior_sd", p.prior_sd, p.prior_log ? "" : unit);
    if (p.prior_log) items += ", prior_log=true";
    if (!items.empty()) out += fmt::format("{}{}: {}", out.empty() ? "" : "; ", name, items);
  }
  return out;
}

std::map<std::string, std::vector<double>> parse_param_levels(const std::string& text, const dce::Model& model) {
  std::vector<std::string> names;
  for (const auto& p : model.params) names.push_back(p.name);
  std::map<std::string, std::vector<double>> out;
  for (const auto& item : parts_of(text, ",;\n")) {
    const auto [name, values] = split_at(item, '=', "Ktrans=0.25, ve=0.3");
    const auto it = std::find(names.begin(), names.end(), name);
    if (it == names.end()) throw unknown_name("parameter of " + model.title, name, names);
    if (out.count(name)) throw Error(Errc::usage, name + " is given twice", "give all its values at once");
    const auto& p = model.params[static_cast<std::size_t>(it - names.begin())];
    const std::string shown = units::display_unit(name, p.unit);
    // Numbers first, then perhaps their unit.
    const auto words = parts_of(values, " ");
    std::string unit;
    std::size_t n = 0;
    while (n < words.size() &&
           (std::isdigit(static_cast<unsigned char>(words[n][0])) || words[n].find_first_of("+-.") == 0))
      ++n;
    for (std::size_t i = n; i < words.size(); ++i) unit += " " + words[i];
    if (n == 0) throw Error(Errc::usage, fmt::format("{} is '{}', not a number", name, values), "give numbers");
    for (std::size_t i = 0; i < n; ++i) {
      const double x = number_in(words[i] + unit, shown, p.unit, name);
      if (!(x >= p.lower && x <= p.upper))
        throw Error(Errc::range,
                    fmt::format("{} is {}{}; allowed: {:g} to {:g} {}", name, words[i], unit,
                                units::convert(p.lower, p.unit, shown), units::convert(p.upper, p.unit, shown), shown),
                    "see larmor list models");
      out[name].push_back(x);
    }
  }
  return out;
}

std::vector<double> parse_param_values(const std::string& text, const dce::Model& model) {
  const auto levels = parse_param_levels(text, model);
  std::vector<double> out;
  for (const auto& p : model.params) {
    const auto it = levels.find(p.name);
    if (it != levels.end() && it->second.size() > 1)
      throw Error(Errc::usage, fmt::format("{} has {} values", p.name, it->second.size()), "give one");
    out.push_back(it == levels.end() ? p.start : it->second[0]);
  }
  return out;
}

}  // namespace larmor::nodes
