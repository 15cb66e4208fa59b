// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <larmor/nodes/operations.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"
#include "text_table.hpp"
#include "user_ops.hpp"

namespace larmor::cli {
namespace {

using json = nlohmann::ordered_json;

int run(const Call& call) {
  flow::NodeTypes types = nodes::make_operations();
  auto& user = user_operations(call);
  user.refresh(types);
  json out = json::array();
  std::vector<std::vector<std::string>> rows{{"id", "language", "lines", "file", "does"}};
  int broken = 0;
  for (const auto& op : user.list()) {
    const char* language = op.python ? "Python" : "C++";
    const bool there = types.has(op.id) && op.error.empty();
    const std::string does = there ? types.get(op.id).does : "";
    broken += !op.error.empty();
    out.push_back({{"id", op.id},
                   {"language", language},
                   {"lines", op.lines},
                   {"file", op.file.string()},
                   {"does", does},
                   {"error", op.error},
                   {"error_at", op.error_at}});
    std::string state = does;
    if (!op.error.empty()) state = "error" + (op.error_at.empty() ? "" : " at " + op.error_at) + ": " + op.error;
    rows.push_back({op.id, language, std::to_string(op.lines), op.file.string(), state});
  }
  fmt::print("{}", call.json ? out.dump(2, ' ', false, json::error_handler_t::replace) + "\n" : text_table(rows));
  return broken ? 1 : 0;
}

}  // namespace

void register_op_list(Commands& commands) {
  commands.add({.name = "op list",
                .does = "Lists the operations of users, and why one does not load",
                .opt = {ops_option()},
                .examples = {"larmor op list", "larmor op list --ops my_ops --json"},
                .more = "Exit code 1 when one does not load.",
                .run = run});
}

}  // namespace larmor::cli
