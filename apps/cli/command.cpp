// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace larmor::cli {

void register_commands(Commands&);  // generated from commands/

const Commands& commands() {
  static const Commands all = [] {
    Commands c;
    register_commands(c);
    return c;
  }();
  return all;
}

std::vector<std::string> Commands::names() const {
  std::vector<std::string> out;
  for (const auto& c : all_) out.push_back(c.name);
  return out;
}

const Command* Commands::find(std::string_view name) const {
  const auto it = std::find_if(all_.begin(), all_.end(), [&](const Command& c) { return c.name == name; });
  return it == all_.end() ? nullptr : &*it;
}

Option Option::many() const {
  Option o = *this;
  o.repeated = true;
  return o;
}
Option Option::need() const {
  Option o = *this;
  o.required = true;
  return o;
}
Option Option::as(std::string letter_) const {
  Option o = *this;
  o.letter = std::move(letter_);
  return o;
}
Option Option::output() const {
  Option o = *this;
  o.is_output = true;
  return o;
}
Option Option::one_of(Choices values) const {
  Option o = *this;
  o.choices = std::move(values);
  return o;
}
Option Option::suggest(Choices values) const {
  Option o = one_of(std::move(values));
  o.open = true;
  return o;
}

std::string Option::unit() const {
  const auto close = what.rfind(']');
  const auto open_at = what.rfind('[');
  if (close == std::string::npos || open_at == std::string::npos || open_at > close) return {};
  return what.substr(open_at + 1, close - open_at - 1);
}

std::string Option::placeholder() const {
  switch (kind) {
    case Kind::flag:
      return {};
    case Kind::number:
      return "X";
    case Kind::integer:
      return "N";
    case Kind::file:
      return "FILE";
    case Kind::folder:
      return "FOLDER";
    case Kind::text:
      break;
  }
  return choices ? "NAME" : "TEXT";
}

Option flag(std::string name, std::string what) {
  return {.name = std::move(name), .what = std::move(what), .kind = Kind::flag};
}
Option number(std::string name, std::string what, double start, double lower, double upper) {
  return {.name = std::move(name),
          .what = std::move(what),
          .kind = Kind::number,
          .start = fmt::format("{}", start),
          .lower = lower,
          .upper = upper};
}
Option number(std::string name, std::string what) {
  return {.name = std::move(name), .what = std::move(what), .kind = Kind::number};
}
Option integer(std::string name, std::string what, int start, int lower, int upper) {
  return {.name = std::move(name),
          .what = std::move(what),
          .kind = Kind::integer,
          .start = fmt::format("{}", start),
          .lower = static_cast<double>(lower),
          .upper = static_cast<double>(upper)};
}
Option text(std::string name, std::string what, std::string start) {
  return {.name = std::move(name), .what = std::move(what), .kind = Kind::text, .start = std::move(start)};
}
Option file(std::string name, std::string what) {
  return {.name = std::move(name), .what = std::move(what), .kind = Kind::file};
}
Option folder(std::string name, std::string what) {
  return {.name = std::move(name), .what = std::move(what), .kind = Kind::folder};
}

const std::vector<Option>& global_options() {
  static const std::vector<Option> all{
      flag("--help", "this text").as("-h"),
      flag("--quiet", "say nothing but results and errors").as("-q"),
      flag("--verbose", "say more").as("-v"),
      integer("--threads", "threads to work with; default: LARMOR_NUM_THREADS, else what the machine allows", 1, 1,
              4096),
      text("--device", "where the work runs", "cpu").suggest([] {
        return std::vector<std::string>{"cpu", "cuda"};
      }),
      flag("--json", "print results as JSON")};
  return all;
}

bool Call::given(std::string_view name) const { return values.count(std::string(name)) > 0; }

std::vector<std::string> Call::texts(std::string_view name) const {
  if (const auto it = values.find(std::string(name)); it != values.end()) return it->second;
  for (const auto& o : command->opt)
    if (o.name == name) {
      std::vector<std::string> out;
      std::string_view rest = o.start;
      while (!rest.empty()) {
        const auto comma = o.repeated ? rest.find(',') : std::string_view::npos;
        out.emplace_back(rest.substr(0, comma));
        rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
      }
      return out;
    }
  for (const auto* list : {&command->in, &command->out})
    for (const auto& p : *list)
      if (p.name == name) return {};
  throw Error(Errc::internal, fmt::format("larmor {}: no option '{}' is described", command->name, name));
}

std::string Call::text(std::string_view name) const {
  const auto all = texts(name);
  return all.empty() ? std::string{} : all.back();
}
double Call::number(std::string_view name) const { return parse_number(text(name), std::string(name)); }
int Call::integer(std::string_view name) const { return static_cast<int>(number(name)); }
std::vector<double> Call::numbers(std::string_view name) const {
  std::vector<double> out;
  for (const auto& t : texts(name)) out.push_back(parse_number(t, std::string(name)));
  return out;
}

}  // namespace larmor::cli
