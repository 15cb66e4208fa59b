// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <larmor/core/log.hpp>
#include <larmor/flow/user/operations.hpp>
#include <larmor/io/file.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "op_templates.hpp"
#include "print_json.hpp"

namespace larmor::cli {
namespace {

namespace fs = std::filesystem;

int run(const Call& call) {
  const std::string name = call.text("NAME");
  const bool good = !name.empty() && std::islower(static_cast<unsigned char>(name[0])) != 0 &&
                    std::all_of(name.begin(), name.end(), [](unsigned char c) {
                      return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
                    });
  if (!good)
    throw Error(Errc::usage, "'" + name + "' cannot be the name of an operation",
                "use small letters, digits and _, a letter first");
  if (call.flag("--python") == call.flag("--cpp"))
    throw Error(Errc::usage, "one of --python and --cpp says the language", "give one of them");
  const fs::path folder = call.given("--dir") ? fs::path(call.text("--dir")) : flow::user::home_folder();
  if (folder.empty()) throw Error(Errc::usage, "there is no home folder", "name a folder with --dir");
  const fs::path path = folder / (name + (call.flag("--python") ? ".py" : ".cpp"));
  for (const char* ending : {".py", ".cpp"})
    if (const fs::path there = folder / (name + ending); fs::exists(there))
      throw Error(Errc::file, there.string() + " is there already", "choose another name, or edit that one");
  io::write_text(path, call.flag("--python") ? python_template(name) : cpp_template(name));
  if (call.json)
    print_json({{"operation", "user." + name}, {"file", path.string()}});
  else
    fmt::print("{}\n", path.string());
  log::info(fmt::format("try it: larmor op test {}", path.string()));
  return 0;
}

}  // namespace

void register_op_new(Commands& commands) {
  commands.add({.name = "op new",
                .does = "Writes an operation of your own, in Python or C++, that runs and can be edited",
                .in = {{.name = "NAME", .what = "its name: user.NAME in graphs", .kind = Kind::text}},
                .opt = {flag("--python", "one Python file, with numpy arrays"),
                        flag("--cpp", "one C++ file, compiled when it is needed"),
                        folder("--dir", "folder that receives it; default: ~/.larmor/ops")},
                .examples = {"larmor op new sharpen --python", "larmor op new sharpen --cpp --dir ops"},
                .run = run});
}

}  // namespace larmor::cli
