// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <larmor/flow/user/operations.hpp>

#include "command.hpp"

namespace larmor::cli {

/// `--ops FOLDER`, for commands that read graphs.
Option ops_option();

/// Operations of users: those of the folders of --ops, then of ~/.larmor/ops. Made on the first call, for its folders.
flow::user::UserOperations& user_operations(const Call& call);
/// Built-in operations and those of users. A file that does not load is warned about.
const flow::NodeTypes& all_operations(const Call& call);

}  // namespace larmor::cli
