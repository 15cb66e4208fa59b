// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <functional>
#include <initializer_list>
#include <larmor/core/device.hpp>
#include <larmor/core/error.hpp>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// A command is its usage as data; parsing, help, completion, the reference pages and `larmor list commands` read the
/// same description.
namespace larmor::cli {

inline constexpr double inf = std::numeric_limits<double>::infinity();

enum class Kind { flag, number, integer, text, file, folder };
using Choices = std::function<std::vector<std::string>()>;

/// `--name VALUE`. The unit is what stands in the last [ ] of `what`.
struct Option {
  std::string name, what;
  Kind kind = Kind::text;
  std::string start = {};  // the default, as it would be typed; empty: none
  double lower = -inf, upper = inf;
  Choices choices = {};  // the values allowed (ids may be given by suffix or alias: the registry resolves them)
  bool open = false;     // `choices` are only suggestions
  bool repeated = false, required = false;
  std::string letter = {};  // "-o"
  bool is_output = false;   // names what is written: whether it can be is found out before the work

  Option many() const;                   // several values: repeat it, or separate them by commas
  Option need() const;                   // must be given
  Option as(std::string letter_) const;  // short form
  Option output() const;                 // names what is written
  Option one_of(Choices values) const;
  Option suggest(Choices values) const;
  std::string unit() const;
  std::string placeholder() const;  // "KM/S", "FILE", ...
};
Option flag(std::string name, std::string what);
Option number(std::string name, std::string what, double start, double lower = -inf, double upper = inf);
Option number(std::string name, std::string what);  // no default
Option integer(std::string name, std::string what, int start, int lower, int upper);
Option text(std::string name, std::string what, std::string start = {});
Option file(std::string name, std::string what);
Option folder(std::string name, std::string what);

struct Positional {
  std::string name, what;
  Kind kind = Kind::file;
  bool optional = false, repeated = false;
  Choices choices = {};
};

struct Call;
struct Command {
  std::string name;  // "dce", "dro dce"
  std::string does;  // one sentence
  std::vector<Positional> in = {}, out = {};
  std::vector<Option> opt = {};
  std::vector<std::string> refs = {}, examples = {};
  std::string more = {};  // paragraphs after the options
  bool interactive = false;
  int (*run)(const Call&) = nullptr;  // exit code
  /// Help on what the words before --help name ("run-op math.add --help"); none: the usage of the command.
  std::string (*help)(const Call&, const std::vector<std::string>& words) = nullptr;
};

/// Filled by the generated call list from commands/*.cpp.
class Commands {
 public:
  void add(Command command) { all_.push_back(std::move(command)); }
  const std::vector<Command>& all() const { return all_; }
  std::vector<std::string> names() const;
  const Command* find(std::string_view name) const;

 private:
  std::vector<Command> all_;
};
const Commands& commands();
/// Options that every command takes.
const std::vector<Option>& global_options();

/// A command line, read and checked.
struct Call {
  const Command* command = nullptr;
  std::map<std::string, std::vector<std::string>> values;  // by option ("--out") or positional ("DATA") name
  std::vector<std::string> words;                          // with --help: what else was on the line, no options
  bool quiet = false, verbose = false, json = false;
  Device device;

  bool given(std::string_view name) const;
  /// The value, or the default. Errors   Errc::internal for a name the command does not describe
  std::string text(std::string_view name) const;
  double number(std::string_view name) const;
  int integer(std::string_view name) const;
  bool flag(std::string_view name) const { return given(name); }
  std::vector<std::string> texts(std::string_view name) const;
  std::vector<double> numbers(std::string_view name) const;
};

/// Errors   Errc::usage, Errc::unknown_name: exit code 2
Call parse_call(const Command& command, const std::vector<std::string>& words);
/// Errors   Errc::file for a file or folder of the call that could not be written
void require_outputs(const Call& call);
/// Number in one piece. Errors   Errc::usage naming `what`
double parse_number(std::string_view text, const std::string& what);

std::string main_help();
std::string command_help(const Command& command);
std::string group_help(std::string_view group);  // "dro": the commands that begin so
std::string usage_line(const Command& command);
std::string range_text(const Option& option);
std::string completion_script(std::string_view shell);
/// Text wrapped at `width` columns; every line begins with `indent` spaces but the first.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width = 100);

}  // namespace larmor::cli
