// SPDX-License-Identifier: Apache-2.0
#include "wizard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <larmor/core/units.hpp>

#include "text_table.hpp"

namespace larmor::cli {
namespace fs = std::filesystem;

void Wizard::say(const std::string& text) { fmt::print(stderr, "{}\n", text); }

std::string Wizard::line() {
  std::fflush(stderr);
  std::string answer;
  if (!std::getline(std::cin, answer))
    throw Error(Errc::cancelled, "the wizard's input ended before the last question",
                "answer all questions, or start from --defaults of the command; nothing was written");
  while (!answer.empty() && std::isspace(static_cast<unsigned char>(answer.back()))) answer.pop_back();
  answer.erase(0, answer.find_first_not_of(" \t"));
  return answer;
}

// Asks until the configuration table accepts the answer, which is then a value of the file.
void Wizard::ask(const std::string& path, const std::string& question, std::string suggested) {
  const Key& key = table_.key(path);
  for (;;) {
    fmt::print(stderr, "{}{} [{}]: ", question, key.unit.empty() || key.unit == "1" ? "" : " in " + key.unit,
               suggested);
    std::string answer = line();
    if (answer == "?") {
      std::string more = key.meaning;
      if (const auto range = key_range(key); !range.empty()) more += "; " + range;
      if (key.choices) more += fmt::format("; one of {}", fmt::join(key.choices(), ", "));
      say("  " + wrapped(more, 2));
      continue;
    }
    if (answer.empty()) answer = suggested;
    if (answer.empty()) {
      say("  an answer is needed here (? explains)");
      continue;
    }
    const auto dot = path.find('.');
    const bool list = (key.kind == KeyKind::numbers || key.kind == KeyKind::texts || key.kind == KeyKind::files) &&
                      answer.find(',') != std::string::npos && !answer.starts_with('[');
    if (list) answer = "[" + answer + "]";
    try {
      const auto config =
          Config::parse(path.substr(0, dot) + ":\n  " + path.substr(dot + 1) + ": " + answer + "\n", "answer", table_);
      if (!config.has(path)) throw Error(Errc::usage, "no value", "give one");
      if ((key.kind == KeyKind::file || key.kind == KeyKind::files) &&
          !std::any_of(key.words.begin(), key.words.end(), [&](const auto& w) { return config.is_word(path, w); }))
        for (const auto& f : config.texts(path))
          if (const fs::path p = fs::path(f).is_absolute() ? fs::path(f) : data_ / f; !fs::exists(p))
            throw Error(Errc::file, fmt::format("there is no file '{}'", p.string()),
                        "give its name relative to the data folder");
      if (config.texts(path).size() == 1 && key.choices) answer = config.text(path);  // the full name
      values_[path] = answer;
      return;
    } catch (const Error& e) {
      say("  " + e.message() + (e.advice().empty() ? "" : "\n  " + e.advice()));
    }
  }
}

bool Wizard::yes(const std::string& question, bool suggested) {
  for (;;) {
    fmt::print(stderr, "{} [{}]: ", question, suggested ? "yes" : "no");
    const std::string answer = line();
    if (answer.empty()) return suggested;
    if (answer == "y" || answer == "yes" || answer == "true") return true;
    if (answer == "n" || answer == "no" || answer == "false") return false;
    say("  answer yes or no");
  }
}

std::string Wizard::choose(const std::string& question, const std::vector<std::string>& words,
                           const std::string& suggested) {
  for (;;) {
    fmt::print(stderr, "{} ({}) [{}]: ", question, fmt::join(words, ", "), suggested);
    std::string answer = line();
    if (answer.empty()) answer = suggested;
    if (std::find(words.begin(), words.end(), answer) != words.end()) return answer;
    say(fmt::format("  one of {}", fmt::join(words, ", ")));
  }
}

void Wizard::ask_file(const std::string& path, const std::string& question, const Paths& found, bool optional) {
  ask(path, question, !found.empty() ? first(found) : optional ? "none" : "");
  if (found.size() == 1 && values_[path] == first(found)) values_.erase(path);
}

void Wizard::protocol(const std::string& path, const std::string& question, const std::vector<double>& engine) {
  if (engine.empty()) return ask(path, question, "");
  std::vector<std::string> texts;
  const std::string& unit = table_.key(path).unit;
  for (const double x : engine) texts.push_back(short_number(units::convert(x, units::engine_unit(unit), unit)));
  say(fmt::format("  {}: {} {}, from the sidecar", question, fmt::join(texts, ", "), unit));
}

void Wizard::tell(const std::string& what, const Paths& found) const {
  std::vector<std::string> names;
  for (const auto& p : found) names.push_back(name_of(p));
  say(fmt::format("  {:<16} {}", what, names.empty() ? "none found" : fmt::format("{}", fmt::join(names, ", "))));
}

Config Wizard::config() const { return Config::parse(config_yaml(table_, values_, true, ""), "answers", table_); }

std::string Wizard::name_of(const fs::path& p) const { return fs::relative(p, data_).string(); }
std::string Wizard::first(const Paths& found) const { return found.empty() ? "" : name_of(found[0]); }

}  // namespace larmor::cli
