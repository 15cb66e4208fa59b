// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"

namespace larmor::cli {
namespace {
int run(const Call& call) {
  const std::string script = completion_script(call.text("SHELL"));
  if (call.json)
    print_json({{"shell", call.text("SHELL")}, {"script", script}});
  else
    fmt::print("{}", script);
  return 0;
}
}  // namespace

void register_completion(Commands& commands) {
  commands.add({.name = "completion",
                .does = "Prints a script that completes commands, options and names in a shell",
                .in = {{.name = "SHELL",
                        .what = "which shell",
                        .kind = Kind::text,
                        .choices =
                            [] {
                              return std::vector<std::string>{"bash", "zsh"};
                            }}},
                .examples = {"larmor completion bash > ~/.local/share/bash-completion/completions/larmor",
                             "larmor completion zsh > ~/.zfunc/_larmor      # fpath=(~/.zfunc $fpath)"},
                .run = run});
}

}  // namespace larmor::cli
