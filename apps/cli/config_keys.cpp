// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "catalogue.hpp"
#include "config_table.hpp"
#include "text_table.hpp"

namespace larmor::cli {
namespace {

std::string comment_of(const Key& k) {
  std::string s = k.meaning;
  if (!k.unit.empty() && k.unit != "1") s += fmt::format(" [{}]", k.unit);
  if (const auto range = key_range(k); !range.empty())
    s += "; " + range.substr(0, range.size() - (k.unit.empty() || k.unit == "1" ? 0 : k.unit.size() + 1));
  // Names of registries have their own list; short lists of words stand in the comment.
  if (k.choices) {
    const auto all = k.choices();
    if (!all.empty() && all[0].find('.') == std::string::npos) s += fmt::format("; {}", fmt::join(all, " | "));
  }
  return s;
}

std::string commented(const std::string& text, const std::string& indent) {
  std::string out = indent + "# ";
  for (const char c : wrapped(text, 0, 110 - indent.size())) {
    out += c;
    if (c == '\n') out += indent + "# ";
  }
  return out + "\n";
}

}  // namespace

Choices words(std::initializer_list<const char*> list) {
  return [all = std::vector<std::string>(list.begin(), list.end())] { return all; };
}

Key name_key(std::string path, std::string start, std::string meaning, Choices names,
             std::string (*resolve)(const std::string&), KeyKind kind) {
  return {std::move(path), kind, "", std::move(start), 0, 0, std::move(meaning), std::move(names), {}, false, resolve};
}
Key optional_file_key(std::string path, std::string meaning) {
  return {std::move(path), KeyKind::file, "", "", 0, 0, std::move(meaning), {}, {"none"}};
}
Key mask_key(std::string_view use) {
  return optional_file_key("input.mask",
                           fmt::format("voxels to {}, those not 0; found as *mask*.nii*; none: every voxel", use));
}

std::vector<Key> output_keys() {
  using enum KeyKind;
  return {{"output.units", text, "", "lexicon", 0, 0,
           "units of the maps: as people write them (lexicon) or engine (1/s)", words({"lexicon", "engine"})},
          {"output.standard_errors", boolean, "", "true", 0, 0, "write <name>_se.nii.gz"},
          {"output.report", boolean, "", "true", 0, 0, "write report.html"},
          {"output.title", text, "", "", 0, 0, "title of the report"}};
}

const Key& ConfigTable::key(std::string_view path) const {
  for (const auto& k : keys)
    if (k.path == path) return k;
  throw Error(Errc::internal, fmt::format("the configuration table of {} has no key {}", command, path));
}

std::string key_range(const Key& k) {
  if (k.lower == k.upper) return {};
  const std::string unit = k.unit.empty() || k.unit == "1" ? "" : " " + k.unit;
  if (k.lower <= -1e6 && k.upper >= 1e6) return {};
  return fmt::format("{} to {}{}", short_number(k.lower), short_number(k.upper), unit);
}

std::string config_yaml(const ConfigTable& table, const std::map<std::string, std::string>& values, bool brief,
                        std::string_view head) {
  for (const auto& [path, text] : values) table.key(path);
  std::string out;
  std::string_view rest = head;
  while (!rest.empty()) {
    const auto end = rest.find('\n');
    out += "# " + std::string(rest.substr(0, end)) + "\n";
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  for (const auto& s : table.sections) {
    std::string body;
    for (const auto& k : table.keys) {
      const auto dot = k.path.find('.');
      if (k.path.substr(0, dot) != s.name) continue;
      const auto given = values.find(k.path);
      if (brief && given == values.end()) continue;
      body += commented(comment_of(k), "  ");
      const std::string value = given != values.end() ? given->second : k.start;
      body += fmt::format("  {}:{}{}\n", k.path.substr(dot + 1),
                          value.empty()      ? ""
                          : value[0] == '\n' ? ""
                                             : " ",
                          value);
      if (k.kind == KeyKind::params && given == values.end()) body += table.params_example;
    }
    if (body.empty()) continue;
    out += fmt::format("\n{}{}:\n{}", commented(s.meaning, ""), s.name, body);
  }
  return out;
}

std::string default_config(const ConfigTable& table) {
  return config_yaml(
      table, {}, false,
      fmt::format("Configuration of {}: every key at its default. Leave out what you do not need.\n"
                  "A number may carry its unit (TR: 5 ms, TR: 0.005 s); without one it is in the unit in [ ].",
                  table.command));
}

std::string config_page(const ConfigTable& table) {
  std::string out = fmt::format(
      "# Configuration of `{0}`\n\n"
      "`{0} --defaults` prints this as a commented file, `{0} --check config.yaml [DATA]` checks one "
      "without running.\nA number may carry its unit (`TR: 0.005 s`); without one it is in the unit of the table. "
      "Unknown keys are errors.\nWhere a value is in the configuration and in a sidecar, the configuration wins and "
      "the run says so.\n",
      table.command);
  for (const auto& s : table.sections) {
    out += fmt::format("\n## {}\n\n{}\n\n| key | unit | default | range | meaning |\n|---|---|---|---|---|\n", s.name,
                       s.meaning);
    for (const auto& k : table.keys) {
      const auto dot = k.path.find('.');
      if (k.path.substr(0, dot) != s.name) continue;
      std::string allowed = key_range(k);
      if (k.choices) {
        const auto all = k.choices();
        allowed = fmt::format("`{}`", fmt::join(all, "` `"));
      }
      for (const auto& w : k.words) allowed += fmt::format("{}`{}`", allowed.empty() ? "" : " or ", w);
      out += fmt::format("| `{}` | {} | {} | {} | {} |\n", k.path.substr(dot + 1), k.unit,
                         k.start.empty() ? "" : "`" + k.start + "`", allowed, k.meaning);
    }
  }
  return out;
}

}  // namespace larmor::cli
