// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "catalogue.hpp"
#include "command.hpp"

namespace larmor::cli {
namespace {

std::vector<std::string> what() {
  auto out = catalogue_kinds();
  out.emplace_back("all");
  return out;
}

int run(const Call& call) {
  const std::string kind = call.given("WHAT") ? call.text("WHAT") : "all";
  fmt::print("{}", call.json ? catalogue_json(kind) : catalogue_text(kind));
  return 0;
}

}  // namespace

void register_list(Commands& commands) {
  commands.add(
      {.name = "list",
       .does = "Lists what can be named: models, operations, input functions, fitters, units, devices, commands",
       .in = {{.name = "WHAT",
               .what = "what to list, default all",
               .kind = Kind::text,
               .optional = true,
               .choices = what}},
       .examples = {"larmor list models", "larmor list all --json"},
       .run = run});
}

}  // namespace larmor::cli
