// SPDX-License-Identifier: Apache-2.0
#include "user_ops.hpp"

#include <fmt/format.h>

#include <larmor/core/log.hpp>
#include <larmor/nodes/operations.hpp>

namespace larmor::cli {
namespace fs = std::filesystem;

Option ops_option() {
  return folder("--ops", "folder with operations of users (.py, .cpp); ~/.larmor/ops is always looked at").many();
}

flow::user::UserOperations& user_operations(const Call& call) {
  static flow::user::UserOperations all = [&] {
    flow::user::UserOptions options;
    for (const auto& name : call.texts("--ops")) {
      if (!fs::is_directory(name))
        throw Error(Errc::usage, "--ops: " + name + " is no folder", "name one with .py or .cpp files");
      options.folders.emplace_back(name);
    }
    if (const auto home = flow::user::home_folder(); !home.empty()) options.folders.push_back(home);
    return flow::user::UserOperations(std::move(options));
  }();
  return all;
}

const flow::NodeTypes& all_operations(const Call& call) {
  static const flow::NodeTypes types = [&] {
    flow::NodeTypes all = nodes::make_operations();
    auto& user = user_operations(call);
    user.refresh(all);
    for (const auto& op : user.list())
      if (!op.error.empty()) log::warning(fmt::format("{}: {}", op.file.string(), op.error));
    return all;
  }();
  return types;
}

}  // namespace larmor::cli
