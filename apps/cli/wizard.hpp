// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "config.hpp"

namespace larmor::cli {

/// Talk with a person about a configuration: what `larmor wizard` has beside the questions of a pipeline.
class Wizard {
 public:
  using Paths = std::vector<std::filesystem::path>;
  Wizard(const ConfigTable& table, std::filesystem::path data) : table_(table), data_(std::move(data)) {}

  static void say(const std::string& text);
  static bool yes(const std::string& question, bool suggested);
  /// One of several words. Errors   Errc::cancelled when the input ends
  static std::string choose(const std::string& question, const std::vector<std::string>& words,
                            const std::string& suggested);
  /// Asks until the configuration table accepts the answer, which is then a value of the file.
  void ask(const std::string& path, const std::string& question, std::string suggested);
  /// The same for a file; left out of the configuration when it is the only one that is found by name anyway.
  void ask_file(const std::string& path, const std::string& question, const Paths& found, bool optional);
  /// What the sidecar knows (engine units) is told, else asked for.
  void protocol(const std::string& path, const std::string& question, const std::vector<double>& engine);
  /// A line of what was found.
  void tell(const std::string& what, const Paths& found) const;

  bool has(const std::string& path) const { return values_.count(path) > 0; }
  const std::string& value(const std::string& path) const { return values_.at(path); }
  void set(const std::string& path, std::string value) { values_[path] = std::move(value); }
  void forget(const std::string& path) { values_.erase(path); }
  /// The answers so far, read as a configuration.
  Config config() const;

  const std::filesystem::path& data() const { return data_; }
  std::string name_of(const std::filesystem::path& p) const;  // relative to the data
  std::string first(const Paths& found) const;                // its name, or nothing
  const std::map<std::string, std::string>& values() const { return values_; }

 private:
  static std::string line();
  const ConfigTable& table_;
  std::filesystem::path data_;
  std::map<std::string, std::string> values_;
};

}  // namespace larmor::cli
