// SPDX-License-Identifier: Apache-2.0
#include "config.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <larmor/core/units.hpp>
#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>

#include "text_table.hpp"

namespace larmor::cli {
namespace {

// "5", "5 ms", "0.5 1/min": the number and the rest.
bool split_number(const std::string& text, double& value, std::string& unit) {
  const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) return false;
  unit.assign(end, text.data() + text.size());
  unit.erase(0, unit.find_first_not_of(' '));
  if (const auto last = unit.find_last_not_of(' '); last != std::string::npos) unit.erase(last + 1);
  return true;
}

// Number in `unit` from text that may carry its own.
double number_in(const std::string& text, const std::string& unit, const std::string& name, const std::string& where) {
  double value = 0;
  std::string own;
  const std::string wanted = unit.empty() || unit == "1" ? "" : fmt::format(" [{}]", unit);
  if (!split_number(text, value, own))
    throw Error(Errc::usage, fmt::format("{} is '{}', not a number{}", name, text, wanted),
                unit.empty() || unit == "1" ? "give a number" : fmt::format("give a number such as 5 or '5 {}'", unit))
        .at(where);
  if (own.empty()) return value;
  try {
    return units::convert(value, own, unit.empty() ? "1" : unit);
  } catch (Error& e) {
    throw e.at(fmt::format("{} = '{}'", name, text)).at(where);
  }
}

const char* kind_words(KeyKind kind) {
  switch (kind) {
    case KeyKind::number:
      return "a number";
    case KeyKind::integer:
      return "a whole number";
    case KeyKind::text:
      return "a word";
    case KeyKind::boolean:
      return "true or false";
    case KeyKind::numbers:
      return "a list of numbers";
    case KeyKind::texts:
      return "a list of names";
    case KeyKind::file:
      return "a file name";
    case KeyKind::files:
      return "a list of file names";
    case KeyKind::params:
      return "a parameter: {setting: value} map";
  }
  return "";
}

}  // namespace

class ConfigReader {
 public:
  explicit ConfigReader(Config& config) : config_(config), table_(config.table()) {}

  void read(const YAML::Node& root) {
    if (!root || root.IsNull()) return;
    if (!root.IsMap())
      throw Error(Errc::usage, "the configuration is not a map of sections", "begin with a section such as 'fit:'")
          .at(where(root));
    std::vector<std::string> names;
    for (const auto& s : table_.sections) names.emplace_back(s.name);
    std::vector<std::string> seen;
    for (const auto& entry : root) {
      const std::string name = key_name(entry.first, seen);
      if (std::find(names.begin(), names.end(), name) == names.end())
        throw unknown(name, "", names).at(where(entry.first));
      section(name, entry.second);
    }
  }

 private:
  std::string where(const YAML::Node& node) const {
    return fmt::format("{} line {}", config_.source_, node.Mark().line + 1);
  }

  std::string key_name(const YAML::Node& node, std::vector<std::string>& seen) const {
    if (!node.IsScalar()) throw Error(Errc::usage, "a key is not a word", "write 'key: value'").at(where(node));
    const std::string& name = node.Scalar();
    if (std::find(seen.begin(), seen.end(), name) != seen.end())
      throw Error(Errc::usage, fmt::format("'{}' is written twice", name), "keep one of them").at(where(node));
    seen.push_back(name);
    return name;
  }

  // A key may be right but in another section: say where it belongs.
  Error unknown(const std::string& name, const std::string& section, const std::vector<std::string>& names) const {
    for (const auto& k : table_.keys)
      if (k.path.substr(k.path.find('.') + 1) == name && k.path.substr(0, k.path.find('.')) != section) {
        const std::string home = k.path.substr(0, k.path.find('.'));
        return Error(Errc::unknown_name,
                     section.empty() ? fmt::format("'{}' stands outside its section", name)
                                     : fmt::format("no key called '{}' in section '{}'", name, section),
                     fmt::format("it belongs to section '{}:'", home));
      }
    return unknown_name(section.empty() ? "section" : fmt::format("key of section '{}'", section), name, names,
                        "allowed: " + fmt::format("{}", fmt::join(names, ", ")));
  }

  void section(const std::string& name, const YAML::Node& node) {
    if (node.IsNull()) return;
    if (!node.IsMap())
      throw Error(Errc::usage, fmt::format("section '{}' is not a map of keys", name), "indent its keys below it")
          .at(where(node));
    std::vector<std::string> names;
    for (const auto& k : table_.keys)
      if (k.path.starts_with(name + ".")) names.push_back(k.path.substr(name.size() + 1));
    std::vector<std::string> seen;
    for (const auto& entry : node) {
      const std::string key = key_name(entry.first, seen);
      if (std::find(names.begin(), names.end(), key) == names.end())
        throw unknown(key, name, names).at(where(entry.first));
      if (entry.second.IsNull()) continue;
      const Key& k = table_.key(name + "." + key);
      if (k.kind == KeyKind::params)
        params(entry.second);
      else
        config_.values_[k.path] = value(k, entry.second, entry.first.Mark().line + 1);
    }
  }

 public:
  Config::Value value(const Key& k, const YAML::Node& node, int line) const {
    Config::Value v;
    v.line = line;
    const std::string place = line > 0 ? fmt::format("{} line {}", config_.source_, line) : "default of " + k.path;
    const bool list = k.kind == KeyKind::numbers || k.kind == KeyKind::texts || k.kind == KeyKind::files;
    const auto wrong_type = [&](const YAML::Node& n) {
      std::string what = n.IsMap() ? "a map" : n.IsSequence() ? "a list" : "'" + n.Scalar() + "'";
      return Error(Errc::usage, fmt::format("{} is {}, not {}", k.path, what, kind_words(k.kind)),
                   fmt::format("{} is: {}", k.path, k.meaning))
          .at(place);
    };
    if (node.IsScalar()) {
      v.texts.push_back(node.Scalar());
    } else if (node.IsSequence() && list) {
      for (const auto& item : node) {
        if (!item.IsScalar()) throw wrong_type(item);
        v.texts.push_back(item.Scalar());
      }
      if (v.texts.empty())
        throw Error(Errc::usage, fmt::format("{} is an empty list", k.path),
                    "give " + std::string(kind_words(k.kind)) + " or leave it out")
            .at(place);
    } else {
      throw wrong_type(node);
    }
    if (v.texts.size() == 1 && std::find(k.words.begin(), k.words.end(), v.texts[0]) != k.words.end()) return v;
    if (k.kind == KeyKind::boolean) {
      bool b = false;
      if (!YAML::convert<bool>::decode(node, b)) throw wrong_type(node);
      v.numbers.push_back(b);
    }
    if (k.kind == KeyKind::number || k.kind == KeyKind::integer || k.kind == KeyKind::numbers)
      for (const auto& t : v.texts) {
        Error range(Errc::usage, "");
        double x = 0;
        try {
          x = number_in(t, k.unit, k.path, place);
        } catch (Error& e) {
          if (!k.words.empty()) e.advise(fmt::format("{}, or {}", e.advice(), fmt::join(k.words, " or ")));
          throw;
        }
        const std::string unit = k.unit.empty() || k.unit == "1" ? "" : " " + k.unit;
        if ((k.kind == KeyKind::integer || k.whole) && x != std::floor(x))
          throw Error(Errc::usage, fmt::format("{} is {}, not a whole number", k.path, t), "give " + key_range(k))
              .at(place);
        if (k.lower != k.upper && !(x >= k.lower && x <= k.upper))
          throw Error(Errc::usage,
                      fmt::format("{} is {}{}; allowed: {} to {}{}", k.path, short_number(x), unit,
                                  short_number(k.lower), short_number(k.upper), unit),
                      k.unit.empty() || k.unit == "1"
                          ? fmt::format("{} is: {}", k.path, k.meaning)
                          : fmt::format("a number without a unit is in {}; another can be written with it ({}: 1 {})",
                                        k.unit, k.path.substr(k.path.find('.') + 1), units::engine_unit(k.unit)))
              .at(place);
        v.numbers.push_back(k.unit.empty() ? x : units::convert(x, k.unit, units::engine_unit(k.unit)));
      }
    if (k.choices && line > 0)
      for (auto& t : v.texts) choose(k, t, place);
    return v;
  }

 private:
  static void choose(const Key& k, std::string& text, const std::string& place) {
    const auto all = k.choices();
    if (k.resolve) {
      try {
        text = k.resolve(text);
      } catch (Error& e) {
        throw e.at(place);
      }
      return;
    }
    std::string found;
    for (const auto& c : all)
      if (c == text || (c.size() > text.size() && c.ends_with("." + text))) found = c;
    if (found.empty()) throw unknown_name(k.path, text, all).at(place);
    text = found;
  }

  void params(const YAML::Node& node) {
    if (!node.IsMap())
      throw Error(Errc::usage, "fit.params is not a map of parameters",
                  "write 'params:' and below it 've: {lower: 0.01}'")
          .at(where(node));
    std::vector<std::string> seen;
    for (const auto& entry : node) {
      const std::string name = key_name(entry.first, seen);
      if (!entry.second.IsMap())
        throw Error(Errc::usage, fmt::format("fit.params.{} is not a map of settings", name),
                    fmt::format("write '{}: {{lower: 0, upper: 1}}'", name))
            .at(where(entry.first));
      param(name, entry.first, entry.second);
    }
  }

  void param(const std::string& name, const YAML::Node& key, const YAML::Node& node) {
    const auto known = table_.params();
    const auto it = known.find(name);
    if (it == known.end()) {
      std::vector<std::string> names;
      for (const auto& [n, u] : known) names.push_back(n);
      throw unknown_name("model parameter", name, names).at(where(key));
    }
    const std::string engine = it->second, shown = units::display_unit(name, engine);
    ParamConfig p;
    std::vector<std::string> seen;
    const std::vector<std::string> settings{"fixed", "lower", "upper", "start", "prior_mean", "prior_sd", "prior_log"};
    if (node["prior_log"]) p.prior_log = node["prior_log"].as<bool>(false);
    for (const auto& entry : node) {
      const std::string setting = key_name(entry.first, seen);
      const std::string path = fmt::format("fit.params.{}.{}", name, setting);
      if (std::find(settings.begin(), settings.end(), setting) == settings.end())
        throw unknown_name("setting of a parameter", setting, settings).at(where(entry.first));
      if (setting == "prior_log") {
        bool b = false;
        if (!YAML::convert<bool>::decode(entry.second, b))
          throw Error(Errc::usage, path + " is not true or false", "write true or false").at(where(entry.first));
        continue;
      }
      if (entry.second.IsNull()) continue;
      if (!entry.second.IsScalar())
        throw Error(Errc::usage, path + " is not a number", "give one number").at(where(entry.first));
      const bool of_log = setting == "prior_sd" && p.prior_log;  // sd of ln(parameter) has no unit
      const std::string unit = of_log ? "1" : shown;
      double x = number_in(entry.second.Scalar(), unit, path, where(entry.first));
      if (!of_log) x = units::convert(x, shown, engine);
      if (setting == "prior_sd" && !(x > 0))
        throw Error(Errc::usage, fmt::format("{} is {}; it must be above 0", path, entry.second.Scalar()),
                    "give the standard deviation of the prior")
            .at(where(entry.first));
      (setting == "fixed"        ? p.fixed
       : setting == "lower"      ? p.lower
       : setting == "upper"      ? p.upper
       : setting == "start"      ? p.start
       : setting == "prior_mean" ? p.prior_mean
                                 : p.prior_sd) = x;
    }
    if (p.lower && p.upper && !(*p.lower < *p.upper))
      throw Error(Errc::usage,
                  fmt::format("fit.params.{}: lower {} is not below upper {} {}", name,
                              short_number(units::convert(*p.lower, engine, shown)),
                              short_number(units::convert(*p.upper, engine, shown)), shown),
                  "swap them, or use 'fixed'")
          .at(where(key));
    config_.params_[name] = p;
  }

  Config& config_;
  const ConfigTable& table_;
};

Config Config::parse(const std::string& text, const std::string& source, const ConfigTable& table) {
  Config c;
  c.table_ = &table;
  c.source_ = source;
  c.yaml_ = text;
  YAML::Node root;
  try {
    root = YAML::Load(text);
  } catch (const YAML::Exception& e) {
    throw Error(
        Errc::usage, fmt::format("not YAML: {}", e.msg),
        fmt::format("check the indentation and the colons there; {} --defaults prints a correct file", table.command))
        .at(fmt::format("{} line {} column {}", source, e.mark.line + 1, e.mark.column + 1));
  }
  ConfigReader(c).read(root);
  return c;
}

Config Config::read(const std::filesystem::path& path, const ConfigTable& table) {
  return parse(io::read_text(path), path.string(), table);
}

bool Config::has(std::string_view path) const { return values_.find(path) != values_.end(); }

std::string Config::where(std::string_view path) const {
  const auto it = values_.find(path);
  return it == values_.end() ? fmt::format("{}, by default", source_)
                             : fmt::format("{} line {}", source_, it->second.line);
}

const Config::Value& Config::value(std::string_view path) const {
  if (const auto it = values_.find(path); it != values_.end()) return it->second;
  if (const auto it = defaults_.find(path); it != defaults_.end()) return it->second;
  const Key& k = table_->key(path);
  Value v;
  if (!k.start.empty()) {
    Config scratch;
    scratch.table_ = table_;
    v = ConfigReader(scratch).value(k, YAML::Load(k.start), 0);
  }
  return defaults_.emplace(std::string(path), std::move(v)).first->second;
}

bool Config::is_word(std::string_view path, std::string_view word) const {
  const auto& v = value(path);
  return v.texts.size() == 1 && v.texts[0] == word;
}
double Config::number(std::string_view path) const {
  const auto& v = value(path).numbers;
  if (v.empty()) throw Error(Errc::usage, fmt::format("{} is not set", path), table_->key(path).meaning).at(source_);
  return v[0];
}
bool Config::boolean(std::string_view path) const { return number(path) != 0; }
std::string Config::text(std::string_view path) const {
  const auto& v = value(path).texts;
  return v.empty() ? std::string{} : v[0];
}
std::vector<double> Config::numbers(std::string_view path) const { return value(path).numbers; }
std::vector<std::string> Config::texts(std::string_view path) const { return value(path).texts; }

std::map<std::string, std::string> Config::in_use() const {
  std::map<std::string, std::string> out;
  for (const auto& k : table_->keys) {
    if (k.kind == KeyKind::params) continue;
    const auto& v = value(k.path);
    if (v.texts.empty()) continue;
    nlohmann::json j = v.texts.size() == 1 ? nlohmann::json(v.texts[0]) : nlohmann::json(v.texts);
    out[k.path] = j.dump();
  }
  return out;
}

}  // namespace larmor::cli
