// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace larmor::flow::user {

/// The other side of Worker for operations in C++: serves requests on descriptor 3 until it is closed. Programs that
/// run user operations call it from main() when their first word is `op_worker_word`. Returns the exit code.
int run_cpp_worker();
inline constexpr const char* op_worker_word = "op-worker";

}  // namespace larmor::flow::user
