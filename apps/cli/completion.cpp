// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <set>

#include "command.hpp"

namespace larmor::cli {
namespace {

std::vector<std::string> option_words(const Command& c) {
  std::vector<std::string> out;
  for (const auto* list : {&c.opt, &global_options()})
    for (const auto& o : *list) out.push_back(o.name);
  return out;
}

// What may follow the words of `prefix` ("" or "dro"): the next words of command names.
std::set<std::string> next_words(const std::string& prefix) {
  std::set<std::string> out;
  for (const auto& name : commands().names()) {
    if (!prefix.empty() && !name.starts_with(prefix + " ")) continue;
    const std::string rest = prefix.empty() ? name : name.substr(prefix.size() + 1);
    out.insert(rest.substr(0, rest.find(' ')));
  }
  return out;
}

std::set<std::string> groups() {
  std::set<std::string> out;
  for (const auto& name : commands().names())
    if (const auto space = name.find(' '); space != std::string::npos) out.insert(name.substr(0, space));
  return out;
}

std::string bash_script() {
  std::string s =
      "# bash completion for larmor; put it in ~/.local/share/bash-completion/completions/larmor\n"
      "_larmor() {\n"
      "  local cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" cmd=\"\" words=\"\" i n=0 word\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    word=\"${COMP_WORDS[i]}\"\n"
      "    case \"$cmd${cmd:+ }$word\" in\n      ";
  const auto names = commands().names();
  std::set<std::string> known(names.begin(), names.end());
  for (const auto& g : groups()) known.insert(g);
  bool first = true;
  for (const auto& k : known) {
    s += fmt::format("{}\"{}\"", first ? "" : "|", k);
    first = false;
  }
  s += ") cmd=\"$cmd${cmd:+ }$word\" ;;\n      *) case \"$word\" in -*) ;; *) n=$((n + 1)) ;; esac ;;\n    esac\n  "
       "done\n";
  s += "  case \"$cmd:$prev\" in\n";
  for (const auto& c : commands().all())
    for (const auto* list : {&c.opt, &global_options()})
      for (const auto& o : *list) {
        if (o.kind == Kind::flag) continue;
        std::string match = fmt::format("\"{}:{}\"", c.name, o.name);
        if (!o.letter.empty()) match += fmt::format("|\"{}:{}\"", c.name, o.letter);
        if (o.choices)
          s += fmt::format("    {}) COMPREPLY=($(compgen -W \"{}\" -- \"$cur\")); return ;;\n", match,
                           fmt::join(o.choices(), " "));
        else if (o.kind == Kind::folder)
          s += fmt::format("    {}) COMPREPLY=($(compgen -d -- \"$cur\")); return ;;\n", match);
        else if (o.kind == Kind::file)
          s += fmt::format("    {}) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n", match);
        else
          s += fmt::format("    {}) return ;;\n", match);
      }
  s += "  esac\n  case \"$cmd\" in\n";
  s += fmt::format("    \"\") words=\"{} --help --version\" ;;\n", fmt::join(next_words(""), " "));
  for (const auto& g : groups())
    if (!commands().find(g)) s += fmt::format("    \"{}\") words=\"{} --help\" ;;\n", g, fmt::join(next_words(g), " "));
  for (const auto& c : commands().all()) {
    std::string more = fmt::format("{}", fmt::join(option_words(c), " "));
    if (groups().count(c.name)) more = fmt::format("{} {}", fmt::join(next_words(c.name), " "), more);
    s += fmt::format("    \"{}\") words=\"{}\"\n", c.name, more);
    std::size_t place = 0;
    for (const auto* list : {&c.in, &c.out})
      for (const auto& p : *list) {
        if (p.choices)
          s += fmt::format("      [[ $n -eq {} ]] && words=\"{} $words\"\n", place, fmt::join(p.choices(), " "));
        ++place;
      }
    s += "      ;;\n";
  }
  s += "  esac\n"
       "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
       "  [[ -n \"$cmd\" && \"$cur\" != -* ]] && COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
       "  return 0\n"
       "}\n"
       "complete -o filenames -o bashdefault -F _larmor larmor\n";
  return s;
}

// Text inside '...' and [...] of an _arguments specification.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'')
      out += "'\\''";
    else if (c == '[' || c == ']' || c == ':' || c == '\\')
      out += std::string("\\") + c;
    else
      out += c;
  }
  return out;
}

std::string zsh_action(const Choices& choices, Kind kind) {
  if (choices) return fmt::format("({})", fmt::join(choices(), " "));
  if (kind == Kind::folder) return "_files -/";
  if (kind == Kind::file) return "_files";
  return " ";
}

std::string zsh_script() {
  std::string s =
      "#compdef larmor\n# zsh completion for larmor; put it as _larmor into a folder of $fpath\n"
      "_larmor() {\n  local cmd=\"\" word i used=1\n  local -a next\n"
      "  for ((i = 2; i < CURRENT; i++)); do\n    word=\"$words[i]\"\n    case \"$cmd${cmd:+ }$word\" in\n      ";
  const auto names = commands().names();
  std::set<std::string> known(names.begin(), names.end());
  for (const auto& g : groups()) known.insert(g);
  bool first = true;
  for (const auto& k : known) {
    std::string pattern;
    for (const char ch : k) pattern += ch == ' ' ? std::string("\\ ") : std::string(1, ch);
    s += fmt::format("{}{}", first ? "" : "|", pattern);
    first = false;
  }
  s += ") cmd=\"$cmd${cmd:+ }$word\"; used=$i ;;\n      *) break ;;\n    esac\n  done\n  case \"$cmd\" in\n";
  const auto describe = [&](const std::string& prefix) {
    std::string list;
    for (const auto& w : next_words(prefix)) {
      const std::string full = prefix.empty() ? w : prefix + " " + w;
      const Command* c = commands().find(full);
      list += fmt::format(" '{}:{}'", w, zsh_text(c ? c->does : full + " ..."));
    }
    return fmt::format("      next=({})\n      _describe command next\n      ;;\n", list);
  };
  s += "    \"\")\n" + describe("");
  for (const auto& g : groups())
    if (!commands().find(g)) s += fmt::format("    \"{}\")\n", g) + describe(g);
  for (const auto& c : commands().all()) {
    s += fmt::format("    \"{}\")\n", c.name);
    if (groups().count(c.name))
      s += "      if ((CURRENT == used + 1)); then\n" + describe(c.name).substr(0, describe(c.name).rfind("      ;;")) +
           "      fi\n";
    s += "      words=(\"larmor\" \"${(@)words[used + 1, -1]}\")\n      ((CURRENT -= used - 1))\n      _arguments -S";
    for (const auto* list : {&c.opt, &global_options()})
      for (const auto& o : *list) {
        const std::string star = o.repeated ? "*" : "";
        const std::string value =
            o.kind == Kind::flag ? "" : fmt::format(":{}:{}", o.placeholder(), zsh_action(o.choices, o.kind));
        s += fmt::format(" \\\n        '{}{}[{}]{}'", star, o.name, zsh_text(o.what), value);
        if (!o.letter.empty()) s += fmt::format(" \\\n        '{}{}[{}]{}'", star, o.letter, zsh_text(o.what), value);
      }
    std::size_t place = 1;
    for (const auto* list : {&c.in, &c.out})
      for (const auto& p : *list) {
        const std::string index = p.repeated ? "*" : std::to_string(place++);
        s += fmt::format(" \\\n        '{}:{}:{}'", index, zsh_text(p.name), zsh_action(p.choices, p.kind));
      }
    s += "\n      ;;\n";
  }
  s += "  esac\n}\nif [[ \"$funcstack[1]\" == _larmor ]]; then _larmor \"$@\"; else compdef _larmor larmor; fi\n";
  return s;
}

}  // namespace

std::string completion_script(std::string_view shell) { return shell == "zsh" ? zsh_script() : bash_script(); }

}  // namespace larmor::cli
