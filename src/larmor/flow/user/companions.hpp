// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace larmor::flow::user {

/// Files of the user's own that an operation is made of besides its own: modules that a Python file imports from its
/// folder, headers that a C++ file includes in quotes, and what these import and include in turn.
struct Companions {
  std::vector<std::filesystem::path> found;       // sorted
  std::vector<std::filesystem::path> looked_for;  // all places where one is or could be, sorted
};
/// file   the operation's file; text  what is in it
Companions companions(const std::filesystem::path& file, const std::string& text, bool python);

}  // namespace larmor::flow::user
