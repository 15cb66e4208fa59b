// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "command.hpp"

namespace larmor::cli {
namespace {
int run(const Call& call) {
  fmt::print("{}", completion_script(call.text("SHELL")));
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
