// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <larmor/core/cancel.hpp>
#include <larmor/core/log.hpp>
#include <larmor/flow/user/cpp_worker.hpp>
#include <new>
#include <system_error>

#include "command.hpp"

namespace {

using namespace larmor;
using namespace larmor::cli;

constexpr int exit_failed = 1, exit_usage = 2;

// The command whose words begin the line, and how many words it takes; the longest name wins ("dro dce" over "dro").
const Command* match(const std::vector<std::string>& words, std::size_t& n_words) {
  std::string name;
  const Command* found = nullptr;
  for (std::size_t i = 0; i < words.size() && !words[i].starts_with('-'); ++i) {
    name += (i ? " " : "") + words[i];
    if (const auto* c = commands().find(name)) found = c, n_words = i + 1;
  }
  return found;
}

bool is_group(const std::string& word) {
  for (const auto& n : commands().names())
    if (n.starts_with(word + " ")) return true;
  return false;
}

// Options of every command may stand before it: they are moved behind.
std::vector<std::string> options_last(std::vector<std::string> words) {
  std::size_t lead = 0;
  while (lead < words.size()) {
    const Option* found = nullptr;
    for (const auto& o : global_options())
      if (o.name != "--help" && (words[lead] == o.name || words[lead] == o.letter)) found = &o;
    if (!found) break;
    lead += found->kind == Kind::flag ? 1 : 2;
  }
  if (lead < words.size()) std::rotate(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(lead), words.end());
  return words;
}

int run(const std::vector<std::string>& words) {
  if (words.empty() || words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    std::size_t n = 0;
    const std::vector<std::string> rest(words.begin() + (words.empty() ? 0 : 1), words.end());
    if (const Command* c = match(rest, n))
      fmt::print("{}", command_help(*c));
    else if (!rest.empty() && is_group(rest[0]))
      fmt::print("{}", group_help(rest[0]));
    else if (!rest.empty() && !rest[0].starts_with('-'))
      throw unknown_name("command", rest[0], commands().names(), "see larmor --help");
    else
      fmt::print("{}", main_help());
    return words.empty() ? exit_usage : 0;
  }
  if (words[0] == "--version" || words[0] == "version") {
    fmt::print("larmor {}\n", LARMOR_VERSION);
    return 0;
  }
  std::size_t n_words = 0;
  const Command* command = match(words, n_words);
  if (!command) {
    if (is_group(words[0])) {
      if (words.size() > 1 && (words[1] == "--help" || words[1] == "-h"))
        return fmt::print("{}", group_help(words[0])), 0;
      std::vector<std::string> names;
      for (const auto& n : commands().names())
        if (n.starts_with(words[0] + " ")) names.push_back(n);
      if (words.size() == 1 || words[1].starts_with('-'))
        throw Error(Errc::usage, fmt::format("larmor {}: what?", words[0]),
                    "use one of: larmor " + fmt::format("{}", fmt::join(names, ", larmor ")));
      throw unknown_name("command", words[0] + " " + words[1], names);
    }
    if (words[0].starts_with('-'))
      throw Error(Errc::usage, fmt::format("larmor {}: no command", words[0]),
                  "write larmor COMMAND and its options; see larmor --help");
    throw unknown_name("command", words[0], commands().names(), "see larmor --help");
  }
  const Call call = parse_call(*command, {words.begin() + static_cast<std::ptrdiff_t>(n_words), words.end()});
  if (call.given("--help")) {
    fmt::print("{}", command->help && !call.words.empty() ? command->help(call, call.words) : command_help(*command));
    return 0;
  }
  log::set_level(call.quiet ? log::Level::error : call.verbose ? log::Level::debug : log::Level::info);
  if (!command->interactive) Cancel::catch_interrupts();
  require_outputs(call);
  return command->run(call);
}

int report(const char* text, int code) {
  std::fflush(stdout);
  fmt::print(stderr, "{}\n", text);
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  // Over the limit on file sizes a write shall fail and be reported, not end the process and leave half a file.
  std::signal(SIGXFSZ, SIG_IGN);
  int code = exit_failed;
  // The engine starts this program to run an operation of a user in it; nobody types that.
  if (argc == 2 && argv[1] == std::string_view(flow::user::op_worker_word)) return flow::user::run_cpp_worker();
  try {
    code = run(options_last({argv + 1, argv + argc}));
    if (std::fflush(stdout) != 0 || std::ferror(stdout)) code = report("stdout: could not be written", exit_failed);
  } catch (const Error& e) {
    code = report(e.what(), e.code() == Errc::usage || e.code() == Errc::unknown_name ? exit_usage : exit_failed);
  } catch (const std::system_error& e) {  // {fmt} could not print
    code = report(fmt::format("stdout: {}\n  do: free space, or write elsewhere", e.what()).c_str(), exit_failed);
  } catch (const std::bad_alloc&) {
    code = report("out of memory\n  do: use smaller data or a machine with more memory", exit_failed);
  } catch (const std::exception& e) {
    code =
        report(fmt::format("internal error: {}\n  do: report it with the command line", e.what()).c_str(), exit_failed);
  }
  return code;
}
