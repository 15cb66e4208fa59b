// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>

#include "command.hpp"

namespace larmor::cli {

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const auto stop = text.find_first_of(" \n");
    const std::string_view word = text.substr(0, stop);
    if (column + word.size() > width && column > indent) {
      while (out.ends_with(' ')) out.pop_back();
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    out += word;
    column += word.size();
    if (stop == std::string_view::npos) break;
    if (text[stop] == '\n') {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else {
      out += ' ';
      ++column;
    }
    text.remove_prefix(stop + 1);
  }
  return out;
}

namespace {

std::string option_left(const Option& o) {
  std::string s = "  " + (o.letter.empty() ? "" : o.letter + ", ") + o.name;
  if (!o.placeholder().empty()) s += " " + o.placeholder() + (o.repeated ? "..." : "");
  return s;
}

std::string option_right(const Option& o, bool with_choices) {
  std::string s = o.what;
  if (const auto range = range_text(o); !range.empty()) s += "; " + range;
  if (!o.start.empty() && o.name != "--threads") s += fmt::format("; default {}", o.start);
  if (o.required) s += "; required";
  if (o.repeated)
    s += o.kind == Kind::number || o.kind == Kind::integer ? "; several, separated by commas" : "; may be repeated";
  if (with_choices && o.choices) {
    s += o.open ? "; such as " : "; one of ";
    const auto all = o.choices();
    for (std::size_t i = 0; i < all.size(); ++i) s += (i ? ", " : "") + all[i];
  }
  return s;
}

void add_row(std::string& out, const std::string& left, const std::string& right) {
  constexpr std::size_t column = 26;
  if (left.size() + 2 > column)
    out += left + "\n" + std::string(column, ' ') + wrapped(right, column) + "\n";
  else
    out += fmt::format("{:<26}{}\n", left, wrapped(right, column));
}

}  // namespace

std::string usage_line(const Command& c) {
  std::string s = "larmor " + c.name;
  for (const auto* list : {&c.in, &c.out})
    for (const auto& p : *list) {
      const std::string name = p.name + (p.repeated ? "..." : "");
      s += p.optional ? " [" + name + "]" : " " + name;
    }
  for (const auto& o : c.opt)
    if (o.required) s += " " + (o.letter.empty() ? o.name : o.letter) + " " + o.placeholder();
  if (std::any_of(c.opt.begin(), c.opt.end(), [](const Option& o) { return !o.required; })) s += " [options]";
  return s;
}

std::string command_help(const Command& c) {
  std::string out = wrapped(fmt::format("larmor {}: {}", c.name, c.does), 0) + "\n\nusage: " + usage_line(c) + "\n";
  for (const auto& [title, list] : {std::pair{"input", &c.in}, std::pair{"output", &c.out}}) {
    if (list->empty()) continue;
    out += fmt::format("\n{}:\n", title);
    for (const auto& p : *list) {
      std::string what = p.what + (p.optional ? "; may be left out" : "");
      if (p.choices) {
        what += "; one of ";
        const auto all = p.choices();
        for (std::size_t i = 0; i < all.size(); ++i) what += (i ? ", " : "") + all[i];
      }
      add_row(out, "  " + p.name, what);
    }
  }
  if (!c.opt.empty()) {
    out += "\noptions:\n";
    for (const auto& o : c.opt) add_row(out, option_left(o), option_right(o, true));
  }
  out += "\nevery command:\n";
  for (const auto& o : global_options()) add_row(out, option_left(o), option_right(o, true));
  if (!c.more.empty()) out += "\n" + wrapped(c.more, 0) + "\n";
  if (!c.examples.empty()) {
    out += "\nexamples:\n";
    for (const auto& e : c.examples) out += "  " + e + "\n";
  }
  if (!c.refs.empty()) {
    out += "\nreferences:\n";
    for (const auto& r : c.refs) out += "  " + wrapped(r, 4) + "\n";
  }
  return out;
}

std::string main_help() {
  std::string out =
      "larmor reconstructs, simulates and quantifies MRI. Research use only, not for diagnosis.\n\n"
      "usage: larmor COMMAND ...\n\ncommands:\n";
  for (const auto& c : commands().all()) add_row(out, "  " + c.name, c.does);
  out += "\nevery command:\n";
  for (const auto& o : global_options()) add_row(out, option_left(o), option_right(o, true));
  out +=
      "\n  larmor COMMAND --help   units, ranges, references and examples\n"
      "  larmor list             what can be named: models, AIFs, fitters, ...\n"
      "  larmor --version\n\n"
      "Numbers go to stdout, talk to stderr. Exit codes: 0 done, 1 the work failed or was cancelled, 2 the call was\n"
      "wrong. Ctrl-C cancels and leaves no partial output.\n";
  return out;
}

std::string group_help(std::string_view group) {
  std::string out = fmt::format("usage: larmor {} ...\n\n", group);
  for (const auto& c : commands().all())
    if (c.name.starts_with(std::string(group) + " ")) add_row(out, "  " + c.name, c.does);
  return out;
}

}  // namespace larmor::cli
