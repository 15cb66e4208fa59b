// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/core/log.hpp>
#include <larmor/flow/provenance.hpp>
#include <larmor/io/file.hpp>
#include <larmor/nodes/files.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "print_json.hpp"
#include "user_ops.hpp"

namespace larmor::cli {
namespace {

int run(const Call& call) {
  const std::filesystem::path path = call.text("FILE");
  const std::string text = nodes::read_provenance(path);
  if (text.empty())
    throw Error(Errc::format, path.string() + ": it does not say how it was made",
                "only files that larmor wrote hold their graph; a sidecar (.json) must stay beside them");
  const flow::Provenance made = [&] {
    try {
      return flow::parse_provenance(text);
    } catch (Error& e) {
      throw e.at("the provenance of " + path.string());
    }
  }();
  // What would make a second run differ is worth a word.
  if (made.larmor != LARMOR_VERSION)
    log::info(fmt::format("made by larmor {}, this is {}", made.larmor, LARMOR_VERSION));
  const auto& types = all_operations(call);
  for (const auto& [id, version] : made.operations)
    if (!types.has(id))
      log::warning(fmt::format("operation {} is not there", id));
    else if (types.get(id).version != version)
      log::warning(
          fmt::format("operation {} was of version {} and is of version {}", id, version, types.get(id).version));
  const std::filesystem::path base = call.given("--base") ? call.text("--base") : std::string();
  for (const auto& [name, hash] : made.files) {
    if (hash.empty()) continue;
    const auto now = flow::hash_file(base / name);
    if (now.zero())
      log::warning(fmt::format("input {} is not there", name));
    else if (now.str() != hash)
      log::warning(fmt::format("input {} has changed", name));
  }
  const std::string graph = flow::to_json(made.graph);
  if (!call.given("--out")) {
    fmt::print("{}", graph);
    return 0;
  }
  io::write_text(call.text("--out"), graph);
  if (call.json)
    print_json({{"out", call.text("--out")}, {"node", made.node}, {"larmor", made.larmor}});
  else
    log::info(fmt::format("{}, written by node {}", call.text("--out"), made.node));
  return 0;
}

}  // namespace

void register_graph_from(Commands& commands) {
  commands.add({.name = "graph from",
                .does = "Gets the graph back that made a file",
                .in = {{.name = "FILE", .what = ".nii, .nii.gz, .png, .csv, .json, .html, .npy or a sidecar"}},
                .opt = {file("--out", "file that receives the graph; default: standard output").output().as("-o"),
                        folder("--base", "folder of relative input names; default: this one"), ops_option()},
                .examples = {"larmor graph from Ktrans.nii.gz -o dce.json"},
                .more = "Says when the inputs or the operations are not what they were.",
                .run = run});
}

}  // namespace larmor::cli
