// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command.hpp"

/// The configuration of a pipeline (`larmor dce`, `larmor ivim`, ...): one table of keys says what may be written, in
/// which unit, within which range, and what it means. Reading, checking, --defaults, the wizard and the reference page
/// use that table.
namespace larmor::cli {

enum class KeyKind { number, integer, text, boolean, numbers, texts, file, files, params };

struct Key {
  std::string path;  // "signal.TR"
  KeyKind kind;
  std::string unit;   // of a number written without one; empty: none
  std::string start;  // default as YAML; empty: not set
  double lower, upper;
  std::string meaning;
  Choices choices = {};
  std::vector<std::string> words = {};                   // may stand instead of the number or file: "auto", "none"
  bool whole = false;                                    // of numbers: no fractions
  std::string (*resolve)(const std::string&) = nullptr;  // full name of a choice, where aliases are known elsewhere
};
/// "0.1 to 180 deg", empty when there is no range.
std::string key_range(const Key& key);
/// Sections in the order they are written, with a sentence each.
struct Section {
  const char *name, *meaning;
};

/// The keys of one command.
struct ConfigTable {
  std::string command;  // "larmor dce"
  std::vector<Section> sections;
  std::vector<Key> keys;
  std::map<std::string, std::string> (*params)() = nullptr;  // of a key of kind params: unit by name of a parameter
  std::string params_example = {};                           // lines below that key in --defaults

  /// Errors   Errc::internal
  const Key& key(std::string_view path) const;
};
const ConfigTable& dce_config();

/// Keys of the section "output" that every table has: units, standard_errors, report, title.
std::vector<Key> output_keys();
/// A choice of words.
Choices words(std::initializer_list<const char*> list);

/// Complete, commented YAML with every key at its default.
std::string default_config(const ConfigTable& table);
/// The same with other values (YAML text by path), as the wizard and `larmor dro` write it. `brief` leaves out what is
/// not in `values`.
std::string config_yaml(const ConfigTable& table, const std::map<std::string, std::string>& values, bool brief,
                        std::string_view head);
/// Reference page in Markdown.
std::string config_page(const ConfigTable& table);

/// What a parameter's settings hold, in engine units (as larmor::dce::ParamSetting).
struct ParamConfig {
  std::optional<double> fixed, lower, upper, start, prior_mean, prior_sd;
  bool prior_log = false;
};

/// A configuration, checked against the table. Values come in the engine's units.
class Config {
 public:
  /// Errors   Errc::file; Errc::usage, Errc::unknown_name with the line, both numbers and the nearest key
  static Config read(const std::filesystem::path& path, const ConfigTable& table);
  static Config parse(const std::string& text, const std::string& source, const ConfigTable& table);

  const ConfigTable& table() const { return *table_; }

  bool has(std::string_view path) const;  // written, and not null
  /// `path`'s place for messages: "config.yaml line 12".
  std::string where(std::string_view path) const;
  bool is_word(std::string_view path, std::string_view word) const;  // written or by default
  double number(std::string_view path) const;
  int integer(std::string_view path) const { return static_cast<int>(number(path)); }
  bool boolean(std::string_view path) const;
  std::string text(std::string_view path) const;
  std::vector<double> numbers(std::string_view path) const;
  std::vector<std::string> texts(std::string_view path) const;
  const std::map<std::string, ParamConfig>& params() const { return params_; }

  const std::string& source() const { return source_; }
  const std::string& yaml() const { return yaml_; }
  /// Every key with the value in use ("config" or "default"), for provenance: JSON text by path.
  std::map<std::string, std::string> in_use() const;

 private:
  struct Value {
    int line = 0;
    std::vector<std::string> texts;
    std::vector<double> numbers;
  };
  const Value& value(std::string_view path) const;
  friend class ConfigReader;
  const ConfigTable* table_ = nullptr;
  std::string source_, yaml_;
  std::map<std::string, Value, std::less<>> values_;
  mutable std::map<std::string, Value, std::less<>> defaults_;
  std::map<std::string, ParamConfig> params_;
};

}  // namespace larmor::cli
