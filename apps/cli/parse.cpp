// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <larmor/core/parallel.hpp>
#include <larmor/io/file.hpp>

#include "command.hpp"

namespace larmor::cli {

double parse_number(std::string_view text, const std::string& what) {
  double value = 0;
  const char* first = text.data() + (text.starts_with('+') ? 1 : 0);
  const auto [end, error] = std::from_chars(first, text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value))
    throw Error(Errc::usage, fmt::format("{}: '{}' is no number", what, text), "give a number such as 2.5 or 1e-3");
  return value;
}

std::string range_text(const Option& o) {
  if (o.kind == Kind::flag || (std::isinf(o.lower) && std::isinf(o.upper))) return {};
  // A whole number as it would be typed: 2147483647, not 2.14748e+09.
  const int digits = o.kind == Kind::integer ? 10 : 6;
  if (std::isinf(o.upper)) return fmt::format("at least {:.{}g}", o.lower, digits);
  if (std::isinf(o.lower)) return fmt::format("at most {:.{}g}", o.upper, digits);
  return fmt::format("{:.{}g} to {:.{}g}", o.lower, digits, o.upper, digits);
}

namespace {

const Option* find_option(const Command& command, std::string_view name) {
  for (const auto* list : {&command.opt, &global_options()})
    for (const auto& o : *list)
      if (o.name == name || (!o.letter.empty() && o.letter == name)) return &o;
  return nullptr;
}

std::vector<std::string> option_names(const Command& command) {
  std::vector<std::string> out;
  for (const auto* list : {&command.opt, &global_options()})
    for (const auto& o : *list) {
      out.push_back(o.name);
      if (!o.letter.empty()) out.push_back(o.letter);
    }
  return out;
}

std::string see_help(const Command& command) { return fmt::format("see larmor {} --help", command.name); }

void check_choice(const std::vector<std::string>& allowed, const std::string& value, const std::string& kind) {
  for (const auto& c : allowed)
    if (c == value || (c.size() > value.size() && c.ends_with("." + value))) return;
  throw unknown_name(kind, value, allowed);
}

void check_value(const Command& command, const Option& o, const std::string& value) {
  if (o.kind == Kind::number || o.kind == Kind::integer) {
    const double x = parse_number(value, fmt::format("larmor {}: {}", command.name, o.name));
    const std::string unit = o.unit().empty() || o.unit() == "1" ? "" : " " + o.unit();
    if (o.kind == Kind::integer && x != std::floor(x))
      throw Error(Errc::usage, fmt::format("larmor {}: {} is {}, not a whole number", command.name, o.name, value),
                  "give a whole number" + (range_text(o).empty() ? "" : ", " + range_text(o)));
    if (!(x >= o.lower) || !(x <= o.upper))
      throw Error(
          Errc::usage,
          fmt::format("larmor {}: {} is {}{}; allowed: {}{}", command.name, o.name, x, unit, range_text(o), unit),
          see_help(command));
  }
  // Model and AIF names may be aliases, which only their registry knows; lists of plain words are checked here.
  if (o.choices && !o.open) check_choice(o.choices(), value, fmt::format("{} of 'larmor {}'", o.name, command.name));
}

void add_value(Call& call, const Option& o, const std::string& value) {
  auto& list = call.values[o.name];
  if (!o.repeated) {
    if (!list.empty())
      throw Error(Errc::usage, fmt::format("larmor {}: {} is given twice", call.command->name, o.name), "give it once");
    check_value(*call.command, o, value);
    list.push_back(value);
    return;
  }
  std::string_view rest = value;
  for (;;) {  // 2,5,10 is three numbers; a comma in text may mean anything
    const bool numeric = o.kind == Kind::number || o.kind == Kind::integer;
    const auto comma = numeric ? rest.find(',') : std::string_view::npos;
    const std::string one(rest.substr(0, comma));
    check_value(*call.command, o, one);
    list.push_back(one);
    if (comma == std::string_view::npos) return;
    rest.remove_prefix(comma + 1);
  }
}

void place_positionals(Call& call, const std::vector<std::string>& words) {
  std::vector<Positional> places = call.command->in;
  places.insert(places.end(), call.command->out.begin(), call.command->out.end());
  std::size_t next = 0;
  for (std::size_t i = 0; i < places.size(); ++i) {
    const auto& p = places[i];
    std::size_t later = 0;  // words that the places after this one must have
    for (std::size_t k = i + 1; k < places.size(); ++k) later += !places[k].optional;
    std::size_t take = p.repeated ? (words.size() - next > later ? words.size() - next - later : 0) : 1;
    if (next + take > words.size()) take = words.size() - next;
    if (p.optional && words.size() - next <= later && !p.repeated) take = 0;
    if (take == 0 && !p.optional)
      throw Error(Errc::usage, fmt::format("larmor {}: {} is missing ({})", call.command->name, p.name, p.what),
                  "usage: " + usage_line(*call.command));
    for (std::size_t k = 0; k < take; ++k) {
      if (p.choices)
        check_choice(p.choices(), words[next], fmt::format("{} of 'larmor {}'", p.name, call.command->name));
      call.values[p.name].push_back(words[next++]);
    }
  }
  if (next < words.size())
    throw Error(Errc::usage, fmt::format("larmor {}: '{}' is one argument too many", call.command->name, words[next]),
                "usage: " + usage_line(*call.command));
}

}  // namespace

Call parse_call(const Command& command, const std::vector<std::string>& words) {
  Call call;
  call.command = &command;
  std::vector<std::string> plain;
  bool options = true;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    // "-" alone is a file name by convention, and -5 or -.5 is a number.
    const bool dashed =
        word.size() > 1 && word[0] == '-' && !(std::isdigit(static_cast<unsigned char>(word[1])) || word[1] == '.');
    if (!options || !dashed) {
      plain.push_back(word);
      continue;
    }
    if (word == "--") {
      options = false;
      continue;
    }
    const auto equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    const std::string name = word.substr(0, equals);
    const Option* o = find_option(command, name);
    if (!o)
      throw unknown_name(fmt::format("option of 'larmor {}'", command.name), name, option_names(command),
                         see_help(command));
    if (o->kind == Kind::flag) {
      if (equals != std::string::npos)
        throw Error(Errc::usage, fmt::format("larmor {}: {} takes no value", command.name, name), see_help(command));
      call.values[o->name] = {"yes"};
      continue;
    }
    if (equals != std::string::npos) {
      add_value(call, *o, word.substr(equals + 1));
    } else if (i + 1 < words.size()) {
      add_value(call, *o, words[++i]);
    } else {
      throw Error(Errc::usage, fmt::format("larmor {}: {} needs a value ({})", command.name, name, o->what),
                  see_help(command));
    }
  }
  if (call.given("--help")) {
    call.words = std::move(plain);
    return call;
  }
  place_positionals(call, plain);
  for (const auto& o : command.opt)
    if (o.required && !call.given(o.name))
      throw Error(Errc::usage, fmt::format("larmor {}: {} is missing ({})", command.name, o.name, o.what),
                  "usage: " + usage_line(command));
  call.quiet = call.given("--quiet");
  call.verbose = call.given("--verbose");
  call.json = call.given("--json");
  if (call.given("--threads"))
    set_thread_count(static_cast<int>(parse_number(call.values["--threads"].back(), "--threads")));
  if (call.given("--device")) call.device = Device::parse(call.values["--device"].back());
  return call;
}

namespace {

/// A file that is written must not take the place of one that is read, nor of another result.
void require_files_of_their_own(const Call& call) {
  struct File {
    std::string option;
    std::filesystem::path path;
    bool written;
  };
  std::vector<File> files;
  const auto add = [&](const std::string& name, Kind kind, bool written) {
    if (kind != Kind::file || !call.given(name)) return;
    for (const auto& text : call.texts(name)) {
      std::error_code ec;
      const File file{name, std::filesystem::weakly_canonical(text, ec), written};
      for (const auto& other : files)
        if (other.path == file.path && (other.written || written))
          throw Error(
              Errc::usage,
              fmt::format("larmor {}: {} and {} are the same file, {}", call.command->name, other.option, name, text),
              "give each a name of its own");
      files.push_back(file);
    }
  };
  for (const auto& p : call.command->in) add(p.name, p.kind, false);
  for (const auto& p : call.command->out) add(p.name, p.kind, true);
  for (const auto& o : call.command->opt) add(o.name, o.kind, o.is_output);
}

}  // namespace

void require_outputs(const Call& call) {
  const auto check = [&](const std::string& name, Kind kind) {
    if (!call.given(name)) return;
    for (const auto& path : call.texts(name)) try {
        if (kind == Kind::folder)
          io::require_writable_folder(path);
        else
          io::require_writable_file(path);
      } catch (Error& e) {
        throw e.at(fmt::format("larmor {}: {}", call.command->name, name));
      }
  };
  for (const auto& p : call.command->out) check(p.name, p.kind);
  for (const auto& o : call.command->opt)
    if (o.is_output) check(o.name, o.kind);
  require_files_of_their_own(call);
}

}  // namespace larmor::cli
