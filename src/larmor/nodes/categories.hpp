// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <string_view>

namespace larmor::nodes {

/// What people call the first part of an operation's id: "dce" is "DCE", "io" is "Files". One that nobody has given a
/// title, as those of users, is written with a capital and spaces.
std::string category_title(std::string_view category);

}  // namespace larmor::nodes
